"""Tests of `clotho plan`: runs what it prints where possible, and inspects the
rest."""

import os
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).absolute().parent.parent))
# pylint: disable=wrong-import-position
from cli import testing

FAKE = str(testing.TOOLS / "cli" / "fake_campaign.py")

# Replaces Slurm: runs the tasks one after the other, in their environment.
SRUN = """#!/bin/sh
exec "$@"
"""
# Replaces GNU parallel, as far as the plan uses it.
PARALLEL = """#!/bin/bash
while [[ $1 == --* ]]; do shift; done
while read -r i; do "${@//\\{\\}/$i}"; done
"""


class PlanTest(testing.ClothoTestCase):

    def setUp(self):
        super().setUp()
        (self.folder / "fake").symlink_to(FAKE)
        for name, text in (("srun", SRUN), ("parallel", PARALLEL), (
                "clotho", f'#!/bin/sh\nexec {" ".join(self.command())} "$@"')):
            self.write(f"bin/{name}", text)
            (self.folder / "bin" / name).chmod(0o755)

    def plan(self, engine, *arguments):
        ended = self.clotho("plan", f"--engine={engine}", "--schedules=60",
                            *arguments)
        self.assertEqual(ended.code, 0, ended)
        self.assertTrue(ended.out.isascii())
        return ended.out

    def shell(self, text, **environment):
        return subprocess.run(
            ["bash", "-c", text], cwd=self.folder, capture_output=True,
            text=True, check=False, env={
                **self.environment(),
                "PATH": f"{self.folder}/bin:{os.environ['PATH']}",
                **environment})

    def test_what_is_planned_for_parallel_runs(self):
        plan = self.plan("parallel", "--shards=3", "./fake", "Fake.Pass*")
        plan = plan.replace("'--gtest_filter=Fake.Pass*'",
                            "--gtest_filter=Fake.Passes")
        done = self.shell(plan)
        self.assertIn("Fake.Passes  60 executions of 60", done.stdout, done)
        self.assertNotIn("Fake.Fails", done.stdout)
        self.assertEqual(done.returncode, 0, done)

    def test_what_is_planned_for_slurm_runs(self):
        plan = self.plan("slurm", "--shards=3", "./fake")
        self.assertIn("#SBATCH --array=0-2\n", plan)
        self.assertIn("--clotho_shard=auto", plan)
        # The test binary reads the rest from Slurm's variables.
        for i in range(3):
            done = self.shell(
                plan.replace("--clotho_shard=auto", f"--clotho_shard={i}/3"),
                SLURM_ARRAY_TASK_ID=str(i))
            self.assertIn(done.returncode, (0, 1), done)
        merged = self.clotho("merge", "clotho-out")
        self.assertIn("Fake.Passes  60 executions of 60", merged.out)

    def test_arrays_no_larger_than_slurm_has_them(self):
        plan = self.plan("slurm", "--shards=7", "--max_array_size=3",
                         "--parallel=2", "./fake", "Fake.Passes")
        arrays = re.findall(r"--array=0-(\d+)%2 --export=ALL,OFFSET=(\d+)",
                            plan)
        self.assertEqual(arrays, [("2", "0"), ("2", "3"), ("0", "6")])
        self.assertNotIn("#SBATCH --array", plan)
        for last, offset in arrays:
            for i in range(int(last) + 1):
                self.shell(plan, SLURM_ARRAY_TASK_ID=str(i), OFFSET=offset)
        merged = self.clotho("merge", "clotho-out")
        self.assertEqual(merged.code, 0, merged)
        self.assertIn("Fake.Passes  60 executions of 60", merged.out)
        one = self.plan("slurm", "--shards=1001", "./fake")
        self.assertIn("--array=0-1000\n", one)
        self.assertIn("2 arrays", self.plan("slurm", "--shards=1002", "./fake"))

    def test_kubernetes(self):
        plan = self.plan("k8s", "--shards=9", "--parallel=4",
                         "--image=example.com/fake:1", "./fake", "Fake.*")
        for line in ("completionMode: Indexed", "completions: 9",
                     "parallelism: 4", "values: [1, 2, 3, 4, 5]",
                     "image: example.com/fake:1",
                     '- {name: CLOTHO_TOTAL_SHARDS, value: "9"}',
                     "- {name: CLOTHO_SHARD, value: auto}"):
            self.assertIn(line, plan)
        command = re.search(r'"-c", "(.*)"\]', plan)[1]
        self.assertTrue(command.startswith("exec ./fake "), command)
        done = self.shell(
            command.replace("/results", "results").replace(
                "'--gtest_filter=Fake.*'", "") + " --clotho_shard=8/9",
            JOB_COMPLETION_INDEX="8")
        self.assertTrue((self.folder / "results/8/Fake.Passes"
                         / "shard-8-of-9.json").exists(), done)

    def test_bazel(self):
        self.write("WORKSPACE", "")
        plan = self.plan("bazel", "--shards=50", "--strategy=pct:3",
                         "//shop:cart_test")
        for text in ('name = "cart_campaign"', "schedules = 60,", "shards = 50,",
                     'strategy = "pct:3"', 'test = ":cart_test"',
                     "bazel test --keep_going //shop:cart_campaign",
                     "clotho merge bazel-testlogs/shop/cart_campaign"):
            self.assertIn(text, plan)
        self.assertNotIn("runs_per_test", plan)
        # Bazel has at most 50 shards.
        plan = self.plan("bazel", "--shards=120", "//shop:cart_test")
        for text in ("--runs_per_test=3", "shards = 40,", "schedules = 20,",
                     "at most 50 shards"):
            self.assertIn(text, plan)

    def test_bad_input(self):
        def plan(*arguments):
            return self.clotho("plan", *arguments)
        whole = ("--engine=slurm", "--shards=3", "--schedules=9")
        self.assert_trouble(plan(), 2, "--engine")
        self.assert_trouble(plan("--engine=pbs", *whole[1:], "./fake"), 2,
                            "pbs", "slurm")
        self.assert_trouble(plan(*whole[:2], "./fake"), 2, "--schedules")
        for number in ("0", "-1", "many", "1.5", "1e"):
            self.assert_trouble(
                plan(*whole, f"--shards={number}", "./fake"), 2,
                f'"{number}" is not a number')
        self.assert_trouble(plan(*whole, "./no"), 2, '"./no"')
        self.assert_trouble(plan(*whole, "./fake", "Fake.Pases"), 4,
                            "nearest that exists is Fake.Passes")
        self.assert_trouble(plan(*whole, "./fake", "a;b"), 2, '"a;b"')
        self.assert_trouble(
            plan("--engine=bazel", *whole[1:], "./fake"), 2, "is not a label")
        self.assert_trouble(
            plan("--engine=k8s", "--shards=100001", "--schedules=9", "./fake"),
            2, "100000")


if __name__ == "__main__":
    testing.main()
