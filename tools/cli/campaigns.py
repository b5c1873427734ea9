"""The options of a campaign on the command line: which tests, how many
executions, which seed. For the commands that run or plan one."""

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
            f"{quote(text)} is not a number: expected a whole number from 1, "
            f"such as 1000000 or 1e6")
    return int(found[1]) * 10 ** int(found[2] or 0)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """TARGET [TEST...], and the options of a search."""
    parser.add_argument(
        "target", metavar="TARGET",
        help="a Bazel label, the path of a test binary, or a test of CTest")
    parser.add_argument(
        "tests", metavar="TEST", nargs="*",
        help="Suite.Name, or a pattern such as 'Suite.*' (default: all)")
    parser.add_argument("--schedules", metavar="N", type=count,
                        help="executions of each test, over all shards")
    parser.add_argument("--strategy", metavar="NAME",
                        help="fuzz, random, pct:3, ... (default: the test's own)")
    parser.add_argument("--seed", metavar="N",
                        help="the base seed of the search: a number, or "
                             "random to draw one seed for all shards")


@dataclasses.dataclass(frozen=True)
class Asked:
    """A campaign's tests, and the flags that every shard gets."""

    tests: list[str]  # Patterns; empty: all.
    flags: list[str]


def check_tests(tests: list[str]) -> None:
    """Raises Trouble if one is not the name or pattern of a test."""
    for test in tests:
        if not re.fullmatch(r"[\w./*?-]+", test):
            raise Trouble(f"{quote(test)} is not a test: expected Suite.Name, "
                          f"or a pattern such as 'Suite.*'", USAGE)


def asked(arguments: argparse.Namespace,
          known_seed: int | None = None) -> Asked:
    """The campaign that a command line asks for. If the seed is random,
    `known_seed` is used: the one the campaign began with, if it did."""
    if arguments.seed == "random":
        # Otherwise each shard would draw its own.
        seed = secrets.randbits(63) if known_seed is None else known_seed
        arguments.seed = str(seed)
        print(f"seed {seed}", file=sys.stderr)
    flags = [f"--clotho_{name}={value}" for name, value in (
        ("schedules", arguments.schedules), ("strategy", arguments.strategy),
        ("seed", arguments.seed)) if value is not None]
    check_tests(arguments.tests)
    return Asked(arguments.tests, flags)


def filter_flags(tests: list[str]) -> list[str]:
    """GoogleTest's filter; no flag if all tests are selected."""
    return [f"--gtest_filter={':'.join(tests)}"] if tests else []


def chosen_tests(target: Target, patterns: list[str]) -> list[str]:
    """The names of the selected tests; Trouble if a pattern matches none."""
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
