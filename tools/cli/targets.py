"""TARGET: a Bazel label, or the path of a test binary."""

from __future__ import annotations

import dataclasses
import os
import re
import shutil
import subprocess

from cli.trouble import INFRASTRUCTURE, USAGE, Trouble, quote


@dataclasses.dataclass(frozen=True)
class Target:
    """A test binary that is there."""

    name: str    # As it was typed, or its label.
    binary: str  # An absolute path.
    folder: str  # Where it is run: paths in its reports begin there.


def find_workspace(start: str | None = None) -> str | None:
    """The root of the Bazel workspace that a folder is in."""
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
    """Whether that is a label, or a pattern of some."""
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
    """The workspace that a label is for."""
    workspace = find_workspace()
    if workspace is None:
        raise Trouble(
            f"{quote(label)} is a Bazel label, and no folder from here up has "
            f"a WORKSPACE file: go into the workspace, or name the test binary "
            f"by its path")
    return workspace


def from_workspace(label: str, workspace: str) -> str:
    """A label that was typed in a folder, for Bazel at the root."""
    if label.startswith(("//", "@")):
        return label
    package = os.path.relpath(os.getcwd(), workspace)
    if label.startswith(":"):
        return "//" + ("" if package == "." else package) + label
    return "//" + os.path.normpath(os.path.join(package, label))


def build(label: str, options: list[str]) -> Target:
    """Builds a label, and asks Bazel where its binary is."""
    workspace = need_workspace(label)
    label = from_workspace(label, workspace)
    bazel = bazel_command(workspace)
    built = subprocess.run([*bazel, "build", *options, "--", label],
                           cwd=workspace, stdin=subprocess.DEVNULL,
                           stdout=2, check=False)
    if built.returncode != 0:
        raise Trouble(f"Bazel cannot build {quote(label)}: see above",
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
            f"the label of one test binary, as in //examples:job_queue_test")
    return Target(label, os.path.join(workspace, paths[0]), workspace)


def resolve(text: str, options: list[str] | None = None) -> Target:
    """The binary of TARGET; a label is built first. `options` are Bazel's."""
    if is_label(text):
        return build(text, options or [])
    path = os.path.abspath(text)
    if not os.path.exists(path):
        raise Trouble(
            f"there is no file {quote(text)}: expected a Bazel label such as "
            f"//examples:job_queue_test, or the path of a test binary")
    if not os.path.isfile(path) or not os.access(path, os.X_OK):
        raise Trouble(f"{quote(text)} is no program: expected a Bazel label, "
                      f"or the path of a test binary")
    return Target(text, path, os.getcwd())
