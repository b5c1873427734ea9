"""Tests of `clotho fuzz`, with a fake test binary: what it finds, what happens
when a process is killed, and what it prints on a terminal and on a pipe."""

import fcntl
import json
import os
import pathlib
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
import tracemalloc

sys.path.insert(0, str(pathlib.Path(__file__).absolute().parent.parent))
# pylint: disable=wrong-import-position
from cli import progress, records, testing

FAKE = str(testing.TOOLS / "cli" / "fake_campaign.py")
# Takes longer than any test here.
FOREVER = "--schedules=100000000"


class FuzzTestCase(testing.ClothoTestCase):

    def setUp(self):
        super().setUp()
        (self.folder / "fake").symlink_to(FAKE)
        self.out = self.folder / "clotho-out/fake.campaign"
        self.merged = str(self.out / "merged")

    def fuzz(self, *arguments, fake=None):
        return self.clotho("fuzz", "./fake", *arguments,
                           FAKE_CAMPAIGN=json.dumps(fake or {}))

    def start(self, *arguments, fake=None, **options):
        process = subprocess.Popen(
            self.command("fuzz", "./fake", *arguments), cwd=self.folder,
            env={**self.environment(), "FAKE_CAMPAIGN": json.dumps(
                fake or {"pause": 0.001}), "TERM": "xterm"},
            **{"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT,
               "text": True, "stdin": subprocess.DEVNULL} | options)
        self.addCleanup(self.end, process)
        return process

    def end(self, process):
        if process.poll() is None:
            process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()

    def workers_of(self, process):
        path = f"/proc/{process.pid}/task/{process.pid}/children"
        return [int(pid) for pid in pathlib.Path(path).read_text().split()]

    def total(self, test):
        """The sum of a test's records."""
        found = [records.read(path)
                 for path in records.find(str(self.out), self.merged)
                 if f"/{test}/" in path]
        return records.add(found)[0]

    def wait_for(self, condition):
        """Waits for a condition, however long that takes."""
        while not condition():
            time.sleep(0.01)

    def wait_for_executions(self, number):
        self.wait_for(lambda: self.out.exists() and sum(
            records.read(path).record["executions"]
            for path in records.find(str(self.out), self.merged)) >= number)


class ResultTest(FuzzTestCase):

    def test_finds_what_one_process_finds(self):
        ended = self.fuzz("--schedules=900", "--workers=3")
        self.assertEqual(ended.code, 1, ended)
        alone = self.clotho("fuzz", "./fake", "--schedules=900",
                            "--workers=1", "--out=alone")
        self.assertEqual(alone.code, 1, alone)
        for name in ("junit.xml", "Fake.Fails/shard-0-of-1.json",
                     "Fake.Passes/shard-0-of-1.json"):
            self.assertEqual((self.out / "merged" / name).read_bytes(),
                             (self.folder / "alone/merged" / name).read_bytes())
        self.assertIn("Fake.Fails  900 executions of 900", ended.out)
        told = [line for line in ended.out.splitlines()
                if line.startswith("failure #")]
        self.assertEqual(len(told), 2, ended.out)
        self.assertRegex(ended.out, r"\d+s 1.8k/1.8k .* fail 2 goals 2/2; "
                         r"results in clotho-out/fake.campaign\n$")

    def test_names_tests(self):
        ended = self.fuzz("Fake.Pass*", "--schedules=50")
        self.assertEqual(ended.code, 0, ended)
        self.assertNotIn("Fake.Fails", ended.out)

    def test_what_was_found_first_is_remembered(self):
        self.fuzz("--schedules=900")
        last = json.loads(self.read("clotho-out/last.json"))
        self.assertEqual(last["test"], "Fake.Fails")
        first = min(self.total("Fake.Fails")["failures"],
                    key=lambda failure: failure["first"])
        self.assertEqual(last["replay"], first["replay"])
        self.assertTrue(os.path.exists(last["results"] + "/report.txt"))

    def test_campaign_is_another_name(self):
        ended = self.clotho("campaign", "./fake", "Fake.Passes", "--schedules=90")
        self.assertEqual(ended.code, 0, ended)


