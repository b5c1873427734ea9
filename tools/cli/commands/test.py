"""Runs tests with `bazel test`, then prints the reports of the failures.

The files of the failures are unpacked from Bazel's archives into the folder of
results. A target that is not a Bazel test, or is given by its path, is run
directly.
"""

from __future__ import annotations

import argparse
import glob
import os
import subprocess
import zipfile
from typing import Any

from cli import answer, binary, options
from cli.files import file_name, make_folder, read_json, write_file
from cli.memory import remember, results_folder
from cli.targets import (Target, bazel_command, from_workspace, is_label,
                         need_workspace, resolve)
from cli.trouble import (FAILED, INFRASTRUCTURE, NO_TEST, USAGE, Trouble,
                         quote)

HELP = "runs tests, and prints the reports of the failures"
EXAMPLE = """tools/clotho test //examples/...
tools/clotho test //examples:bank_test -- --gtest_filter=BankTest.*"""

TAKES_FLAGS = True


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("targets", metavar="TARGET", nargs="+",
                        help="Bazel labels or patterns, or paths of binaries; "
                             "flags for the tests go after --")
    options.add_common(parser)


def run(arguments: argparse.Namespace) -> int:
    out = results_folder(arguments.out)
    labels = [text for text in arguments.targets if is_label(text)]
    paths = [text for text in arguments.targets if not is_label(text)]
    # Find out now, not after an hour, that a path cannot be run.
    binaries = [resolve(path) for path in paths]
    make_folder(out)
    failures: list[dict[str, Any]] = []
    arguments.answer.add(results=os.path.abspath(out), failures=failures)
    codes = ([_bazel_test(labels, arguments, out, failures)]
             if labels else [])
    codes += [_run_here(target, arguments.flags, out, failures)
              for target in binaries]
    return max(codes)


def _written(out: str, tests: list[binary.Test]) -> dict[str, int]:
    """When the traces of tests were written, by folder. (With --clotho_for,
    each failure has a folder in that of its test.)"""
    found = {}
    for test in tests:
        folder = glob.escape(os.path.join(out, file_name(test.name)))
        for trace in sorted(glob.glob(f"{folder}/trace.json")
                            + glob.glob(f"{folder}/*/trace.json")):
            found[os.path.dirname(trace)] = os.stat(trace).st_mtime_ns
    return found


def _run_here(target: Target, flags: list[str], out: str,
              failures: list[dict[str, Any]]) -> int:
    tests = binary.list_tests(target)
    before = _written(out, tests)
    code = binary.run(target, "--gtest_brief=1", f"--clotho_out={out}", *flags)
    after = _written(out, tests)
    failures += [{"target": target.name, **answer.failure_at(folder)}
                 for folder, when in after.items()
                 if before.get(folder) != when]
    # The next command works on the failure that was written last.
    if code == FAILED and after:
        _remember(out, target, max(reversed(after), key=after.__getitem__))
    return code


def _remember(out: str, target: Target, folder: str) -> None:
    trace = read_json(os.path.join(folder, "trace.json"), "a trace")
    remember(out, target, str(trace.get("test", "")),
             str(trace.get("replay", "")), folder)


def _bazel_test(labels: list[str], arguments: argparse.Namespace, out: str,
                failures: list[dict[str, Any]]) -> int:
    workspace = need_workspace(labels[0])
    labels = [from_workspace(label, workspace) for label in labels]
    bazel = bazel_command(workspace)
    done = subprocess.run(
        [*bazel, "test", "--test_output=summary", *arguments.bazel_flag,
         *(f"--test_arg={flag}" for flag in arguments.flags), "--", *labels],
        cwd=workspace, stdin=subprocess.DEVNULL, check=False)
    if done.returncode == 0:
        return 0
    if done.returncode == 4 and len(labels) == 1 and "..." not in labels[0]:
        # A *_hunt target is a program, not a test for Bazel.
        return _run_here(resolve(labels[0], arguments.bazel_flag),
                         arguments.flags, out, failures)
    if done.returncode == 4:
        return NO_TEST
    if done.returncode in (1, 2):
        return USAGE
    if done.returncode != 3:
        return INFRASTRUCTURE
    for label in _tests_of(bazel, labels, workspace):
        logs = os.path.join(workspace, "bazel-testlogs",
                            *label.removeprefix("//").split(":"))
        _unpack_failures(label, logs, workspace, out, failures)
    return FAILED


def _tests_of(bazel: list[str], labels: list[str], workspace: str) -> list[str]:
    asked = subprocess.run(
        [*bazel, "query", "--noshow_progress",
         "tests(set(" + " ".join(labels) + "))"],
        cwd=workspace, stdin=subprocess.DEVNULL, capture_output=True,
        text=True, check=False)
    return [line for line in asked.stdout.splitlines() if line.startswith("//")]


def archives(logs: str) -> list[str]:
    """The archives that the runs and shards of a test left behind."""
    found = []
    for folder, _, files in os.walk(logs):
        if os.path.basename(folder) == "test.outputs":
            found += [os.path.join(folder, name) for name in files
                      if name == "outputs.zip"]
    return sorted(found)


def unpack(archive: str, folder: str) -> list[str]:
    """Unpacks an archive into a folder; returns the names of its files."""
    names = []
    try:
        with zipfile.ZipFile(archive) as packed:
            for entry in packed.infolist():
                path = os.path.normpath(entry.filename)
                if entry.is_dir():
                    continue
                if os.path.isabs(path) or path.startswith(".."):
                    raise Trouble(f"{quote(archive)} was not made by Bazel: it "
                                  f"has a file {quote(entry.filename)}")
                make_folder(os.path.dirname(os.path.join(folder, path)))
                write_file(os.path.join(folder, path), packed.read(entry))
                names.append(path)
    except (zipfile.BadZipFile, EOFError, NotImplementedError) as error:
        raise Trouble(f"{quote(archive)} is not a complete zip archive: "
                      f"{error}") from error
    return names


def _unpack_failures(label: str, logs: str, workspace: str, out: str,
                     failures: list[dict[str, Any]]) -> None:
    for archive in archives(logs):
        names = unpack(archive, out)
        for name in names:
            if os.path.basename(name) != "report.txt":
                continue
            folder = os.path.dirname(os.path.join(out, name))
            print(f"{label}: {folder}")
            failures.append({"target": label, **answer.failure_at(folder)})
            with open(os.path.join(out, name), encoding="utf-8",
                      errors="backslashreplace") as report:
                print(report.read())
            if os.path.exists(os.path.join(folder, "trace.json")):
                _remember(out, Target(label, "", workspace), folder)
