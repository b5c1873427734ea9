"""Runs single schedules of a test, and reads the files they write."""

from __future__ import annotations

import dataclasses
import os
import re
from typing import Any

from cli import answer, binary
from cli.files import file_name, make_folder, read_json, read_text, write_file
from cli.replays import has_deviations
from cli.targets import Target
from cli.trouble import FAILED, NOT_REPRODUCIBLE, USAGE, Trouble, quote


@dataclasses.dataclass(frozen=True)
class Outcome:
    """The result of one schedule. `report` and `replay` are set if it failed."""

    code: int
    output: str
    report: str = ""
    replay: str = ""     # Lists its deviations.
    signature: str = ""   # As in a .saved file.
    drifted: str = ""    # For a saved schedule: why not all of it applies.
    failure: dict[str, Any] | None = None  # For programs.

    def what(self) -> str:
        """The first line of the report, without its heading."""
        return " ".join(section(self.report, "WHAT").split("\n")[:1])


def section(report: str, heading: str) -> str:
    """The text below a heading of a report, or ""."""
    found = re.search(
        rf"^{heading}(?: +|\n(?= ))(.*(?:\n(?: .*|\n(?= )))*)", report, re.M)
    return found[1].rstrip() if found else ""


def block(report: str, heading: str) -> str:
    """The same text together with its heading."""
    text = section(report, heading)
    if not text:
        return ""
    return f"{heading:<10}{text}" if len(heading) < 10 else f"{heading}\n{text}"


def _outcome(ended: binary.Ended, test: str, out: str) -> Outcome:
    folder = os.path.join(out, file_name(test))
    report = replay = signature = ""
    path = os.path.join(folder, "report.txt")
    if os.path.exists(path):
        report = read_text(path, "a report")
    path = os.path.join(folder, file_name(test) + ".saved")
    if os.path.exists(path):
        replay, _, signature = read_text(path, "a schedule").strip().partition(
            "  ")
    elif os.path.exists(os.path.join(folder, "trace.json")):
        replay = str(read_json(os.path.join(folder, "trace.json"),
                               "a trace").get("replay", ""))
    return Outcome(ended.code, ended.output, report, replay, signature,
                   ended.property(test, "clotho_drifted"),
                   answer.failure(folder) if report else None)


def replay(target: Target, test: str, text: str, *flags: str) -> Outcome:
    """Runs a schedule strictly."""
    with binary.scratch() as out:
        return _outcome(
            binary.ask(target, f"--gtest_filter={test}",
                       f"--clotho_replay={text}", f"--clotho_out={out}",
                       *flags), test, out)


def search_from(target: Target, test: str, text: str, *flags: str,
                out: str | None = None) -> Outcome:
    """Runs a schedule as a saved one, that is, leniently. If it fails, the
    failure is shrunk and explained. Nothing else is searched."""
    with binary.scratch() as folder:
        saved = os.path.join(folder, "saved")
        make_folder(saved)
        write_file(os.path.join(saved, file_name(test) + ".saved"), text + "\n")
        out = out or os.path.join(folder, "out")
        return _outcome(
            binary.ask(target, f"--gtest_filter={test}",
                       f"--clotho_saved={saved}", "--clotho_strategy=fifo",
                       f"--clotho_out={out}", *flags), test, out)


def failing(target: Target, test: str, text: str, *flags: str) -> Outcome:
    """The failure of a schedule; Trouble if it does not fail."""
    outcome = replay(target, test, text, *flags)
    if outcome.code == 0:
        raise Trouble(f"{text} passes: {test} does not fail in this schedule",
                      NOT_REPRODUCIBLE)
    if outcome.code == NOT_REPRODUCIBLE:
        raise Trouble(f"{text} does not fit {test}: "
                      f"{outcome.what() or outcome.output.strip()}",
                      NOT_REPRODUCIBLE)
    if outcome.code != FAILED:
        ends = outcome.output.strip().splitlines()
        hint = ""
        if outcome.code > 128 and "--clotho_isolate=1" not in flags:
            hint = "\nthe failure ends the process: pass --isolate to survive that"
        raise Trouble("\n".join(ends[-15:]) + hint
                      if ends else f"the binary exited with {outcome.code}",
                      USAGE if outcome.code == USAGE else FAILED)
    if not has_deviations(outcome.replay):
        raise Trouble(f"the report of {text} names no deviations: "
                      f"{quote(outcome.replay)}", NOT_REPRODUCIBLE)
    return outcome


def without_check(text: str) -> str:
    """A replay string without its check."""
    parts = text.split("/")
    return "/".join(parts[:3])


def deviations(text: str) -> list[str]:
    """The deviations of a replay string; FIFO order has none."""
    schedule = text.split("/")[2]
    return [] if schedule == "fifo" else schedule.split(",")


def with_deviations(text: str, rest: list[str]) -> str:
    """A replay string of the same program with other deviations."""
    return "/".join([*text.split("/")[:2], ",".join(rest) or "fifo"])
