"""Tests of what a sweep looks like, and of the figures in it."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).absolute().parent.parent))
# pylint: disable=wrong-import-position
from cli import progress, screen
from cli.progress import Failure, State, Strategy


def state(**members):
    goal = {"goal": "leader changed", "place": "raft.cc:7", "reached": 9,
            "first": 7}
    never = {"goal": "log truncated", "place": "raft.cc:207", "reached": 0,
             "first": None}
    failure = {"kind": "deadlock", "place": "raft.cc:88", "hits": 9,
               "replay": "c1/0/17:1,22:t/77a0", "what": "Deadlock at t = 6 ms",
               "first": 118, "origin": "o"}
    values = {
        "title": "//examples:raft_test  RaftTest.OneLeaderPerTerm",
        "workers": 8, "elapsed": 761.0, "executions": 18_402_113,
        "asked": 100_000_000, "rate": 24_190.0, "traces": 1_204_557.0,
        "chance": 0.041, "steps": 4_000_000_000, "steps_max": 20_000,
        "tasks_max": 6, "budget_hits": 3, "checked": 18_402,
        "virtual_seconds": 1.3e8,
        "strategies": [Strategy("pct:3", 6_134_038, 9, 2e-10, 3, 6, 214),
                       Strategy("pos", 4_600_528, 0)],
        "goals": [goal, never], "failures": [Failure("A.B", failure)],
        "rss": 212_000_000, "out": "clotho-out/raft_test.sweep",
        "note": "Ctrl-C stops and writes the results"}
    return State(**(values | members))


class ScreenTest(unittest.TestCase):

    def test_fits_from_20_to_200_columns_and_any_height(self):
        for width in range(20, 201):
            for height in (3, 8, 24, 60):
                for drawn in (state(), State(), state(asked=None, rate=0.0)):
                    lines = screen.draw(drawn, width, height)
                    self.assertLessEqual(len(lines), height)
                    for line in lines:
                        self.assertLessEqual(len(line), width, line)
                        self.assertTrue(line.isascii())

    def test_says_all_that_there_is(self):
        text = "\n".join(screen.draw(state(), 140, 50))
        for part in ("//examples:raft_test", "8 workers", "12m41s",
                     "18 402 113", "18 % of 100M", "24 190 /s", "eta 56m",
                     "1 204 557", "4.1 % (Good-Turing)", "20 000 at most",
                     "4.12 years", "3 came to a limit",
                     "pct's bound: a bug of depth 3 is missed with p <= 2e-10",
                     "[x] leader changed   first at 7",
                     "[ ] log truncated   NEVER   (raft.cc:207)",
                     "1 distinct", "#1", "deadlock", "c1/0/17:1,22:t/77a0",
                     "rss 212MB", "Ctrl-C"):
            self.assertIn(part, text)

    def test_what_matters_is_there_in_20_columns(self):
        text = "\n".join(screen.draw(state(), 20, 30))
        for part in ("18.4M/100M", "24.2k/s eta 56m", "new 4.1 %",
                     "goals 1/2", "failures 1", "#1 deadlock",
                     "c1/0/17:1,22:t/77a"):
            self.assertIn(part, text)

    def test_no_sequence_of_others_reaches_the_terminal(self):
        failure = Failure("A.\x1b[2J", {
            "kind": "always", "place": "x.cc:1", "hits": 1, "first": 1,
            "what": "\x1b]0;title\x07 \u202e", "replay": "c1/0/plain"})
        drawn = state(failures=[failure], title="\x1b[31m\n")
        for width in (20, 100):
            for line in screen.draw(drawn, width, 40):
                self.assertNotRegex(line, "[^ -~]")
        self.assertNotRegex(screen.failure_line(1, failure), "[^ -~]")

    def test_a_line(self):
        self.assertEqual(
            screen.line(state()),
            "12m41s 18.4M/100M 24.2k/s new 4.1 % fail 1 goals 1/2")
        self.assertEqual(screen.line(State()), "0s 0 0/s new 100 % fail 0")

    def test_numbers(self):
        self.assertEqual([screen.short(n) for n in
                          (0, 999, 1000, 999_999, 18_402_113, 5e9, 2e12)],
                         ["0", "999", "1k", "1M", "18.4M", "5G", "2T"])
        self.assertEqual([screen.duration(s) for s in
                          (0, 59.9, 761, 7322, 200_000)],
                         ["0s", "59s", "12m41s", "2h02m", "2d07h"])
        self.assertEqual([screen.percent(p) for p in (0, 0.041, 1, 0.00001)],
                         ["0 %", "4.1 %", "100 %", "0.001 %"])


class FiguresTest(unittest.TestCase):

    def test_pcts_bound(self):
        # n = 6, k = 214, 6.13 million executions, depth 3: exp(-22.3).
        self.assertAlmostEqual(
            progress.pct_bound(3, 6, 214, 6_134_038) / 2.04e-10, 1, delta=0.02)
        self.assertEqual(progress.pct_bound(3, 6, 214, 0), 1.0)
        self.assertEqual(progress.pct_bound(1, 1, 9, 1), 0.0)
        self.assertEqual(progress.pct_bound(2, 0, 0, 9), 1.0)
        # More executions, less is missed; deeper bugs, more.
        self.assertLess(progress.pct_bound(2, 3, 50, 2000),
                        progress.pct_bound(2, 3, 50, 1000))
        self.assertLess(progress.pct_bound(2, 3, 50, 1000),
                        progress.pct_bound(3, 3, 50, 1000))

    def test_when_it_ends(self):
        self.assertEqual(State(executions=10, asked=30, rate=4.0).eta(), 5.0)
        self.assertIsNone(State(executions=10, asked=None, rate=4.0).eta())
        self.assertIsNone(State(executions=10, asked=30, rate=0.0).eta())


if __name__ == "__main__":
    unittest.main()