class KilledTest(FuzzTestCase):

    def test_a_worker_that_is_killed_goes_on_from_its_record(self):
        ended = self.fuzz("--schedules=900", "--workers=2",
                          fake={"die_at": 500, "pause": 0.001})
        self.assertEqual(ended.code, 1, ended)
        self.assertIn("ended with SIGKILL: it is restarted", ended.out)
        self.fuzz("--schedules=900", "--workers=2", "--out=whole")
        self.assertEqual(
            (self.out / "merged/Fake.Fails/shard-0-of-1.json").read_bytes(),
            (self.folder / "whole/merged/Fake.Fails/shard-0-of-1.json")
            .read_bytes())

    def test_clotho_is_killed_and_started_again(self):
        process = self.start("--schedules=4000", "--workers=2")
        told = []
        for line in process.stdout:
            if line.startswith("failure #"):
                told.append(line.split()[2:])
            if len(told) == 2:
                break
        workers = self.workers_of(process)
        self.assertEqual(len(workers), 2)
        process.send_signal(signal.SIGKILL)
        process.wait()
        # No worker continues without it.
        self.wait_for(lambda: not any(os.path.exists(f"/proc/{pid}/exe")
                                      for pid in workers))
        # What was reported is in the records.
        replays = {failure["replay"]
                   for path in records.find(str(self.out))
                   for failure in records.read(path).record["failures"]}
        self.assertLessEqual({words[-1] for words in told}, replays)
        before = self.total("Fake.Fails")["executions"]
        again = self.fuzz("--schedules=4000", "--workers=2")
        self.assertIn("resuming", again.out)
        self.assertNotIn("failure #", again.out)
        self.assertGreater(before, 0)
        total = self.total("Fake.Fails")
        self.assertEqual(total["executions"], 4000)
        self.assertTrue(total["complete"])

    def test_goes_on_with_another_number_of_cores(self):
        process = self.start("--schedules=1000", "--workers=3")
        self.wait_for_executions(100)
        process.send_signal(signal.SIGKILL)
        process.wait()
        ended = self.fuzz("--schedules=1000", "--workers=1")
        self.assertEqual(ended.code, 1, ended)
        self.assertEqual(self.total("Fake.Passes")["executions"], 1000)
        self.assertEqual(
            [os.path.basename(path) for path in records.find(
                str(self.out), self.merged) if "Passes" in path],
            [f"shard-{i}-of-3.json" for i in range(3)])

    def test_a_worker_that_crashes_is_isolated(self):
        # By a signal, and in the ways a sanitizer or exit() ends a program.
        for number, crash in enumerate((signal.SIGSEGV, 1, 0)):
            ended = self.fuzz("--schedules=900", "--workers=2",
                              f"--out=crash{number}",
                              fake={"crash_at": 500, "crash": crash})
            self.assertEqual(ended.code, 1, ended)
            self.assertRegex(
                ended.out, "shard 0 ended with (SIGSEGV|exit code [01]): it is "
                "restarted, with each execution in a child process first, and "
                "continues from its record\n")
            self.assertNotIn("shard 1 ended", ended.out)
            self.assertIn("crash queue.cc:1  1 hits, first at 500", ended.out)
            self.assertIn("executions of 900", ended.out)
            self.assertNotIn("not finished", ended.out)

    def test_a_worker_that_never_gets_further_is_given_up(self):
        ended = self.fuzz("--schedules=9", "--workers=1", fake={"code": 75})
        self.assertEqual(ended.code, 75, ended)
        self.assertIn("giving up on shard", ended.out)
        self.assertIn("exiting with the requested code", ended.err)

    def test_an_error_of_use_ends_all(self):
        for code in (2, 70):
            ended = self.fuzz("--schedules=9", fake={"code": code})
            self.assert_trouble(ended, code, "exiting with the requested code")


