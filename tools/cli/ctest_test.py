"""Tests of tests of CTest as TARGET, with a stand-in for ctest. The first
argument is //examples:job_queue_hunt."""

import json
import os
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).absolute().parent.parent))
# pylint: disable=wrong-import-position
from cli import testing

TEST = "JobQueueTest.NoJobIsLost"
FAILS = "c1/0/4:1"


class CTestTest(testing.ClothoTestCase):

    def setUp(self):
        super().setUp()
        self.write("CMakeCache.txt", "")
        self.write("elsewhere/empty", "")
        self.listing({"tests": [
            {"name": TEST,
             "command": [self.programs[0], f"--gtest_filter={TEST}",
                         "--gtest_also_run_disabled_tests"],
             "properties": [{"name": "WORKING_DIRECTORY",
                             "value": str(self.folder / "elsewhere")}]},
            {"name": "none", "properties": [],
             "command": [self.programs[0], "--gtest_filter=No.Such"]},
            {"name": "all", "command": [self.programs[0]]},
            {"name": "other_test_NOT_BUILT", "properties": []}]})

    def listing(self, value):
        """What `ctest --show-only=json-v1` prints."""
        text = value if isinstance(value, str) else json.dumps(value)
        self.write("listing.json", text)
        self.write("bin/ctest", "#!/bin/sh\n"
                   'test "$*" = --show-only=json-v1 && '
                   f"cat '{self.folder}/listing.json'\n")
        (self.folder / "bin/ctest").chmod(0o755)

    def environment(self):
        path = f"{self.folder}/bin:{os.environ['PATH']}"
        return {**super().environment(), "PATH": path}

    def test_names_its_test(self):
        ended = self.clotho("replay", FAILS, TEST)
        self.assertEqual(ended.code, 1, ended)
        self.assertIn("WHAT", ended.out)
        # It is remembered.
        self.assertEqual(self.clotho("replay", FAILS).code, 1)
        self.assertEqual(self.clotho("replay", "c1/0/fifo").code, 0)

    def test_runs_only_its_test(self):
        self.assertIn(TEST, self.clotho("list", TEST).out)
        self.assertEqual(self.clotho("list", "none").out, "")
        self.assertIn(TEST, self.clotho("list", "all").out)
        self.assertEqual(self.clotho("test", TEST).code, 1)
        self.assertEqual(self.clotho("test", "none").code, 4)

    def test_runs_in_its_folder(self):
        ended = self.clotho("list", TEST, "--json")
        self.assertEqual(json.loads(ended.out)["binary"], self.programs[0])
        # Relative to the folder of the test, not to ours.
        ended = self.clotho("test", TEST, "--", "--clotho_saved=../elsewhere")
        self.assertEqual(ended.code, 1, ended)

    def test_a_file_comes_first(self):
        self.write(TEST, "no program")
        self.assert_trouble(self.clotho("list", TEST), 2, "is not a program")

    def test_what_is_not_there(self):
        self.assert_trouble(self.clotho("list", "No.Such"), 2,
                            'the name "No.Such"', "ctest -N")
        self.assert_trouble(self.clotho("list", "other_test_NOT_BUILT"), 2,
                            "built test")
        self.listing("not JSON")
        self.assert_trouble(self.clotho("list", TEST), 75,
                            "does not list the tests")
        (self.folder / "CMakeCache.txt").unlink()
        self.assert_trouble(self.clotho("list", TEST), 2,
                            f'there is no file "{TEST}"')

    def test_without_ctest(self):
        ended = self.clotho("list", TEST, PATH="/nonexistent")
        self.assert_trouble(ended, 75, "no ctest on PATH")


class VersionTest(testing.ClothoTestCase):

    def test_is_the_one_of_the_file(self):
        version = (testing.TOOLS.parent / "VERSION").read_text().strip()
        ended = self.clotho("--version")
        self.assertEqual((ended.code, ended.out), (0, f"clotho {version}\n"))


if __name__ == "__main__":
    testing.main()
