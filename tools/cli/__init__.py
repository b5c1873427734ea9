"""The `clotho` program: one module for each command is in commands/."""
