"""Tests of docs/scaling.md and docs/first-failure.md, and of campaigns: runs the
commands on these pages with a real test binary. The arguments are
//examples:job_queue_hunt and //examples/failures:failures_hunt."""

import fcntl
import filecmp
import json
import os
import pathlib
import pty
import re
import shutil
import signal
import struct
import subprocess
import sys
import termios
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).absolute().parent.parent))
# pylint: disable=wrong-import-position
from cli import records, testing

DOCS = testing.TOOLS.parent / "docs"
TEST = "JobQueueTest.NoJobIsLost"


def blocks(page, kind="run"):
    """The blocks of a page to run, by name."""
    return dict(re.findall(
        rf"<!-- {kind}: ([^\n]*) -->\n```(?:sh)?\n(.*?)```",
        (DOCS / page).read_text(), re.DOTALL))


class PageTestCase(testing.ClothoTestCase):
    """A folder that looks like a workspace in which the target is built."""

    def setUp(self):
        super().setUp()
        hunt = next(p for p in self.programs if p.endswith("job_queue_hunt"))
        examples = self.folder / "bazel-bin/examples"
        examples.mkdir(parents=True)
        (examples / "job_queue_hunt").symlink_to(hunt)
        self.write("WORKSPACE", "")
        self.write("bin/clotho", "#!/bin/sh\nexec "
                   + " ".join(self.command()) + ' "$@"\n')
        # Pretends to build a target, and prints its path.
        self.write("tools/bazel", """#!/bin/sh
[ "$1" = build ] || echo bazel-bin/examples/job_queue_hunt
""")
        for name in ("bin/clotho", "tools/bazel"):
            (self.folder / name).chmod(0o755)

    def shell(self, text):
        done = subprocess.run(
            ["bash", "-e", "-c", text], cwd=self.folder, capture_output=True,
            text=True, check=False, env={
                **self.environment(), "PATH":
                f"{self.folder}/bin:{os.environ['PATH']}"})
        self.assertNotIn("Traceback", done.stderr)
        return done

    def same(self, *folders):
        """Two folders have the same files."""
        compared = filecmp.dircmp(*(self.folder / f for f in folders))
        self.assertEqual((compared.left_only, compared.right_only), ([], []))
        _, differ, errors = filecmp.cmpfiles(
            *(self.folder / f for f in folders), compared.common_files, False)
        self.assertEqual((differ, errors), ([], []))
        for name in compared.common_dirs:
            self.same(*(f"{folder}/{name}" for folder in folders))


