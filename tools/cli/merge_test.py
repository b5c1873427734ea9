"""Tests of `clotho merge`: the laws that hold for all records, what it writes,
and what it refuses."""

import itertools
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import unittest
import xml.etree.ElementTree as ElementTree
import zipfile

sys.path.insert(0, str(pathlib.Path(__file__).absolute().parent.parent))
# pylint: disable=wrong-import-position
from cli import records, testing

FAKE = str(testing.TOOLS / "cli" / "fake_campaign.py")


def contents(folder):
    """The files below a folder, and their contents."""
    folder = pathlib.Path(folder)
    return {str(path.relative_to(folder)): path.read_bytes()
            for path in folder.rglob("*") if path.is_file()}


class CampaignTestCase(testing.ClothoTestCase):

    def campaign(self, shards, which=None, schedules=600, into=None, flags=()):
        """Runs shards, each with a folder of its own; returns the folders."""
        folders = []
        for i in which if which is not None else range(shards):
            folder = self.folder / (into or f"of-{shards}") / str(i)
            done = subprocess.run(
                [sys.executable, FAKE, f"--clotho_shard={i}/{shards}",
                 f"--clotho_schedules={schedules}", f"--clotho_out={folder}",
                 "--clotho_shard_by=schedules", *flags],
                env=self.environment(), check=False)
            self.assertIn(done.returncode, (0, 1))
            folders.append(str(folder))
        return folders

    def merged(self, folders, into="merged"):
        ended = self.clotho("merge", *folders, f"--into={into}")
        self.assertIn(ended.code, (0, 1, 5), ended)
        return contents(self.folder / into), ended


class SumTest(CampaignTestCase):

    def test_the_number_of_shards_does_not_matter(self):
        one, _ = self.merged(self.campaign(1), "m1")
        three, _ = self.merged(self.campaign(3), "m3")
        many, _ = self.merged(self.campaign(64), "m64")
        self.assertEqual(one, three)
        self.assertEqual(one, many)
        record = json.loads(one["Fake.Fails/shard-0-of-1.json"])
        self.assertEqual(record["executions"], 600)
        self.assertEqual(len(record["failures"]), 2)
        self.assertNotIn("seconds", record)
        # The figures are those of one process, except for the time.
        alone = json.loads(self.read("of-1/0/Fake.Fails/shard-0-of-1.json"))
        del alone["seconds"]
        alone["failures"].sort(key=lambda failure: failure["first"])
        self.assertEqual(record, alone | {"next": 600})

    def test_neither_order_nor_grouping_nor_repetition_matters(self):
        folders = self.campaign(5)
        whole, _ = self.merged(folders)
        rng = random.Random(6)
        for attempt in range(6):
            rng.shuffle(folders)
            cut = rng.randrange(1, 5)
            self.merged(folders[:cut], f"a{attempt}")
            # Some occur twice.
            self.merged(folders[max(0, cut - rng.randrange(3)):],
                        f"b{attempt}")
            both = [f"a{attempt}", f"b{attempt}"]
            rng.shuffle(both)
            again, _ = self.merged([*both, folders[0]], f"c{attempt}")
            self.assertEqual(again, whole)
        again, _ = self.merged(["merged", "merged"], "twice")
        self.assertEqual(again, whole)

    def test_any_three_partial_results_join_in_any_order(self):
        a = self.campaign(3, [0, 1])
        b = self.campaign(4, [1, 3])
        c = self.campaign(4, [0, 2])
        results = []
        for order in itertools.permutations([a, b, c]):
            name = f"p{len(results)}"
            self.merged(order[0] + order[1], name)
            results.append(self.merged([name, *order[2]], name + "x")[0])
        for result in results[1:]:
            self.assertEqual(result, results[0])
        self.assertIn("Fake.Fails/shard-0-of-1.json", results[0])

    def test_of_two_records_of_a_shard_the_further_one_counts(self):
        folders = self.campaign(2)
        whole, _ = self.merged(folders)
        old = self.folder / "old"
        shutil.copytree(folders[1], old)
        for path in old.rglob("shard-*.json"):
            record = json.loads(path.read_text())
            record.update({"complete": False, "next": 3, "executions": 1})
            path.write_text(json.dumps(record))
        for order in ([folders[0], folders[1], str(old)],
                      [str(old), folders[1], folders[0]]):
            self.assertEqual(self.merged(order, "again")[0], whole)

    def test_sketches_of_parts_make_that_of_the_whole(self):
        rng = random.Random(1)
        seen = [f"{rng.randrange(300) * 2**55:016x}" for _ in range(2000)]

        def sketch(traces):
            counts = {}
            for trace in traces:
                counts[trace] = counts.get(trace, 0) + 1
            return {"size": 32, "entries": [[t, counts[t]]
                                            for t in sorted(counts)[:32]]}
        parts = [sketch(seen[i::7]) for i in range(7)]
        self.assertEqual(records.merge_sketches(parts), sketch(seen))

    def test_the_chance_of_something_new(self):
        few = {"size": 4, "entries": [["0" * 16, 1], ["0" * 15 + "1", 9]]}
        self.assertEqual(records.distinct_traces(few), 2)
        self.assertAlmostEqual(records.chance_of_new(few, 10), 0.1)
        rng = random.Random(2)
        hashes = sorted(rng.getrandbits(64) for _ in range(10000))[:1024]
        many = {"size": 1024, "entries": [[f"{h:016x}", 1] for h in hashes]}
        self.assertAlmostEqual(records.distinct_traces(many) / 10000, 1,
                               delta=0.1)
        self.assertAlmostEqual(records.chance_of_new(many, 20000), 0.5,
                               delta=0.05)


