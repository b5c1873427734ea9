"""Steps through one execution, forwards and backwards, at a prompt: shows what
could have run at each step and why, what the tasks were doing, and what happens
if something else is chosen. With --gdb, starts gdb instead, stopped before the
first deviation.
"""

from __future__ import annotations

import argparse
import cmd
import difflib
import importlib
import os
import shutil
import subprocess
import sys
from typing import Any

from cli import binary, options
from cli.files import file_name, read_text, write_file
from cli.replays import has_deviations
from cli.targets import Target
from cli.trouble import INTERNAL, Trouble, quote

HELP = "steps through one execution"
EXAMPLE = """tools/clotho debug c1/0/4:1 //examples:job_queue_hunt
tools/clotho debug --gdb --bazel_flag=--compilation_mode=dbg"""

NO_JSON = ("it is a conversation; clotho show --json --at=STEP has the same "
           "data, one step at a time")

_TOOLS = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
_TIMELINE = os.path.join(_TOOLS, "timeline")
_GDB_SCRIPT = os.path.join(_TOOLS, "gdb", "clotho.py")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    options.add_replay(parser)
    parser.add_argument(
        "--at", metavar="STEP", type=int,
        help="the step to begin at (default: the first deviation, or else the "
             "failing step)")
    parser.add_argument("--gdb", action="store_true",
                        help="start gdb, stopped before that step")


def run(arguments: argparse.Namespace) -> int:
    chosen = options.Chosen(arguments)
    with binary.scratch() as out:
        session = Session(chosen.target, chosen.test, out)
        session.run(chosen.sources[0].replay)
        session.position = session.start(arguments.at)
        if arguments.gdb:
            return session.gdb()
        return Prompt(session).go()


def _timeline(name: str) -> Any:
    if _TIMELINE not in sys.path:
        sys.path.insert(0, _TIMELINE)
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise Trouble(f"this installation of clotho has no timeline: {error}",
                      INTERNAL) from error


