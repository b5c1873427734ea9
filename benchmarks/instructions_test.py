"""Tests of instructions.py with given counts."""

import unittest

import instructions


class InstructionsTest(unittest.TestCase):

    def test_count(self):
        self.assertEqual(
            instructions.parse_count("==7== \n==7== I   refs:      1,234,567\n"),
            1234567)
        with self.assertRaises(SystemExit):
            instructions.parse_count("==7== killed\n")

    def test_record_is_read_as_it_is_written(self):
        counts = {"switch": 71.0, "race": 3000.5}
        self.assertEqual(
            instructions.parse_record(instructions.record_text(counts)), counts)
        with self.assertRaisesRegex(SystemExit, "switch many"):
            instructions.parse_record("# Comment.\nswitch many\n")

    def test_five_percent_are_allowed(self):
        recorded = {"switch": 100.0, "race": 1000.0}
        self.assertTrue(
            instructions.compare(recorded, {"switch": 104.9, "race": 951.0})[1])
        for counts in ({"switch": 105.1}, {"switch": 94.9}, {"call": 1.0}):
            lines, good = instructions.compare(recorded, counts)
            self.assertFalse(good)
            self.assertRegex(lines[0], "OFF|not recorded")

    def test_the_record_is_of_the_programs(self):
        with open(instructions.RECORD, encoding="utf-8") as file:
            self.assertEqual(set(instructions.parse_record(file.read())),
                             set(instructions.SIZES))


if __name__ == "__main__":
    unittest.main()
