"""Tests of --json: each command's document, and docs/json.md, which describes
it. The argument is //examples:job_queue_hunt."""

import json
import os
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).absolute().parent.parent))
# pylint: disable=wrong-import-position
from cli import main as cli_main
from cli import testing

HUNT = "./job_queue_hunt"
TEST = "JobQueueTest.NoJobIsLost"
FAILS = "c1/0/4:1"
PAGE = (testing.TOOLS.parent / "docs" / "json.md").read_text()

FAILURE = ("test", "replay", "replay_command", "failure", "failed",
           "deviations", "search", "report")


def section(title):
    """The text of a section of the page."""
    found = re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", PAGE, re.M | re.S)
    return found[1] if found else ""


class JsonTest(testing.ClothoTestCase):

    def ask(self, code, *arguments):
        """Runs a command; returns its document, all of standard output."""
        ended = self.clotho(arguments[0], "--json", *arguments[1:])
        self.assertEqual(ended.code, code, ended)
        value = json.loads(ended.out)
        self.assertEqual(value["clotho_json"], 1)
        self.assertEqual(value["command"], arguments[0])
        self.assertEqual(value["exit_code"], code)
        self.assertNotIn("Traceback", ended.err)
        return value

    def answer(self, code, *arguments):
        """The same for one that does its work; the page has its members."""
        value = self.ask(code, *arguments)
        self.assertNotIn("error", value)
        known = section(arguments[0])
        if arguments[0] == "fuzz":
            known += section("merge")
        for name in value.keys() - {"clotho_json", "command", "exit_code"}:
            self.assertIn(f"`{name}`", known, arguments[0])
        return value

    def assert_failure(self, failure):
        self.assertEqual(set(FAILURE) - failure.keys(), set())
        self.assertEqual(failure["test"], TEST)
        self.assertEqual(failure["failed"]["kind"], "always")
        self.assertEqual(failure["deviations"][0]["step"], 4)
        self.assertIn("WHAT  ", failure["report"])
        for name in failure:
            self.assertIn(f"`{name}`", section("A failure") + section("test"))
        for part in ("failed", "search"):
            for name in failure[part]:
                self.assertIn(f"`{name}`", section("A failure"))

    def test_list(self):
        value = self.answer(0, "list", HUNT)
        self.assertEqual(value["target"], HUNT)
        self.assertEqual(value["tests"][0]["test"], TEST)

    def test_test(self):
        value = self.answer(1, "test", HUNT)
        self.assertEqual(len(value["failures"]), 1)
        failure = value["failures"][0]
        self.assert_failure(failure)
        self.assertEqual(failure["search"]["executions"], 8)
        self.assertTrue(os.path.isdir(failure["results"]))
        value = self.answer(1, "test", HUNT, "--", "--clotho_for=9s",
                            "--clotho_schedules=100")
        self.assert_failure(value["failures"][0])
        value = self.answer(4, "test", HUNT, "--", "--gtest_filter=No.Such")
        self.assertEqual(value["failures"], [])

        value = self.answer(1, "fuzz", HUNT, "--schedules=300", "--workers=1")
        test = value["tests"][0]
        self.assertEqual((test["test"], test["executions"]), (TEST, 300))
        self.assertEqual(test["failures"][0]["kind"], "always")
        self.assertEqual(value["missing"], [])
        self.assertGreater(value["seconds"], 0)
        merged = self.answer(1, "merge", value["results"], "--into=m",
                             f"--program={HUNT}")
        self.assertEqual(merged["tests"][0]["failures"][0]["replay"],
                         test["failures"][0]["replay"])
        self.assertTrue(merged["replayed"][0]["fails"])
        for one in (*test, *test["failures"][0]):
            self.assertIn(f"`{one}`", section("merge"))

    def test_replay(self):
        value = self.answer(1, "replay", FAILS, HUNT)
        self.assertEqual(value["schedules"][0]["exit_code"], 1)
        self.assert_failure(value["schedules"][0]["failure"])
        value = self.answer(0, "replay", "c1/0/fifo", HUNT)
        self.assertEqual(value["schedules"], [
            {"replay": "c1/0/fifo", "exit_code": 0, "failure": None}])
        value = self.answer(3, "replay", "c1/0/4:9", HUNT)
        self.assertIsNone(value["schedules"][0]["failure"])

    def test_show(self):
        self.ask(1, "replay", FAILS, HUNT)
        value = self.answer(0, "show")
        self.assertEqual(value["trace"]["test"], TEST)
        self.assertEqual(len(value["trace"]["steps"]), 5)
        value = self.answer(0, "show", "--at=4")
        self.assertEqual(value["trace"]["step"]["choice"], 1)
        self.assertIn("no step 99", self.ask(
            2, "show", "--at=99")["error"]["message"])
        self.assertEqual(self.ask(2, "show", "--at=x")["error"]["expected"],
                         "a number from 1")
        self.assertIn("-o", self.ask(
            2, "show", "-o", "x.html")["error"]["message"])

    def test_explain(self):
        value = self.answer(1, "explain", FAILS, HUNT)
        self.assert_failure(value["failure"])
        self.assertIn("turning_point", value["failure"]["search"])
        self.assertEqual(value["fifo"],
                         {"replay": "c1/0/fifo", "result": "passes"})
        self.assertEqual(value["without"], [
            {"deviation": "4:1", "replay": "c1/0/fifo", "result": "passes"}])
        self.assertEqual(value["not_tried"], [])

    def test_shrink(self):
        value = self.answer(1, "shrink", FAILS, HUNT)
        self.assert_failure(value["failure"])
        self.assertEqual((value["deviations_before"],
                          value["deviations_after"]), (1, 1))
        self.assertTrue(value["replay"].startswith(FAILS))

    def test_save_and_saved(self):
        value = self.answer(0, "save", FAILS, HUNT, "--saved=kept")
        self.assertTrue(value["saved"][0]["is_new"])
        self.assertTrue(os.path.exists(value["path"]))
        value = self.answer(0, "save", FAILS, HUNT, "--saved=kept")
        self.assertFalse(value["saved"][0]["is_new"])
        value = self.answer(0, "saved", HUNT, "--saved=kept")
        self.assertIsNone(value["schedules"][0]["result"])
        value = self.answer(1, "saved", HUNT, "--saved=kept", "--check")
        self.assertEqual(value["schedules"][0]["result"], "fails")
        self.write(f"kept/{TEST}.saved", "c1/0/400:1\n")
        value = self.answer(0, "saved", HUNT, "--saved=kept", "--prune")
        self.assertEqual(value["removed"], ["c1/0/400:1"])

    def test_check(self):
        value = self.answer(0, "check", HUNT, "--schedules=50")
        self.assertEqual(value["tests"], [
            {"test": TEST, "executions": 50, "is_deterministic": True,
             "first_difference": None, "replay": None}])

    def test_plan(self):
        value = self.answer(0, "plan", HUNT, "--engine=slurm", "--shards=3",
                            "--schedules=1e3")
        self.assertTrue(value["plan"].startswith("#!/bin/bash"))
        self.assertEqual(value["schedules"], 1000)

    def test_errors_are_json_too(self):
        for arguments, code, text, expected in (
                (("list", "./nothing"), 2, "no file", "a Bazel label"),
                (("list", "/bin/false"), 2, "does not list", "a program"),
                (("replay", "c1/0/4:1,3:1", HUNT), 2, "", None),
                (("explain", "c1/0/fifo", HUNT), 3, "does not fail", None),
                (("fuzz", HUNT, "No.Such"), 4, "No.Such", None),
                (("fuzz", HUNT, "--schedules=x"), 2, "not a number",
                 "a whole number"),
                (("merge", "nowhere"), 2, "no folder", "one that a campaign"),
                (("show",), 2, "no RESULTS", None),
                (("list", "--frobnicate", HUNT), 2, "unknown argument", None),
                (("nonsense",), 2, "invalid choice", "choose from")):
            value = self.ask(code, *arguments)
            if arguments[0] == "replay":
                continue  # The test program has said what is wrong.
            self.assertIn(text, value["error"]["message"])
            if expected is not None:
                self.assertIn(expected, value["error"]["expected"])

    def test_what_has_no_json_says_so(self):
        value = self.ask(2, "debug", FAILS, HUNT)
        self.assertIn("conversation", value["error"]["message"])
        for command in ("help", "completion"):
            self.assertIn("--json",
                          self.ask(2, command)["error"]["message"])

    def test_text_for_people_goes_to_standard_error(self):
        ended = self.clotho("replay", FAILS, HUNT, "--json")
        self.assertIn("WHAT      Always", ended.err)
        plain = self.clotho("replay", FAILS, HUNT)
        self.assertIn("WHAT      Always", plain.out)
        # After "--" it is for the test program.
        ended = self.clotho("test", HUNT, "--", "--json")
        self.assertEqual(ended.code, 2)
        self.assertNotIn("clotho_json", ended.out)

    def test_the_page_has_a_section_for_each_command(self):
        without = section("Commands without it")
        for command in cli_main.COMMANDS:
            self.assertTrue(section(command) or f"`clotho {command}`" in without,
                            command)


if __name__ == "__main__":
    testing.main()
