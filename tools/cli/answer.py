"""The answer of a command for programs: with --json, standard output gets one
JSON document, and what is meant for people goes to standard error.

docs/json.md describes the members.
"""

from __future__ import annotations

import json
import os
import re
import sys
from typing import Any

from cli.files import read_json, read_text
from cli.trouble import Trouble

VERSION = 1

# These members of a trace.json are long; `clotho show --json` has them.
_LEFT_OUT = ("clotho_trace", "lanes", "steps", "events", "stacks", "waits",
             "cycle", "histories", "fifo", "goals")


class Answer:
    """The document of a command line. Without --json, it is not written."""

    def __init__(self, argv: list[str]) -> None:
        own = argv[:argv.index("--")] if "--" in argv else argv
        self.wanted = "--json" in own
        self._command = own[0] if own and not own[0].startswith("-") else ""
        self._members: dict[str, Any] = {}
        self._stdout = -1

    def begin(self) -> None:
        """From now on, we and our children print to standard error."""
        if self.wanted:
            sys.stdout.flush()
            self._stdout = os.dup(1)
            os.dup2(2, 1)

    def add(self, **members: Any) -> None:
        """Adds members to the document."""
        self._members.update(members)

    def write(self, code: int, error: str | None = None,
              expected: str | None = None) -> None:
        """Writes the document, with the exit code and the error if any."""
        if not self.wanted:
            return
        document = {"clotho_json": VERSION, "command": self._command,
                    "exit_code": code, **self._members}
        if error is not None:
            document["error"] = {"message": error, "expected": expected}
        sys.stdout.flush()
        os.dup2(self._stdout, 1)
        print(json.dumps(document, indent=1), flush=True)


def failure(folder: str) -> dict[str, Any]:
    """The failure whose files are in a folder: the members of its trace.json
    without the execution itself, and its report."""
    value: dict[str, Any] = {}
    trace = os.path.join(folder, "trace.json")
    if os.path.exists(trace):
        value = {name: part
                 for name, part in read_json(trace, "a trace").items()
                 if name not in _LEFT_OUT}
    report = os.path.join(folder, "report.txt")
    if os.path.exists(report):
        value["report"] = read_text(report, "a report")
    return value


def failure_at(folder: str) -> dict[str, Any]:
    """The same for a folder that stays, whose path is a member."""
    return {**failure(folder), "results": os.path.abspath(folder)}


def expected(message: str) -> str | None:
    """What a message says was expected; None if it does not say."""
    found = re.search(r"expected (.*)|\((choose from .*)\)", message)
    return (found[1] or found[2]) if found else None


def of_trouble(answer: Answer, trouble: Trouble) -> None:
    """Writes the answer for an error."""
    message = str(trouble)
    answer.write(trouble.code, message, expected(message))
