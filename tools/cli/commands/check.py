"""Checks that tests are deterministic: each execution is run twice in one
process, and all of them again in a process with another layout of its memory,
and so with other addresses and another order of hash tables.

If they differ, it names the first execution that does, and ends with 3.
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
# What two runs have in common, whatever became of them.
_COMPARED = ("executions", "steps", "max", "budget_hits", "virtual_time_ns",
             "sketch", "goals")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    campaigns.add_arguments(parser)
    options.add_common(parser)


def _search(target: Target, tests: list[str], flags: list[str], schedules: int,
            other_layout: bool) -> tuple[binary.Ended, dict[str, Record]]:
    """Runs the tests; also their records, by test."""
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
    # (What fails may say an address in its text.)
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
        raise Trouble(f"none of the tests of {target.name} that are meant is "
                      f"searched: nothing was compared")
    code = 0
    for test, record in first.items():
        executions = record["executions"]
        if _figures(record) == _figures(second.get(test)):
            print(f"{test}: {executions} executions, each of them twice, and "
                  f"again in another layout of the memory: no difference")
            continue
        code = NOT_REPRODUCIBLE
        number = _first_difference(target, test, flags, schedules)
        if number is None:
            print(f"{test}: two processes differed, and do so no more when "
                  f"they are run again: it depends on something else than the "
                  f"layout of the memory")
            continue
        print(f"{test}: NOT deterministic: execution {number} is another one "
              f"in another layout of the memory\n"
              f"  c1/0/+{record['strategy']}:{number}\n"
              f"  suspects: an address used as a key, iteration over a hash "
              f"table, a static that survives executions\n"
              f"  the same without a layout of chance: setarch -R "
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
