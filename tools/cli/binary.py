"""Runs a test binary with flags, and reads its output."""

from __future__ import annotations

import contextlib
import ctypes
import dataclasses
import difflib
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from typing import Any

from cli.files import parse_json
from cli.targets import Target
from cli.trouble import INFRASTRUCTURE, USAGE, Trouble, quote


@dataclasses.dataclass(frozen=True)
class Test:
    """A test of a binary."""

    name: str  # Suite.Name
    file: str  # Its path as given to the compiler; "": unknown.
    line: int


@dataclasses.dataclass(frozen=True)
class Ended:
    """The result of a run. `tests` is GoogleTest's own report, by name."""

    code: int
    output: str
    tests: dict[str, dict[str, Any]]

    def property(self, test: str, name: str) -> str:
        """A clotho_... property that the run recorded, or ""."""
        return str(self.tests.get(test, {}).get(name, ""))


@contextlib.contextmanager
def scratch() -> Iterator[str]:
    """A temporary folder."""
    try:
        folder = tempfile.mkdtemp(prefix="clotho-")
    except OSError as error:
        raise Trouble(f"cannot make a temporary folder: {error.strerror} "
                      f"(TMPDIR sets where)", INFRASTRUCTURE) from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def command(target: Target, *flags: str) -> list[str]:
    """The command that runs the binary with flags, which may select others
    than the target's own test."""
    own = [f"--gtest_filter={target.test}"] if target.test else []
    return [target.binary, *own, *flags]


def exit_code(code: int) -> int:
    """The exit code as a shell reports it: for a signal, 128 + its number."""
    return code if code >= 0 else 128 - code


def signal_name(code: int) -> str:
    """The name of the signal that ended a process with that return code."""
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"


def start_failed(target: Target, error: OSError) -> Trouble:
    """The error for a program that could not be started."""
    return Trouble(f"cannot run {quote(target.binary)}: {error.strerror}",
                   USAGE)


def run(target: Target, *flags: str) -> int:
    """Runs the binary; its output goes to our standard output."""
    try:
        return exit_code(subprocess.run(
            command(target, *flags), cwd=target.folder, check=False,
            stdin=subprocess.DEVNULL).returncode)
    except OSError as error:
        raise start_failed(target, error) from error


def ask(target: Target, *flags: str, personality: int = 0) -> Ended:
    """Runs the binary, and returns its output and GoogleTest's report.

    `personality` is the process's Linux personality; 0 leaves it unchanged.
    """
    with scratch() as folder:
        account = os.path.join(folder, "account.json")
        try:
            done = subprocess.run(
                command(target, *flags, f"--gtest_output=json:{account}"),
                cwd=target.folder, stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                preexec_fn=_personality(personality) if personality else None)
        except OSError as error:
            raise start_failed(target, error) from error
        tests = {}
        if os.path.exists(account):
            with open(account, "rb") as file:
                text = file.read().decode("utf-8", "backslashreplace")
            for test in _tests_of(
                    parse_json(text, account, "a report of GoogleTest")):
                tests[f"{test['suite']}.{test.get('name', '')}"] = test
    return Ended(exit_code(done.returncode),
                 done.stdout.decode("utf-8", "backslashreplace"), tests)


def _personality(value: int) -> Callable[[], None]:
    def change() -> None:
        ctypes.CDLL(None).personality(value)
    return change


def _tests_of(account: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for suite in account.get("testsuites", []):
        for test in suite.get("testsuite", []):
            yield {**test, "suite": suite.get("name", "")}


def list_tests(target: Target) -> list[Test]:
    """The tests of the binary, in its order."""
    ended = ask(target, "--gtest_list_tests")
    if ended.code != 0 or (not ended.tests and ended.output.strip()):
        raise Trouble(
            f"{quote(target.name)} does not list its tests: expected a program "
            f"that is linked with //sim:testing_main. "
            f"It exited with {ended.code} and printed "
            f"{quote(ended.output[:200])}")
    return [Test(name, str(test.get("file", "")), int(test.get("line", 0)))
            for name, test in ended.tests.items()]


def nearest(name: str, names: list[str], likeness: float = 0.3) -> str:
    """A hint that names the most similar existing name, if it is similar
    enough: 1 would be the same name."""
    close = difflib.get_close_matches(name, names, n=1, cutoff=likeness)
    return f": the nearest that exists is {close[0]}" if close else ""


def pick_test(target: Target, wanted: str | None,
              remembered: str | None = None) -> str:
    """The selected test; Trouble if it is not exactly one."""
    names = [test.name for test in list_tests(target)]
    if not names:
        raise Trouble(f"{quote(target.name)} has no tests", 4)
    if wanted is None and remembered in names:
        return remembered
    if wanted is None and len(names) == 1:
        return names[0]
    if wanted is None:
        shown = ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")
        raise Trouble(f"{quote(target.name)} has {len(names)} tests: name one "
                      f"of them after the target ({shown})")
    if wanted not in names:
        raise Trouble(f"{quote(target.name)} has no test {quote(wanted)}"
                      f"{nearest(wanted, names)}", 4)
    return wanted
