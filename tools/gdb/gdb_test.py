#!/usr/bin/env python3
"""Runs clotho.py in gdb, on a program with tasks in every state."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
SCRIPT = os.path.join(HERE, "clotho.py")
PROGRAM = sys.argv.pop(1)


def gdb(*commands: str, core: str = "") -> str:
    """The output of gdb for these commands."""
    arguments = ["gdb", "-nx", "-batch", "-ex", f"source {SCRIPT}"]
    for command in commands:
        arguments += ["-ex", command]
    arguments.append(PROGRAM)
    if core:
        arguments.append(core)
    run = subprocess.run(arguments, stdin=subprocess.DEVNULL,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                         encoding="utf-8", errors="replace", check=False)
    return run.stdout


def line_of(text: str) -> int:
    """The line of the sample that contains this text."""
    with open(os.path.join(HERE, "testdata", "sample.cc"),
              encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if text in line:
                return number
    raise AssertionError(text)


# The commands to run when the process stops at StopHere, all in one session,
# since gdb is slow to start.
QUESTIONS = ["clotho tasks", "clotho stack worker-1", "clotho stack",
             "clotho stack nobody", "clotho tasks all"]


@unittest.skipUnless(shutil.which("gdb"), "no gdb")
class GdbTest(unittest.TestCase):
    """Tests with a live process, a core, and mistakes."""

    answers: dict[str, str] = {}
    core = ""

    @classmethod
    def setUpClass(cls) -> None:
        folder = tempfile.mkdtemp()
        cls.addClassCleanup(shutil.rmtree, folder)
        cls.core = os.path.join(folder, "core")
        commands = ["break StopHere", "run"]
        for question in QUESTIONS:
            commands += [f"echo @{question}\\n", question]
        commands += ["echo @end\\n", f"generate-core-file {cls.core}"]
        output = gdb(*commands)
        if "Breakpoint 1, StopHere" not in output:
            raise unittest.SkipTest(
                "gdb cannot start programs here:\n" + output)
        for question in QUESTIONS:
            answer = output.split(f"@{question}\n", 1)[1]
            cls.answers[question] = answer.split("@", 1)[0]

    def check_tasks(self, output: str) -> None:
        """The table of `clotho tasks`."""
        place = "sample.cc:" + str(line_of("co_await lock.Acquire();"))
        self.assertRegex(output, r"thread 1: 6 tasks\n  Task-1    running now\n")
        self.assertRegex(output, rf"\n  worker-1  waits at \S*{place}\n")
        self.assertRegex(output, rf"\n  Task-2    waits at \S*{place}\n")
        self.assertRegex(
            output, r"\n  waiter    waits for task worker-1 at \S*sample.cc:")
        self.assertRegex(output, r"\n  ready     ready to resume at ")
        self.assertRegex(output, r"\n  fresh     has not started, created at "
                         r"\S*sample.cc:")

    def test_tasks_of_a_live_process(self) -> None:
        """Each state is on a line."""
        self.check_tasks(self.answers["clotho tasks"])

    def test_the_coroutines_of_a_task(self) -> None:
        """The innermost comes first; each has its function and its line."""
        output = self.answers["clotho stack worker-1"]
        functions = re.findall(r"#(\d)  (.*)\n      at \S*sample.cc:(\d+)",
                               output)
        self.assertEqual([int(number) for number, _, _ in functions], [0, 1, 2])
        for (_, function, line), (name, text) in zip(functions, [
                ("Innermost", "co_await lock.Acquire();"),
                ("Middle", "co_await Innermost(lock)"),
                ("Worker", "co_await Middle(lock)")]):
            self.assertIn(f"sample::{name}(", function)
            self.assertEqual(int(line), line_of(text))
        self.assertNotIn("waiter", output)

    def test_the_coroutines_of_every_task(self) -> None:
        """Every task that is suspended is shown."""
        output = self.answers["clotho stack"]
        for name in ["Task-1: running now", "worker-1: waits", "Task-2: waits",
                     "waiter: waits for", "ready: ready", "fresh: has not"]:
            self.assertIn(name, output)
        self.assertRegex(output, r"sample::Unnamed\(")

    def test_a_core(self) -> None:
        """The commands call nothing in the process, so a core is enough."""
        self.assertTrue(os.path.exists(self.core))
        output = gdb("clotho tasks", "clotho stack worker-1", core=self.core)
        self.check_tasks(output)
        self.assertRegex(output, r"#2  .*sample::Worker\(")

    def test_what_is_wrong_is_said(self) -> None:
        """Mistakes are reported on one line, with what was expected."""
        self.assertIn('no task "nobody": expected one of Task-1, worker-1, ',
                      self.answers["clotho stack nobody"])
        self.assertIn('unexpected argument "all"',
                      self.answers["clotho tasks all"])
        output = gdb("clotho tasks", "break main", "run", "clotho tasks")
        self.assertIn("no program is being debugged", output)
        self.assertIn("no event loop is running in any thread", output)


if __name__ == "__main__":
    unittest.main()