class VerdictTest(CampaignTestCase):

    PASSES = "--gtest_filter=Fake.Passes"

    def test_what_is_missing_is_named_with_what_runs_it(self):
        folders = self.campaign(16, [i for i in range(16) if i not in (3, 7, 8)],
                             flags=[self.PASSES])
        _, ended = self.merged(folders)
        self.assertEqual(ended.code, 5, ended)
        self.assertIn("missing: shards 3, 7-8 of 16 of Fake.Passes", ended.out)
        self.assertIn("for i in 3 7 8; do", ended.out)
        # The command that it prints works.
        command = ended.out[ended.out.index("  for i in"):].split("merged")[0]
        self.write("todo.sh", command.replace(
            "PROGRAM", f"{sys.executable} {FAKE}").replace("DIR", "rest/$i"))
        subprocess.run(["sh", "todo.sh"], cwd=self.folder, check=True)
        whole, ended = self.merged(["merged", "rest"], "whole")
        self.assertEqual(ended.code, 0, ended)
        one, _ = self.merged(self.campaign(1, flags=[self.PASSES]), "one")
        self.assertEqual(whole, one)

    def test_a_shard_that_stopped_is_named(self):
        folders = self.campaign(2, flags=[self.PASSES])
        path = pathlib.Path(folders[1]) / "Fake.Passes/shard-1-of-2.json"
        record = json.loads(path.read_text())
        record.update({"complete": False, "next": 301})
        path.write_text(json.dumps(record))
        _, ended = self.merged(folders)
        self.assertEqual(ended.code, 5)
        self.assertIn("not finished: shards 1 of 2", ended.out)
        self.assertIn("--clotho_resume=1 --clotho_shard=1/2", ended.out)

    def test_a_failure_counts_for_more(self):
        _, ended = self.merged(self.campaign(4, [0, 1, 2]))
        self.assertEqual(ended.code, 1, ended)
        self.assertIn("missing: shards 3 of 4", ended.out)

    def test_goals_are_judged_when_all_is_there(self):
        folders = self.campaign(2, flags=[self.PASSES])
        for folder in folders:
            path = next(pathlib.Path(folder).rglob("shard-*.json"))
            record = json.loads(path.read_text())
            record["goals"] = [{"goal": "log truncated", "place": "raft.cc:7",
                                "reached": 0}]
            path.write_text(json.dumps(record))
        _, ended = self.merged(folders)
        self.assertEqual(ended.code, 5, ended)
        self.assertIn("log truncated (raft.cc:7): NEVER reached", ended.out)

    def test_blocks_of_bazels_runs_per_test(self):
        for block in (0, 2):
            folder = self.campaign(1, into=f"block{block}",
                                flags=[self.PASSES])[0]
            path = next(pathlib.Path(folder).rglob("shard-*.json"))
            record = json.loads(path.read_text())
            record["block"] = block
            path.write_text(json.dumps(record))
        merged, ended = self.merged(["block0", "block2"])
        self.assertEqual(ended.code, 5, ended)
        self.assertIn("1200 executions of 1200", ended.out)
        self.assertIn("missing  blocks 1", ended.out)
        self.assertIn("Fake.Passes/shard-0-of-1-block-2.json", merged)
        self.assertEqual(self.merged(["merged"], "again")[0], merged)


