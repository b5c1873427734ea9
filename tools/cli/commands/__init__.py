"""The commands of `clotho`.

Each module has HELP (a line), EXAMPLE (what to type), add_arguments(parser)
and run(arguments), which returns the exit code. cli/main.py names them.
"""
