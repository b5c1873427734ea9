"""Lists the saved schedules of a target's tests, one per line, as FILE:LINE.

With --check, runs each and says whether it passes, fails, or has drifted, that
is, not all of its deviations apply any more. With --prune, also removes the
drifted schedules from their files. Exits with 1 if a schedule fails.
"""

from __future__ import annotations

import argparse
import os

from cli import binary, options, single
from cli.files import read_text, write_file
from cli.memory import results_folder, target_or_last
from cli.replays import Saved, saved_file, read_saved
from cli.targets import Target
from cli.trouble import FAILED, Trouble, quote

HELP = "lists the saved schedules of a target"
EXAMPLE = """tools/clotho saved //examples:job_queue_test --check
tools/clotho saved //examples:job_queue_test --prune"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--saved", metavar="DIR",
                        help="the folder, instead of testdata/clotho beside "
                             "the tests")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--check", action="store_true", help="run each schedule")
    what.add_argument("--prune", action="store_true",
                      help="run each schedule, and remove those that have "
                           "drifted")
    options.add_target(parser, tests=False)
    options.add_common(parser)


def run(arguments: argparse.Namespace) -> int:
    out = results_folder(arguments.out)
    target = target_or_last(arguments.target, out, arguments.bazel_flag)
    folder = os.path.abspath(arguments.saved) if arguments.saved else None
    failed = False
    schedules: list[dict[str, object]] = []
    removed: list[str] = []
    arguments.answer.add(target=target.name, schedules=schedules,
                         removed=removed)
    for test in binary.list_tests(target):
        path = saved_file(test.file, target.folder, test.name, folder)
        drifted = set()
        for saved in read_saved(path):
            verdict = ""
            if arguments.check or arguments.prune:
                verdict = _try(target, test.name, saved)
                failed |= verdict == "fails"
                if verdict == "drifted":
                    drifted.add(saved.line)
            schedules.append({
                "test": test.name, "path": os.path.abspath(saved.path),
                "line": saved.line, "replay": saved.replay,
                "note": saved.note, "result": verdict or None})
            text = (f"{os.path.relpath(saved.path)}:{saved.line}: "
                    f"{verdict + '  ' if verdict else ''}{saved.replay}  "
                    f"{saved.note}")
            print(text.rstrip())
        if arguments.prune and drifted:
            removed += [saved.replay for saved in read_saved(path)
                        if saved.line in drifted]
            _drop(path, drifted)
    if not schedules:
        print(f"no schedule is saved for {target.name}")
    return FAILED if failed else 0


def _try(target: Target, test: str, saved: Saved) -> str:
    outcome = single.search_from(target, test, saved.replay)
    if outcome.code == 1 or outcome.code > 128:
        return "fails"
    if outcome.code not in (0, 5):
        raise Trouble(f"{saved.path}:{saved.line}: {quote(saved.replay)}: the "
                      f"binary exited with {outcome.code}:\n"
                      f"{outcome.output.strip()}", outcome.code)
    return "drifted" if outcome.drifted else "passes"


def _drop(path: str, lines: set[int]) -> None:
    left = [line for number, line in enumerate(
        read_text(path, "saved schedules").splitlines(keepends=True), 1)
            if number not in lines]
    write_file(path, "".join(left))
    print(f"{os.path.relpath(path)}: removed {len(lines)}")