class FirstFiguresTest(testing.ClothoTestCase):

    def test_come_before_the_first_ten_seconds_are_over(self):
        process = subprocess.Popen(
            self.command("fuzz", "./job_queue_hunt", "--schedules=1e12",
                         "--workers=1"),
            cwd=self.folder, env=self.environment(), text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        try:
            figures = next(
                found for line in process.stdout
                if (found := re.match(r"(\d+)s (\S+)/1T (\S+)/s", line)))
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate()
        self.assertLess(int(figures[1]), 8)
        self.assertNotEqual(figures[2], "0")
        self.assertNotEqual(figures[3], "0")


class ScalingTest(PageTestCase):

    def run_block(self, name):
        # (Shards that find the bug exit with 1, as does the merge.)
        return self.shell("set +e\n" + blocks("scaling.md")[name])

    def test_the_loop_and_the_missing_shard(self):
        done = self.run_block("shell loop")
        self.assertEqual(done.returncode, 1, done)
        self.assertIn(f"{TEST}  20000 executions of 20000", done.stdout)
        self.assertTrue((self.folder / "loop-merged/junit.xml").exists())
        done = self.run_block("missing shard")
        self.assertIn("missing: shards 2 of 4", done.stdout)
        self.assertIn("--clotho_shard=2/4", done.stdout)
        self.same("loop-merged", "loop-whole")

    @unittest.skipUnless(shutil.which("parallel"), "needs GNU parallel")
    def test_parallel(self):
        self.run_block("shell loop")
        done = self.run_block("parallel")
        self.assertEqual(done.returncode, 0, done)

    def test_the_number_of_shards_does_not_matter(self):
        for shards in (1, 3, 64):
            self.shell(f"""set +e
for i in $(seq 0 {shards - 1}); do
  bazel-bin/examples/job_queue_hunt --clotho_shard=$i/{shards} \
    --clotho_shard_by=schedules --clotho_schedules=3000 --clotho_failures=0 \
    --clotho_out=of{shards}/$i
done
clotho merge of{shards} --into=merged{shards}""")
        self.same("merged1", "merged3")
        self.same("merged1", "merged64")
        record = records.read(str(
            self.folder / "merged64" / TEST / "shard-0-of-1.json")).record
        self.assertEqual(record["executions"], 3000)
        self.assertEqual(len(record["failures"]), 1)


class FuzzTest(PageTestCase):

    HUNT = "bazel-bin/examples/job_queue_hunt"

    def test_finds_what_one_process_finds_and_goes_on_to_it(self):
        ended = self.clotho("fuzz", self.HUNT, "--schedules=20000",
                            "--workers=3")
        self.assertEqual(ended.code, 1, ended)
        self.assertIn(f"{TEST}  20000 executions of 20000", ended.out)
        self.shell("set +e\n" + blocks("scaling.md")["shell loop"])
        # (The paths of the program differ in their reports.)
        record = f"{TEST}/shard-0-of-1.json"
        self.assertEqual(
            self.read(f"clotho-out/job_queue_hunt.campaign/merged/{record}"),
            self.read(f"loop-merged/{record}"))
        # Commands can use what it found at once.
        self.assertEqual(self.clotho("replay").code, 1)
        shown = self.clotho("show")
        self.assertEqual(shown.code, 0, shown)
        self.assertIn("worker-1", shown.out)

    def test_a_worker_that_is_killed_loses_nothing(self):
        process = subprocess.Popen(
            self.command("fuzz", self.HUNT, "--schedules=200000",
                         "--workers=2"), cwd=self.folder, text=True,
            env=self.environment(), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.addCleanup(process.stdout.close)
        # It has reported the failure, so it is running and has written a record.
        line = process.stdout.readline()
        self.assertIn("failure #1", line)
        children = pathlib.Path(
            f"/proc/{process.pid}/task/{process.pid}/children")
        for pid in children.read_text().split()[:1]:
            os.kill(int(pid), signal.SIGKILL)
        out = process.stdout.read()
        self.assertEqual(process.wait(), 1, out)
        self.assertIn(f"{TEST}  200000 executions of 200000", out)
        one = self.clotho("fuzz", self.HUNT, "--schedules=200000",
                          "--workers=1", "--out=one")
        self.assertEqual(one.code, 1, one)
        record = f"merged/{TEST}/shard-0-of-1.json"
        self.assertEqual(
            self.read(f"clotho-out/job_queue_hunt.campaign/{record}"),
            self.read(f"one/{record}"))

    def test_strategy_seed_and_time(self):
        ended = self.clotho("fuzz", self.HUNT, "--for=1s", "--strategy=pct:2",
                            "--seed=7", "--workers=1", TEST)
        self.assertEqual(ended.code, 1, ended)
        self.assertRegex(ended.out, r"executions \(no limit\), pct:2, seed 7")
        # From then on the seed is known.
        listed = self.clotho("list", self.HUNT)
        self.assertIn("  pct:2", listed.out)

    def test_a_pause(self):
        ours, theirs = pty.openpty()
        self.addCleanup(os.close, ours)
        fcntl.ioctl(ours, termios.TIOCSWINSZ,
                    struct.pack("HHHH", 40, 100, 0, 0))
        before = termios.tcgetattr(theirs)
        # A worker that took the pause for a stuck step would abort, and one
        # that counted it as search time would end.
        process = subprocess.Popen(
            self.command("fuzz", self.HUNT, "--for=1h", "--workers=1", "--",
                         "--clotho_step_watchdog=10ms"), cwd=self.folder,
            env={**self.environment(), "TERM": "xterm"}, stdin=theirs,
            stdout=theirs, stderr=theirs)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        data = b""

        def wait_for(text):
            nonlocal data
            while text not in data:
                data += os.read(ours, 65536)
        wait_for(b"q stop")
        wait_for(b"#1 ")
        os.write(ours, b"p")
        wait_for(b"p resume")
        time.sleep(1)
        data = b""
        os.write(ours, b"p")
        wait_for(b"p pause")
        data = b""
        os.write(ours, b"q")
        wait_for(b"results in")
        self.assertEqual(process.wait(), 1, data)
        self.assertNotIn(b"restarted", data)
        self.assertEqual(termios.tcgetattr(theirs), before)
        os.close(theirs)
        stats = json.loads(
            self.read("clotho-out/job_queue_hunt.campaign/stats.json"))
        self.assertEqual((stats["restarts"], stats["status"]), (0, "ended"))

    def test_a_random_seed_is_one_for_all_and_stays(self):
        def fuzz():
            return self.clotho("fuzz", self.HUNT, "--schedules=500",
                               "--workers=3", "--seed=random")
        first = fuzz()
        self.assertEqual(first.code, 1, first)
        self.assertRegex(first.err, r"^seed \d+\n$")
        self.assertIn(f"500 executions of 500, random, {first.err.strip()}\n",
                      first.out)
        again = fuzz()
        self.assertEqual(again.err, first.err)
        self.assertIn("resuming", again.out)

    def test_flags_of_the_binary(self):
        ended = self.clotho("fuzz", self.HUNT, "--schedules=100", "--",
                            "--clotho_max_steps=3")
        self.assertEqual(ended.code, 1, ended)
        self.assertIn("livelock", ended.out)

    def test_what_crashes(self):
        hunt = next(p for p in self.programs if p.endswith("failures_hunt"))
        ended = self.clotho("fuzz", hunt, "Crash.NullPointer", "Crash.Exit",
                            "--schedules=200", "--workers=2")
        self.assertEqual(ended.code, 1, ended)
        self.assertIn("in a child process first", ended.out)
        self.assertRegex(ended.out, r"(?m)^Crash.NullPointer  200 executions "
                         r"of 200, (.*\n){2}  failure  crash")
        self.assertRegex(ended.out, r"(?m)^Crash.Exit  200 executions of 200, "
                         r"(.*\n){2}  failure  crash   200 hits")
        replay = re.search(r"Signal 11 \(SIGSEGV\) (c1/\S+)\n", ended.out)[1]
        self.assertRegex(replay, r"^c1/0/\S+:\S+$")
        again = self.clotho("replay", replay, hunt, "Crash.NullPointer")
        self.assertIn("Signal 11 (SIGSEGV)", again.out + again.err)
        folder = self.folder / "clotho-out/failures_hunt.campaign/merged"
        (report,) = folder.glob("Crash.NullPointer/*/report.txt")
        self.assertIn("ReadEntry", report.read_text())

    def test_bad_input(self):
        for flags, text in ((["--strategy=zufall"], "zufall"),
                            (["--", "--clotho_no_such=1"], "clotho_no_such"),
                            (["--seed=soon"], "soon")):
            self.assert_trouble(self.clotho("fuzz", self.HUNT, *flags), 2, text)
        # A campaign with another seed is not resumed.
        self.clotho("fuzz", self.HUNT, "--schedules=100", "--workers=1")
        self.assert_trouble(
            self.clotho("fuzz", self.HUNT, "--schedules=100", "--seed=2",
                        "--workers=1"), 2, "shard-0-of-1.json")


class FirstFailureTest(PageTestCase):

    def test_three_commands(self):
        page = "first-failure.md"
        self.write("ci.log", blocks(page, "file")["ci.log"])
        run = blocks(page)
        self.assertEqual(list(run), ["replay", "explain", "show"])
        for command in run.values():
            self.assertEqual(command.count("\n"), 1)
        done = self.shell(run["replay"])
        self.assertEqual(done.returncode, 1, done)
        self.assertIn('WHAT      Always "a woken worker finds a job" is false',
                      done.stdout)
        self.assertIn("step 4  ran worker-2", done.stdout)
        done = self.shell(run["explain"])
        self.assertEqual(done.returncode, 1, done)
        shown = re.search(r"```\n(FIFO.*?)```",
                          (DOCS / page).read_text(), re.DOTALL)[1]
        self.assertIn(shown.strip(), done.stdout)
        done = self.shell(run["show"])
        self.assertEqual(done.returncode, 0, done)
        timeline = self.read("timeline.html")
        self.assertIn("<html", timeline)
        self.assertIn("a woken worker finds a job", timeline)
        self.assertIn("worker-2", timeline)

    def test_what_else_a_log_has_of_a_report(self):
        report = self.clotho("replay", "c1/0/4:1",
                             "bazel-bin/examples/job_queue_hunt").out
        self.write("whole.log", report)
        self.assertEqual(self.clotho("replay", "whole.log").code, 1)


class ShowTest(PageTestCase):

    def test_bad_input(self):
        self.assert_trouble(self.clotho("show"), 2, "no RESULTS")
        self.assertEqual(self.clotho("show", "nothing").code, 2)
        self.write("trace.json", '{"clotho_trace": 1, "te')
        ended = self.clotho("show", "trace.json", "--format=html", "-o",
                            "page.html")
        self.assertEqual(ended.code, 2, ended)
        self.assertIn("trace.json", ended.err)
        self.assertFalse((self.folder / "page.html").exists())

    def test_its_flags(self):
        self.clotho("replay", "c1/0/4:1", "bazel-bin/examples/job_queue_hunt")
        ended = self.clotho("show", "--format", "json", "-o", "shown.json")
        self.assertEqual(ended.code, 0, ended)
        self.assertIn("worker-2", json.dumps(json.loads(
            self.read("shown.json"))))
        ended = self.clotho("show", "--at", "4", f"clotho-out/{TEST}")
        self.assertEqual(ended.code, 0, ended)
        self.assertIn("worker-2", ended.out)


if __name__ == "__main__":
    testing.main()
