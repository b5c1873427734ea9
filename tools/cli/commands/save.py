"""Saves a failing schedule beside its test, in testdata/clotho/SUITE.NAME.saved:
from then on, it runs before every search of the test.

The schedule is run first. A schedule that passes is refused, unless --fixed
says that the program has been fixed since.
"""

from __future__ import annotations

import argparse
import datetime
import os
import subprocess

from cli import binary, options, single
from cli.files import make_folder, read_text, write_file
from cli.replays import has_deviations, saved_file, read_saved
from cli.targets import Target, bazel_command, label_of
from cli.trouble import USAGE, Trouble, quote

HELP = "saves a failing schedule beside its test"
EXAMPLE = """tools/clotho save c1/0/4:1 //examples:job_queue_hunt \\
    --note="issue 212"
tools/clotho save clotho-out/JobQueueTest.NoJobIsLost/trace.json"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--note", metavar="TEXT", default="",
                        help="a remark to save with it")
    parser.add_argument("--saved", metavar="DIR",
                        help="the folder, instead of testdata/clotho beside "
                             "the test")
    parser.add_argument("--fixed", action="store_true",
                        help="save it although it passes now")
    options.add_replay(parser)


def run(arguments: argparse.Namespace) -> int:
    chosen = options.Chosen(arguments)
    note = arguments.note
    if "\n" in note or "\r" in note:
        raise Trouble(f"--note={quote(note)} has a line break: expected text "
                      f"on a single line")
    path = _path(chosen, arguments.saved)
    present = {known.replay for known in read_saved(path)}
    text = read_text(path, "saved schedules") if os.path.exists(path) else ""
    if text and not text.endswith("\n"):
        text += "\n"
    added = 0
    saved: list[dict[str, object]] = []
    arguments.answer.add(target=chosen.target.name, test=chosen.test,
                         path=os.path.abspath(path), saved=saved)
    for source in chosen.sources:
        replay, signature = source.replay, ""
        if arguments.fixed:
            outcome = single.replay(chosen.target, chosen.test, replay)
            if outcome.code not in (0, 1):
                raise Trouble(f"{replay} is not a schedule of {chosen.test}:\n"
                              f"{outcome.output.strip()}", outcome.code)
            if not has_deviations(replay):
                raise Trouble(f"{quote(replay)} names a search: expected "
                              f"deviations, such as c1/0/4:1")
        else:
            failure = single.failing(chosen.target, chosen.test, replay)
            replay, signature = failure.replay, failure.signature
        saved.append({"replay": replay, "is_new": replay not in present})
        if replay in present:
            print(f"{replay} is already saved in {_short(path)}")
            continue
        words = [replay, datetime.date.today().isoformat(), signature,
                 note or source.note]
        text += "  ".join(word for word in words if word) + "\n"
        present.add(replay)
        added += 1
    if added:
        make_folder(os.path.dirname(path))
        write_file(path, text)
        print(f"saved in {_short(path)}")
    arguments.answer.add(build_line=None if arguments.saved else
                         _check_inputs(chosen.target, path))
    return 0


def _check_inputs(target: Target, path: str) -> str | None:
    """Warns if Bazel does not give the file to the test. Returns the line that
    is missing in the BUILD file; None if none is, or that is not known."""
    label = label_of(target)
    if label is None:
        return None
    package, _, name = label.removeprefix("//").partition(":")
    file = os.path.relpath(path, os.path.join(target.folder, package))
    if file.startswith(".."):
        return None
    asked = subprocess.run(
        [*bazel_command(target.folder), "query", "--noshow_progress",
         f"kind('source file', deps(labels(data, {label})))"],
        cwd=target.folder, stdin=subprocess.DEVNULL, capture_output=True,
        text=True, check=False)
    if asked.returncode != 0 or (
            f"//{package}:{file}" in asked.stdout.splitlines()):
        return None
    line = f'data = glob(["{os.path.dirname(file)}/**"]),'
    print(f"warning: Bazel does not give this file to {label}, so its runs do "
          f"not replay it\n"
          f"add to {name} in {package}/BUILD.bazel:  {line}")
    return line


def _path(chosen: options.Chosen, saved: str | None) -> str:
    for test in binary.list_tests(chosen.target):
        if test.name != chosen.test:
            continue
        path = saved_file(test.file, chosen.target.folder, test.name,
                         os.path.abspath(saved) if saved else None)
        source = os.path.join(chosen.target.folder, test.file)
        if not saved and not os.path.exists(source):
            raise Trouble(
                f"the test is in {quote(test.file)}, which is not below "
                f"{quote(chosen.target.folder)}: change to the folder in which "
                f"it was compiled, or pass --saved=DIR", USAGE)
        return path
    raise Trouble(f"there is no test {quote(chosen.test)}", USAGE)


def _short(path: str) -> str:
    short = os.path.relpath(path)
    return path if short.startswith("..") else short
