"""Arguments that several commands share."""

from __future__ import annotations

import argparse
import os

from cli import binary
from cli.files import file_name
from cli.memory import Last, recall, results_folder, target_or_last
from cli.replays import (PASTED_FLAGS, Source, find_sources, is_pasted,
                         is_source, of_words, split_words)
from cli.targets import Target
from cli.trouble import Trouble, quote


def add_common(parser: argparse.ArgumentParser) -> None:
    """--out and --bazel_flag."""
    parser.add_argument(
        "--out", metavar="DIR",
        help="the folder of results (default: clotho-out in the workspace)")
    parser.add_argument(
        "--bazel_flag", metavar="FLAG", action="append", default=[],
        help="a flag for Bazel's build, such as --bazel_flag=--config=opt; "
             "repeatable")


def add_target(parser: argparse.ArgumentParser, tests: bool = True) -> None:
    """[TARGET [TEST]]; the default is the last ones."""
    parser.add_argument(
        "target", metavar="TARGET", nargs="?",
        help="a Bazel label, the path of a test binary, or a test of CTest "
             "(default: the last one)")
    if tests:
        parser.add_argument("test", metavar="TEST", nargs="?",
                            help="Suite.Name (default: the last one)")


def add_replay(parser: argparse.ArgumentParser) -> None:
    """REPLAY|FILE [TARGET [TEST]], or a pasted REPLAY line; see settle."""
    parser.set_defaults(settle=settle)
    parser.add_argument(
        "replay", metavar="REPLAY|FILE", nargs="?",
        help="a replay string such as c1/0/4:1/b7e2, or a file with one: a "
             "log with a REPLAY line, a trace.json, a .saved file (default: "
             "the last replay)")
    add_target(parser)
    add_common(parser)


def settle(arguments: argparse.Namespace, command: str) -> None:
    """Puts the arguments of add_replay in order: they may be a REPLAY line of a
    report, or have TARGET before REPLAY."""
    words = [word for word in (arguments.replay, arguments.target,
                               arguments.test) if word]
    if is_pasted(words + arguments.rest):
        pasted = words + arguments.rest
        if len(pasted) == 1 and len(pasted[0].split()) > 1:
            pasted = split_words(pasted[0])  # The line was quoted.
        source = of_words(pasted)
        if source is None:
            raise Trouble(f"clotho {command}: there is no replay string in "
                          f"{quote(' '.join(pasted))}: expected a line as "
                          f"after REPLAY in a report")
        # What is not part of such a line remains, and is refused.
        arguments.rest = [word for word in pasted if word.startswith("-")
                          and not word.startswith(PASTED_FLAGS)]
        own = [word for word in pasted if not word.startswith("-")
               and "=" not in word and word not in ("bazel", "test")]
        arguments.replay = source.replay
        arguments.target = source.target or None
        arguments.test = source.test or (own[1] if len(own) > 1 else None)
        return
    for i, word in enumerate(words):
        if i > 0 and is_source(word) and not is_source(words[0]):
            words.insert(0, words.pop(i))
            break
    padded = [*words, None, None, None]
    arguments.replay, arguments.target, arguments.test = padded[:3]


class Chosen:
    """The binary, the test and the schedules that a command line selects."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.out = results_folder(arguments.out)
        last = recall(self.out)
        given = arguments.replay
        if not given and last.replay:
            self.sources = [Source(last.replay, last.target, last.test)]
        else:
            self.sources = find_sources(given or "")
        first = self.sources[0]
        name = arguments.target or first.target
        self.target: Target = target_or_last(
            name, self.out, arguments.bazel_flag,
            last if not name else Last())
        self.test = binary.pick_test(self.target,
                                     arguments.test or first.test or None,
                                     last.test)

    def results(self) -> str:
        """The folder to which a failure of the test writes its files."""
        return os.path.join(self.out, file_name(self.test))
