"""The tools of `clotho mcp`: each is a command of clotho with --json, run in a
process of its own."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

from cli.binary import exit_code
from cli.mcp_server import INVALID_PARAMS, Message, RpcError
from cli.trouble import FAILED, INCOMPLETE, PASSED

_PROGRAM = os.path.join(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))), "clotho.py")

# What is not an error of the tool, although the test may have failed.
_ANSWERS = (PASSED, FAILED, INCOMPLETE)
# A command that is cancelled may write what it has, for so many seconds.
_GRACE = 5.0
_STDERR_MAX = 4000  # Characters.


def _text(description: str) -> Message:
    return {"type": "string", "minLength": 1, "description": description}


def _whole(description: str) -> Message:
    return {"type": "integer", "minimum": 1, "description": description}


def _flag(description: str) -> Message:
    return {"type": "boolean", "description": description}


_TARGET = _text("a Bazel label such as //examples:job_queue_hunt, or the path of "
                "a test binary; default: the last one")
_TEST = _text("Suite.Name; default: the only one, or the last one")
_REPLAY = _text("a replay string such as c1/0/4:1/faa1, or a file with one "
                "(a log, a trace.json, a .saved file); default: the last one")
_SCHEDULE = {"replay": _REPLAY, "target": _TARGET, "test": _TEST}


@dataclasses.dataclass(frozen=True)
class Tool:
    """A tool: what clients see of it, and its command line."""

    name: str
    title: str
    description: str
    properties: dict[str, Message]
    command: Callable[[Message], list[str]]
    required: tuple[str, ...] = ()
    reads_only: bool = False  # Whether it writes no file.

    def describe(self) -> Message:
        """Its description in the protocol."""
        return {
            "name": self.name, "title": self.title,
            "description": self.description,
            "inputSchema": {"type": "object", "properties": self.properties,
                            "required": list(self.required),
                            "additionalProperties": False},
            "annotations": {"title": self.title,
                            "readOnlyHint": self.reads_only,
                            "destructiveHint": False,
                            "openWorldHint": False}}

    def check(self, arguments: Message) -> None:
        """RpcError if the arguments do not fit the schema."""
        for name in self.required:
            if name not in arguments:
                raise RpcError(INVALID_PARAMS,
                               f"{self.name}: \"{name}\" is missing")
        for name, value in arguments.items():
            if name not in self.properties:
                raise RpcError(INVALID_PARAMS,
                               f"{self.name}: there is no argument \"{name}\": "
                               f"expected {', '.join(self.properties)}")
            wrong = _misfit(value, self.properties[name])
            if wrong:
                raise RpcError(INVALID_PARAMS,
                               f"{self.name}: \"{name}\" is "
                               f"{json.dumps(value)[:80]}, expected {wrong}")


def _misfit(value: Any, schema: Message) -> str:
    """What a value should have been; "" if it is that."""
    kind = schema["type"]
    if kind == "boolean":
        return "" if isinstance(value, bool) else "true or false"
    if kind == "integer":
        fits = isinstance(value, int) and not isinstance(value, bool) and value > 0
        return "" if fits else "a whole number from 1"
    # A text that begins with "-" would be a flag of the command.
    fits = (isinstance(value, str) and value.strip() != ""
            and not value.startswith("-") and "\0" not in value)
    return "" if fits else "a text that does not begin with -"


def _schedule(command: str, arguments: Message, *flags: str) -> list[str]:
    """A command that takes [REPLAY] [TARGET [TEST]]."""
    if "test" in arguments and "target" not in arguments:
        raise RpcError(INVALID_PARAMS, f"{command}: \"test\" needs a "
                                       f"\"target\"")
    return [command, *flags, *(arguments[name] for name in _SCHEDULE
                               if name in arguments)]


def _hunt(arguments: Message) -> list[str]:
    flags = [f"--{flag}={arguments[name]}{unit}" for name, flag, unit in (
        ("test", "gtest_filter", ""), ("schedules", "clotho_schedules", ""),
        ("seconds", "clotho_for", "s"), ("strategy", "clotho_strategy", ""),
        ("seed", "clotho_seed", "")) if name in arguments]
    return ["test", arguments["target"], "--", *flags]


def _shrink(arguments: Message) -> list[str]:
    isolate = ["--isolate"] if arguments.get("isolate") else []
    return _schedule("shrink", arguments, *isolate)


def _save(arguments: Message) -> list[str]:
    flags = [f"--note={arguments['note']}"] if "note" in arguments else []
    flags += ["--fixed"] if arguments.get("fixed") else []
    return _schedule("save", arguments, *flags)


TOOLS = (
    Tool("list_tests", "List tests",
         "Lists the tests of a target: name, file, line, and the schedules "
         "saved for it.",
         {"target": _TARGET},
         lambda given: ["list", *given.values()], reads_only=True),
    Tool("hunt", "Search for a failure",
         "Runs tests in many schedules until one fails. A failure is shrunk, "
         "and returned with its replay string, its deviations from FIFO order, "
         "its turning point and the whole report. Also runs the saved "
         "schedules.",
         {"target": {**_TARGET, "description": _TARGET["description"].replace(
             "; default: the last one", "")},
          "test": _text("Suite.Name, or a filter of GoogleTest; default: all"),
          "schedules": _whole("executions of each test; default: the test's "
                              "own number"),
          "seconds": _whole("real time to spend on each test"),
          "strategy": _text("fuzz, random, pct:3, exhaustive, ...; default: "
                            "the test's own"),
          "seed": _whole("the base seed of the search; default: 1")},
         _hunt, required=("target",)),
    Tool("replay", "Replay a schedule",
         "Runs exactly one schedule, and says whether it passes or fails.",
         _SCHEDULE, lambda given: _schedule("replay", given)),
    Tool("explain", "Explain a failure",
         "Says what matters in a failing schedule: whether FIFO order passes, "
         "what happens without each deviation, and the turning point.",
         _SCHEDULE, lambda given: _schedule("explain", given)),
    Tool("shrink", "Shrink a schedule",
         "Finds the fewest deviations from FIFO order that cause the same "
         "failure.",
         {**_SCHEDULE, "isolate": _flag("run each candidate in a child process, "
                                        "for a failure that is a crash")},
         _shrink),
    Tool("save", "Save a schedule",
         "Saves a failing schedule beside its test, in testdata/clotho/: it "
         "then runs before every search of the test.",
         {**_SCHEDULE, "note": _text("a remark to save with it"),
          "fixed": _flag("save it although it passes now")},
         _save),
)


class Tools:
    """Lists and calls them; `flags` go to every command."""

    def __init__(self, flags: list[str]) -> None:
        self._flags = flags

    def list(self) -> list[Message]:
        return [tool.describe() for tool in TOOLS]

    def call(self, name: str, arguments: Message) -> "Run":
        for tool in TOOLS:
            if tool.name == name:
                tool.check(arguments)
                command, *rest = tool.command(arguments)
                return Run([command, "--json", *self._flags, *rest])
        raise RpcError(INVALID_PARAMS, f"there is no tool {name}: expected "
                                       f"{', '.join(t.name for t in TOOLS)}")


class Run:
    """A command in a process of its own."""

    def __init__(self, arguments: list[str]) -> None:
        self._arguments = arguments
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._cancelled = False

    def run(self) -> Message:
        """Runs it to its end; returns its document, as content and as data."""
        with self._lock:
            if self._cancelled:
                return {}
            # A group of its own: a signal for it also reaches its children.
            self._child = subprocess.Popen(  # pylint: disable=R1732
                [sys.executable, "-B", _PROGRAM, *self._arguments],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE, start_new_session=True)
        out, err = self._child.communicate()
        code = exit_code(self._child.returncode)
        try:
            document = json.loads(out)
        except ValueError:
            document = {"command": self._arguments[0], "exit_code": code,
                        "error": {"message": f"clotho exited with {code} and "
                                             f"wrote no answer",
                                  "expected": None}}
        fails = "error" in document or code not in _ANSWERS
        texts = [json.dumps(document, indent=1)]
        said = err.decode("utf-8", "backslashreplace").strip()
        if fails and said:
            texts.append(said[-_STDERR_MAX:])
        return {"content": [{"type": "text", "text": text} for text in texts],
                "structuredContent": document, "isError": fails}

    def cancel(self) -> None:
        """Interrupts it, and kills it if it does not end within a few
        seconds."""
        with self._lock:
            self._cancelled = True
            child = self._child
        if child is None or child.poll() is not None:
            return
        _signal(child, signal.SIGINT)
        timer = threading.Timer(_GRACE, _signal, (child, signal.SIGKILL))
        timer.daemon = True
        timer.start()


def _signal(child: subprocess.Popen[bytes], number: int) -> None:
    try:
        os.killpg(child.pid, number)
    except ProcessLookupError:
        pass  # It has ended.