class InterruptTest(FuzzTestCase):

    def test_once_writes_the_results_and_ends_as_the_budget_would(self):
        process = self.start(FOREVER, "--workers=2", "Fake.Passes")
        # (Enough to reach the goal, whichever worker runs them.)
        self.wait_for_executions(40)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate()
        self.assertEqual(process.returncode, 0, out)
        self.assertIn("stopping: the workers write their results", out)
        self.assertTrue((self.out / "merged/junit.xml").exists())
        self.assertRegex(out, r"fail 0 goals 1/1; results in")
        # Every execution is in the records.
        executions = self.total("Fake.Passes")["executions"]
        self.assertIn(f"Fake.Passes  {executions} executions", out)

    def test_a_failure_is_the_verdict(self):
        process = self.start(FOREVER, "--workers=2", "Fake.Fails")
        for line in process.stdout:
            if line.startswith("failure #"):
                break
        process.send_signal(signal.SIGINT)
        process.stdout.read()
        self.assertEqual(process.wait(), 1)

    def test_twice_is_now(self):
        # These workers are stopped and do not react.
        process = self.start(FOREVER, "--workers=2")
        self.wait_for_executions(10)
        workers = self.workers_of(process)
        for pid in workers:
            os.kill(pid, signal.SIGSTOP)
        process.send_signal(signal.SIGINT)
        for line in process.stdout:
            if line.startswith("stopping"):
                break
        process.send_signal(signal.SIGINT)
        process.stdout.read()
        self.assertEqual(process.wait(), 130)
        self.assertFalse(any(os.path.exists(f"/proc/{pid}/exe")
                             for pid in workers))

    def test_sigterm(self):
        process = self.start(FOREVER, "--workers=2", "Fake.Passes")
        self.wait_for_executions(10)
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate()
        self.assertEqual(process.returncode, 143, out)
        self.assertTrue((self.out / "merged/junit.xml").exists())


class TerminalTest(FuzzTestCase):

    def run_in_terminal(self, columns, resize=None):
        """The output on a terminal of that width until Ctrl-C."""
        ours, theirs = pty.openpty()

        def size(width):
            fcntl.ioctl(ours, termios.TIOCSWINSZ,
                        struct.pack("HHHH", 40, width, 0, 0))
        size(columns)
        process = self.start(FOREVER, "Fake.Fails", "--workers=2",
                             stdin=theirs, stdout=theirs, stderr=theirs,
                             text=False, fake={"pause": 0.001})
        os.close(theirs)
        data = b""
        stopped = False
        while True:
            try:
                data += os.read(ours, 65536)
            except OSError:
                break  # No process has it open any more.
            screens = data.count(b"\x1b[?25l")
            if resize and screens > 2:
                size(resize)
                resize = None
                data += b"RESIZED"
            # There are failures, on several screens.
            if screens > 6 and b"#2" in data and not stopped:
                stopped = True
                process.send_signal(signal.SIGINT)
        os.close(ours)
        self.assertEqual(process.wait(), 1, data)
        return data.decode()

    def screens(self, text):
        """The lines of the screens, without cursor movements."""
        return [[re.sub(r"\x1b\[[0-9?]*[A-Za-z]", "", line).strip("\r")
                 for line in drawn.split("\x1b[J")[0].split("\n")]
                for drawn in text.split("\x1b[?25l")[1:]]

    def test_a_screen_that_fits(self):
        for columns in (20, 80, 200):
            text = self.run_in_terminal(columns)
            screens = self.screens(text)
            for lines in screens:
                for line in lines:
                    self.assertLess(len(line), columns)
            self.assertIn("c1/0/", "\n".join(screens[-2]))
            # The cursor is visible again.
            self.assertGreater(text.rindex("\x1b[?25h"),
                               text.rindex("\x1b[?25l"))
            self.assertIn("results in", text)
            subprocess.run(["rm", "-r", str(self.out)], check=True)

    def test_another_size(self):
        text = self.run_in_terminal(120, resize=30)
        after = text.split("RESIZED")[1]
        self.assertIn("\x1b[2J", after)
        for line in self.screens(after.split("\x1b[2J")[1])[-1]:
            self.assertLess(len(line), 30)

    def test_no_sequences_for_a_dumb_terminal_or_a_pipe(self):
        ended = self.fuzz("--schedules=50")
        self.assertNotIn("\x1b", ended.out)


