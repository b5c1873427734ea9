"""The error that ends a command, and the exit codes.

A command raises Trouble with a message for people. It quotes what is wrong, and
says what was expected or what to do. cli/main.py prints it and exits with its
code.
"""

from __future__ import annotations

PASSED = 0
FAILED = 1
USAGE = 2
NOT_REPRODUCIBLE = 3
NO_TEST = 4
INCOMPLETE = 5
INTERNAL = 70
INFRASTRUCTURE = 75
INTERRUPTED = 130


class Trouble(Exception):
    """A message for people, and its exit code."""

    def __init__(self, message: str, code: int = USAGE):
        super().__init__(message)
        self.code = code


def quote(text: object, shown: int = 200) -> str:
    """`text` in double quotes: ASCII, on one line, and shortened if long."""
    cut = str(text)
    cut = cut if len(cut) <= shown else cut[:shown] + "..."
    plain = cut.encode("ascii", "backslashreplace").decode("ascii")
    for char, spelt in (("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t")):
        plain = plain.replace(char, spelt)
    return '"' + "".join(
        c if c.isprintable() else f"\\x{ord(c):02x}" for c in plain) + '"'
