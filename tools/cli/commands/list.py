"""Lists the tests of a binary: where each one is, how many schedules are saved
for it, and the strategy of its last campaign if the results have one.
"""

from __future__ import annotations

import argparse
import os

from cli import binary, options, records
from cli.memory import results_folder, target_or_last
from cli.replays import saved_file, read_saved

HELP = "lists the tests of a target, and their saved schedules"
EXAMPLE = """tools/clotho list //examples:job_queue_test
tools/clotho list bazel-bin/examples/job_queue_hunt --json"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    options.add_target(parser, tests=False)
    options.add_common(parser)


def _strategies(out: str) -> dict[str, str]:
    """The strategies of the last campaigns, by test."""
    if not os.path.isdir(out):
        return {}
    found = [records.read(path).record for path in records.find(out)]
    return {record["test"]: record["strategy"] for record in found}


def run(arguments: argparse.Namespace) -> int:
    out = results_folder(arguments.out)
    target = target_or_last(arguments.target, out, arguments.bazel_flag)
    strategies = _strategies(out)
    rows = []
    for test in binary.list_tests(target):
        saved = read_saved(saved_file(test.file, target.folder, test.name))
        rows.append({"test": test.name, "file": test.file, "line": test.line,
                     "strategy": strategies.get(test.name, ""),
                     "saved": [{"replay": one.replay, "note": one.note}
                               for one in saved]})
    arguments.answer.add(target=target.name, binary=target.binary, tests=rows)
    width = max([len(row["test"]) for row in rows], default=0)
    for row in rows:
        text = f"{row['test']:{width}}  {row['file']}:{row['line']}"
        if row["strategy"]:
            text += f"  {row['strategy']}"
        if row["saved"]:
            text += f"  {len(row['saved'])} saved"
        print(text)
    return 0
