"""The commands of `clotho`.

Each module has HELP (one line), EXAMPLE (what to type), add_arguments(parser)
and run(arguments), which returns the exit code. cli/main.py lists them. What a
command has for programs (--json), it adds to arguments.answer.
"""
