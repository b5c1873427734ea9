"""Runs exactly one schedule, and prints the report. The trace is written to the
folder of results, for `clotho show`. If a file has several schedules, they run
one after the other, and the highest exit code counts.
"""

from __future__ import annotations

import argparse
import os

from cli import answer, binary, options
from cli.files import make_folder
from cli.memory import remember

HELP = "runs one schedule, and prints the report"
EXAMPLE = """tools/clotho replay c1/0/4:1 //examples:job_queue_hunt
tools/clotho replay ci.log
tools/clotho replay clotho-out/JobQueueTest.NoJobIsLost/trace.json"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    options.add_replay(parser)


def run(arguments: argparse.Namespace) -> int:
    chosen = options.Chosen(arguments)
    make_folder(chosen.out)
    worst = 0
    schedules: list[dict[str, object]] = []
    arguments.answer.add(target=chosen.target.name, test=chosen.test,
                         schedules=schedules)
    for source in chosen.sources:
        code = binary.run(chosen.target, f"--gtest_filter={chosen.test}",
                          "--gtest_brief=1",
                          f"--clotho_replay={source.replay}",
                          f"--clotho_out={chosen.out}")
        trace = os.path.join(chosen.results(), "trace.json")
        fails = code == 1 and os.path.exists(trace)
        schedules.append({
            "replay": source.replay, "exit_code": code,
            "failure": answer.failure_at(chosen.results()) if fails else None})
        if code == 2:
            return code
        remember(chosen.out, chosen.target, chosen.test, source.replay,
                 chosen.results() if code == 1 else "")
        if code == 0:
            print(f"{source.replay} passes: this schedule does not fail "
                  f"{chosen.test}")
        elif fails:
            print("see the timeline:   clotho show --format=html -o timeline.html\n"
                  "save the schedule:  clotho save")
        worst = max(worst, code)
    return worst
