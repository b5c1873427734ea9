"""Finds the traces in a folder, a zip or a file, and loads them.

    trace = load("clotho-out/Suite.Test/trace.json")
"""

import dataclasses
import os
from typing import Optional
import zipfile

from trace_model import Trace, TraceError
from trace_reader import parse
from trace_text import printable

# The file that a failing test writes, and the archive of Bazel.
TRACE = "trace.json"
ZIP = ".zip"

# More failures than this are counted, not listed.
_LISTED = 20


@dataclasses.dataclass
class Found:
    """A trace.json in a folder or in a zip."""

    path: str
    zip_member: Optional[str] = None

    def name(self) -> str:
        """The PATH argument of `show` for this trace."""
        if self.zip_member is None:
            folder = os.path.dirname(self.path)
            return folder if folder else self.path
        folder = os.path.dirname(self.zip_member)
        return os.path.join(self.path, folder or self.zip_member)

    def read(self) -> Trace:
        if self.zip_member is None:
            source = self.path
            content = _read(self.path)
        else:
            source = os.path.join(self.path, self.zip_member)
            try:
                with zipfile.ZipFile(self.path) as archive:
                    content = archive.read(self.zip_member)
            except (OSError, zipfile.BadZipFile, NotImplementedError,
                    RuntimeError, EOFError, ValueError, MemoryError) as error:
                raise _bad_zip(self.path, error) from None
            except Exception as error:  # zlib.error has no common base.
                raise _bad_zip(self.path, error) from None
        return parse(content, source)


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise TraceError(
            f"cannot read {printable(path)}: {error.strerror}") from None


def _bad_zip(path: str, error: Exception) -> TraceError:
    return TraceError(
        f"cannot read {printable(path)}: {printable(str(error))}: it was "
        "truncated, or is not a zip; copy it again")


def _zip_members(path: str) -> list[str]:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (OSError, zipfile.BadZipFile, ValueError,
            NotImplementedError) as error:
        raise _bad_zip(path, error) from None
    return sorted(
        name for name in names
        if name == TRACE or name.endswith("/" + TRACE))


def find(path: str) -> list[Found]:
    """All traces at or below a path, sorted: a trace.json, a folder, a zip, or
    a folder inside a zip ("outputs.zip/Suite.Test"). TraceError if there
    are none."""
    if os.path.isdir(path):
        return _find_in_folder(path)
    if os.path.exists(path):
        if path.endswith(ZIP):
            members = _zip_members(path)
            if not members:
                raise TraceError(
                    f"{printable(path)} has no {TRACE} in it: expected the "
                    "outputs of a failing test; see bazel-testlogs/.../"
                    "test.outputs/")
            return [Found(path, member) for member in members]
        return [Found(path)]
    # Inside a zip?
    head, tail = path, ""
    while head and not os.path.exists(head):
        head, name = os.path.split(head)
        tail = os.path.join(name, tail) if tail else name
        if not name and not tail:
            break
    if head and head.endswith(ZIP) and os.path.isfile(head):
        tail = tail.rstrip("/")
        members = [
            member for member in _zip_members(head)
            if member == tail or member.startswith(tail + "/")
        ]
        if members:
            return [Found(head, member) for member in members]
        raise TraceError(
            f"{printable(head)} has nothing named \"{printable(tail)}\" with "
            f"a {TRACE}: give the zip alone to see what it contains")
    raise TraceError(
        f"there is no file or folder {printable(path)}: expected a "
        f"{TRACE}, a folder of results (--clotho_out=DIR), or an outputs.zip "
        "of Bazel")


def _find_in_folder(path: str) -> list[Found]:
    own = os.path.join(path, TRACE)
    if os.path.isfile(own):
        return [Found(own)]
    found: list[Found] = []
    zips: list[str] = []
    for folder, folders, files in os.walk(path):
        folders.sort()
        if TRACE in files:
            found.append(Found(os.path.join(folder, TRACE)))
        if "outputs.zip" in files:
            zips.append(os.path.join(folder, "outputs.zip"))
    for name in sorted(zips):
        found.extend(Found(name, member) for member in _zip_members(name))
    if not found:
        raise TraceError(
            f"{printable(path)} has no {TRACE} in it: no test has failed, or "
            "no results were written; run the test with --clotho_out=DIR, and "
            "show DIR")
    return found


def several(path: str, found: list[Found]) -> TraceError:
    """An error that lists the failures, so that the user can choose one."""
    lines = [f"{printable(path)} has {len(found)} failures: show one of them"]
    for entry in found[:_LISTED]:
        try:
            what = entry.read().failure.split("\n")[0]
        except TraceError:
            what = "(cannot be read)"
        lines.append(f"  {printable(entry.name())}   {printable(what)}")
    if len(found) > _LISTED:
        lines.append(f"  and {len(found) - _LISTED} more")
    return TraceError("\n".join(lines))


def load(path: str) -> Trace:
    """The only trace at a path; TraceError if there is none, or several."""
    found = find(path)
    if len(found) > 1:
        raise several(path, found)
    return found[0].read()