class OutputTest(CampaignTestCase):

    def test_junit(self):
        merged, _ = self.merged(self.campaign(3))
        root = ElementTree.fromstring(merged["junit.xml"])
        self.assertEqual(root.attrib,
                         {"tests": "2", "failures": "1", "errors": "0"})
        cases = {case.get("name"): case for case in root.iter("testcase")}
        self.assertEqual(sorted(cases), ["Fails", "Passes"])
        failures = cases["Fails"].findall("failure")
        self.assertEqual({f.get("message") for f in failures},
                         {'Always "97"', 'Always "41"'})
        self.assertEqual(failures[0].get("type"), "always")
        self.assertIn("WHAT      Always", failures[0].text)
        properties = {p.get("name"): p.get("value")
                      for p in cases["Fails"].iter("property")}
        self.assertEqual(properties["executions"], "600")
        self.assertTrue(properties["replay_1"].startswith("c1/0/"))

    def test_what_xml_cannot_hold_is_spelt(self):
        folder = self.campaign(1)[0]
        path = pathlib.Path(folder) / "Fake.Fails/shard-0-of-1.json"
        record = json.loads(path.read_text())
        record["failures"][0]["what"] = "a\0b\x1b[1m <&\" \ud800"
        path.write_text(json.dumps(record))
        merged, _ = self.merged([folder])
        root = ElementTree.fromstring(merged["junit.xml"])
        messages = [f.get("message") for f in root.iter("failure")]
        self.assertIn('a\\x00b\\x1b[1m <&" \\xd800', messages)

    def test_the_folder_of_the_first_hit_is_taken(self):
        merged, _ = self.merged(self.campaign(5))
        record = json.loads(merged["Fake.Fails/shard-0-of-1.json"])
        for failure in record["failures"]:
            report = merged[failure["folder"] + "/report.txt"].decode()
            self.assertIn(f"in execution {failure['first']}\n", report)

    def test_bazels_archives(self):
        whole, _ = self.merged(self.campaign(2))
        for i in range(2):
            logs = self.folder / f"logs/shard_{i + 1}_of_2/test.outputs"
            logs.mkdir(parents=True)
            folder = self.folder / f"of-2/{i}"
            with zipfile.ZipFile(logs / "outputs.zip", "w") as packed:
                for path in folder.rglob("*"):
                    packed.write(path, path.relative_to(folder))
        self.assertEqual(self.merged(["logs"], "again")[0], whole)
        (logs / "outputs.zip").write_bytes(
            (logs / "outputs.zip").read_bytes()[:-30])
        self.assert_trouble(self.clotho("merge", "logs", "--into=bad"), 2,
                            "outputs.zip", "not a complete zip")
        self.assertFalse((self.folder / "bad").exists())

    def test_an_archive_cannot_write_elsewhere(self):
        logs = self.folder / "logs/test.outputs"
        logs.mkdir(parents=True)
        with zipfile.ZipFile(logs / "outputs.zip", "w") as packed:
            packed.writestr("../../evil", "x")
        self.assert_trouble(self.clotho("merge", "logs", "--into=bad"), 2,
                            "evil")
        self.assertFalse((self.folder / "evil").exists())

    def test_a_merge_is_written_again_in_place(self):
        folders = self.campaign(2)
        first, _ = self.merged(folders[:1])
        second, _ = self.merged(folders)
        self.assertNotEqual(first, second)
        self.assertEqual([p.name for p in self.folder.glob("merged*")],
                         ["merged"])

    def test_the_default_place_is_not_taken_for_an_input(self):
        self.campaign(2, into="clotho-out")
        first = self.clotho("merge", "clotho-out")
        again = self.clotho("merge", "clotho-out")
        self.assertEqual(first.code, 1, first)
        self.assertEqual(first, again)


