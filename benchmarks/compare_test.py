"""Tests of compare.py with given output of the programs."""

import argparse
import os
import subprocess
import sys
import tempfile
import unittest

import compare


class ParseTest(unittest.TestCase):

    def test_figures_among_other_lines(self):
        self.assertEqual(
            compare.parse("noise\nW1.switch.N=1\t2.5\tns/switch\na\tb\tc\n"
                          "W7.random.race\t1e+06\tschedules/s\n"),
            {"W1.switch.N=1": (2.5, "ns/switch"),
             "W7.random.race": (1e6, "schedules/s")})


class ArtifactsTest(unittest.TestCase):

    def add(self, key, unit, **rounds):
        """Adds the rounds of each program; None means it was left out of a round."""
        for name, values in rounds.items():
            for number, value in enumerate(values):
                if value is not None:
                    self.results.add(self.names[name], number, {key: (value, unit)})

    def setUp(self):
        self.results = compare.Results()
        self.names = {"raw": compare.RAW, "clotho": compare.CLOTHO,
                      "asio": "Asio", "tokio": "tokio"}

    def test_ratio_is_of_figures_of_one_round(self):
        # The machine became ten times as slow; the ratio stays the same.
        self.add("W1.switch.N=1", "ns/switch",
                 raw=[1, 10, 10], clotho=[4, 40, 40])
        self.assertEqual(
            self.results.ratio("W1.switch.N=1", compare.CLOTHO, [compare.RAW]), 4)

    def test_ratio_takes_the_best_peer_that_a_round_has(self):
        self.add("W1.switch.N=1", "ns/switch",
                 clotho=[20, 20], asio=[200, 200], tokio=[40, None])
        self.assertEqual(
            self.results.ratio("W1.switch.N=1", compare.CLOTHO, compare.OTHERS),
            (20 / 40 + 20 / 200) / 2)

    def test_of_a_rate_more_is_better(self):
        self.add("W7.random.race", "schedules/s",
                 raw=[10e6], clotho=[1e6, 2e6], asio=[5e5])
        self.assertEqual(
            self.results.ratio("W7.random.race", compare.CLOTHO, [compare.RAW]), 10)
        self.assertEqual(
            self.results.ratio("W7.random.race", compare.CLOTHO, compare.OTHERS), 0.5)
        self.assertEqual(self.results.cell("W7.random.race", compare.CLOTHO),
                         "1.5 M (2 M)")

    def test_no_ratio_of_what_is_not_there(self):
        self.add("W1.switch.N=1", "ns/switch", clotho=[20])
        self.assertIsNone(
            self.results.ratio("W1.switch.N=1", compare.CLOTHO, [compare.RAW]))
        self.add("W7.dfs.count.race", "schedules", raw=[1680], clotho=[20])
        self.assertIsNone(
            self.results.ratio("W7.dfs.count.race", compare.CLOTHO, [compare.RAW]))

    def test_table(self):
        self.add("W6.chain.d=10", "ns/call", raw=[6, 7, 8], clotho=[12, 21, 16])
        self.assertEqual(
            self.results.table().splitlines()[2],
            "| W6 awaited call, 10 deep | ns/call | 7 (6) | – | 16 (12) | – "
            "| ×2 | – | – | – | – |")

    def test_table_has_a_column_for_each_head(self):
        self.add("W1.switch.N=1", "ns/switch", raw=[1], clotho=[4], asio=[300])
        self.add("W2.bytes", "B/task", clotho=[400])
        lines = self.results.table().splitlines()
        self.assertEqual(len(lines), 4)
        self.assertEqual({line.count("|") for line in lines}, {12})


class TextTest(unittest.TestCase):

    def test_numbers(self):
        self.assertEqual([compare.number_text(value) for value in
                          (2.834, 46.27, 999.2, 1234.5, 9.424e6)],
                         ["2.83", "46.3", "999", "1,234", "9.42 M"])

    def test_ratios(self):
        self.assertEqual([compare.ratio_text(ratio) for ratio in
                          (None, 0.0398, 7.04, 54.2, 612.7)],
                         ["–", "×0.04", "×7", "×54", "×613"])


class OptionsTest(unittest.TestCase):

    def test_workloads(self):
        self.assertEqual(compare.workloads("W6,W1"), ["W6", "W1"])
        self.assertEqual(compare.workloads(""), compare.WORKLOADS)
        with self.assertRaisesRegex(argparse.ArgumentTypeError, '"W8"'):
            compare.workloads("W1,W8")

    def test_rounds(self):
        self.assertEqual(compare.rounds_of("9"), 9)
        for text in ("0", "-1", "many"):
            with self.assertRaisesRegex(argparse.ArgumentTypeError, f'"{text}"'):
                compare.rounds_of(text)


class MarksTest(unittest.TestCase):

    def test_only_what_is_between_is_replaced(self):
        text = f"a\n{compare.BEGIN}old\n{compare.END}b\n"
        once = compare.replace_between_marks(text, "new\n")
        self.assertEqual(once, f"a\n{compare.BEGIN}new\n{compare.END}b\n")
        self.assertEqual(compare.replace_between_marks(once, "new\n"), once)

    def test_a_mark_is_missing(self):
        for text in ("a\n", compare.BEGIN, compare.END):
            with self.assertRaises(SystemExit):
                compare.replace_between_marks(text, "new\n")


class ProgramsTest(unittest.TestCase):

    def test_what_cannot_be_built_is_skipped_with_a_reason(self):
        with tempfile.TemporaryDirectory() as folder:
            with self.assertRaisesRegex(compare.Skipped, "no-such-compiler"):
                compare.cpp_peer(folder, "raw", "no-such-compiler", "raw.cc")
        with self.assertRaisesRegex(compare.Skipped, "no-such-python"):
            compare.asyncio("no-such-python")
        with self.assertRaisesRegex(compare.Skipped, "because"):
            compare.run([sys.executable, "-c",
                         "import sys; sys.exit('because')"])

    def test_what_fails_has_no_figures(self):
        self.assertEqual(
            compare.measure("it", [sys.executable, "-c",
                                   "print('a\\t1\\tns'); raise SystemExit(3)"], "W1"),
            {})
        self.assertEqual(
            compare.measure("it", [sys.executable, "-c",
                                   "import sys; print(sys.argv[1] + '\\t1\\tns')"],
                            "W1"),
            {"W1": (1.0, "ns")})

    def test_asyncio_speaks_the_language(self):
        peer = os.path.join(compare.PEERS, "asyncio_peer.py")
        wrong = subprocess.run([sys.executable, peer, "W9"], capture_output=True,
                               text=True, check=False)
        self.assertEqual(wrong.returncode, 2)
        figures = compare.measure("asyncio", [sys.executable, peer], "W6")
        self.assertEqual(set(figures), {"W6.chain.d=1000", "W6.chain.d=10"})
        self.assertLessEqual(set(figures), set(compare.FIGURES))


if __name__ == "__main__":
    unittest.main()
