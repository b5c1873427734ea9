"""Tests of the display of a campaign, of its figures, and of the keys."""

import fcntl
import io
import json
import os
import pathlib
import pty
import struct
import sys
import tempfile
import termios
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).absolute().parent.parent))
# pylint: disable=wrong-import-position
from cli import keys, progress, records, screen
from cli.progress import Failure, State, Stopwatch, Strategy, Test


def state(**members):
    goal = {"goal": "leader changed", "place": "raft.cc:7", "reached": 9,
            "first": 7}
    never = {"goal": "log truncated", "place": "raft.cc:207", "reached": 0,
             "first": None}
    failure = {"kind": "deadlock", "place": "raft.cc:88", "hits": 9,
               "replay": "c1/0/17:1,22:t/77a0", "what": "Deadlock at t = 6 ms",
               "first": 118, "signature": "o"}
    values = {
        "title": "//examples:raft_test  RaftTest.OneLeaderPerTerm",
        "workers": 8, "elapsed": 761.0, "executions": 18_402_113,
        "asked": 100_000_000, "rate": 24_190.0, "traces": 1_204_557.0,
        "chance": 0.041, "steps": 4_000_000_000, "steps_max": 20_000,
        "tasks_max": 6, "steps_of": [[214, 97], [1856, 2], [19456, 1]],
        "tasks_of": [[5, 49], [6, 51]], "budget_hits": 3, "checked": 18_402,
        "virtual_seconds": 1.3e8,
        "strategies": [Strategy("pct:3", 6_134_038, 9, 2e-10, 3, 6, 214),
                       Strategy("pos", 4_600_528, 0)],
        "goals": [goal, never], "failures": [Failure("A.B", failure)],
        "keys": True,
        "tests": [Test("RaftTest.OneLeaderPerTerm", 18_402_113, 20_000, 3)],
        "rss": 212_000_000, "out": "clotho-out/raft_test.campaign"}
    return State(**(values | members))


