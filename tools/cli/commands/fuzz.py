"""Searches a target's tests on all cores, until --schedules or --for is used up
or Ctrl-C is pressed. All failures are collected.

Each worker runs a shard and writes a record; a worker that is killed is
restarted. Running the same command again resumes the campaign where it stopped,
whether by Ctrl-C (once: stop and write the results; twice: stop now), by
kill -9 or by a power cut.

On a terminal it reads keys while it runs; the last line lists them. Paused time
does not count.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import os
import re
import shutil
import signal
import sys
import time
from typing import TextIO

from cli import campaigns, dashboard, keys, merging, options, records, screen
from cli.campaigns import filter_flags
from cli.files import file_name, make_folder
from cli.memory import remember, results_folder
from cli.progress import Progress, State, Stopwatch, folder_of, resident
from cli.records import Record
from cli.targets import resolve
from cli.trouble import FAILED, INFRASTRUCTURE, Trouble, quote
from cli.workers import Workers

HELP = "searches on all cores, until a budget is used up"
EXAMPLE = """tools/clotho fuzz //examples:job_queue_hunt --schedules=1e6
tools/clotho fuzz //examples:bank_test 'BankTest.*' --for=8h -- \\
    --clotho_max_steps=1000"""
TAKES_FLAGS = True

_REDRAW = 0.25   # Seconds.
_LINES = 10.0
_FIRST_LINE = 2.0  # The workers' first records come after a second.
_STATS = 10.0
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


def seconds(text: str) -> float:
    """30s, 10m, 8h, 2d."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd]?)", text)
    if found is None or float(found[1]) <= 0:
        raise argparse.ArgumentTypeError(
            f"{quote(text)} is not a time: expected one such as 30s, 10m or 8h")
    return float(found[1]) * _SECONDS[found[2]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    campaigns.add_arguments(parser)
    parser.add_argument("--for", metavar="TIME", dest="time", type=seconds,
                        help="real time: 30s, 10m, 8h")
    parser.add_argument("--workers", metavar="N", type=campaigns.count,
                        help="processes at a time (default: one for each core)")
    options.add_common(parser)


def run(arguments: argparse.Namespace) -> int:
    campaigns.check_tests(arguments.tests)
    target = resolve(arguments.target, arguments.bazel_flag)
    tests = campaigns.chosen_tests(target, arguments.tests)
    base = results_folder(arguments.out)
    name = os.path.basename(target.name.rpartition(":")[2])
    out = base if arguments.out else os.path.join(base, name + ".campaign")
    make_folder(out)
    with _lock(out):
        records_there = records_of(out, tests)
        seed = records_there[0]["seed"] if records_there else None
        return _Campaign(arguments, campaigns.asked(arguments, seed), target,
                         tests, out, base).run()


def _lock(out: str) -> TextIO:
    """Two campaigns must not write the same records."""
    path = os.path.join(out, "lock")
    try:
        lock = open(path, "a", encoding="ascii")  # pylint: disable=R1732
    except OSError as error:
        raise Trouble(f"cannot write {quote(path)}: {error.strerror}",
                      INFRASTRUCTURE) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise Trouble(f"another clotho fuzz is writing to {quote(out)}: wait "
                      f"for it to end, or pass --out=DIR",
                      INFRASTRUCTURE) from error
    return lock


def cores() -> int:
    """The number of cores that this process may use."""
    return len(os.sched_getaffinity(0))


def records_of(out: str, tests: list[str]) -> list[Record]:
    """The records of the campaign, if it was started before."""
    names = {file_name(test) for test in tests}
    return [records.read(path).record
            for path in records.find(out, os.path.join(out, "merged"))
            if os.path.basename(os.path.dirname(path)) in names]


def shards_of(out: str, tests: list[str], workers: int) -> int:
    """The number of shards: that of the records, if there are any, so that the
    campaign can be resumed with any number of cores."""
    counts = {record["shards"] for record in records_of(out, tests)}
    if len(counts) > 1:
        raise Trouble(f"{quote(out)} has records of campaigns of "
                      f"{' and of '.join(map(str, sorted(counts)))} shards: "
                      f"expected one campaign; pass --out=DIR for another")
    return counts.pop() if counts else workers


class _Campaign:
    """One run of the command."""

    def __init__(self, arguments: argparse.Namespace, asked: campaigns.Asked,
                 target, tests: list[str], out: str, base: str) -> None:
        self._target, self._tests, self._out = target, tests, out
        self._base = base
        self._answer = arguments.answer
        self._signals: list[int] = []
        self._suspended = False  # Ctrl-Z has been pressed.
        self._paused = False
        self._time = arguments.time
        self._clock = Stopwatch()
        at_a_time = arguments.workers or cores()
        shards = shards_of(out, tests, at_a_time)
        self._progress = Progress(out, tests, shards, arguments.schedules,
                                  self._clock)
        self._terminal = screen.make_terminal()
        self._keys = keys.make_keys()
        fixed = [*filter_flags(asked.tests), *asked.flags,
                 "--gtest_brief=1", "--clotho_shard_by=schedules",
                 "--clotho_failures=0", "--clotho_resume=1",
                 *arguments.flags]

        def flags(shard: int) -> list[str]:
            own = [f"--clotho_shard={shard}/{shards}",
                   f"--clotho_out={folder_of(out, shard)}"]
            left = self._left()
            if left is not None:
                own.append(f"--clotho_for={max(1, round(left))}s")
            return [*fixed, *own]

        self._workers = Workers(
            target, shards, at_a_time, os.path.join(out, "logs"), flags,
            self._progress.of_shard, self._progress.has_ended, self._has_more,
            self._say)
        self._at_a_time = min(at_a_time, shards)
        self._stats_fail = ""  # Why stats.json could not be written.
        self._title = target.name + ("  " + " ".join(asked.tests)
                                     if asked.tests else "")

    def _say(self, text: str) -> None:
        if self._terminal:
            self._terminal.say(text)
        else:
            print(text, flush=True)

    def _left(self) -> float | None:
        """Remaining seconds of --for; None without it."""
        if self._time is None:
            return None
        return max(0.0, self._time - self._clock.seconds())

    def _has_more(self, shard: int) -> bool:
        """Whether a worker, which counts pauses as time, has time left."""
        left = self._left()
        if left is None or left < 1 or not self._progress.can_go_on(shard):
            return False
        self._say(f"shard {shard} continues for {screen.duration(left)}: pauses "
                  f"do not count")
        return True

    def run(self) -> int:
        # Each of these is undone, even if undoing another one fails.
        with contextlib.ExitStack() as stack:
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP,
                           signal.SIGQUIT, signal.SIGTSTP):
                if (number in (signal.SIGINT, signal.SIGTERM)
                        or signal.getsignal(number) != signal.SIG_IGN):
                    before = signal.signal(number, self._on_signal)
                    stack.callback(signal.signal, number, before)
            stack.callback(self._workers.kill)
            if self._terminal:
                stack.callback(self._terminal.close)
            stack.callback(self._keys.close)
            self._watch()
        return self._finish()

    def _on_signal(self, number: int, _: object) -> None:
        if number == signal.SIGTSTP:
            self._suspended = True
        else:
            self._signals.append(number)

    def _press(self, key: str, state: State) -> None:
        """Handles a key."""
        if key == "q":
            # (A key held down must not act as a second Ctrl-C.)
            if not self._signals:
                self._signals.append(signal.SIGINT)
        elif key == "p" and not self._signals:
            self._pause(not self._paused)
        elif self._terminal:
            self._terminal.press(key, state)

    def _pause(self, paused: bool) -> None:
        self._paused = paused
        if paused:
            self._clock.pause()
            self._workers.pause()
        else:
            self._clock.go_on()
            self._workers.go_on()

    def _suspend(self) -> None:
        """Ctrl-Z: stops everything, and restores the terminal for the shell."""
        self._suspended = False
        paused = self._paused
        self._pause(True)
        self._keys.close()
        if self._terminal:
            self._terminal.close()
        handler = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        try:
            os.kill(os.getpid(), signal.SIGTSTP)  # Returns on SIGCONT.
        finally:
            signal.signal(signal.SIGTSTP, handler)
        self._pause(paused)

    def _watch(self) -> None:
        """Runs until all workers have ended."""
        self._progress.poll()
        known = len(self._progress.new_failures())
        state = self._progress.state()
        if state.executions:
            self._say(f"resuming {self._out}: "
                      f"{screen.grouped(state.executions)} executions, "
                      f"{known} failures so far")
        next_poll = next_line = next_stats = 0.0
        status = ""
        asked_to_stop = False
        while self._workers.poll():
            now = time.monotonic()
            if len(self._signals) > 1:
                return
            if self._signals and not asked_to_stop:
                asked_to_stop = True
                self._paused = False
                self._clock.go_on()
                self._workers.stop()
                self._say("stopping: the workers write their results "
                          "(Ctrl-C again: stop now)")
            if self._suspended:
                self._suspend()
            if now >= next_poll:
                next_poll = now + 1.0
                self._progress.poll()
                known = self._tell_failures(known)
                state = self._progress.state()
                if self._terminal:
                    self._keys.open()  # The terminal may be ours again.
            self._complete(state)
            if now >= next_stats or state.status != status:
                next_stats, status = now + _STATS, state.status
                self._write_stats(state)
            if self._terminal:
                self._terminal.show(state)
            elif now >= next_line:
                if next_line:
                    print(screen.line(state), flush=True)
                    next_line = now + _LINES
                else:
                    next_line = now + _FIRST_LINE
            for key in self._keys.read(_REDRAW):
                self._press(key, state)
        self._tell_failures(known)

    def _write_stats(self, state: State) -> None:
        """Writes stats.json; a failure to do so does not end the campaign."""
        try:
            dashboard.write(self._out, state)
        except Trouble as trouble:
            if self._stats_fail != str(trouble):
                self._stats_fail = str(trouble)
                self._say(str(trouble))

    def _tell_failures(self, known: int) -> int:
        for failure in self._progress.new_failures():
            known += 1
            if known == 1:
                remember(self._base, self._target, failure.test,
                         failure.record["replay"], failure.folder)
            if not self._terminal:
                print(screen.failure_line(known, failure), flush=True)
        return known

    def _complete(self, state: State) -> None:
        """Fills in what the records do not contain."""
        state.title = self._title
        state.workers = self._at_a_time
        state.status = ("stopping" if self._signals
                        else "paused" if self._paused else "running")
        state.keys = self._keys.are_open()
        state.elapsed = self._clock.seconds()
        state.left = self._left()
        state.rate = self._progress.rate(self._workers.running())
        state.restarts = self._workers.restarts
        state.rss = resident([os.getpid(), *self._workers.pids()])
        state.out = os.path.relpath(self._out)

    def _finish(self) -> int:
        self._progress.poll()
        state = self._progress.state()
        self._complete(state)
        elapsed = max(state.elapsed, 1e-9)
        state.rate = self._progress.executed_here() / elapsed
        state.status = "ended"
        self._write_stats(state)
        self._answer.add(target=self._target.name, workers=self._at_a_time,
                         seconds=round(state.elapsed, 3),
                         executions_per_second=round(state.rate, 1),
                         restarts=state.restarts,
                         results=os.path.abspath(self._out), tests=[],
                         missing=[])
        found = self._progress.found()
        cut_short = bool(self._signals or self._time)
        code = 0
        if found:
            merged = merging.merge(found)
            into = os.path.join(self._out, "merged")
            merging.write(merged, into)
            self._answer.add(**merging.for_programs(merged, into))
            print(merging.summary(merged, self._target.name, cut_short),
                  end="")
            code = merged.verdict(cut_short)
            self._remember(merged)
        print(f"{screen.line(state)}; results in {os.path.relpath(self._out)}")
        worst = self._workers.worst()
        if worst is not None:
            shard, worse = worst
            words = self._workers.last_words(shard) or (
                f"its log is empty; {quote(self._out)} has "
                f"{screen.short(shutil.disk_usage(self._out).free)}B free")
            print(f"clotho: shard {shard} ended with an error:\n{words}",
                  file=sys.stderr)
            # A failure that was found counts more than a worker that died.
            if code != FAILED or worse != INFRASTRUCTURE:
                code = worse
        if len(self._signals) > 1 or set(self._signals) - {signal.SIGINT}:
            return 128 + self._signals[-1]
        return code

    def _remember(self, merged: merging.Merged) -> None:
        """The next command works on the failure that was found first."""
        failures = [(failure["first"], test, failure)
                    for test, total in merged.tests().items()
                    for failure in total["failures"]]
        if not failures:
            return
        _, test, failure = min(failures, key=lambda one: one[:2])
        remember(self._base, self._target, test, failure["replay"],
                 os.path.join(self._out, "merged", failure["folder"]))
