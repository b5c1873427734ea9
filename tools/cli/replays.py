"""Finds replay strings in reports, logs and traces, and reads .saved files."""

from __future__ import annotations

import dataclasses
import os
import re
import shlex

from cli.files import file_name, parse_json, read_text
from cli.trouble import Trouble, quote

# See sim/engine/schedule.h. The binary reports what is wrong with a string.
_REPLAY = re.compile(r"c[0-9]+/[0-9A-Za-z./:,+@_-]+")
_EXAMPLE = "a replay string such as c1/0/4:1/b7e2"


@dataclasses.dataclass(frozen=True)
class Source:
    """A schedule, and the test it belongs to as far as is known."""

    replay: str
    target: str = ""
    test: str = ""
    note: str = ""


def is_replay(text: str) -> bool:
    """Whether the text may be a replay string."""
    return _REPLAY.fullmatch(text) is not None


def has_deviations(replay: str) -> bool:
    """Whether it lists its deviations, as c1/0/4:1 and c1/0/fifo do."""
    parts = replay.split("/")
    return len(parts) >= 3 and not parts[2].startswith(("+", "@"))


def find_sources(text: str) -> list[Source]:
    """The schedules that the argument REPLAY | FILE names."""
    given = text.strip().removeprefix("CLOTHO_REPLAY=").removeprefix(
        "--clotho_replay=")
    if is_replay(given):
        return [Source(given)]
    if not os.path.exists(text):
        raise Trouble(f"{quote(text)} is neither {_EXAMPLE} nor an existing "
                      f"file")
    if os.path.isdir(text):
        text = os.path.join(text, "trace.json")
    what = ("a log or report with a REPLAY line, a trace.json, a .saved file, or "
            "a file with a replay string")
    content = read_text(text, what)
    if content.lstrip().startswith("{"):
        return [_of_trace(parse_json(content, text, "a trace"), text)]
    found = _of_log(content) or _of_lines(content, text)
    if not found:
        raise Trouble(f"there is no replay string in {quote(text)}: expected "
                      f"{what}")
    return found


def _of_trace(trace: dict[str, object], path: str) -> Source:
    version = trace.get("clotho_trace")
    if version != 1:
        raise Trouble(f"{quote(path)}: expected a trace of version 1 "
                      f"(\"clotho_trace\": 1), but it has {quote(version)}")
    replay = str(trace.get("replay", ""))
    if not is_replay(replay):
        raise Trouble(f"{quote(path)}: its \"replay\" is {quote(replay)}: "
                      f"expected {_EXAMPLE}")
    return Source(replay, test=str(trace.get("test", "")))


def _of_log(text: str) -> list[Source]:
    """The schedules of the REPLAY lines of all reports in a log."""
    found = []
    lines = text.splitlines()
    for i, line in enumerate(lines):
        # A CI log may have timestamps before the text, and colours in it.
        plain = re.sub(r"\x1b\[[0-9;]*m|\\x1b\[[0-9;]*m", "", line)
        at = re.search(r"(?:^|\s)REPLAY\s+(.*)", plain)
        if at is None:
            continue
        command = at[1].rstrip()
        for more in lines[i + 1:]:
            if not command.endswith("\\"):
                break
            command = command[:-1] + " " + more.strip()
        source = of_words(split_words(command))
        if source is not None and source not in found:
            found.append(source)
    return found


def split_words(command: str) -> list[str]:
    """The words of a shell command."""
    try:
        return shlex.split(command)
    except ValueError:
        return command.split()


# The flags that a REPLAY line may have.
PASTED_FLAGS = ("--clotho_replay=", "--test_env=CLOTHO_REPLAY=",
                "--gtest_filter=", "--test_filter=")
_PASTED = ("CLOTHO_REPLAY=", "--clotho_replay=", "--test_env=CLOTHO_REPLAY=")


def is_pasted(words: list[str]) -> bool:
    """Whether words are (part of) a REPLAY line, as a report prints it."""
    return any(word.strip().startswith(_PASTED) for word in words)


def is_source(text: str) -> bool:
    """Whether an argument is a replay or a file with one, not a target."""
    given = text.strip()
    return is_replay(given) or given.startswith(_PASTED) or (
        os.path.isdir(text) or os.path.isfile(text)
        and not os.access(text, os.X_OK))


def of_words(words: list[str]) -> Source | None:
    """The schedule of a command line that replays it; None if there is none."""
    replay = test = target = ""
    for word in words:
        name, _, value = word.partition("=")
        if word.startswith("--test_env=CLOTHO_REPLAY="):
            replay = word.split("=", 2)[2]
        elif name in ("CLOTHO_REPLAY", "--clotho_replay"):
            replay = value
        elif name in ("--gtest_filter", "--test_filter"):
            test = value
        elif word.startswith(("//", "@")) and not target:
            target = word
        elif not word.startswith("-") and "/" in word and "=" not in word:
            target = target or word
    if not is_replay(replay):
        return None
    return Source(replay, _as_target(target), test)


def _as_target(path: str) -> str:
    """Replaces a path in Bazel's output by the label that builds it."""
    if path.startswith("bazel-bin/") and not os.path.exists(path):
        package, _, name = path.removeprefix("bazel-bin/").rpartition("/")
        return f"//{package}:{name}"
    return path


def _of_lines(text: str, path: str) -> list[Source]:
    """The schedules of a file with a replay string on each line (.saved)."""
    test = ""
    if path.endswith(".saved"):
        test = os.path.basename(path).removesuffix(".saved")
    found = []
    for line in text.splitlines():
        words = line.split(None, 1)
        if not words or words[0].startswith("#"):
            continue
        if not is_replay(words[0]):
            return []
        found.append(Source(words[0], test=test,
                            note=words[1].strip() if len(words) > 1 else ""))
    return found


@dataclasses.dataclass(frozen=True)
class Saved:
    """A line of a .saved file."""

    path: str
    line: int  # From 1.
    replay: str
    note: str


def saved_file(source: str, folder: str, test: str,
               saved: str | None = None) -> str:
    """The path at which the binary looks for the saved schedules of a test.

    `source` is the test's file as given to the compiler, relative to `folder`.
    """
    if not saved:
        saved = os.path.join(os.path.dirname(source), "testdata", "clotho")
    return os.path.join(folder, saved, file_name(test) + ".saved")


def read_saved(path: str) -> list[Saved]:
    """The schedules of a .saved file; none if it does not exist."""
    if not os.path.exists(path):
        return []
    found = []
    text = read_text(path, "a file of saved schedules")
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split(None, 1)
        if not words or words[0].startswith("#"):
            continue
        if not is_replay(words[0]) or not has_deviations(words[0]):
            raise Trouble(f"{path}:{number}: {quote(line)}: expected a replay "
                          f"string with deviations, such as c1/0/4:1")
        found.append(Saved(path, number, words[0],
                           words[1].strip() if len(words) > 1 else ""))
    return found