class Session:
    """`clotho fuzz` on a terminal, with keys pressed."""

    def __init__(self, case, *arguments, **options):
        self.case = case
        self.ours, self.theirs = pty.openpty()
        fcntl.ioctl(self.ours, termios.TIOCSWINSZ,
                    struct.pack("HHHH", 40, 110, 0, 0))
        self.before = self.mode()
        self.data = b""
        self.lock = threading.Lock()
        self.begun = time.monotonic()
        self.process = case.start(
            *arguments, **{"stdin": self.theirs, "stdout": self.theirs,
                           "stderr": self.theirs, "text": False} | options)
        thread = threading.Thread(target=self.collect)
        thread.start()
        case.addCleanup(thread.join)
        case.addCleanup(self.close)

    def collect(self):
        while True:
            try:
                data = os.read(self.ours, 65536)
            except OSError:
                return
            with self.lock:
                self.data += data

    def forget(self):
        """The output so far."""
        with self.lock:
            self.data = b""

    def close(self):
        self.case.end(self.process)
        os.close(self.theirs)

    def mode(self):
        return termios.tcgetattr(self.theirs)

    def reads_keys(self):
        return not self.mode()[3] & termios.ICANON

    def text(self):
        return self.data.decode(errors="replace")

    def press(self, key):
        """Presses keys once they are read; earlier output is discarded."""
        self.case.wait_for(self.reads_keys)
        self.forget()
        os.write(self.ours, key.encode())

    def wait_for_text(self, text):
        self.case.wait_for(lambda: text in self.text())

    def end(self, code):
        """All output since the last key; the terminal must be as it
        was."""
        self.case.assertEqual(self.process.wait(), code, self.text())
        self.case.assertEqual(self.mode(), self.before)
        self.wait_for_text("results in")