class BadInputTest(CampaignTestCase):

    def refused(self, code, *texts, folders=("in",)):
        before = sorted(os.listdir(self.folder))
        self.assert_trouble(self.clotho("merge", *folders, "--into=bad"), code,
                            *texts)
        self.assertEqual(sorted(os.listdir(self.folder)), before)

    def setUp(self):
        super().setUp()
        self.campaign(1, into="in")
        self.path = "in/0/Fake.Fails/shard-0-of-1.json"

    def change(self, **members):
        record = json.loads(self.read(self.path))
        record.update(members)
        self.write(self.path, json.dumps(record))

    def test_a_folder_that_is_not_there_or_has_nothing(self):
        self.refused(2, '"nothing"', folders=["nothing"])
        (self.folder / "empty").mkdir()
        self.refused(2, "no record", folders=["in", "empty"])
        self.write("file.txt", "x")
        self.refused(2, "file.txt", folders=["file.txt"])

    def test_truncated_at_any_place(self):
        text = self.read(self.path)
        for length in (0, 1, len(text) // 3, len(text) // 2, len(text) - 1):
            self.write(self.path, text[:length])
            self.refused(2, "shard-0-of-1.json", "ends too early")

    def test_something_else_under_its_name(self):
        self.write(self.path, "[1]")
        self.refused(2, "expected an object")
        self.write(self.path, '{"a": 1}')
        self.refused(2, "clotho_record")
        self.write(self.path, "[" * 100000)
        self.refused(2, "shard-0-of-1.json")
        (self.folder / self.path).write_bytes(b"\xff\xfe\0\1")
        self.refused(2, "shard-0-of-1.json")

    def test_another_version(self):
        self.change(clotho_record=2)
        self.refused(2, "of version 1", '"2"')

    def test_members_that_are_wrong(self):
        for name, value in (
                ("campaign", "xyz"), ("shard", 7), ("shards", -1),
                ("executions", "many"), ("executions", True),
                ("complete", 1), ("max", [1]), ("goals", [{"goal": "x"}]),
                ("sketch", {"size": 2, "entries": [["00", 1]]}),
                ("sketch", {"size": 1, "entries": [["1" * 16, 1],
                                                   ["0" * 16, 1]]}),
                ("failures", [{"signature": "x"}])):
            text = self.read(self.path)
            self.change(**{name: value})
            self.refused(2, "shard-0-of-1.json", name if name != "shard"
                         else "no shard 7 of 1")
            self.write(self.path, text)

    def test_a_failures_folder_stays_below(self):
        record = json.loads(self.read(self.path))
        for folder in ("../../x", "/etc", "a/../../b"):
            record["failures"][0]["folder"] = folder
            self.write(self.path, json.dumps(record))
            self.refused(2, "failures")

    def test_another_campaign_is_refused_by_name(self):
        self.campaign(1, into="other", flags=["--clotho_seed=7"])
        self.refused(2, "not of one campaign", 'seed "1" and "7"',
                     "in/0/Fake.Fails/shard-0-of-1.json",
                     folders=["in", "other"])
        self.change(campaign="0" * 16)
        self.refused(2, "two builds of the program",
                     folders=["in", *self.campaign(2, [0])])

    def test_no_half_written_result(self):
        self.assert_trouble(self.clotho("merge", "in", "--into=/proc/x"), 75,
                            "/proc/x")
        self.write("taken/file", "mine")
        self.assert_trouble(self.clotho("merge", "in", "--into=taken"), 2,
                            "other than a merged result")
        self.assertEqual(os.listdir(self.folder / "taken"), ["file"])

    def test_a_full_disk(self):
        # No file may exceed a kilobyte, as on a full disk.
        command = " ".join(self.command("merge", "in", "--into=bad"))
        done = subprocess.run(
            ["bash", "-c", f"ulimit -f 1; exec {command}"], cwd=self.folder,
            capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 75, done)
        self.assertIn("cannot write", done.stderr)
        self.assertNotIn("Traceback", done.stderr)
        self.assertEqual([name for name in os.listdir(self.folder)
                          if "bad" in name], [])


if __name__ == "__main__":
    testing.main()
