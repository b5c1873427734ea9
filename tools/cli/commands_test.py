"""Tests of the commands for single schedules, with a real test binary: the
first argument is //examples:job_queue_hunt."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).absolute().parent.parent))
# pylint: disable=wrong-import-position
from cli import main as cli_main
from cli import completions, testing, topics

HUNT = "./job_queue_hunt"
TEST = "JobQueueTest.NoJobIsLost"
FAILS = "c1/0/4:1"


class ListTest(testing.ClothoTestCase):

    def test_names_the_tests_and_their_places(self):
        ended = self.clotho("list", HUNT)
        self.assertEqual(ended.code, 0, ended)
        self.assertRegex(ended.out, rf"^{TEST}  .*job_queue_hunt.cc:\d+\n$")

    def test_for_programs(self):
        ended = self.clotho("list", HUNT, "--json")
        value = json.loads(ended.out)
        self.assertEqual(value["clotho_json"], 1)
        self.assertEqual(value["tests"][0]["test"], TEST)
        self.assertEqual(value["tests"][0]["saved"], [])

    def test_what_is_no_test_binary_is_refused(self):
        self.assert_trouble(self.clotho("list", "/bin/false"), 2,
                            '"/bin/false" does not list its tests')
        self.assert_trouble(self.clotho("list", "./nothing"), 2,
                            'there is no file "./nothing"')
        self.write("text", "")
        self.assert_trouble(self.clotho("list", "text"), 2, "is not a program")
        self.assert_trouble(self.clotho("list", "//a:b"), 2,
                            '"//a:b" is a Bazel label', "WORKSPACE")
        self.assert_trouble(self.clotho("list"), 2, "no TARGET")

    def test_a_program_of_another_machine_is_refused(self):
        path = self.folder / "foreign"
        path.write_bytes(b"\x7fELF\xff\xff")
        path.chmod(0o755)
        self.assert_trouble(self.clotho("list", "./foreign"), 2, "cannot run")

    def test_a_name_that_is_not_utf_8(self):
        name = os.fsdecode(b"./hunt-\xff")
        os.symlink(self.programs[0], self.folder / name)
        ended = self.clotho("list", name)
        self.assertEqual(ended.code, 0, ended)
        self.assert_trouble(self.clotho("list", os.fsdecode(b"./no-\xff")), 2,
                            "no-\\udcff")


    def test_saved_schedules(self):
        # They are beside the source, whose path the compiler was given.
        listed = json.loads(self.clotho("list", HUNT, "--json").out)
        source = pathlib.PurePath(listed["tests"][0]["file"])
        if source.is_absolute() or ".." in source.parts:
            self.skipTest("compiled elsewhere")
        self.write(f"{source.parent}/testdata/clotho/{TEST}.saved",
                   f"{FAILS}  issue 212\n")
        self.assertIn("  1 saved", self.clotho("list", HUNT).out)
        listed = json.loads(self.clotho("list", HUNT, "--json").out)
        self.assertEqual(listed["tests"][0]["saved"],
                         [{"replay": FAILS, "note": "issue 212"}])


class ReplayTest(testing.ClothoTestCase):

    def test_prints_the_report_and_leaves_the_trace(self):
        ended = self.clotho("replay", FAILS, HUNT)
        self.assertEqual(ended.code, 1, ended)
        self.assertIn('WHAT      Always "a woken worker finds a job" is false',
                      ended.out)
        trace = json.loads(self.read(f"clotho-out/{TEST}/trace.json"))
        self.assertEqual(trace["test"], TEST)

    def test_a_replay_line_as_it_was_pasted(self):
        line = ("CLOTHO_REPLAY=c1/0/4:1", HUNT, f"--gtest_filter={TEST}")
        for words in (line, (" ".join(line),), ("--out=elsewhere", *line),
                      ("--clotho_replay=c1/0/4:1", HUNT),
                      ("--test_env=CLOTHO_REPLAY=c1/0/4:1", HUNT,
                       f"--test_filter={TEST}")):
            ended = self.clotho("replay", *words)
            self.assertEqual(ended.code, 1, ended)
            self.assertIn("WHAT      Always", ended.out)
        self.assertTrue((self.folder / "elsewhere" / TEST).is_dir())
        self.assertEqual(self.clotho("explain", *line).code, 1)
        self.assert_trouble(self.clotho("replay", *line, "--frob"), 2,
                            '"--frob"')
        self.assert_trouble(self.clotho("replay", "CLOTHO_REPLAY=x", HUNT), 2,
                            "no replay string", "REPLAY")

    def test_target_and_replay_in_either_order(self):
        for words in ((HUNT, FAILS), (HUNT, FAILS, TEST), (HUNT, TEST, FAILS),
                      (f" {FAILS} ", HUNT)):
            self.assertEqual(self.clotho("replay", *words).code, 1, words)
        # A file with a replay is not a program.
        self.assertEqual(self.clotho(
            "replay", HUNT, f"clotho-out/{TEST}/trace.json").code, 1)
        self.assertEqual(self.clotho("shrink", HUNT, FAILS).code, 1)

    def test_the_folder_of_results_should_be_ignored_by_git(self):
        if shutil.which("git") is None:
            self.skipTest("there is no git")
        subprocess.run(["git", "init", "-q"], cwd=self.folder, check=True)
        ended = self.clotho("replay", FAILS, HUNT)
        self.assertIn("clotho-out/: add it to .gitignore", ended.err)
        self.assertNotIn("gitignore", self.clotho("replay", FAILS, HUNT).err)
        self.write(".gitignore", "/clotho-out/\n")
        shutil.rmtree(self.folder / "clotho-out")
        self.assertNotIn("gitignore", self.clotho("replay", FAILS, HUNT).err)

    def test_a_schedule_that_passes(self):
        ended = self.clotho("replay", "c1/0/fifo", HUNT, TEST)
        self.assertEqual(ended.code, 0, ended)
        self.assertIn("c1/0/fifo passes", ended.out)

    def test_remembers_target_and_test(self):
        self.clotho("replay", "c1/0/fifo", HUNT)
        self.assertEqual(self.clotho("replay", FAILS).code, 1)
        # The schedule is remembered, too.
        self.assertEqual(self.clotho("replay").code, 1)

    def test_a_pasted_variable(self):
        self.assertEqual(
            self.clotho("replay", "CLOTHO_REPLAY=" + FAILS, HUNT).code, 1)

    def test_from_a_log_with_only_the_line(self):
        for log in (
                f"REPLAY    CLOTHO_REPLAY={FAILS} ./job_queue_hunt "
                f"--gtest_filter={TEST}\n",
                f"12:01:07 REPLAY    CLOTHO_REPLAY={FAILS} \\\n"
                f"            ./job_queue_hunt --gtest_filter={TEST}\n",
                f"\x1b[1mREPLAY\x1b[m    CLOTHO_REPLAY={FAILS} "
                f"./job_queue_hunt --gtest_filter={TEST}\n"):
            self.write("ci.log", "noise\n" + log + "\nmore")
            ended = self.clotho("replay", "ci.log")
            self.assertEqual(ended.code, 1, (log, ended))
            self.assertIn("WHAT", ended.out)

    def test_from_what_a_failure_left_behind(self):
        self.clotho("replay", FAILS, HUNT)
        folder = f"clotho-out/{TEST}"
        for path in (folder, f"{folder}/trace.json", f"{folder}/report.txt",
                     f"{folder}/{TEST}.saved"):
            self.assertEqual(self.clotho("replay", path).code, 1, path)

    def test_all_of_a_file(self):
        self.write("two.saved", f"# Two.\nc1/0/fifo  passes\n{FAILS}\n")
        ended = self.clotho("replay", "two.saved", HUNT, TEST)
        self.assertEqual(ended.code, 1)
        self.assertIn("c1/0/fifo passes", ended.out)
        self.assertIn("WHAT", ended.out)

    def test_what_does_not_fit_the_program(self):
        ended = self.clotho("replay", FAILS + "/0000", HUNT)
        self.assertEqual(ended.code, 3, ended)
        self.assertEqual(self.clotho("replay", "c1/0/999:1", HUNT).code, 3)

    def test_bad_input(self):
        replay = lambda *a: self.clotho("replay", *a, HUNT)
        self.assert_trouble(replay("nothing.log"), 2, '"nothing.log"')
        self.assertEqual(replay("c2/0/4:1").code, 2)
        self.assertEqual(replay("c1/0/4:").code, 2)
        self.write("empty.log", "nothing here\n")
        self.assert_trouble(replay("empty.log"), 2, "no replay string")
        self.write("trace.json", '{"clotho_trace": 1, "test": "A')
        self.assert_trouble(replay("trace.json"), 2, "ends too early")
        self.write("trace.json", '{"clotho_trace": 9, "replay": "c1/0/4:1"}')
        self.assert_trouble(replay("trace.json"), 2, "version 1", '"9"')
        self.write("trace.json", '{"clotho_trace": 1, "replay": "rm -rf"}')
        self.assert_trouble(replay("trace.json"), 2, '"rm -rf"')
        (self.folder / "noise").write_bytes(bytes(range(256)))
        self.assert_trouble(replay("noise"), 2, "no replay string")
        self.assert_trouble(
            self.clotho("replay", FAILS, HUNT, "JobQueueTest.NoJobIsLots"), 4,
            f"nearest that exists is {TEST}")
        self.assert_trouble(self.clotho("replay"), 2)

    def test_results_that_cannot_be_written(self):
        self.write("out", "a file")
        self.assert_trouble(
            self.clotho("replay", FAILS, HUNT, "--out=out/below"), 75,
            "cannot make the folder")
        self.assert_trouble(
            self.clotho("replay", FAILS, HUNT, "--out=/proc/clotho"), 75)

    def test_a_truncated_memory_is_named(self):
        self.write("clotho-out/last.json", '{"target": "./job')
        self.assert_trouble(self.clotho("replay", FAILS), 2, "last.json",
                            "remove it")


class ExplainTest(testing.ClothoTestCase):

    def test_says_what_matters(self):
        ended = self.clotho("explain", FAILS, HUNT)
        self.assertEqual(ended.code, 1, ended)
        self.assertIn("FIFO      c1/0/fifo passes", ended.out)
        self.assertIn("WITHOUT   4:1  passes", ended.out)
        self.assertRegex(ended.out, r"TURNING POINT\n +step 4: \d+ of 200")

    def test_a_deviation_that_does_not_matter(self):
        ended = self.clotho("explain", "c1/0/2:1,4:1,6:1", HUNT)
        self.assertNotEqual(ended.code, 70, ended)

    def test_a_schedule_that_passes_is_refused(self):
        self.assert_trouble(self.clotho("explain", "c1/0/fifo", HUNT), 3,
                            "passes")
        self.assert_trouble(self.clotho("explain", "c1/0/999:1", HUNT), 3,
                            "does not fit")
        self.assert_trouble(self.clotho("explain", "nothing", HUNT), 2)


class ShrinkTest(testing.ClothoTestCase):

    def found_by_search(self) -> str:
        """An execution of a search, with deviations that do not matter."""
        for j in range(50):
            replay = f"c1/0/+random:{j}"
            ended = self.clotho("explain", replay, HUNT)
            if ended.code == 1:
                return replay
        self.fail("no execution fails")

    def test_finds_the_one_deviation(self):
        ended = self.clotho("shrink", self.found_by_search(), HUNT)
        self.assertEqual(ended.code, 1, ended)
        self.assertRegex(ended.out,
                         r"SHRUNK    \d+ -> 1 deviations: c1/0/4:1/[0-9a-f]{4}")
        # Later commands use the shrunk one.
        self.assertEqual(self.clotho("replay").code, 1)

    def test_in_child_processes(self):
        ended = self.clotho("shrink", "--isolate", FAILS, HUNT)
        self.assertEqual(ended.code, 1, ended)
        self.assertIn("SHRUNK    1 -> 1", ended.out)

    def test_a_schedule_that_passes_is_refused(self):
        self.assert_trouble(self.clotho("shrink", "c1/0/fifo", HUNT), 3,
                            "passes")


class KeepTest(testing.ClothoTestCase):

    def test_saves_what_fails_and_runs_it_from_then_on(self):
        ended = self.clotho("save", FAILS, HUNT, "--saved=saved",
                            "--note=issue 212")
        self.assertEqual(ended.code, 0, ended)
        self.assertRegex(
            self.read(f"saved/{TEST}.saved"),
            r"^c1/0/4:1/[0-9a-f]{4}  \d{4}-\d\d-\d\d  always .*job_queue.cc:"
            r"\d+  issue 212\n$")
        again = self.clotho("save", FAILS, HUNT, "--saved=saved")
        self.assertIn("is already saved", again.out)
        self.assertEqual(self.read(f"saved/{TEST}.saved").count("\n"), 1)
        check = self.clotho("saved", HUNT, "--saved=saved", "--check")
        self.assertEqual(check.code, 1, check)
        self.assertIn(":1: fails  c1/0/4:1", check.out)

    def test_warns_if_bazel_does_not_give_the_file_to_the_test(self):
        self.write("WORKSPACE", "")
        self.write("examples/job_queue_hunt.cc", "")
        self.write("bazel-bin/examples/x", "")
        hunt = "bazel-bin/examples/job_queue_hunt"
        (self.folder / hunt).symlink_to(self.programs[0])
        self.write("tools/bazel", "#!/bin/sh\necho $* > asked\ncat inputs\n")
        (self.folder / "tools/bazel").chmod(0o755)
        self.write("inputs", "//examples:job_queue_hunt.cc\n")
        line = 'data = glob(["testdata/clotho/**"])'
        for _ in range(2):
            ended = self.clotho("save", FAILS, hunt)
            self.assertEqual(ended.code, 0, ended)
            self.assertIn("warning: Bazel does not give this file to "
                          "//examples:job_queue_hunt", ended.out)
            self.assertIn(f"in examples/BUILD.bazel:  {line}", ended.out)
        self.assertIn("labels(data, //examples:job_queue_hunt)",
                      self.read("asked"))
        value = json.loads(self.clotho("save", FAILS, hunt, "--json").out)
        self.assertEqual(value["build_line"], line + ",")
        self.write("inputs", f"//examples:testdata/clotho/{TEST}.saved\n")
        ended = self.clotho("save", FAILS, hunt)
        self.assertNotIn("warning", ended.out + ended.err)
        self.assertIsNone(json.loads(self.clotho(
            "save", FAILS, hunt, "--json").out)["build_line"])
        # If Bazel cannot say, nothing is claimed.
        self.write("tools/bazel", "#!/bin/sh\nexit 7\n")
        self.assertNotIn("warning", self.clotho("save", FAILS, hunt).out)

    def test_what_passes_is_refused_unless_it_is_fixed(self):
        save = lambda *a: self.clotho("save", "c1/0/fifo", HUNT,
                                      "--saved=saved", *a)
        self.assert_trouble(save(), 3, "passes")
        self.assertFalse((self.folder / "saved").exists())
        self.assertEqual(save("--fixed").code, 0)
        self.assertIn("c1/0/fifo  ", self.read(f"saved/{TEST}.saved"))

    def test_prune_takes_out_what_has_drifted_and_nothing_else(self):
        path = f"saved/{TEST}.saved"
        self.write(path, f"# Why.\nc1/0/fifo  passes\nc1/0/99:1  old\n{FAILS}")
        saved = self.clotho("saved", HUNT, "--saved=saved")
        self.assertEqual(saved.code, 0, saved)
        self.assertIn(f"{path}:3: c1/0/99:1  old", saved.out)
        ended = self.clotho("saved", HUNT, "--saved=saved", "--prune")
        self.assertEqual(ended.code, 1, ended)
        self.assertIn(f"{path}:3: drifted", ended.out)
        self.assertEqual(self.read(path),
                         f"# Why.\nc1/0/fifo  passes\n{FAILS}")

    def test_bad_input(self):
        save = lambda *a: self.clotho("save", *a, HUNT, "--saved=saved")
        self.assert_trouble(save(FAILS, "--note=a\nb"), 2, "line break")
        self.assert_trouble(save("c1/0/999:1"), 3, "does not fit")
        self.write(f"saved/{TEST}.saved", "# ok\nnonsense here\n")
        self.assert_trouble(save(FAILS), 2, f"{TEST}.saved:2", "nonsense here")
        self.assertEqual(self.read(f"saved/{TEST}.saved"),
                         "# ok\nnonsense here\n")
        self.assert_trouble(
            self.clotho("saved", HUNT, "--saved=saved", "--check"), 2,
            "nonsense here")
        self.assert_trouble(
            self.clotho("save", FAILS, HUNT, "--saved=/proc/no"), 75)


class CheckTest(testing.ClothoTestCase):

    FAKE = str(testing.TOOLS / "cli" / "fake_campaign.py")

    def test_a_program_that_is_deterministic(self):
        ended = self.clotho("check", HUNT, "--schedules=300")
        self.assertEqual(ended.code, 0, ended)
        self.assertIn(f"{TEST}: 300 executions, each run twice", ended.out)
        self.assertIn("no difference", ended.out)

    def test_one_that_depends_on_addresses(self):
        ended = self.clotho("check", self.FAKE, "Fake.Passes",
                            "--schedules=200",
                            FAKE_CAMPAIGN=json.dumps({"layout": 137}))
        self.assertEqual(ended.code, 3, ended)
        self.assertIn("Fake.Passes: NOT deterministic: execution 137 ",
                      ended.out)
        self.assertIn("c1/0/+fuzz:137", ended.out)
        # With fewer executions, no difference shows.
        ended = self.clotho("check", self.FAKE, "--schedules=137",
                            FAKE_CAMPAIGN=json.dumps({"layout": 137}))
        self.assertEqual(ended.code, 0, ended)

    def test_bad_input(self):
        self.assert_trouble(self.clotho("check"), 2, "TARGET")
        self.assert_trouble(self.clotho("check", "./no"), 2, '"./no"')
        self.assert_trouble(self.clotho("check", HUNT, "No.Such"), 4,
                            '"No.Such"')
        self.assertEqual(
            self.clotho("check", HUNT, "--strategy=nonsense").code, 2)


class TestTest(testing.ClothoTestCase):

    def test_runs_a_program_and_remembers_what_failed(self):
        ended = self.clotho("test", HUNT)
        self.assertEqual(ended.code, 1, ended)
        self.assertIn("WHAT", ended.out)
        self.assertEqual(self.clotho("replay").code, 1)

    def test_flags_for_the_program(self):
        ended = self.clotho("test", HUNT, "--", "--clotho_schedules=1")
        self.assertEqual(ended.code, 0, ended)
        self.assertEqual(
            self.clotho("test", HUNT, "--", "--clotho_schedule=1").code, 2)

    def test_bad_input(self):
        self.assert_trouble(self.clotho("test"), 2, "TARGET")
        self.assert_trouble(self.clotho("test", HUNT, "./no"), 2, '"./no"')
        self.assertFalse((self.folder / "clotho-out").exists())
        self.assert_trouble(self.clotho("test", HUNT, "--out=/proc/x"), 75)


class HelpTest(testing.ClothoTestCase):

    def test_each_command_has_an_example_that_parses(self):
        for name in cli_main.COMMANDS:
            ended = self.clotho(name, "-h")
            self.assertEqual(ended.code, 0, ended)
            self.assertIn(f"example:\n  tools/clotho {name}", ended.out)

    def test_the_readme_has_all_commands_and_no_other(self):
        readme = (testing.TOOLS.parent / "README.md").read_text()
        named = re.findall(r"^\| `clotho (\w+)", readme, re.MULTILINE)
        self.assertEqual(sorted(named), sorted(cli_main.COMMANDS))

    def test_topics(self):
        for topic in (*topics.TOPICS, *cli_main.COMMANDS):
            ended = self.clotho("help", topic)
            self.assertEqual(ended.code, 0, topic)
            self.assertTrue(ended.out.isascii())
            for line in ended.out.splitlines():
                self.assertLessEqual(len(line), 80, line)
        self.assert_trouble(self.clotho("help", "weather"), 2, '"weather"')

    def test_unknown_commands_and_flags(self):
        self.assert_trouble(self.clotho("rpelay"), 2, "rpelay")
        self.assert_trouble(self.clotho("replay", "--uot=x"), 2,
                            "nearest that exists is --out")
        far = self.clotho("replay", "--frobnicate")
        self.assert_trouble(far, 2, '"--frobnicate"', "-h for help")
        self.assertNotIn("nearest", far.err)
        self.assert_trouble(self.clotho(), 2, "COMMAND")
        self.assert_trouble(self.clotho("list", HUNT, "--", "--x"), 2, "--x")

    def test_completion(self):
        script = self.clotho("completion")
        self.write("completion", script.out)
        self.write("try", """source ./completion
