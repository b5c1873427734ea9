"""TARGET: a Bazel label, the path of a test binary, or a test of CTest."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import shutil
import subprocess

from cli.trouble import INFRASTRUCTURE, USAGE, Trouble, quote


@dataclasses.dataclass(frozen=True)
class Target:
    """A test binary that exists."""

    name: str    # As typed, or its label.
    binary: str  # An absolute path.
    folder: str  # Where it runs; paths in its reports are relative to it.
    test: str = ""  # The only test to run (Suite.Name); "": all of them.


def find_workspace(start: str | None = None) -> str | None:
    """The root of the Bazel workspace that contains a folder."""
    folder = os.path.abspath(start or os.getcwd())
    while True:
        for name in ("WORKSPACE", "WORKSPACE.bazel", "MODULE.bazel"):
            if os.path.isfile(os.path.join(folder, name)):
                return folder
        above = os.path.dirname(folder)
        if above == folder:
            return None
        folder = above


def is_label(text: str) -> bool:
    """Whether the text is a label or a pattern of labels."""
    return text.startswith(("//", "@", ":")) or bool(
        re.fullmatch(r"[\w./-]+:[\w./+=,@~-]+", text)
        and not os.path.exists(text))


def bazel_command(workspace: str) -> list[str]:
    """The workspace's own launcher, or the bazel on PATH."""
    own = os.path.join(workspace, "tools", "bazel")
    if os.access(own, os.X_OK):
        return [own]
    found = shutil.which("bazel") or shutil.which("bazelisk")
    if found is None:
        raise Trouble(
            "there is no bazel on PATH and no tools/bazel in the workspace: "
            "install Bazel, or name the test binary by its path",
            INFRASTRUCTURE)
    return [found]


def need_workspace(label: str) -> str:
    """The workspace in which to build a label."""
    workspace = find_workspace()
    if workspace is None:
        raise Trouble(
            f"{quote(label)} is a Bazel label, but neither this folder nor one "
            f"above it has a WORKSPACE file: change to the workspace, or name "
            f"the test binary by its path")
    return workspace


def from_workspace(label: str, workspace: str) -> str:
    """A label typed in a folder, as Bazel needs it at the root."""
    if label.startswith(("//", "@")):
        return label
    package = os.path.relpath(os.getcwd(), workspace)
    if label.startswith(":"):
        return "//" + ("" if package == "." else package) + label
    return "//" + os.path.normpath(os.path.join(package, label))


def build(label: str, options: list[str]) -> Target:
    """Builds a label, and asks Bazel for the path of its binary."""
    workspace = need_workspace(label)
    label = from_workspace(label, workspace)
    bazel = bazel_command(workspace)
    built = subprocess.run([*bazel, "build", *options, "--", label],
                           cwd=workspace, stdin=subprocess.DEVNULL,
                           stdout=2, check=False)
    if built.returncode != 0:
        raise Trouble(f"Bazel cannot build {quote(label)}: see the output above",
                      USAGE if built.returncode in (1, 2) else INFRASTRUCTURE)
    expression = ("target.files_to_run.executable.path "
                  "if target.files_to_run.executable else ''")
    asked = subprocess.run(
        [*bazel, "cquery", *options, "--output=starlark",
         f"--starlark:expr={expression}", label],
        cwd=workspace, stdin=subprocess.DEVNULL, capture_output=True,
        text=True, check=False)
    paths = [line for line in asked.stdout.splitlines() if line.strip()]
    if asked.returncode != 0:
        raise Trouble(f"Bazel cannot say where {quote(label)} is:\n"
                      f"{asked.stderr.strip()}", INFRASTRUCTURE)
    if len(paths) != 1:
        raise Trouble(
            f"{quote(label)} has {len(paths) or 'no'} executables: expected "
            f"the label of one test binary, such as //examples:job_queue_test")
    return Target(label, os.path.join(workspace, paths[0]), workspace)


def label_of(target: Target) -> str | None:
    """The label of a target that Bazel has built; None: not known."""
    if target.name.startswith("//"):
        return target.name if ":" in target.name else (
            f"{target.name}:{target.name.rpartition('/')[2]}")
    workspace = find_workspace(target.folder)
    if workspace is None or workspace != target.folder:
        return None
    path = os.path.relpath(target.binary, workspace)
    package, _, name = path.removeprefix("bazel-bin/").rpartition("/")
    return f"//{package}:{name}" if path.startswith("bazel-bin/") else None


def find_ctest_folder() -> str | None:
    """The CMake build folder that contains the current folder."""
    folder = os.getcwd()
    while not os.path.isfile(os.path.join(folder, "CMakeCache.txt")):
        above = os.path.dirname(folder)
        if above == folder:
            return None
        folder = above
    return folder


def from_ctest(name: str, folder: str) -> Target:
    """The test of that name in a CMake build folder, as CTest would run it."""
    if shutil.which("ctest") is None:
        raise Trouble(f"there is no file {quote(name)}, and no ctest on PATH to "
                      f"ask for a test of that name: name the test binary by "
                      f"its path", INFRASTRUCTURE)
    asked = subprocess.run(
        ["ctest", "--show-only=json-v1"], cwd=folder,
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    try:
        tests = json.loads(asked.stdout)["tests"]
    except (ValueError, KeyError, TypeError) as error:
        raise Trouble(f"ctest does not list the tests of {quote(folder)}:\n"
                      f"{asked.stderr.strip()}", INFRASTRUCTURE) from error
    for test in tests:
        # A test that is not built has no command.
        if test.get("name") == name and test.get("command"):
            break
    else:
        raise Trouble(
            f"there is neither a file nor a built test of CTest with the name "
            f"{quote(name)} in {quote(folder)}: build it, or see `ctest -N` "
            f"for the names")
    program, *flags = test["command"]
    properties = {one.get("name"): one.get("value")
                  for one in test.get("properties", [])}
    only = [flag.removeprefix("--gtest_filter=") for flag in flags
            if flag.startswith("--gtest_filter=")]
    return Target(name, os.path.abspath(program),
                  properties.get("WORKING_DIRECTORY") or folder,
                  only[0] if only else "")


def resolve(text: str, options: list[str] | None = None) -> Target:
    """The binary of TARGET. A label is built first, with Bazel's `options`.
    A file is preferred to a test of CTest with the same name."""
    if is_label(text):
        return build(text, options or [])
    path = os.path.abspath(text)
    if not os.path.exists(path):
        build_folder = find_ctest_folder()
        if build_folder is not None:
            return from_ctest(text, build_folder)
        raise Trouble(
            f"there is no file {quote(text)}: expected a Bazel label such as "
            f"//examples:job_queue_test, the path of a test binary, or in a "
            f"build folder of CMake the name of a test of CTest")
    if not os.path.isfile(path) or not os.access(path, os.X_OK):
        raise Trouble(f"{quote(text)} is not a program: expected a Bazel label, "
                      f"or the path of a test binary")
    return Target(text, path, os.getcwd())
