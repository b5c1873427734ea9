"""Tests of `clotho debug`, with real test binaries: the arguments are
//examples:job_queue_hunt and //sim/testing:sample_tests."""

import os
import pathlib
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).absolute().parent.parent))
# pylint: disable=wrong-import-position
from cli import testing

HUNT = "./job_queue_hunt"
TEST = "JobQueueTest.NoJobIsLost"
FAILS = "c1/0/4:1"


class DebugTest(testing.ClothoTestCase):

    def debug(self, replay, *lines, flags=(), program=(HUNT, TEST)):
        """The output for these commands. Each answer begins with "@"."""
        done = subprocess.run(
            self.command("debug", replay, *program, *flags),
            cwd=self.folder, env=self.environment(),
            input="".join(line + "\n" for line in lines).encode(),
            capture_output=True, check=False)
        return testing.Ended(done.returncode, done.stdout.decode(),
                             done.stderr.decode())

    def test_begins_at_the_first_deviation(self):
        ended = self.debug(FAILS)
        self.assertEqual(ended.code, 0, ended)
        self.assertRegex(ended.out, rf'^{FAILS}/\w+ fails at step 5: Always '
                         '"a woken worker finds a job" is false\n')
        self.assertIn("\nstep 4, t = 0 s: worker-2 (its first step)\n",
                      ended.out)

    def test_begins_where_it_fails_or_where_it_is_told(self):
        self.assertIn("\nstep 1, t = 0 s: main", self.debug("c1/0/fifo").out)
        self.assertIn("\nstep 2, t = 0 s: ",
                      self.debug(FAILS, flags=["--at=2"]).out)
        self.assert_trouble(self.debug(FAILS, flags=["--at=99"]), 2,
                            "there is no step 99: expected one from 1 to 5")

    def test_goes_forwards_and_backwards(self):
        out = self.debug(FAILS, "step", "step", "back 3", "", "goto 1", "fail",
                         "first", "back", "quit", "ps").out
        steps = [line.split(",")[0] for line in out.splitlines()
                 if line.startswith("step ") and ", t = " in line]
        self.assertEqual(steps, [f"step {n}" for n in
                                 (4, 5, 5, 2, 3, 1, 5, 1, 1)])
        self.assertIn("this is the last step\n", out)
        self.assertIn("this is the first step\n", out)

    def test_shows_the_tasks(self):
        out = self.debug(FAILS, "ps", "pstree").out
        self.assertRegex(out, r"\ntask +state +since")
        self.assertRegex(out, r"\nworker-1 +ready, through main")
        self.assertRegex(out, r"\nmain  waits for .*\n\|-- worker-1  ")

    def test_lists_what_can_run_and_why(self):
        out = self.debug(FAILS, "ready").out
        self.assertRegex(out, r"\n  0  worker-1 \(.*\)   \(FIFO order's\)\n"
                         r"       \S.*\n"
                         r"  1  worker-2 \(its first step\)   \(taken here\)\n")

    def test_another_choice_is_another_execution(self):
        ended = self.debug(FAILS, "choose 0", "undo", "choose 7", "choose x",
                           "goto 1", "choose 1", "undo", "undo")
        self.assertRegex(ended.out, r"\nc1/0/fifo/\w+ passes, in \d+ steps\n")
        self.assertEqual(ended.out.count(f"{FAILS}/"), 2, ended)
        self.assertIn("there is no candidate 7 at step 4: expected one from 0 "
                      "to ", ended.out)
        self.assertIn('"x" is not a number', ended.out)
        self.assertIn("nothing else could have run at step 1", ended.out)
        self.assertIn("there is nothing to undo", ended.out)

    def test_a_failure_can_be_built_by_hand(self):
        out = self.debug("c1/0/fifo", "goto 4", "choose 1", "replay",
                         "save mine.saved", "save mine.saved", "save",
                         "save /no/such/folder/x").out
        self.assertEqual(len([line for line in out.splitlines() if
                              line.startswith(f"{FAILS}/") and
                              "fails at step 5" in line]), 2, out)
        self.assertIn("save needs a FILE", out)
        self.assertIn('"/no/such/folder/x"', out)
        lines = self.read("mine.saved").splitlines()
        self.assertEqual(len(lines), 2)
        self.assertRegex(lines[0], rf"^{FAILS}/\w+  always .*job_queue.cc:\d+$")
        # A test can read the file.
        os.rename(self.folder / "mine.saved", self.folder / f"{TEST}.saved")
        done = subprocess.run(
            [HUNT, "--clotho_saved=.", "--clotho_strategy=fifo"],
            cwd=self.folder, env=self.environment(), capture_output=True,
            check=False)
        self.assertIn(b"SEARCH    the saved schedule " + FAILS.encode(),
                      done.stdout)

    def test_a_timer_is_a_choice_too(self):
        # main waits for it before both jobs have arrived.
        out = self.debug("c1/0/fifo", "goto 4", "ready", "choose 2").out
        self.assertRegex(out, r"\n  2  the 1 ms timer\n")
        self.assertRegex(out, r"\nc1/0/4:t/\w+ (passes|fails)")

    def test_the_environment_can_be_decided_for(self):
        program = next(p for p in self.programs if p.endswith("sample_tests"))
        out = self.debug(
            "c1/0/fifo", "goto 2", "ready", "decide 3 2", "decide 4 3",
            "report", "undo", "undo", "decide 3 2", "decide 5 1",
            "decide 3 7", "decide 9 1", "decide 3", "goto 1", "decide 3 1",
            program=(program, "Environment.Decides")).out
        self.assertRegex(
            out, r"\n  then Choose gives 0 at \S+sample_tests.cc:\d+   "
            r"\(decide 3 VALUE\)\n"
            r"  then Choose gives 0 at \S+sample_tests.cc:\d+   "
            r"\(decide 4 VALUE\)\n"
            r"  then Buggify does not happen at \S+   \(decide 5 VALUE\)\n")
        self.assertRegex(out, r"\nc1/0/3:2/\w+ passes")
        self.assertRegex(out, r"\nc1/0/3:2,4:3/\w+ fails at step 2: Always "
                         '"not two and three" is false\n')
        self.assertRegex(out, r"\nc1/0/3:2,5:1/\w+ passes")
        self.assertRegex(out, r"\nc1/0/3:7 cannot be stepped through:\n(.*\n)*.*"
                         r"does not fit the program: ")
        self.assertIn("\nthe environment makes no decision numbered 9 in this "
                      "step: expected 3 or 4 or 5\n", out)
        self.assertIn("decide needs a STEP and a VALUE", out)
        self.assertIn("\nthe environment decides nothing in this step\n", out)

    def test_reports_mistakes_and_continues(self):
        out = self.debug(FAILS, "setp", "goto", "goto 99", "report", "help",
                         "replay").out
        self.assertIn('unknown command "setp": did you mean step?', out)
        self.assertIn('"" is not a number', out)
        self.assertIn("there is no step 99: ", out)
        self.assertIn("\nSCHEDULE  1 deviation", out)
        self.assertRegex(out, r"\n  choose N +run it again")
        self.assertTrue(out.rstrip().splitlines()[-1].startswith(FAILS))

    def test_what_cannot_be_replayed(self):
        self.assert_trouble(self.debug("c1/0/999:1"), 3,
                            "c1/0/999:1 cannot be stepped through:",
                            "does not fit the program")
        self.assert_trouble(self.clotho("debug", "nothing", HUNT), 2,
                            '"nothing" is neither')

    @unittest.skipUnless(shutil.which("gdb"), "gdb was not found")
    def test_gdb_stops_before_the_deviation(self):
        done = subprocess.run(
            self.command("debug", "--gdb", FAILS, HUNT, TEST),
            cwd=self.folder, env=self.environment(), input=b"bt 9\nkill\nquit\n",
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        out = done.stdout.decode()
        if "SIGTRAP" not in out:
            self.assertIn("ptrace", out)
            self.skipTest("gdb cannot start programs here")
        self.assertIn("Program received signal SIGTRAP", out)
        self.assertIn("PassStepLimit", out)


if __name__ == "__main__":
    testing.main()
