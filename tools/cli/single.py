"""Runs single schedules of a test, and reads what they leave behind."""

from __future__ import annotations

import dataclasses
import os
import re

from cli import binary
from cli.files import file_name, make_folder, read_json, read_text, write_file
from cli.replays import has_departures
from cli.targets import Target
from cli.trouble import FAILED, NOT_REPRODUCIBLE, USAGE, Trouble, quote


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What came of one schedule. `report` and `replay` are there if it failed.
    """

    code: int
    output: str
    report: str = ""
    replay: str = ""   # By its departures.
    origin: str = ""   # As in a .kept file.
    drifted: str = ""  # Of a kept schedule: why not all of it applies.

    def what(self) -> str:
        """The first line of the report, without its heading."""
        return " ".join(section(self.report, "WHAT").split("\n")[:1])


def section(report: str, heading: str) -> str:
    """What stands below a heading of a report; "" if it has none."""
    found = re.search(rf"^{heading} +(.*(?:\n(?: .*|\n(?= )))*)", report, re.M)
    return found[1].rstrip() if found else ""


def block(report: str, heading: str) -> str:
    """The same as it stands there, with its heading."""
    text = section(report, heading)
    return f"{heading:<8}{text}" if text else ""


def _outcome(ended: binary.Ended, test: str, out: str) -> Outcome:
    folder = os.path.join(out, file_name(test))
    report = replay = origin = ""
    path = os.path.join(folder, "report.txt")
    if os.path.exists(path):
        report = read_text(path, "a report")
    path = os.path.join(folder, file_name(test) + ".kept")
    if os.path.exists(path):
        replay, _, origin = read_text(path, "a schedule").strip().partition(
            "  ")
    elif os.path.exists(os.path.join(folder, "trace.json")):
        replay = str(read_json(os.path.join(folder, "trace.json"),
                               "a trace").get("replay", ""))
    return Outcome(ended.code, ended.output, report, replay, origin,
                   ended.property(test, "clotho_drifted"))


def replay(target: Target, test: str, text: str, *flags: str) -> Outcome:
    """Runs a schedule strictly."""
    with binary.scratch() as out:
        return _outcome(
            binary.ask(target, f"--gtest_filter={test}",
                       f"--clotho_replay={text}", f"--clotho_out={out}",
                       *flags), test, out)


def search_from(target: Target, test: str, text: str, *flags: str,
                out: str | None = None) -> Outcome:
    """Runs a schedule as a kept one: leniently, and if it fails, the failure is
    shrunk and explained. Nothing else is searched."""
    with binary.scratch() as folder:
        kept = os.path.join(folder, "kept")
        make_folder(kept)
        write_file(os.path.join(kept, file_name(test) + ".kept"), text + "\n")
        out = out or os.path.join(folder, "out")
        return _outcome(
            binary.ask(target, f"--gtest_filter={test}",
                       f"--clotho_kept={kept}", "--clotho_strategy=plain",
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
            hint = "\nit ends the process: --isolate outlives that"
        raise Trouble("\n".join(ends[-15:]) + hint
                      if ends else f"the binary ended with {outcome.code}",
                      USAGE if outcome.code == USAGE else FAILED)
    if not has_departures(outcome.replay):
        raise Trouble(f"the report of {text} names no departures: "
                      f"{quote(outcome.replay)}", NOT_REPRODUCIBLE)
    return outcome


def without_check(text: str) -> str:
    """A replay string without its check."""
    parts = text.split("/")
    return "/".join(parts[:3])


def departures(text: str) -> list[str]:
    """The departures of a replay string; none of plain order."""
    schedule = text.split("/")[2]
    return [] if schedule == "plain" else schedule.split(",")


def with_departures(text: str, rest: list[str]) -> str:
    """A replay string of the same program with other departures."""
    return "/".join([*text.split("/")[:2], ",".join(rest) or "plain"])
