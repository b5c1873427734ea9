"""Merges what the shards of a campaign wrote, and gives the verdict: failures,
goals, and whether everything was run.

Each DIR is a folder that --clotho_out named, a folder that contains several of
them, or one of Bazel's test logs, whose outputs.zip are opened. Their order
does not matter, and a folder may be given twice. Missing shards are listed
with the command that runs them; as long as some are missing, the exit code is
5, or 1 if there is a failure.
"""

from __future__ import annotations

import argparse
import os

from cli import binary, merging, options, records, single
from cli.commands.test import archives, unpack
from cli.memory import results_folder
from cli.records import Found
from cli.targets import resolve
from cli.trouble import NOT_REPRODUCIBLE, Trouble, quote

HELP = "merges the shards of a campaign, and gives the verdict"
EXAMPLE = """tools/clotho merge clotho-out
tools/clotho merge bazel-testlogs/examples/job_queue_campaign --into=merged"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folders", metavar="DIR", nargs="+",
                        help="a folder that shards wrote")
    parser.add_argument("--into", metavar="DIR",
                        help="where to write the result (default: merged/ in the "
                             "folder of results)")
    parser.add_argument("--program", metavar="TARGET",
                        help="the test binary, to replay each failure once more")
    options.add_common(parser)


def read_all(folders: list[str], scratch: str, into: str) -> list[Found]:
    """The records below folders; archives are opened below `scratch`."""
    found = []
    for folder in folders:
        if not os.path.exists(folder):
            raise Trouble(f"there is no folder {quote(folder)}: expected one "
                          f"that a campaign named with --clotho_out")
        paths = []
        if os.path.isdir(folder):
            paths = records.find(folder, os.path.abspath(into))
            packed = archives(folder)
        else:
            packed = [folder]
        for archive in packed:
            opened = os.path.join(scratch, str(len(os.listdir(scratch))))
            os.mkdir(opened)
            unpack(archive, opened)
            paths += records.find(opened)
        if not paths:
            raise Trouble(f"there is no record of a campaign below "
                          f"{quote(folder)}: expected the output of a test "
                          f"binary that ran with "
                          f"--clotho_shard_by=schedules and "
                          f"--clotho_out={folder}")
        found += [records.read(path) for path in paths]
    return found


def run(arguments: argparse.Namespace) -> int:
    into = arguments.into or os.path.join(results_folder(arguments.out),
                                          "merged")
    target = (resolve(arguments.program, arguments.bazel_flag)
              if arguments.program else None)
    with binary.scratch() as scratch:
        merged = merging.merge(read_all(arguments.folders, scratch, into))
        merging.write(merged, into)
    print(merging.summary(merged, arguments.program or "PROGRAM"), end="")
    print(f"merged into {into}")
    replayed: list[dict[str, object]] = []
    arguments.answer.add(into=os.path.abspath(into), replayed=replayed,
                         **merging.for_programs(merged, into))
    lost = False
    for test, total in merged.tests().items() if target else ():
        for failure in total["failures"]:
            outcome = single.replay(target, test, failure["replay"])
            again = outcome.code == 1 or outcome.code > 128
            lost |= not again
            replayed.append({"test": test, "replay": failure["replay"],
                             "exit_code": outcome.code, "fails": again})
            print(f"replayed {failure['replay']} of {test}: "
                  + ("fails again" if again
                     else f"does not fail again ({outcome.code})"))
    return NOT_REPRODUCIBLE if lost else merged.verdict()