class KeysTest(FuzzTestCase):

    def session(self, *arguments, **options):
        session = Session(self, FOREVER, "--workers=2", *arguments, **options)
        # (Enough to reach the goal, whichever worker runs them.)
        self.wait_for_executions(40)
        return session

    def states(self, session):
        """The states of the workers; "T" is stopped."""
        found = []
        for pid in self.workers_of(session.process):
            try:
                status = pathlib.Path(f"/proc/{pid}/stat").read_text()
            except OSError:
                continue
            found.append(status.rpartition(")")[2].split()[0])
        return found

    def pause(self, session):
        session.press("p")
        self.wait_for(lambda: self.states(session) == ["T", "T"])

    def executions(self):
        return self.total("Fake.Passes")["executions"]

    def stats(self):
        return json.loads((self.out / "stats.json").read_text())

    def test_p_pauses_and_goes_on(self):
        session = self.session("Fake.Passes")
        self.pause(session)
        paused = time.monotonic()
        session.wait_for_text("paused   2 workers")
        session.wait_for_text("p resume")
        self.wait_for(lambda: self.stats()["status"] == "paused")
        before = self.executions()
        seconds = self.stats()["seconds"]
        time.sleep(1)  # (Long enough for a difference to show.)
        self.assertEqual(self.executions(), before)
        paused = time.monotonic() - paused
        session.press("p")
        self.wait_for(lambda: self.executions() > before)
        self.wait_for(lambda: "T" not in self.states(session))
        session.press("q")
        session.end(0)
        self.assertNotIn("restarted", session.text())
        self.assertEqual(self.stats()["executions"], self.executions())
        self.assertGreater(self.stats()["seconds"], seconds)
        self.assertLess(self.stats()["seconds"],
                        time.monotonic() - session.begun - paused)

    def test_ends_while_it_is_paused(self):
        for end, code in (("q", 0), (signal.SIGINT, 0), (signal.SIGTERM, 143),
                          (signal.SIGHUP, 129)):
            session = self.session("Fake.Passes")
            self.pause(session)
            if end == "q":
                session.press(end)
            else:
                session.process.send_signal(end)
            session.end(code)
            executions = self.executions()
            self.assertIn(f"Fake.Passes  {executions} executions",
                          session.text())
            self.assertEqual(self.stats()["status"], "ended")

    def test_twice_is_now_while_it_is_paused(self):
        session = self.session("Fake.Passes")
        self.pause(session)
        workers = self.workers_of(session.process)
        session.process.send_signal(signal.SIGINT)
        session.process.send_signal(signal.SIGTERM)
        session.end(143)
        self.assertFalse(any(os.path.exists(f"/proc/{pid}/exe")
                             for pid in workers))

    def test_a_worker_is_killed_while_it_is_paused(self):
        session = self.session("Fake.Passes")
        self.pause(session)
        os.kill(self.workers_of(session.process)[0], signal.SIGKILL)
        session.wait_for_text("it is restarted")
        session.forget()
        for _ in range(3):  # It would be there by then.
            session.wait_for_text("paused")
            session.forget()
            time.sleep(0.3)
        self.assertEqual(self.states(session), ["T"])
        session.press("p")
        self.wait_for(lambda: len(self.states(session)) == 2)
        self.assertTrue(session.reads_keys())
        session.press("q")
        session.end(0)

    def test_a_pause_takes_nothing_of_the_time_to_search_for(self):
        over = self.folder / "over"
        session = Session(self, "--for=1000s", "--workers=1", "Fake.Passes",
                          fake={"pause": 0.001, "over": str(over)})
        self.wait_for_executions(10)
        session.press("p")
        self.wait_for(lambda: self.states(session) == ["T"])
        over.touch()
        session.press("p")
        session.wait_for_text("shard 0 continues for 16m")
        (executions,) = (one.record["executions"] for one in map(
            records.read, records.find(str(self.out), self.merged)))
        self.wait_for_executions(executions + 1)
        # Without a pause, the campaign ends.
        over.touch()
        session.end(0)
        self.assertEqual(session.text().count("continues for"), 1)

    def test_shows_what_is_shrunk(self):
        shrinks = self.folder / "shrinks"
        shrinks.touch()
        session = Session(self, FOREVER, "--workers=1", "Fake.Fails",
                          fake={"pause": 0.001, "shrinks": str(shrinks)})
        session.wait_for_text("failures   0 distinct")
        session.wait_for_text("shrinking 5 -> 3 ...")
        self.wait_for(lambda: self.stats_of("shrinking") == 1)
        shrinks.unlink()
        session.wait_for_text("failures   2 distinct")
        session.forget()
        session.wait_for_text("failures   2 distinct")
        self.assertNotIn("shrinking", session.text())
        session.press("q")
        session.end(1)

    def stats_of(self, name):
        path = self.out / "stats.json"
        return self.stats()[name] if path.exists() else None

    def test_lists(self):
        session = self.session("Fake.Fails")
        self.wait_for(lambda: self.total("Fake.Fails")["failures"])
        for key, text in (("f", "hits, first at"), ("b", "Fake.Fails   0 of"),
                          ("g", "] a job is stolen   first at"),
                          ("g", "chance that the next is new")):
            session.press(key)
            session.wait_for_text(text)
        # (A key held down is not a second Ctrl-C.)
        session.press("qqq")
        session.end(1)

    def test_the_terminal_is_as_it_was_in_every_way_out(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP,
                       signal.SIGQUIT):
            session = self.session("Fake.Passes")
            self.wait_for(session.reads_keys)
            session.process.send_signal(number)
            session.end(0 if number == signal.SIGINT else 128 + number)

    def test_the_terminal_is_as_it_was_after_an_error(self):
        session = self.session("Fake.Passes")
        self.wait_for(session.reads_keys)
        # Makes the next read of the records fail.
        (self.out / "0/Fake.Passes/shard-0-of-2.json").unlink()
        (self.out / "0/Fake.Passes/shard-0-of-2.json").mkdir()
        self.assertEqual(session.process.wait(), 2)
        self.assertEqual(session.mode(), session.before)
        session.wait_for_text("clotho: cannot read")

    def test_no_keys_without_a_terminal(self):
        # Keys typed ahead there are for the next program.
        session = Session(self, FOREVER, "--workers=2", "Fake.Passes",
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        os.write(session.ours, b"q")
        self.wait_for_executions(40)
        self.assertFalse(session.reads_keys())
        session.process.send_signal(signal.SIGTERM)
        out = session.process.stdout.read().decode()
        self.assertEqual(session.process.wait(), 143)
        self.assertNotIn("\x1b", out)
        # Input from a pipe is not a key.
        reader, writer = os.pipe()
        os.write(writer, b"q")
        session = Session(self, FOREVER, "--workers=2", "Fake.Passes",
                          stdin=reader)
        session.wait_for_text("Ctrl-C stops and writes the results")
        session.forget()
        session.wait_for_text("Ctrl-C stops and writes the results")
        self.assertEqual(os.read(reader, 9), b"q")
        session.process.send_signal(signal.SIGINT)
        session.end(0)
        os.close(reader)
        os.close(writer)

    def test_suspended(self):
        # Started as by a shell that controls the terminal.
        session = self.session("Fake.Passes", process_group=0)
        self.wait_for(session.reads_keys)
        session.process.send_signal(signal.SIGTSTP)
        _, status = os.waitpid(session.process.pid, os.WUNTRACED)
        self.assertTrue(os.WIFSTOPPED(status), status)
        self.assertEqual(session.mode(), session.before)
        # (The signal takes effect when a process next runs.)
        self.wait_for(lambda: self.states(session) == ["T", "T"])
        before = self.executions()
        session.process.send_signal(signal.SIGCONT)
        self.wait_for(lambda: self.executions() > before)
        session.press("q")
        session.end(0)


class StatsTest(FuzzTestCase):

    def test_what_a_dashboard_reads(self):
        began = time.time()
        ended = self.fuzz("--schedules=900", "--workers=3")
        self.assertEqual(ended.code, 1, ended)
        stats = json.loads((self.out / "stats.json").read_text())
        self.assertGreater(stats.pop("seconds"), 0)
        self.assertGreater(stats.pop("rate"), 0)
        self.assertGreaterEqual(stats.pop("updated"), began - 1)
        totals = [self.total(test) for test in ("Fake.Fails", "Fake.Passes")]
        self.assertAlmostEqual(
            2 * stats.pop("new_chance"),
            sum(records.chance_of_new(total["sketch"], 900)
                for total in totals), places=5)
        self.assertEqual(stats.pop("distinct"), round(sum(
            records.distinct_traces(total["sketch"]) for total in totals)))
        self.assertEqual(stats, {
            "clotho_stats": 1, "target": "./fake", "status": "ended",
            "workers": 3, "restarts": 0, "executions": 1800, "asked": 1800,
            "failures": 2, "shrinking": 0, "goals": 2, "goals_reached": 2,
            "budget_hits": 0,
            "checked": 0, "differ": 0})

    def test_the_page_has_all_fields(self):
        self.fuzz("--schedules=9", "Fake.Passes")
        page = (testing.TOOLS.parent / "docs/scaling.md").read_text()
        section = page.split("`stats.json`")[1].split("\n## ")[0]
        names = [name for row in section.splitlines()
                 if row.startswith("|")
                 for name in re.findall(r"`(\w+)`", row.split("|")[1])]
        stats = json.loads((self.out / "stats.json").read_text())
        self.assertEqual(names, list(stats))

    def test_it_exists_from_the_beginning_and_follows_changes(self):
        process = self.start(FOREVER, "--workers=2", "Fake.Passes")
        path = self.out / "stats.json"
        self.wait_for(path.exists)
        self.assertEqual(json.loads(path.read_text())["status"], "running")
        first = path.stat().st_ino
        # It is rewritten as a whole while the campaign runs.
        self.wait_for(lambda: path.stat().st_ino != first)
        stats = json.loads(path.read_text())
        self.assertEqual(stats["status"], "running")
        self.assertGreater(stats["executions"], 0)
        self.assertGreater(stats["rate"], 0)
        process.send_signal(signal.SIGINT)
        process.communicate()
        self.assertEqual(json.loads(path.read_text())["executions"],
                         self.total("Fake.Passes")["executions"])

    def test_a_campaign_does_not_end_for_it(self):
        (self.out / "stats.json").mkdir(parents=True)
        ended = self.fuzz("--schedules=50", "Fake.Passes")
        self.assertEqual(ended.code, 0, ended)
        self.assertEqual(ended.out.count("stats.json"), 1, ended.out)


class MemoryTest(FuzzTestCase):

    def test_memory_does_not_grow(self):
        self.fuzz("--schedules=300", "--workers=2")
        read = progress.Progress(str(self.out), ["Fake.Fails", "Fake.Passes"],
                                 2, 300)
        read.poll()
        read.new_failures()
        path = self.out / "1/results.jsonl"
        line = json.dumps({"event": "stats", "test": "Fake.Fails", "shard": 1})

        def rounds(number):
            for _ in range(number):
                with open(path, "a", encoding="utf-8") as file:
                    file.write((line + "\n") * 1000)
                for record in records.find(str(self.out)):
                    os.utime(record)
                read.poll()
                read.state()
                self.assertEqual(read.new_failures(), [])
        rounds(5)
        tracemalloc.start()
        rounds(1)
        before = tracemalloc.get_traced_memory()[0]
        rounds(20)
        self.assertLess(tracemalloc.get_traced_memory()[0] - before, 100_000)
        tracemalloc.stop()


class BadInputTest(FuzzTestCase):

    def test_arguments(self):
        for argument, text in (
                ("--for=soon", '"soon" is not a time'),
                ("--for=0s", '"0s" is not a time'),
                ("--schedules=0", '"0" is not a number'),
                ("--schedules=1e", '"1e" is not a number'),
                ("--workers=none", '"none" is not a number')):
            self.assert_trouble(self.fuzz(argument), 2, text)
        self.assert_trouble(self.fuzz("No.Test"), 4, "nearest that exists")
        self.assertFalse((self.folder / "clotho-out").exists())

    def test_results_that_are_not_whole(self):
        self.fuzz("--schedules=50", "--workers=1")
        path = self.out / "0/Fake.Passes/shard-0-of-1.json"
        path.write_bytes(path.read_bytes()[:100])
        self.assert_trouble(self.fuzz("--schedules=50"), 2,
                            "shard-0-of-1.json", "ends too early")

    def test_two_cuts_in_one_folder(self):
        self.fuzz("--schedules=50", "--workers=1")
        path = self.out / "0/Fake.Passes/shard-0-of-1.json"
        record = json.loads(path.read_text()) | {"shards": 2}
        (path.parent / "shard-0-of-2.json").write_text(json.dumps(record))
        self.assert_trouble(self.fuzz("--schedules=50"), 2,
                            "of 1 and of 2 shards")

    def test_a_folder_that_cannot_be_written(self):
        self.assert_trouble(self.fuzz("--out=/proc/x"), 75, "/proc/x")

    def test_two_at_a_time(self):
        process = self.start(FOREVER, "--workers=1")
        self.wait_for_executions(1)
        self.assert_trouble(self.fuzz("--schedules=9"), 75,
                            "another clotho fuzz")
        self.end(process)


if __name__ == "__main__":
    testing.main()