class ScreenTest(unittest.TestCase):

    def test_fits_from_20_to_200_columns_and_any_height(self):
        for width in range(20, 201):
            for height in (3, 8, 24, 60):
                for drawn in (state(), State(), state(asked=None, rate=0.0),
                              state(status="paused"), state(keys=False)):
                    for view in ("", "f", "g", "b"):
                        lines = screen.draw(drawn, width, height, view)
                        self.assertLessEqual(len(lines), height)
                        for line in lines:
                            self.assertLessEqual(len(line), width, line)
                            self.assertTrue(line.isascii())

    def test_shows_everything(self):
        text = "\n".join(screen.draw(state(), 140, 50))
        for part in ("//examples:raft_test", "8 workers", "12m41s",
                     "18 402 113", "18 % of 100M", "24 190 /s", "eta 56m",
                     "1 204 557", "4.1 % (Good-Turing)", "max 20 000",
                     "4.12 years", "3 reached a limit",
                     "or press b", "4.12 years of virtual time covered",
                     "18 402 run twice, none differs",
                     "pct's bound: a bug of depth 3 is missed with p <= 2e-10",
                     "[x] leader changed   first at 7",
                     "[ ] log truncated   NEVER   (raft.cc:207)",
                     "1 distinct", "#1", "deadlock", "c1/0/17:1,22:t/77a0",
                     "rss 212MB", "p pause   f failures   g goals   "
                     "b budget hits   q stop and write results"):
            self.assertIn(part, text)
        self.assertIn("217 steps on average, p50 214, p99 1 856, max 20 000   "
                      "tasks p50 6, max 6",
                      text)
        self.assertIn("Ctrl-C", screen.draw(state(keys=False), 140, 50)[-1])

    def test_determinism(self):
        def line(**members):
            return next(text for text in
                        screen.draw(state(**members), 140, 50)
                        if text.startswith(" determinism"))
        differs = Failure("A.B", {
            "kind": "not deterministic", "place": "", "hits": 4, "first": 1,
            "what": "Not deterministic: two runs of fifo", "signature": "not",
            "replay": "c1/0/fifo"})
        always = state().failures[0]
        self.assertRegex(line(checked=0), r"0 run twice so far$")
        self.assertRegex(line(differ=4, failures=[always, differs]),
                         r" 18 402 run twice, 4 differ \(#2\)$")
        self.assertIn("differ 4", screen.draw(
            state(differ=4, failures=[always, differs]), 30, 50))

    def test_the_last_line_has_the_keys_that_fit(self):
        for width, expected in (
                (80, " p pause   f failures   g goals   b budget hits   "
                     "q stop and write results"),
                (60, " p pause   f failures   g goals   b budget   q stop"),
                (45, " p pause   f failures   g goals   q stop"),
                (33, " p pause   f failures   q stop"),
                (20, " p pause   q stop"), (9, " q stop"), (6, "q stop")):
            self.assertEqual(screen.draw(state(), width, 40)[-1], expected)
        self.assertEqual(screen.draw(state(status="paused"), 20, 40)[-1],
                         " p resume   q stop")
        # In a list, the key that leaves it is among them.
        for width in range(20, 120):
            self.assertIn(" g back", screen.draw(state(), width, 40, "g")[-1])
            self.assertIn(" g next", screen.draw(state(), width, 5, "g")[-1])
        self.assertIn("Ctrl-C: now",
                      screen.draw(state(status="stopping"), 80, 40)[-1])

    def test_paused_is_said(self):
        for width in (20, 100):
            self.assertNotIn("paused",
                             "\n".join(screen.draw(state(), width, 40)))
            self.assertIn("paused", "\n".join(
                screen.draw(state(status="paused"), width, 40)))

    def test_lists_leave_nothing_out(self):
        failures = [Failure("A.B", {
            "kind": "livelock" if i % 2 else "always", "place": f"x.cc:{i}",
            "hits": i, "first": 2 * i, "signature": str(i), "what": "a limit",
            "replay": f"c1/0/{i}:" + "1,22:t" * 9 + f"/{i:04x}"})
                    for i in range(1, 10)]
        goals = [{"goal": f"goal {i}", "place": "raft.cc:7", "reached": i % 2,
                  "first": i if i % 2 else None} for i in range(40)]
        drawn = state(failures=failures, goals=goals)
        for width, height in ((19, 11), (100, 15)):
            def text_of(view):
                count = screen.pages(drawn, width, height, view)
                self.assertGreater(count, 1)
                shown = [screen.draw(drawn, width, height, view, page)
                         for page in range(count)]
                self.assertEqual(len({"".join(one) for one in shown}), count)
                return "".join(line.strip() for lines in shown
                               for line in lines[2:-2])
            for one in failures:
                self.assertIn(one.record["replay"], text_of("f"))
                self.assertEqual(one.record["replay"] in text_of("b"),
                                 one.record["kind"] == "livelock")
            self.assertIn("RaftTest.OneLeader", text_of("b"))
            for i in range(40):
                self.assertRegex(text_of("g"), rf"\] goal {i}(?!\d)")
        for view in "fgb":
            self.assertIn(" none so far",
                          "\n".join(screen.draw(State(), 60, 20, view)))

    def test_keys_turn_pages_and_come_back(self):
        class Small(screen.Terminal):
            def size(self):
                return 60, 9
        stream = io.StringIO()
        terminal = Small(stream)
        goals = [{"goal": f"goal {i}", "place": "raft.cc:7", "reached": 1,
                  "first": i} for i in range(6)]
        drawn = state(goals=goals)

        def press(key):
            stream.seek(0)
            stream.truncate()
            terminal.press(key, drawn)
            terminal.show(drawn)
            return stream.getvalue()
        self.assertIn("1 distinct", press("f"))
        self.assertIn("goal 0", press("g"))
        self.assertIn("goal 0", press("x"))
        shown = press("g")
        self.assertIn("page 2 of 2", shown)
        self.assertIn("goal 4", shown)
        self.assertNotIn("goal 3", shown)
        self.assertIn("18.4M/100M", press("g"))
        self.assertIn("page 1 of 2", press("g"))

    def test_what_matters_is_there_in_20_columns(self):
        text = "\n".join(screen.draw(state(), 20, 30))
        for part in ("18.4M/100M", "24.2k/s eta 56m", "new 4.1 %",
                     "goals 1/2", "failures 1", "#1 deadlock",
                     "c1/0/17:1,22:t/77a"):
            self.assertIn(part, text)

    def test_no_sequence_of_others_reaches_the_terminal(self):
        failure = Failure("A.\x1b[2J", {
            "kind": "always", "place": "x.cc:1", "hits": 1, "first": 1,
            "what": "\x1b]0;title\x07 \u202e", "replay": "c1/0/fifo"})
        drawn = state(failures=[failure], title="\x1b[31m\n")
        for width in (20, 100):
            for view in ("", "f", "b"):
                for line in screen.draw(drawn, width, 40, view):
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
            records.pct_bound(3, 6, 214, 6_134_038) / 2.04e-10, 1, delta=0.02)
        self.assertEqual(records.pct_bound(3, 6, 214, 0), 1.0)
        self.assertEqual(records.pct_bound(1, 1, 9, 1), 0.0)
        self.assertEqual(records.pct_bound(2, 0, 0, 9), 1.0)
        # More executions miss less; deeper bugs are missed more.
        self.assertLess(records.pct_bound(2, 3, 50, 2000),
                        records.pct_bound(2, 3, 50, 1000))
        self.assertLess(records.pct_bound(2, 3, 50, 1000),
                        records.pct_bound(3, 3, 50, 1000))

    def test_when_it_ends(self):
        self.assertEqual(State(executions=10, asked=30, rate=4.0).eta(), 5.0)
        self.assertIsNone(State(executions=10, asked=None, rate=4.0).eta())
        self.assertIsNone(State(executions=10, asked=30, rate=0.0).eta())
        self.assertEqual(State(left=7.0).eta(), 7.0)
        self.assertEqual(
            State(executions=10, asked=30, rate=4.0, left=7.0).eta(), 5.0)
        self.assertEqual(
            State(executions=10, asked=30, rate=4.0, left=2.0).eta(), 2.0)

    def test_time_that_is_paused_does_not_count(self):
        now = 100.0
        watch = Stopwatch(lambda: now)
        now = 103.0
        self.assertEqual(watch.seconds(), 3.0)
        watch.pause()
        now = 200.0
        watch.pause()
        self.assertEqual(watch.seconds(), 3.0)
        watch.go_on()
        now = 201.0
        watch.go_on()
        self.assertEqual(watch.seconds(), 4.0)