class Session:
    """A recorded execution, and the current position in it."""

    def __init__(self, target: Target, test: str, out: str) -> None:
        self.target = target
        self.test = test
        self._out = out
        self.replay = ""
        self.report = ""        # "": it passes.
        self.trace: Any = None  # Of tools/timeline/trace_model.py.
        self.position = 0       # The number of a step.

    # ---- The execution. ----

    def path(self) -> str:
        """The path of its trace."""
        return os.path.join(self._out, file_name(self.test), "trace.json")

    def run(self, replay: str) -> None:
        """Runs and records a schedule, which replaces the current one. If the
        program cannot follow it, the current one remains."""
        folder = os.path.join(self._out, file_name(self.test))
        before = folder + ".before"
        if os.path.exists(folder):
            os.replace(folder, before)
        ended = binary.ask(
            self.target, f"--gtest_filter={self.test}",
            f"--clotho_replay={replay}", f"--clotho_out={self._out}",
            "--clotho_trace=always", "--clotho_color=never")
        if ended.code not in (0, 1) or not os.path.exists(self.path()):
            shutil.rmtree(folder, ignore_errors=True)
            if os.path.exists(before):
                os.replace(before, folder)
            raise Trouble(f"{replay} cannot be stepped through:\n"
                          f"{ended.output.strip()}", ended.code or INTERNAL)
        shutil.rmtree(before, ignore_errors=True)
        files = _timeline("trace_files")
        try:
            self.trace = files.load(self.path())
        except files.TraceError as error:
            raise Trouble(str(error)) from error
        self.replay = self.trace.replay
        report = os.path.join(folder, "report.txt")
        self.report = (read_text(report, "a report")
                       if os.path.exists(report) else "")

    def failing_step(self) -> int:
        """The number of the step in which it fails, or 0 if it passes."""
        column = self.trace.failing_column()
        return 0 if column is None else self.trace.steps[column].step

    def start(self, at: int | None) -> int:
        """Where to begin."""
        if at is not None:
            return self.known(at)
        if self.trace.deviations:
            return self.known(self.trace.deviations[0].step)
        return self.failing_step() or self.first()

    def first(self) -> int:
        """The number of the first step."""
        if not self.trace.steps:
            raise Trouble(f"{self.replay} has no steps")
        return self.trace.steps[0].step

    def known(self, number: int) -> int:
        """The number of the step that `number` belongs to."""
        column = self.trace.column_of(number)
        if column is None or number > self.trace.steps[column].last:
            raise Trouble(f"there is no step {number}: expected one from "
                          f"{self.first()} to {self.trace.steps[-1].last}")
        return self.trace.steps[column].step

    def move(self, by: int) -> bool:
        """Moves `by` steps forward, or back if negative. Returns false if
        that would go beyond the first or last step."""
        column = self.trace.column_of(self.position) + by
        last = len(self.trace.steps) - 1
        self.position = self.trace.steps[min(max(column, 0), last)].step
        return 0 <= column <= last

    def step(self) -> Any:
        """The current step."""
        return self.trace.steps[self.trace.column_of(self.position)]

    # ---- Changing it. ----

    def with_choice(self, choice: int) -> str:
        """The schedule that is the same up to the current step, takes this
        candidate there, and continues in FIFO order."""
        step = self.step()
        if step.candidates < 2:
            raise Trouble(f"nothing else could have run at step {step.step}")
        if not 0 <= choice < step.candidates:
            raise Trouble(f"there is no candidate {choice} at step "
                          f"{step.step}: expected one from 0 to "
                          f"{step.candidates - 1}; ready lists them")
        is_timer = step.timer and choice == step.candidates - 1
        return self._deviating(
            step.step, f"{step.step}:{'t' if is_timer else choice}"
            if choice != 0 else None)

    def with_decision(self, number: int, value: int) -> str:
        """The same, for a decision of the environment."""
        decisions = {event.step: event for event in self.decisions()}
        if number not in decisions:
            raise Trouble(
                f"the environment makes no decision numbered {number} in this "
                f"step: expected {' or '.join(map(str, decisions))}"
                if decisions else
                "the environment decides nothing in this step")
        if value < 0:
            raise Trouble(f"{value} is not a value: expected 0 or more")
        return self._deviating(number,
                               f"{number}:{value}" if value != 0 else None)

    def decisions(self) -> list[Any]:
        """The events of the current step in which the environment decides.
        Each has a step number of its own."""
        column = self.trace.column_of(self.position)
        return [event for event in self.trace.events_of(column)
                if event.kind == "choice"]

    def _deviating(self, step: int, deviation: str | None) -> str:
        """The schedule that is the same before `step`, and deviates there."""
        if not has_deviations(self.replay):
            raise Trouble(f"{quote(self.replay)} has no deviations to add one "
                          f"to", INTERNAL)
        version, program, schedule = self.replay.split("/")[:3]
        earlier = [] if schedule == "fifo" else [
            known for known in schedule.split(",")
            if int(known.split(":")[0]) < step]
        if deviation is not None:
            earlier.append(deviation)
        return "/".join([version, program, ",".join(earlier) or "fifo"])

    # ---- Showing it. ----

    def show(self, form: str) -> None:
        """Shows the current step, or the tasks at it, as the timeline does."""
        sys.stdout.flush()
        _timeline("show").main(
            [f"--format={form}", f"--at={self.position}", "--", self.path()],
            "clotho debug")

    def outcome(self) -> str:
        """The result of the execution, in one line."""
        if self.report:
            what = " ".join(self.report.split("\n", 1)[0].split()[1:])
            return (f"{self.replay} fails at step {self.failing_step()}: "
                    f"{what}")
        return f"{self.replay} passes, in {self.trace.steps[-1].last} steps"

    def saved_line(self) -> str:
        """Its line in a .saved file."""
        path = os.path.join(os.path.dirname(self.path()),
                            file_name(self.test) + ".saved")
        if os.path.exists(path):
            return read_text(path, "a schedule")
        return f"{self.replay}  passes\n"

    def gdb(self) -> int:
        """Runs gdb on the program, stopped before the current step."""
        if shutil.which("gdb") is None:
            raise Trouble("gdb was not found: install it (apt-get install gdb)")
        sys.stdout.flush()
        return subprocess.run(
            ["gdb", "-q", "-ex", f"source {_GDB_SCRIPT}", "-ex", "run",
             "-ex", "clotho tasks", "--args",
             *binary.command(
                 self.target, f"--gtest_filter={self.test}",
                 f"--clotho_replay={self.replay}",
                 f"--clotho_break_before={self.position}")],
            cwd=self.target.folder, check=False).returncode


