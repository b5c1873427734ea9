"""Remembers what was last run, in a file in the folder of results.

A command without a target or test uses the last ones.
"""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys

from cli.files import make_folder, read_json, write_file
from cli.targets import Target, find_workspace, is_label, resolve
from cli.trouble import Trouble, quote

_NAME = "last.json"


@dataclasses.dataclass(frozen=True)
class Last:
    """What was last run. Empty: unknown."""

    target: str = ""   # As for targets.resolve.
    folder: str = ""   # Paths are relative to it.
    test: str = ""
    replay: str = ""
    results: str = ""  # The folder of the last failure.


def results_folder(out: str | None) -> str:
    """--out, or clotho-out in the workspace, or in the current folder."""
    if out:
        return os.path.abspath(out)
    return os.path.join(find_workspace() or os.getcwd(), "clotho-out")


def recall(out: str) -> Last:
    """What was last run with these results; empty if nothing was."""
    path = os.path.join(out, _NAME)
    if not os.path.exists(path):
        return Last()
    value = read_json(path, "what clotho last ran (remove it, and name "
                            "target and test)")
    known = {field.name: str(value.get(field.name, ""))
             for field in dataclasses.fields(Last)}
    return Last(**known)


def remember(out: str, target: Target, test: str, replay: str = "",
             results: str = "") -> None:
    """Records what was just run. For the same test, what is omitted stays."""
    make_folder(out)
    if not os.path.exists(os.path.join(out, _NAME)):
        _hint_to_ignore(out)
    before = recall(out)
    if before.test == test and before.folder == target.folder:
        replay = replay or before.replay
        results = results or before.results
    last = Last(target.name if is_label(target.name) else target.binary,
                target.folder, test, replay, results)
    write_file(os.path.join(out, _NAME),
               json.dumps(dataclasses.asdict(last), indent=1) + "\n")


def _hint_to_ignore(out: str) -> None:
    """Says so, if git would show the new folder of results."""
    parent, name = os.path.split(out)
    try:
        asked = subprocess.run(
            ["git", "check-ignore", "--quiet", name], cwd=parent,
            stdin=subprocess.DEVNULL, capture_output=True, check=False)
    except OSError:
        return  # There is no git.
    if asked.returncode == 1:
        print(f"clotho: the results are in {name}/: add it to .gitignore",
              file=sys.stderr)


def target_or_last(text: str | None, out: str, options: list[str],
                   last: Last | None = None) -> Target:
    """TARGET, or the one of the last run."""
    if text:
        return resolve(text, options)
    last = last or recall(out)
    if not last.target:
        raise Trouble(f"no TARGET given, and {quote(out)} has no record of a "
                      f"last run: name a Bazel label, or the path of a test "
                      f"binary")
    target = resolve(last.target, options)
    folder = last.folder if os.path.isdir(last.folder) else target.folder
    return dataclasses.replace(target, folder=folder)