class RecordsTest(unittest.TestCase):
    """Tests of the figures that come from records."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="clotho-test-")
        self.addCleanup(folder.cleanup)
        self.out = folder.name
        self.now = 0.0
        self.progress = progress.Progress(
            self.out, ["A.B"], 2, None, Stopwatch(lambda: self.now))

    def write(self, shard=0, **members):
        folder = pathlib.Path(self.out, str(shard), "A.B")
        folder.mkdir(parents=True, exist_ok=True)
        record = {
            "clotho_record": 1, "campaign": "0" * 16, "test": "A.B",
            "shard": shard, "shards": 2, "strategy": "fuzz", "seed": 1,
            "schedules": 0, "block": 0, "next": 0, "complete": False,
            "exhausted": False, "executions": 0, "steps": 0, "seconds": 1.0,
            "max": {"steps": 9, "tasks": 3},
            "shape": {"steps": [], "tasks": []}, "parts": {},
            "budget_hits": 0, "checked": 0,
            "virtual_time_ns": 0, "sketch": {"size": 4, "entries": []},
            "goals": [], "failures": []} | members
        path = folder / f"shard-{shard}-of-2.json"
        (folder / "new").write_text(json.dumps(record))
        os.replace(folder / "new", path)

    def poll(self):
        self.progress.poll()
        return self.progress.state()

    def test_news_that_others_have_asked_for_are_seen(self):
        self.write(executions=1)
        self.assertEqual(self.poll().executions, 1)
        self.write(executions=2)
        self.progress.of_shard(0)
        self.assertEqual(self.poll().executions, 2)

    def test_how_fast(self):
        self.write(executions=500)  # From an earlier run.
        self.poll()
        self.now = 30.0
        self.write(executions=500)  # Now it continues.
        self.poll()
        self.assertEqual(self.progress.rate([0, 1]), 0.0)
        self.now = 40.0
        self.write(executions=700)
        self.write(1, executions=0)
        self.poll()
        self.assertEqual(self.progress.rate([0, 1]), 20.0)
        self.now = 45.0
        self.write(1, executions=50)
        self.poll()
        self.assertEqual(self.progress.rate([0, 1]), 30.0)
        # It does not change with time until there is a new record.
        self.now = 60.0
        self.poll()
        self.assertEqual(self.progress.rate([0, 1]), 30.0)
        # A shard that has ended has no rate.
        self.assertEqual(self.progress.rate([1]), 10.0)

    def test_bounds_are_of_one_depth_of_pct(self):
        for name, bounded in (
                ("pct:3", True), ("pct", False), ("pct:", False),
                ("pct:0", False), ("pct:x", False), ("pct:\u00b2", False),
                ("fuzz", False), ("delay_bounded:3", False), ("pos", False)):
            self.write(strategy=name, executions=1000, parts={name: 1000})
            (strategy,) = self.poll().strategies
            self.assertEqual(strategy.parts, ())
            self.assertEqual(strategy.bound is not None, bounded, name)
            text = "\n".join(screen.draw(self.poll(), 140, 40))
            self.assertEqual("pct's bound" in text, bounded, name)
        # Too deep for a bound.
        self.write(strategy="pct:999999999", executions=1000,
                   parts={"pct:999999999": 1000})
        self.assertEqual(self.poll().strategies[0].bound, 1.0)

    def test_a_portfolio_has_the_bounds_of_its_parts(self):
        def failure(signature, first, part):
            return {"signature": signature, "kind": "always", "what": "x",
                    "place": "x.cc:1", "first": first, "hits": 3,
                    "replay": "c1/0/fifo", "part": part, "folder": "A.B/0"}
        self.write(executions=700, parts={"pct:2": 300, "pos": 396},
                   failures=[failure("a", 8, "pos"), failure("b", 6, "pct:2")])
        self.write(1, executions=300, parts={"pct:2": 100, "pct:3": 200},
                   failures=[failure("a", 5, "pct:3")])
        drawn = self.poll()
        (row,) = drawn.strategies
        self.assertEqual((row.executions, row.failures, row.bound),
                         (1000, 2, None))
        self.assertEqual(
            [(part.name, part.executions, part.failures)
             for part in row.parts],
            [("pct:2", 400, 1), ("pct:3", 200, 1), ("pos", 396, 0)])
        self.assertEqual(row.parts[0].bound, records.pct_bound(2, 3, 9, 400))
        self.assertEqual(row.parts[1].bound, records.pct_bound(3, 3, 9, 200))
        self.assertIsNone(row.parts[2].bound)
        high = "\n".join(screen.draw(drawn, 140, 40))
        self.assertRegex(high, "   pct:3  .* a bug of depth 3 is missed with p")
        # With less room, in one line.
        low = "\n".join(screen.draw(drawn, 140, 18))
        self.assertIn("missed, by depth (pct's bound)  2: ", low)
        self.assertNotIn("   pct:3  ", low)
        self.assertIn("x.cc:1", low)

    def tell(self, shard, event, **members):
        with open(pathlib.Path(self.out, str(shard), "results.jsonl"), "a",
                  encoding="utf-8") as file:
            file.write(json.dumps({"event": event, "shard": shard, **members})
                       + "\n")

    def test_what_is_shrunk(self):
        self.write(executions=1)
        self.write(1, executions=1)
        drawn = self.poll()
        self.assertEqual(drawn.shrinking, [])
        one = {"test": "A.B", "kind": "always", "place": "x.cc:1"}
        self.tell(0, "shrinking", **one, **{"from": 7, "to": 5})
        self.tell(1, "shrinking", **one, **{"from": 9, "to": 3})
        self.progress.new_failures()
        (shrinking,) = self.poll().shrinking  # Found by two workers.
        self.assertEqual((shrinking.deviations, shrinking.now), (9, 3))
        for width, height in ((140, 40), (24, 40)):
            for view in ("", "f"):
                self.assertIn("shrinking 9 -> 3 ...", "\n".join(
                    screen.draw(self.poll(), width, height, view)))
        # One was reported, and the other shard has ended.
        self.tell(1, "failure", **one, signature="o", what="w", replay="r",
                  folder="f")
        self.progress.new_failures()
        (shrinking,) = self.poll().shrinking
        self.assertEqual((shrinking.deviations, shrinking.now), (7, 5))
        self.tell(0, "run")
        self.progress.new_failures()
        self.assertEqual(self.poll().shrinking, [])
        # Half an event does not count.
        self.tell(0, "shrinking", test="A.B", kind="always", place=None)
        self.progress.new_failures()
        self.assertEqual(self.poll().shrinking, [])

    def test_what_differs(self):
        failure = {"signature": "not", "kind": "not deterministic", "what": "x",
                   "place": "", "first": 1, "hits": 3, "replay": "c1/0/fifo",
                   "part": "", "folder": "A.B/0"}
        self.write(checked=7, failures=[failure], budget_hits=2)
        self.write(1, checked=5, failures=[failure])
        drawn = self.poll()
        self.assertEqual((drawn.checked, drawn.differ), (12, 6))
        self.assertEqual(drawn.tests, [Test("A.B", 0, 9, 2)])

    def test_what_can_go_on(self):
        self.write()
        self.assertTrue(self.progress.can_go_on(0))
        self.assertFalse(self.progress.can_go_on(1))
        for ended, members in (
                (True, {"complete": True, "schedules": 9}),
                (False, {"complete": False, "schedules": 9}),
                # The time is over, and there was no other limit.
                (False, {"complete": True}),
                (True, {"complete": True, "exhausted": True})):
            self.write(1, **members)
            self.assertEqual(self.progress.can_go_on(1), not ended, members)
        for name in ("guided", "exhaustive:2", "reduced"):
            self.write(strategy=name)
            self.assertFalse(self.progress.can_go_on(0), name)


class KeysTest(unittest.TestCase):

    def setUp(self):
        self.ours, self.theirs = pty.openpty()
        fcntl.ioctl(self.ours, termios.TIOCSWINSZ,
                    struct.pack("HHHH", 40, 100, 0, 0))
        self.before = termios.tcgetattr(self.theirs)
        self.keys = keys.Keys(self.theirs)
        self.addCleanup(self.hang_up)

    def hang_up(self):
        for fd in (self.ours, self.theirs):
            try:
                os.close(fd)
            except OSError:
                pass

    def test_one_by_one_and_without_echo(self):
        self.assertTrue(self.keys.open())
        self.assertTrue(self.keys.open())
        self.assertEqual(self.keys.read(0), "")
        os.write(self.ours, b"p")
        self.assertEqual(self.keys.read(60), "p")
        os.write(self.ours, b"fg\x1b[A")
        self.assertEqual(self.keys.read(60), "fg")
        self.keys.close()
        self.keys.close()
        self.assertEqual(termios.tcgetattr(self.theirs), self.before)
        self.assertFalse(self.keys.are_open())
        # Nothing was echoed.
        os.set_blocking(self.ours, False)
        self.assertRaises(BlockingIOError, os.read, self.ours, 9)

    def test_ctrl_c_stays_a_signal(self):
        self.keys.open()
        local = termios.tcgetattr(self.theirs)[3]
        self.assertTrue(local & termios.ISIG)
        self.assertFalse(local & (termios.ICANON | termios.ECHO))

    def test_what_is_pressed_late_is_for_nobody(self):
        self.keys.open()
        os.write(self.ours, b"qqq\n")
        self.keys.close()
        os.set_blocking(self.theirs, False)
        self.assertRaises(BlockingIOError, os.read, self.theirs, 9)

    def test_the_terminal_goes_away(self):
        self.keys.open()
        os.close(self.ours)
        self.assertEqual(self.keys.read(60), "")
        self.assertFalse(self.keys.are_open())

    def test_no_terminal(self):
        reader, writer = os.pipe()
        for fd in (reader, -1):
            none = keys.Keys(fd)
            self.assertFalse(none.open())
            os.write(writer, b"q")
            self.assertEqual(none.read(0), "")
            none.close()
        # The content of the pipe is for other readers.
        self.assertEqual(os.read(reader, 9), b"qq")
        os.close(reader)
        os.close(writer)


if __name__ == "__main__":
    unittest.main()