COMP_WORDS=(clotho expl); COMP_CWORD=1; _clotho; echo "${COMPREPLY[@]}"
COMP_WORDS=(clotho save --no); COMP_CWORD=2; _clotho; echo "${COMPREPLY[@]}"
COMP_WORDS=(clotho list ./job); COMP_CWORD=2; _clotho; echo "${COMPREPLY[@]}"
COMP_WORDS=(clotho fuzz --strategy = pc); COMP_CWORD=4; _clotho
echo "${COMPREPLY[@]}"
COMP_WORDS=(./clotho check ./job_queue_hunt J); COMP_CWORD=3; _clotho
echo "${COMPREPLY[@]}"
""")
        self.write("clotho", "#!/bin/sh\nexec " + " ".join(self.command())
                   + ' "$@"\n')
        (self.folder / "clotho").chmod(0o755)
        done = subprocess.run(["bash", "try"], cwd=self.folder, text=True,
                              capture_output=True, check=False)
        self.assertEqual(done.stdout,
                         f"explain\n--note\n{HUNT}\npct:3\n{TEST}\n", done)

    def test_completion_for_other_shells(self):
        for shell in ("zsh", "fish"):
            script = self.clotho("completion", shell)
            self.assertEqual(script.code, 0, script)
            for word in ("explain", "isolate", "pct:3"):
                self.assertIn(word, script.out)
            if shutil.which(shell):
                checked = subprocess.run(
                    [shell, "-n"], input=script.out, text=True,
                    capture_output=True, check=False)
                self.assertEqual(checked.returncode, 0, checked)
        self.assert_trouble(self.clotho("completion", "csh"), 2, "csh")

    def test_completion_knows_the_strategies_of_the_program(self):
        said = subprocess.run(
            [self.programs[0], "--clotho_strategy=?"], text=True,
            capture_output=True, check=False).stderr
        names = [name.partition(":")[0] for name in completions.STRATEGIES]
        for name in names:
            self.assertRegex(said, rf"\b{name}\b")

    def test_a_reader_that_has_had_enough(self):
        done = subprocess.run(
            " ".join(self.command("help", "codes")) + " | true", shell=True,
            capture_output=True, text=True, check=False)
        self.assertNotIn("Traceback", done.stderr)


if __name__ == "__main__":
    testing.main()
