"""Tests of show.py and of the model of a trace.

testdata/ has traces of samples.cc; the last tests run that program.
"""

import base64
import contextlib
import copy
import hashlib
import html.parser
import io
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import unittest
import zipfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

# pylint: disable=wrong-import-position
import chrome
import html_page
import show
import trace_files
import trace_reader
from task_states import arrows, lane_spans, moment_at
from trace_model import TraceError
from trace_text import time_text
# pylint: enable=wrong-import-position

# Members that a trace of the first version 1 did not have.
NEWER = ("failed", "race", "replay_command", "search", "goals", "stacks",
         "waits", "cycle", "histories", "fifo")


def data_path(name):
    return os.path.join(HERE, "testdata", name + ".trace.json")


def data(name):
    with open(data_path(name), encoding="ascii") as file:
        return json.load(file)


def parsed(value):
    return trace_reader.parse(json.dumps(value).encode(), "trace.json")


def older(name):
    """The trace as an older version would have written it."""
    value = data(name)
    for member in NEWER:
        value.pop(member, None)
    for step in value["steps"]:
        for member in ("why", "since", "by"):
            step.pop(member, None)
    for event in value["events"]:
        event.pop("stack", None)
    return value


def run(*args):
    """The exit code, standard output and standard error of a command line."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = show.main(list(args))
    return code, out.getvalue(), err.getvalue()


class Folder(unittest.TestCase):
    """A test case with a folder for each test."""

    def setUp(self):
        self.folder = self.enterContext(tempfile.TemporaryDirectory())

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def write(self, content, *names):
        path = self.path(*names)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(content)
        return path

    def copy(self, name, *names):
        with open(data_path(name), "rb") as file:
            return self.write(file.read(), *names)


class ModelTest(unittest.TestCase):

    def states(self, trace, number):
        return {
            task.name: (task.state, task.since_step)
            for task in moment_at(trace, number).tasks
        }

    def test_what_each_task_does_at_a_step(self):
        trace = parsed(data("lost_update"))
        self.assertEqual(self.states(trace, 1), {"main": ("running", 1)})
        self.assertEqual(
            self.states(trace, 2), {
                "main": ("waiting", 1), "first": ("ready", 1)
            })
        # The timer has fired early: both tasks are ready, and one runs.
        self.assertEqual(
            self.states(trace, 3), {
                "main": ("ready", 2), "first": ("running", 3)
            })
        self.assertEqual(
            self.states(trace, 6), {
                "main": ("waiting", 4), "first": ("running", 6),
                "second": ("ready", 5)
            })
        self.assertEqual(
            self.states(trace, 8), {
                "main": ("running", 8), "first": ("done", 6),
                "second": ("done", 7)
            })
        # At the end, the task is where it failed.
        self.assertEqual(self.states(trace, None), self.states(trace, 8))

    def test_for_what_where_and_through_whom(self):
        trace = parsed(data("lost_update"))
        first = next(t for t in moment_at(trace, 4).tasks if t.name == "first")
        self.assertEqual(first.what, "Sleep(3 ms)")
        self.assertEqual(first.since_ns, 4_000_000)
        self.assertEqual([frame.place() for frame in first.stack], [
            "tools/timeline/samples.cc:29", "tools/timeline/samples.cc:24"])
        self.assertTrue(first.stack[1].function.endswith("Load"))
        self.assertEqual(first.parent, 0)
        made = next(t for t in moment_at(trace, 2).tasks if t.name == "first")
        self.assertEqual(made.woken_by, 0)

    def test_an_older_trace_says_the_same_as_far_as_it_goes(self):
        for name in ("lost_update", "twenty_dine", "stale_read"):
            new, old = parsed(data(name)), parsed(older(name))
            for step in new.steps:
                running = {
                    task.name for task in moment_at(old, step.step).tasks
                    if task.state == "running"
                }
                self.assertEqual(running, {
                    task.name for task in moment_at(new, step.step).tasks
                    if task.state == "running"
                })
            self.assertEqual(len(moment_at(old, None).tasks),
                             len(moment_at(new, None).tasks))
            for form in show.FORMATS:
                if form != "dot":
                    args = show.make_parser().parse_args(
                        ["x", f"--format={form}"])
                    # pylint: disable-next=protected-access
                    self.assertTrue(show.render(old, args))

    def test_everyone_runs_once_at_a_step_and_waits_in_between(self):
        for name in ("lost_update", "twenty_dine", "stale_read"):
            trace = parsed(data(name))
            for lane, spans in enumerate(lane_spans(trace)):
                for before, after in zip(spans, spans[1:]):
                    self.assertEqual(before.end, after.begin, trace.lanes[lane])
                for span in spans:
                    self.assertLess(span.begin, span.end)
            for column, step in enumerate(trace.steps):
                running = [
                    lane for lane, spans in enumerate(lane_spans(trace))
                    if any(s.state == "running" and s.begin == column
                           for s in spans)
                ]
                self.assertEqual(
                    running, [] if step.lane is None else [step.lane])

    def test_arrows_go_to_who_becomes_ready(self):
        trace = parsed(data("lost_update"))
        self.assertEqual(arrows(trace), [(0, 0, 1, 1, "spawn"),
                                          (3, 0, 4, 2, "spawn"),
                                          (6, 2, 7, 0, "wake")])

    def test_deviations_and_the_failure_have_columns(self):
        trace = parsed(data("lost_update"))
        self.assertEqual(list(trace.deviation_columns()), [1])
        self.assertEqual(trace.failing_column(), 7)
        self.assertEqual(trace.first_difference(), 1)
        dining = parsed(data("twenty_dine"))
        self.assertIsNone(dining.first_difference())
        self.assertEqual(dining.failing_column(), len(dining.steps) - 1)

    def test_a_decision_belongs_to_the_step_in_which_it_falls(self):
        value = data("lost_update")
        # Number 3 becomes a decision in the column of step 1 of a shorter run.
        trace = parsed({
            "clotho_trace": 1, "lanes": ["main"],
            "deviations": [{"step": 2, "taken": "Choose gives 1",
                            "fifo": "FIFO order gives 0"}],
            "steps": [value["steps"][0],
                      dict(value["steps"][0], step=3)],
            "events": [
                {"step": 1, "lane": 0, "kind": "start", "text": "starts"},
                {"step": 2, "lane": 0, "kind": "choice", "text": "| 1"},
                {"step": 2, "lane": 0, "kind": "await", "text": "gives way"},
                {"step": 3, "lane": 0, "kind": "resume", "text": "resumes"},
            ]})
        self.assertEqual(list(trace.deviation_columns()), [0])
        self.assertEqual(moment_at(trace, 2).step.step, 1)
        self.assertEqual(moment_at(trace, 3).tasks[0].state, "running")

    def test_an_eager_task_runs_inside_of_anothers_step(self):
        trace = parsed({
            "clotho_trace": 1, "lanes": ["main", "eager"], "deviations": [],
            "steps": [{"step": 1, "time_ns": 0, "taken": "main"},
                      {"step": 2, "time_ns": 0, "taken": "eager",
                       "since": 1, "by": 0}],
            "events": [
                {"step": 1, "lane": 0, "kind": "start", "text": "starts"},
                {"step": 1, "lane": 0, "kind": "spawn", "text": "spawn",
                 "other": 1},
                {"step": 1, "lane": 1, "kind": "start", "text": "starts"},
                {"step": 1, "lane": 1, "kind": "await", "text": "gives way"},
                {"step": 1, "lane": 0, "kind": "await", "text": "await X"},
                {"step": 2, "lane": 1, "kind": "resume", "text": "resumes"},
            ]})
        self.assertEqual([span.state for span in lane_spans(trace)[1]],
                         ["running", "running"])
        self.assertEqual([span.state for span in lane_spans(trace)[0]],
                         ["running", "waiting"])

    def test_times_are_written_as_in_reports(self):
        for ns, text in ((0, "0 s"), (5_000_000, "5 ms"), (7, "7 ns"),
                         (1_500_000_000, "1.5 s"), (1_000_000_001,
                                                    "1.000000001 s"),
                         (-2_000, "-2 us"), (2**62, "4611686018.427387904 s")):
            self.assertEqual(time_text(ns), text)


class BadTraceTest(unittest.TestCase):

    def error(self, content, source="trace.json"):
        with self.assertRaises(TraceError) as raised:
            trace_reader.parse(content, source)
        text = str(raised.exception)
        self.assertTrue(text.isascii() and text.isprintable(), text)
        self.assertIn("trace.json", text)
        return text

    def test_empty(self):
        self.assertIn("is empty", self.error(b""))
        self.assertIn("is empty", self.error(b" \n"))

    def test_truncated_anywhere(self):
        with open(data_path("lost_update"), "rb") as file:
            content = file.read()
        for size in range(1, len(content) - 2, 7):
            text = self.error(content[:size])
            self.assertRegex(text, "truncated|is not a trace|missing|damaged")
        self.assertIn("ends too early", self.error(content[:-3]))

    def test_foreign(self):
        self.assertIn("no \"clotho_trace\"", self.error(b"{}"))
        self.assertIn("no \"clotho_trace\"", self.error(b"[1]"))
        self.assertIn("Perfetto", self.error(b'{"traceEvents": []}'))
        self.assertIn("line 1", self.error(b"<html>"))
        self.assertIn("byte 3 is 0xff", self.error(b'{"a\xff": 1}'))
        self.assertIn("NaN", self.error(b'{"clotho_trace": NaN}'))
        self.error(b"[" * 100_000)
        self.error(b"\x00\x01\x02")

    def test_of_a_newer_version(self):
        text = self.error(b'{"clotho_trace": 2}')
        self.assertIn("version 2", text)
        self.assertIn("checkout that wrote it", text)
        for version in (b"0", b"true", b'"1"', b"null", b"1.5"):
            self.error(b'{"clotho_trace": ' + version + b"}")

    def test_with_a_part_that_does_not_fit(self):
        for path, wrong, said in (
            (("steps", 1, "step"), 1, "steps[1].step is 1"),
            (("steps", 1, "choice"), 2, "steps[1].choice is 2"),
            (("steps", 0, "by"), 9, "steps[0].by is 9"),
            (("events", 0, "lane"), 3, "events[0].lane is 3"),
            (("events", 5, "step"), 1, "events[5].step is 1"),
            (("events", 1, "other"), "x", "events[1].other is \"x\""),
            (("lanes", 0), 7, "lanes is 7"),
        ):
            value = data("lost_update")
            at = value
            for name in path[:-1]:
                at = at[name]
            at[path[-1]] = wrong
            text = self.error(json.dumps(value).encode())
            self.assertIn(said, text)
            self.assertIn("run the test again", text)
        value = data("lost_update")
        del value["events"]
        self.assertIn("events is missing",
                      self.error(json.dumps(value).encode()))

    def test_whatever_is_changed_it_is_an_error_or_shown(self):
        rng = random.Random(1)
        wrongs = (None, True, -1, 0, 1, 10**30, 1.5, "", "x\x00", [], [[]],
                  {}, [1], [None])

        def places(value, path=()):
            if isinstance(value, (dict, list)):
                items = value.items() if isinstance(
                    value, dict) else enumerate(value)
                for key, part in items:
                    yield path + (key,)
                    yield from places(part, path + (key,))

        shown = refused = 0
        for name in ("lost_update", "stale_read"):
            whole = data(name)
            for path in rng.sample(list(places(whole)), 350):
                value = copy.deepcopy(whole)
                at = value
                for key in path[:-1]:
                    at = at[key]
                at[path[-1]] = rng.choice(wrongs)
                try:
                    trace = parsed(value)
                    for form in ("text", "json", "html", "chrome", "ps",
                                 "pstree"):
                        args = show.make_parser().parse_args(
                            ["x", f"--format={form}"])
                        show.render(trace, args)
                    shown += 1
                except TraceError:
                    refused += 1
        self.assertGreater(shown, 20)
        self.assertGreater(refused, 20)

    def test_without_steps_it_is_shown_nevertheless(self):
        for value in ({"lanes": [], "steps": [], "events": []},
                      {"lanes": ["main"], "steps": [], "events": [],
                       "deviations": [{"step": 3, "taken": "3:1"}]}):
            trace = parsed(dict(value, clotho_trace=1))
            self.assertEqual(moment_at(trace, None).tasks, [])
            self.assertIn("JavaScript", html_page.page(trace))
            with self.assertRaisesRegex(TraceError, "has no steps"):
                moment_at(trace, 1)


class FindTest(Folder):

    def names(self, path):
        return [found.name() for found in trace_files.find(path)]

    def test_a_file_its_folder_and_the_folder_above(self):
        path = self.copy("lost_update", "out", "S.A", "trace.json")
        for given in (path, self.path("out", "S.A"), self.path("out")):
            self.assertEqual(trace_files.load(given).test, "Sample.LostUpdate")

    def test_several_are_listed(self):
        self.copy("lost_update", "out", "S.A", "trace.json")
        self.copy("twenty_dine", "out", "S.B", "trace.json")
        self.write(b"{", "out", "S.C", "trace.json")
        code, out, err = run(self.path("out"))
        self.assertEqual((code, out), (2, ""))
        lines = err.splitlines()
        self.assertIn("has 3 failures: show one of them", lines[0])
        self.assertEqual(lines[1].split("   ")[0].strip(),
                         self.path("out", "S.A"))
        self.assertIn("no update is lost", lines[1])
        self.assertIn("Deadlock", lines[2])
        self.assertIn("cannot be read", lines[3])
        # The listed names work as PATH.
        self.assertEqual(run(lines[1].split("   ")[0].strip())[0], 0)

    def zip(self, *names):
        path = self.path("outputs.zip")
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in names:
                archive.write(data_path("lost_update"), name)
        return path

    def test_a_zip(self):
        path = self.zip("S.A/trace.json", "S.A/report.txt")
        self.assertEqual(trace_files.load(path).test, "Sample.LostUpdate")
        self.assertEqual(trace_files.load(self.folder).test, "Sample.LostUpdate")

    def test_a_folder_in_a_zip(self):
        path = self.zip("S.A/trace.json", "S.B/trace.json")
        code, _, err = run(path)
        self.assertEqual(code, 2)
        self.assertIn(os.path.join(path, "S.B"), err)
        self.assertEqual(run(os.path.join(path, "S.B"))[0], 0)
        self.assertEqual(run(os.path.join(path, "S.B", "trace.json"))[0], 0)
        code, _, err = run(os.path.join(path, "S.C"))
        self.assertEqual(code, 2)
        self.assertIn("nothing named \"S.C\"", err)

    def test_zips_that_are_none(self):
        path = self.zip("S.A/report.txt")
        self.assertIn("has no trace.json in it", run(path)[2])
        with open(path, "rb") as file:
            content = file.read()
        for size in (0, 10, len(content) // 2):
            self.write(content[:size], "cut.zip")
            code, _, err = run(self.path("cut.zip"))
            self.assertEqual(code, 2)
            self.assertIn("copy it again", err)
        # Damaged in the middle.
        path = self.zip("S.A/trace.json")
        with open(path, "rb") as file:
            content = bytearray(file.read())
        content[100:140] = bytes(40)
        self.write(bytes(content), "bad.zip")
        code, _, err = run(self.path("bad.zip"))
        self.assertEqual(code, 2)
        self.assertIn("copy it again", err)

    def test_nothing(self):
        os.mkdir(self.path("empty"))
        for given, said in ((self.path("empty"), "no trace.json in it"),
                            (self.path("none"), "there is no file or folder"),
                            ("", "there is no file or folder"),
                            (self.path("none", "\udcff\n"), "\\udcff\\n")):
            code, out, err = run(given)
            self.assertEqual((code, out), (2, ""))
            self.assertIn(said, err)
            self.assertIn("expected" if said[0] != "n" else "--clotho_out",
                          err)


class CommandTest(Folder):

    def test_as_text(self):
        code, out, err = run(data_path("lost_update"))
        self.assertEqual((code, err), (0, ""))
        self.assertIn("WHAT      Always \"no update is lost\" is false", out)
        self.assertIn("REPLAY    c1/0/2:t", out)
        self.assertIn("FIFO order passes", out)
        self.assertRegex(out, r"(?m)^\*  2     0 s +the 4 ms timer fires early")
        self.assertRegex(out, r"(?m)^X  8     7 ms  main")
        self.assertRegex(out, r"(?m)^ +main    FAILS: always ")

    def test_of_one_step(self):
        code, out, _ = run(data_path("lost_update"), "--at=2")
        self.assertEqual(code, 0)
        self.assertIn("step 2, t = 0 s: the 4 ms timer", out)
        self.assertRegex(out, r"could have run  first .*\(FIFO order's\)\n"
                              r" +ready since step 1, created by main\n"
                              r" +the 4 ms timer +\(this was taken\)\n"
                              r" +the next timer, due in 4 ms")
        self.assertRegex(out, r"main +waits for Sleep\(4 ms\)  step 1")

    def test_the_tasks(self):
        code, out, _ = run(data_path("twenty_dine"), "--format=ps")
        self.assertEqual(code, 0)
        self.assertEqual(len(out.splitlines()), 22)
        self.assertRegex(out, r"guest-3 +waits for Lock \"fork 4\" +step 25 ")
        _, early, _ = run(data_path("twenty_dine"), "--format=ps", "--at=3")
        self.assertRegex(early, r"guest-1 +running")
        self.assertRegex(early, r"guest-2 +ready, through main")
        code, out, _ = run(data_path("twenty_dine"), "--format=pstree")
        self.assertEqual(code, 0)
        self.assertRegex(out, r"\Amain  waits for task guest-0")
        self.assertRegex(out, r"\n`-- guest-19  waits for Lock \"fork 0\"")

    def test_a_tree_of_tasks_as_deep_as_it_gets(self):
        lanes = [f"t{i}" for i in range(5_000)]
        trace = parsed({
            "clotho_trace": 1, "lanes": lanes, "deviations": [],
            "steps": [{"step": i + 1, "taken": lane}
                      for i, lane in enumerate(lanes)],
            "events": [
                event for i, lane in enumerate(lanes) for event in (
                    {"step": i + 1, "lane": i, "kind": "start", "text": ""},
                    {"step": i + 1, "lane": i, "kind": "spawn", "text": "",
                     "other": (i + 1) % len(lanes)})
            ]})
        # (A trace in which the last task creates the first is not believed.)
        # pylint: disable-next=protected-access
        lines = show._pstree(trace, None).splitlines()
        self.assertEqual(len(lines), 5_000)
        self.assertTrue(lines[2].startswith("    `-- t2"))

    def test_the_graph(self):
        code, out, _ = run(data_path("twenty_dine"), "--format=dot")
        self.assertEqual(code, 0)
        self.assertIn("t1 -> t2 [label=\"Lock \\\"fork 1\\\"\", color=red];",
                      out)
        self.assertEqual(out.count(" -> "), 21)
        code, _, err = run(data_path("lost_update"), "--format=dot")
        self.assertEqual(code, 2)
        self.assertIn("has no wait-for graph", err)

    def test_for_programs(self):
        code, out, _ = run(data_path("lost_update"), "--format=json")
        self.assertEqual(code, 0)
        value = json.loads(out)
        self.assertEqual(value["clotho_show"], 1)
        self.assertEqual(value["failing"], 7)
        self.assertEqual(value["fifo"]["parts"], 1)
        code, out, _ = run(data_path("lost_update"), "--format=json",
                           "--at=4")
        value = json.loads(out)
        self.assertEqual([task["task"] for task in value["tasks"]],
                         ["main", "first"])

    def test_to_a_file(self):
        target = self.path("timeline.html")
        code, out, err = run(data_path("lost_update"), "--format=html", "-o",
                             target)
        self.assertEqual((code, out, err), (0, "", ""))
        with open(target, encoding="ascii") as file:
            self.assertTrue(file.read().startswith("<!DOCTYPE html>"))
        self.assertEqual(os.listdir(self.folder), ["timeline.html"])

    def test_a_file_that_cannot_be_written_stays_as_it_is(self):
        code, _, err = run(data_path("lost_update"), "-o",
                           self.path("none", "x"))
        self.assertEqual(code, 2)
        self.assertIn("No such file or directory: give another", err)
        os.mkdir(self.path("folder"))
        code, _, err = run(data_path("lost_update"), "-o",
                           self.path("folder"))
        self.assertEqual(code, 2)
        self.assertIn("cannot write", err)
        self.assertEqual(os.listdir(self.folder), ["folder"])
        # An invalid trace leaves an existing file unchanged.
        target = self.write(b"before", "target")
        self.assertEqual(run(self.path("none"), "-o", target)[0], 2)
        with open(target, "rb") as file:
            self.assertEqual(file.read(), b"before")

    def test_a_full_disk(self):
        with open("/dev/full", "wb") as full:
            ended = subprocess.run(
                [sys.executable, os.path.join(HERE, "show.py"),
                 data_path("lost_update")],
                stdout=full, stderr=subprocess.PIPE, check=False)
        self.assertEqual(ended.returncode, 2)
        self.assertIn(b"No space left on device", ended.stderr)
        self.assertNotIn(b"Traceback", ended.stderr)

    def test_a_reader_that_has_had_enough(self):
        with subprocess.Popen(
            [sys.executable, os.path.join(HERE, "show.py"),
             data_path("twenty_dine"), "--format=json"],
                stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            process.stdout.read(1)
            process.stdout.close()
            self.assertEqual(process.stderr.read(), b"")
        self.assertEqual(process.returncode, 0)

    def test_what_makes_no_sense(self):
        path = data_path("lost_update")
        for args, said in (
            (["--at=9"], "there is no step 9"),
            (["--at=0"], "\"0\" is not a step"),
            (["--at=x"], "\"x\" is not a step"),
            (["--format=chrome", "--at=1"], "--at does not apply"),
            (["--format=dot", "--at=1"], "--at does not apply"),
            (["--embed-sources=x"], "--embed-sources needs"),
            (["--time=virtual"], "--time needs"),
            (["--format=png"], "invalid choice"),
            (["--format=html", "--embed-sources=/none/such"], "is not a folder"),
            (["--format=html", f"--embed-sources={self.folder}"],
             "none of the trace's files"),
        ):
            code, out, err = run(path, *args)
            self.assertEqual((code, out), (2, ""), args)
            self.assertIn(said, err)
        self.assertEqual(run()[0], 2)
        code, out, _ = run("--help")
        self.assertEqual(code, 0)
        self.assertIn("example:", out)

    def test_names_may_have_anything_in_them(self):
        value = data("lost_update")
        value["lanes"] = ["\x1b[31mred", "\ud800", "z\u00fc\u2028\U0001f600"]
        value["test"] = "</script><!--\ufffd\n"
        path = self.write(json.dumps(value).encode(), "trace.json")
        for form in show.FORMATS:
            if form == "dot":
                continue
            code, out, err = run(path, f"--format={form}")
            self.assertEqual((code, err), (0, ""))
            self.assertTrue(out.isascii(), form)
            self.assertNotIn("\x1b", out)


class Page(html.parser.HTMLParser):
    """The parts of a page."""

    def __init__(self, text):
        super().__init__()
        self.tags = []
        self.texts = {}
        self.closed = set()
        self.policy = ""
        self.ids = set()
        self.open = None
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.tags.append((tag, attributes))
        if "id" in attributes:
            assert attributes["id"] not in self.ids
            self.ids.add(attributes["id"])
        if tag in ("script", "style", "title"):
            self.open = "data" if attributes.get("id") == "data" else tag
        if attributes.get("http-equiv") == "Content-Security-Policy":
            self.policy = attributes["content"]

    def handle_endtag(self, tag):
        if self.open:
            # The picture has a title of its own.
            self.texts.setdefault(self.open, "")
            self.closed.add(self.open)
        self.open = None

    def handle_data(self, data):  # pylint: disable=redefined-outer-name
        if self.open and self.open not in self.closed:
            self.texts[self.open] = self.texts.get(self.open, "") + data


class PageTest(Folder):

    def page(self, value, **options):
        text = html_page.page(parsed(value), **options)
        self.assertTrue(text.isascii())
        return Page(text)

    def test_has_the_data(self):
        page = self.page(data("lost_update"))
        value = json.loads(page.texts["data"])
        self.assertEqual(value["test"], "Sample.LostUpdate")
        self.assertEqual(len(value["steps"]), 8)
        self.assertEqual(value["steps"][1]["why"][0],
                         "ready since step 1, created by main")
        self.assertEqual(value["steps"][1]["deviates"], [{
            "step": 2, "taken": "let the 4 ms timer fire first",
            "fifo": "FIFO order runs first (its first step)"}])
        self.assertNotIn("sources", value)

    def test_names_stay_names(self):
        value = data("lost_update")
        value["test"] = "</script><script>alert(1)</script>%%DATA%%"
        value["lanes"][0] = "<!--<script>"
        page = self.page(value)
        self.assertEqual(
            [tag for tag, _ in page.tags if tag == "script"], ["script"] * 2)
        self.assertEqual(page.texts["title"], value["test"])
        self.assertEqual(json.loads(page.texts["data"])["test"],
                         value["test"])

    def test_runs_only_its_own_script_and_fetches_nothing(self):
        page = self.page(data("stale_read"))
        for name, directive in (("script", "script-src"),
                                ("style", "style-src")):
            digest = base64.b64encode(
                hashlib.sha256(page.texts[name].encode()).digest()).decode()
            self.assertIn(f"{directive} 'sha256-{digest}'", page.policy)
        self.assertIn("default-src 'none'", page.policy)
        for tag, attributes in page.tags:
            self.assertNotIn(tag, ("link", "img", "iframe", "object"))
            self.assertFalse({"src", "href", "style"} & set(attributes))
        self.assertEqual(
            set(re.findall(r"https?://[^\s\"']*", page.texts["script"])),
            {"http://www.w3.org/2000/svg"})

    def test_of_a_long_execution_it_has_the_end(self):
        trace = parsed(data("twenty_dine"))
        value = json.loads(json.dumps(html_page.page_data(trace, 10)))
        self.assertEqual(value["total"], 41)
        self.assertEqual(value["first"], 31)
        self.assertEqual([step["n"] for step in value["steps"]],
                         list(range(32, 42)))
        self.assertEqual(value["failing"], 9)
        for spans in value["spans"]:
            for begin, end, _, _ in spans:
                self.assertTrue(0 <= begin < end <= 10)
        for start, _, end, _, _ in value["arrows"]:
            self.assertTrue(0 <= start < end <= 10)

    def test_sources_are_there_if_asked_for(self):
        self.write(b"one\ntwo \xff\n", "tools", "timeline", "samples.cc")
        self.write(b"secret", "outside")
        value = data("lost_update")
        value["events"][0].update(file="../outside", line=1)
        value["events"][1].update(file=self.path("outside"), line=1)
        root = self.path("tools")
        os.symlink(self.folder, os.path.join(root, "tools"))
        path = self.write(json.dumps(value).encode(), "trace.json")
        for given in (self.folder,):
            code, out, _ = run(path, "--format=html",
                               f"--embed-sources={given}")
            self.assertEqual(code, 0)
            sources = json.loads(Page(out).texts["data"])["sources"]
            self.assertEqual(sources["tools/timeline/samples.cc"],
                             ["one", "two \ufffd", ""])
            self.assertNotIn("../outside", sources)
        # A link that leads outside the root is not followed.
        code, out, err = run(path, "--format=html", f"--embed-sources={root}")
        self.assertEqual(code, 2)
        self.assertIn("none of the trace's files", err)
        self.assertNotIn("secret", out)

    def test_opens_at_a_step(self):
        page = self.page(data("lost_update"), number=4)
        self.assertEqual(json.loads(page.texts["data"])["at"], 4)


class ChromeTest(unittest.TestCase):

    def test_virtual_time(self):
        trace = parsed(data("lost_update"))
        events = json.loads(chrome.write(trace, virtual=True))["traceEvents"]
        begins = {
            event["args"]["step"]: event["ts"]
            for event in events if event["ph"] == "X"
        }
        self.assertEqual(begins[1], 0)
        self.assertEqual(begins[3], 4_000)
        self.assertAlmostEqual(begins[4], 4_000.001)
        self.assertEqual(begins[6], 7_000)


@unittest.skipUnless(
    os.path.exists(os.path.join(HERE, "samples")) or
    "TEST_SRCDIR" in os.environ, "needs //tools/timeline:samples, from Bazel")
class SamplesTest(Folder):
    """Tests with the failing program and the files it writes."""

    @classmethod
    def setUpClass(cls):
        cls.results = cls.enterClassContext(tempfile.TemporaryDirectory())
        environment = {
            name: value for name, value in os.environ.items()
            if not name.startswith(("TEST_", "CLOTHO_", "GTEST_", "XML_"))
        }
        ended = subprocess.run(
            [os.path.join(HERE, "samples"), f"--clotho_out={cls.results}"],
            env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            check=False)
        assert ended.returncode == 1, ended.stdout.decode()

    def test_can_be_shown(self):
        self.assertEqual(sorted(os.listdir(self.results)), [
            "Sample.LongRelay", "Sample.LostUpdate", "Sample.StaleRead",
            "Sample.TwentyDine"])
        for name in os.listdir(self.results):
            for form in show.FORMATS:
                if form == "dot" and name != "Sample.TwentyDine":
                    continue
                code, out, err = run(os.path.join(self.results, name),
                                     f"--format={form}")
                self.assertEqual((code, err), (0, ""), (name, form))
                self.assertNotEqual(out, "")

    def test_chromes_form_is_the_one_that_it_writes(self):
        for name in os.listdir(self.results):
            folder = os.path.join(self.results, name)
            with open(os.path.join(folder, "trace.chrome.json"),
                      encoding="ascii") as file:
                written = json.load(file)
            self.assertEqual(
                json.loads(chrome.write(trace_files.load(folder))), written, name)

    def test_has_what_testdata_has(self):
        # If this fails, make the traces in testdata/ again.
        for name, sample in (("lost_update", "Sample.LostUpdate"),
                             ("twenty_dine", "Sample.TwentyDine"),
                             ("stale_read", "Sample.StaleRead")):
            new = trace_files.load(os.path.join(self.results, sample))
            old = parsed(data(name))
            self.assertEqual(new.replay, old.replay)
            self.assertEqual([vars(step) for step in new.steps],
                             [vars(step) for step in old.steps])
            self.assertEqual(len(new.events), len(old.events))

    def test_of_the_long_one_the_page_has_the_end(self):
        trace = trace_files.load(os.path.join(self.results, "Sample.LongRelay"))
        value = html_page.page_data(trace, html_page.STEPS_MAX)
        self.assertEqual(len(value["steps"]), html_page.STEPS_MAX)
        self.assertGreater(value["total"], html_page.STEPS_MAX)
        self.assertEqual(value["failing"], html_page.STEPS_MAX - 1)


if __name__ == "__main__":
    unittest.main()
