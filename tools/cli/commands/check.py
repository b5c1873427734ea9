"""Checks that tests are deterministic: runs each execution twice in one
process, and all of them again in a process with another memory layout, which
changes addresses and the order of hash tables.

If executions differ, it names the first one that does, and exits with 3.
"""

from __future__ import annotations

import argparse
import os

from cli import binary, campaigns, options, records
from cli.campaigns import filter_flags
from cli.records import Record
from cli.targets import Target, resolve
from cli.trouble import INCOMPLETE, NOT_REPRODUCIBLE, Trouble

HELP = "whether tests are deterministic"
EXAMPLE = "tools/clotho check //examples:job_queue_test --schedules=10000"

_ADDR_NO_RANDOMIZE = 0x0040000  # Linux's personality(2).
_SCHEDULES = 1000
# What must be equal in two runs, whether or not they fail.
_COMPARED = ("executions", "steps", "max", "budget_hits", "virtual_time_ns",
             "sketch", "goals")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    campaigns.add_arguments(parser)
    options.add_common(parser)


def _search(target: Target, tests: list[str], flags: list[str], schedules: int,
            other_layout: bool) -> tuple[binary.Ended, dict[str, Record]]:
    """Runs the tests; also returns their records, by test."""
    with binary.scratch() as out:
        ended = binary.ask(
            target, *filter_flags(tests), "--gtest_brief=1", *flags,
            f"--clotho_schedules={schedules}", "--clotho_failures=0",
            "--clotho_shrink_for=0", "--clotho_check_determinism=1",
            f"--clotho_out={out}",
            personality=_ADDR_NO_RANDOMIZE if other_layout else 0)
        found = [records.read(path).record for path in records.find(out)]
    return ended, {record["test"]: record for record in found}


def _figures(record: Record | None) -> object:
    if record is None:
        return None
    # (The text of a failure may contain an address.)
    return ([record[name] for name in _COMPARED],
            [(failure["signature"], failure["first"], failure["hits"])
             for failure in record["failures"]])


def run(arguments: argparse.Namespace) -> int:
    target = resolve(arguments.target, arguments.bazel_flag)
    asked = campaigns.asked(arguments)
    campaigns.chosen_tests(target, asked.tests)
    schedules = arguments.schedules or _SCHEDULES
    flags = [flag for flag in asked.flags
             if not flag.startswith("--clotho_schedules=")]
    here, first = _search(target, asked.tests, flags, schedules, False)
    if here.code not in (0, 1, INCOMPLETE):
        print(here.output.strip())
        return here.code
    there, second = _search(target, asked.tests, flags, schedules, True)
    if there.code not in (0, 1, INCOMPLETE):
        print(there.output.strip())
        return there.code
    if not first:
        raise Trouble(f"none of the selected tests of {target.name} is "
                      f"searched: nothing was compared")
    code = 0
    tests: list[dict[str, object]] = []
    arguments.answer.add(target=target.name, schedules=schedules, tests=tests)
    for test, record in first.items():
        executions = record["executions"]
        tests.append({"test": test, "executions": executions,
                      "is_deterministic": True, "first_difference": None,
                      "replay": None})
        if _figures(record) == _figures(second.get(test)):
            print(f"{test}: {executions} executions, each run twice, and again "
                  f"with another memory layout: no difference")
            continue
        code = NOT_REPRODUCIBLE
        tests[-1]["is_deterministic"] = False
        number = _first_difference(target, test, flags, schedules)
        if number is None:
            print(f"{test}: two processes differed, but did not differ when "
                  f"they were run again: the cause is not the memory layout")
            continue
        replay = f"c1/0/+{record['strategy']}:{number}"
        tests[-1].update(first_difference=number, replay=replay)
        print(f"{test}: NOT deterministic: execution {number} differs with "
              f"another memory layout\n"
              f"  {replay}\n"
              f"  suspects: an address used as a key, iteration over a hash "
              f"table, a static that survives executions\n"
              f"  to run it without a random layout: setarch -R "
              f"{os.path.relpath(target.binary)}")
    return code


def _first_difference(target: Target, test: str, flags: list[str],
                      schedules: int) -> int | None:
    """The number of the first execution that differs between the layouts."""
    def differs(number: int) -> bool:
        runs = [_search(target, [test], flags, number, layout)[1].get(test)
                for layout in (False, True)]
        return _figures(runs[0]) != _figures(runs[1])

    if not differs(schedules):
        return None
    same, different = 0, schedules
    while different - same > 1:
        middle = (same + different) // 2
        if differs(middle):
            different = middle
        else:
            same = middle
    return different - 1
