"""Looks for the fewest deviations from FIFO order that still cause the same
failure, and prints the report with the line that replays them.
"""

from __future__ import annotations

import argparse
import os

from cli import answer, options, single
from cli.files import file_name, make_folder
from cli.memory import remember
from cli.trouble import (FAILED, INFRASTRUCTURE, NOT_REPRODUCIBLE, Trouble,
                         quote)

HELP = "finds the fewest deviations that still fail"
EXAMPLE = """tools/clotho shrink c1/0/2:1,4:1 //examples:job_queue_hunt
tools/clotho shrink --isolate c1/0/+random:7 ./crashing_test"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--isolate", action="store_true",
                        help="run each candidate in a child process, for a "
                             "failure that ends the process (a crash)")
    options.add_replay(parser)


def run(arguments: argparse.Namespace) -> int:
    chosen = options.Chosen(arguments)
    target, test = chosen.target, chosen.test
    flags = ["--clotho_isolate=1"] if arguments.isolate else []
    failure = single.failing(target, test, chosen.sources[0].replay, *flags)
    make_folder(chosen.out)
    shrunk = single.search_from(
        target, test, single.without_check(failure.replay), *flags,
        out=chosen.out)
    if shrunk.code == INFRASTRUCTURE:
        raise Trouble(f"the results cannot be written to "
                      f"{quote(chosen.out)}: {shrunk.output.strip()[-600:]}",
                      INFRASTRUCTURE)
    if shrunk.code != FAILED or not shrunk.report:
        raise Trouble(f"{failure.replay} fails when it is replayed, but not "
                      f"as the start of a search:\n{shrunk.output.strip()}",
                      NOT_REPRODUCIBLE)
    print(shrunk.report)
    before = len(single.deviations(failure.replay))
    after = len(single.deviations(shrunk.replay))
    results = os.path.join(chosen.out, file_name(test))
    arguments.answer.add(
        target=target.name, test=test, replay_before=failure.replay,
        replay=shrunk.replay, deviations_before=before, deviations_after=after,
        failure=answer.failure_at(results))
    print(f"SHRUNK    {before} -> {after} deviations: {shrunk.replay}")
    remember(chosen.out, target, test, shrunk.replay, results)
    return FAILED
