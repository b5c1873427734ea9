"""What a campaign is asked for, on the command line: which tests, how many
executions, from which seed. For the commands that run or plan one."""

from __future__ import annotations

import argparse
import dataclasses
import fnmatch
import re
import secrets
import sys

from cli import binary
from cli.targets import Target
from cli.trouble import NO_TEST, USAGE, Trouble, quote


def count(text: str) -> int:
    """A whole number of at least 1, as 1000000, 1_000_000 or 1e6."""
    plain = text.replace("_", "")
    found = re.fullmatch(r"([1-9]\d*)(?:[eE]\+?(\d{1,2}))?", plain)
    if found is None:
        raise argparse.ArgumentTypeError(
            f"{quote(text)} is not a number: expected a whole one from 1, as "
            f"in 1000000 or 1e6")
    return int(found[1]) * 10 ** int(found[2] or 0)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """TARGET [TEST...], and what a search is asked for."""
    parser.add_argument(
        "target", metavar="TARGET",
        help="a Bazel label or the path of a test binary")
    parser.add_argument(
        "tests", metavar="TEST", nargs="*",
        help="Suite.Name, or a pattern as in 'Suite.*'; all if left out")
    parser.add_argument("--schedules", metavar="N", type=count,
                        help="executions of each test, over all shards")
    parser.add_argument("--strategy", metavar="NAME",
                        help="fuzz, random, pct:3, ...; the test's own if left "
                             "out")
    parser.add_argument("--seed", metavar="N",
                        help="the base seed of the search: a number, or "
                             "random, which is drawn once for all shards")


@dataclasses.dataclass(frozen=True)
class Asked:
    """A campaign's tests and the flags that every shard is given."""

    tests: list[str]  # Patterns; empty: all.
    flags: list[str]


def check_tests(tests: list[str]) -> None:
    """Trouble if one is no name or pattern of a test."""
    for test in tests:
        if not re.fullmatch(r"[\w./*?-]+", test):
            raise Trouble(f"{quote(test)} is no test: expected Suite.Name, or "
                          f"a pattern as in 'Suite.*'", USAGE)


def asked(arguments: argparse.Namespace,
          known_seed: int | None = None) -> Asked:
    """What a command line asks for; a random seed is `known_seed`, if there is
    one that the campaign has begun with."""
    if arguments.seed == "random":
        # Each shard would draw another.
        seed = secrets.randbits(63) if known_seed is None else known_seed
        arguments.seed = str(seed)
        print(f"seed {seed}", file=sys.stderr)
    flags = [f"--clotho_{name}={value}" for name, value in (
        ("schedules", arguments.schedules), ("strategy", arguments.strategy),
        ("seed", arguments.seed)) if value is not None]
    check_tests(arguments.tests)
    return Asked(arguments.tests, flags)


def filter_flags(tests: list[str]) -> list[str]:
    """GoogleTest's filter, if there is one."""
    return [f"--gtest_filter={':'.join(tests)}"] if tests else []


def chosen_tests(target: Target, patterns: list[str]) -> list[str]:
    """The names of the tests that are meant; Trouble if a pattern has none."""
    names = [test.name for test in binary.list_tests(target)]
    if not names:
        raise Trouble(f"{quote(target.name)} has no tests", NO_TEST)
    for pattern in patterns:
        if not fnmatch.filter(names, pattern):
            raise Trouble(f"{quote(target.name)} has no test "
                          f"{quote(pattern)}{binary.nearest(pattern, names)}",
                          NO_TEST)
    return [name for name in names
            if not patterns or any(fnmatch.fnmatchcase(name, pattern)
                                   for pattern in patterns)]