class Prompt(cmd.Cmd):
    """The commands. The docstring of each is its help text."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self.history: list[str] = []  # Schedules before the current one.
        # A pipe gets only the answers.
        self.prompt = "(clotho) " if sys.stdin.isatty() else ""

    def go(self) -> int:
        """Reads commands until `quit` or the end of the input."""
        print(self.session.outcome())
        print('"help" lists the commands')
        self.session.show("text")
        self.cmdloop()
        return 0

    def onecmd(self, line: str) -> bool:
        try:
            return super().onecmd(line)
        except Trouble as trouble:
            print(trouble)
            return False

    def default(self, line: str) -> bool:
        name = line.split()[0]
        known = [text.removeprefix("do_") for text in self.get_names()
                 if text.startswith("do_") and text != "do_EOF"]
        near = difflib.get_close_matches(name, known, 1)
        print(f"unknown command {quote(name)}"
              + (f": did you mean {near[0]}?" if near else "")
              + ' "help" lists them')
        return False

    def emptyline(self) -> bool:
        return self.do_step("")

    def _count(self, argument: str, default: int | None = None) -> int:
        text = argument.strip()
        if not text and default is not None:
            return default
        if not text.isascii() or not text.isdigit() or len(text) > 15:
            raise Trouble(f"{quote(text)} is not a number")
        return int(text)

    def _go(self, by: int) -> bool:
        if not self.session.move(by):
            print("this is the last step" if by > 0
                  else "this is the first step")
        self.session.show("text")
        return False

    def do_step(self, argument: str) -> bool:
        """step [N]: go forward one step, or N; an empty line does the same"""
        return self._go(self._count(argument, 1))

    def do_back(self, argument: str) -> bool:
        """back [N]: go back one step, or N"""
        return self._go(-self._count(argument, 1))

    def do_goto(self, argument: str) -> bool:
        """goto STEP: go to that step"""
        self.session.position = self.session.known(self._count(argument))
        return self.do_where("")

    def do_first(self, _: str) -> bool:
        """first: go to the first step"""
        self.session.position = self.session.first()
        return self.do_where("")

    def do_fail(self, _: str) -> bool:
        """fail: go to the step in which it fails"""
        step = self.session.failing_step()
        if step == 0:
            raise Trouble("this schedule does not fail")
        self.session.position = step
        return self.do_where("")

    def do_where(self, _: str) -> bool:
        """where: show the current step again"""
        self.session.show("text")
        return False

    def do_ps(self, _: str) -> bool:
        """ps: show what each task is doing just before this step"""
        self.session.show("ps")
        return False

    def do_pstree(self, _: str) -> bool:
        """pstree: the same as a tree: which task created which"""
        self.session.show("pstree")
        return False

    def do_ready(self, _: str) -> bool:
        """ready: list what can run at this step, by number, and why"""
        step = self.session.step()
        names = step.named or [step.taken]
        for number, name in enumerate(names):
            marks = ["FIFO order's"] if number == 0 else []
            if number == step.choice:
                marks.append("taken here")
            print(f"  {number}  {name}"
                  + (f"   ({', '.join(marks)})" if marks else ""))
            if number < len(step.why):
                print(f"       {step.why[number]}")
        if step.candidates > len(names):
            print(f"  ... up to {step.candidates - 1}")
        for event in self.session.decisions():
            print(f"  then {event.text.removeprefix('| ')} at {event.place()}"
                  f"   (decide {event.step} VALUE)")
        return False

    def do_choose(self, argument: str) -> bool:
        """choose N: run it again, with candidate N at this step and FIFO
        order after it"""
        return self._change(self.session.with_choice(self._count(argument)))

    def do_decide(self, argument: str) -> bool:
        """decide STEP VALUE: run it again with that decision of the
        environment: the value of a Choose, or 1 or 0 for a Buggify"""
        words = argument.split()
        if len(words) != 2:
            raise Trouble("decide needs a STEP and a VALUE: ready lists what "
                          "the environment decides")
        number, value = map(self._count, words)
        return self._change(self.session.with_decision(number, value))

    def _change(self, replay: str) -> bool:
        position = self.session.position
        before = self.session.replay
        self.session.run(replay)
        self.history.append(before)
        self.session.position = self.session.known(position)
        print(self.session.outcome())
        return False

    def do_undo(self, _: str) -> bool:
        """undo: go back to the schedule before the last choose or decide"""
        if not self.history:
            raise Trouble("there is nothing to undo")
        self.session.run(self.history.pop())
        last = self.session.trace.steps[-1].step
        self.session.position = min(self.session.position, last)
        print(self.session.outcome())
        return False

    def do_replay(self, _: str) -> bool:
        """replay: show the replay string and its result"""
        print(self.session.outcome())
        return False

    def do_report(self, _: str) -> bool:
        """report: show the whole report, if it fails"""
        print(self.session.report.rstrip()
              or "this schedule passes: there is no report")
        return False

    def do_save(self, argument: str) -> bool:
        """save FILE: append the schedule to a .saved file"""
        path = argument.strip()
        if not path:
            raise Trouble("save needs a FILE, such as "
                          f"testdata/clotho/{file_name(self.session.test)}"
                          ".saved")
        try:
            text = (read_text(path, "saved schedules")
                    if os.path.exists(path) else "")
            if text and not text.endswith("\n"):
                text += "\n"
            write_file(path, text + self.session.saved_line())
        except OSError as error:
            raise Trouble(f"cannot write {quote(path)}: "
                          f"{error.strerror}") from error
        print(f"saved in {path}")
        return False

    def do_gdb(self, _: str) -> bool:
        """gdb: start gdb, stopped before this step"""
        self.session.gdb()
        return False

    def do_help(self, arg: str) -> bool:
        """help: show this list"""
        for name in self.get_names():
            method = getattr(self, name)
            if name.startswith("do_") and method.__doc__:
                text = " ".join(method.__doc__.split())
                usage, _, meaning = text.partition(": ")
                print(f"  {usage:<12} {meaning}")
        return False

    def do_quit(self, _: str) -> bool:
        """quit: leave the debugger; Ctrl-D does the same"""
        return True

    def do_EOF(self, _: str) -> bool:  # pylint: disable=invalid-name
        # The end of the input. It has no docstring, so help does not list it.
        if self.prompt:
            print()
        return True
