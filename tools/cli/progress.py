"""The progress of a campaign, from the records that its workers write.

The memory that this takes has a fixed size: the last record of each shard and
test, and the position up to which the events have been read.
"""

from __future__ import annotations

import dataclasses
import json
import os
import re
import time
from collections.abc import Callable, Iterable
from typing import Any

from cli import merging, records
from cli.files import file_name
from cli.records import Found, Record

# The kind of failure, as the test binary names it.
NOT_DETERMINISTIC = "not deterministic"

# Strategies whose executions depend on earlier ones: they cannot be resumed and
# start over.
_NOT_RESUMABLE = {"exhaustive", "reduced", "guided"}


@dataclasses.dataclass(frozen=True)
class Failure:
    """A failure that a worker has reported."""

    test: str
    record: Record    # As in a shard's record.
    folder: str = ""  # The folder of its report and trace; "": unknown.


@dataclasses.dataclass(frozen=True)
class Strategy:
    """The figures of the tests with one strategy, or of a part of it."""

    name: str
    executions: int
    failures: int  # Distinct ones; for a part, those that it found first.
    # Under PCT's model, an upper bound on the chance that a bug of that depth
    # was missed; None if the model does not apply to this strategy.
    bound: float | None = None
    depth: int = 0
    tasks: int = 0
    steps: int = 0
    # The parts of a portfolio.
    parts: tuple[Strategy, ...] = ()


@dataclasses.dataclass(frozen=True)
class Test:
    """The figures of a test."""

    name: str
    executions: int
    steps_max: int
    budget_hits: int


@dataclasses.dataclass(frozen=True)
class Shrinking:
    """A failure that a worker is shrinking."""

    test: str
    kind: str
    place: str
    deviations: int  # Before shrinking.
    now: int         # At present.


@dataclasses.dataclass
class State:
    """Everything that can be drawn."""

    title: str = ""
    status: str = "running"  # Or "paused", "stopping", "ended".
    keys: bool = False       # Whether keys are read.
    workers: int = 0
    elapsed: float = 0.0     # Seconds, without pauses.
    left: float | None = None  # Remaining seconds of --for.
    executions: int = 0
    asked: int | None = None  # None: no limit, or not known yet.
    rate: float = 0.0
    traces: float = 0.0
    chance: float = 1.0
    steps: int = 0
    steps_max: int = 0
    tasks_max: int = 0
    # Histograms, as in a record.
    steps_of: list[list[int]] = dataclasses.field(default_factory=list)
    tasks_of: list[list[int]] = dataclasses.field(default_factory=list)
    budget_hits: int = 0
    checked: int = 0
    differ: int = 0
    virtual_seconds: float = 0.0
    tests: list[Test] = dataclasses.field(default_factory=list)
    strategies: list[Strategy] = dataclasses.field(default_factory=list)
    goals: list[Record] = dataclasses.field(default_factory=list)
    failures: list[Failure] = dataclasses.field(default_factory=list)
    shrinking: list[Shrinking] = dataclasses.field(default_factory=list)
    restarts: int = 0
    rss: int = 0
    out: str = ""

    def eta(self) -> float | None:
        """The remaining seconds; None if unknown."""
        ends = [] if self.left is None else [self.left]
        if self.asked is not None and self.rate > 0:
            ends.append(max(0, self.asked - self.executions) / self.rate)
        return min(ends, default=None)


class Stopwatch:
    """Real time, without pauses."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._begin = now()
        self._paused_at: float | None = None

    def seconds(self) -> float:
        now = self._now() if self._paused_at is None else self._paused_at
        return now - self._begin

    def pause(self) -> None:
        if self._paused_at is None:
            self._paused_at = self._now()

    def go_on(self) -> None:
        if self._paused_at is not None:
            self._begin += self._now() - self._paused_at
            self._paused_at = None


class _Pace:
    """The speed of a shard. The seconds in its record include pauses."""

    def __init__(self, executions: int, seconds: float) -> None:
        self._begin = self._last = (executions, seconds)

    def add(self, executions: int, seconds: float) -> None:
        """Adds the figures of a new record."""
        self._last = (executions, seconds)
        if executions <= self._begin[0]:
            self._begin = self._last  # It has only now begun to run.

    def rate(self) -> float:
        seconds = self._last[1] - self._begin[1]
        return (self._last[0] - self._begin[0]) / seconds if seconds else 0.0


def folder_of(out: str, shard: int) -> str:
    """The folder of a shard. Each shard has its own, so that a failure found by
    two shards is in both."""
    return os.path.join(out, str(shard))


class Progress:
    """Reads what the workers of a campaign write."""

    def __init__(self, out: str, tests: list[str], shards: int,
                 schedules: int | None,
                 watch: Stopwatch | None = None) -> None:
        self._out = out
        self._tests = tests
        self._shards = shards
        self._schedules = schedules
        self._watch = watch or Stopwatch()
        self._read: dict[str, tuple[tuple[int, int], Found]] = {}
        self._paces: dict[int, _Pace] = {}
        # The position up to which the events of each shard have been read.
        self._offsets = [self._size(shard) for shard in range(shards)]
        self._told: set[tuple[str, str]] = set()
        # From events: failures that new_failures has not returned yet, and
        # shards whose last event was their end.
        self._failures: list[Failure] = []
        self._ended: set[int] = set()
        self._shrinking: dict[int, Shrinking] = {}
        self._state = State()
        self._stale = True  # Records have been read since _state was made.
        self._begin = -1

    def _events(self, shard: int) -> str:
        return os.path.join(folder_of(self._out, shard), "results.jsonl")

    def _size(self, shard: int) -> int:
        try:
            return os.path.getsize(self._events(shard))
        except OSError:
            return 0

    def found(self) -> list[Found]:
        """The records that have been read."""
        return [found for _, found in self._read.values()]

    def of_shard(self, shard: int) -> object:
        """A value that changes when a shard makes progress."""
        self.poll()
        return tuple(sorted(
            (one.record["test"], one.record["next"], one.record["executions"],
             one.record["complete"])
            for one in self.found() if one.record["shard"] == shard))

    def can_go_on(self, shard: int) -> bool:
        """Whether a shard has more to do and would continue where it stopped.
        """
        self.poll()
        left = [one.record["strategy"].partition(":")[0]
                for one in self.found()
                if one.record["shard"] == shard and not _has_ended(one.record)]
        return bool(left) and _NOT_RESUMABLE.isdisjoint(left)

    def rate(self, running: Iterable[int]) -> float:
        """Executions per second of those shards."""
        return sum(self._paces[shard].rate() for shard in running
                   if shard in self._paces)

    def poll(self) -> None:
        """Reads the records that have changed."""
        changed: set[int] = set()
        for test in self._tests:
            for shard in range(self._shards):
                path = os.path.join(
                    folder_of(self._out, shard), file_name(test),
                    f"shard-{shard}-of-{self._shards}.json")
                try:
                    status = os.stat(path)
                except OSError:
                    continue
                stamp = (status.st_mtime_ns, status.st_ino)
                if path in self._read and self._read[path][0] == stamp:
                    continue
                self._read[path] = (stamp, records.read(path))
                changed.add(shard)
        executions = dict.fromkeys(changed, 0)
        for one in self.found() if changed else []:
            if one.record["shard"] in changed:
                executions[one.record["shard"]] += one.record["executions"]
        now = self._watch.seconds()
        for shard, number in executions.items():
            self._paces.setdefault(shard, _Pace(number, now)).add(number, now)
        self._stale = self._stale or bool(changed)

    def new_failures(self) -> list[Failure]:
        """The failures reported since the last call, each only once."""
        failures = [
            Failure(one.record["test"], failure,
                    os.path.join(one.base, failure["folder"]))
            for one in self.found() for failure in one.record["failures"]]
        for shard in range(self._shards):
            self._read_events(shard)
        failures += self._failures
        self._failures = []
        new = []
        for failure in failures:
            key = (failure.test, failure.record["signature"])
            if key not in self._told:
                self._told.add(key)
                new.append(failure)
        return new

    def has_ended(self, shard: int) -> bool:
        """Whether a shard's process has reported its end."""
        self._read_events(shard)
        return shard in self._ended

    def _read_events(self, shard: int) -> None:
        """Reads the events since the last call."""
        events = self._new_events(shard)
        while events:
            for event in events:
                self._read_event(shard, event)
            events = self._new_events(shard)

    def _read_event(self, shard: int, event: dict[str, Any]) -> None:
        # Only the last event counts for these.
        self._shrinking.pop(shard, None)
        self._ended.discard(shard)
        kind = event.get("event")
        if kind == "end":
            self._ended.add(shard)
        elif kind == "shrinking" and _has(event, int, "from", "to") and _has(
                event, str, "test", "kind", "place"):
            self._shrinking[shard] = Shrinking(
                event["test"], event["kind"], event["place"], event["from"],
                event["to"])
        elif kind == "failure" and _has(
                event, str, "test", "signature", "kind", "what", "place",
                "replay", "folder"):
            self._failures.append(
                Failure(event["test"], event, os.path.join(
                    folder_of(self._out, shard), event["folder"])))

    def _new_events(self, shard: int) -> list[dict[str, Any]]:
        """The next complete lines of results.jsonl, up to a limit."""
        try:
            with open(self._events(shard), "rb") as file:
                file.seek(self._offsets[shard])
                data = file.read(1 << 20)
        except OSError:
            return []
        end = data.rfind(b"\n") + 1
        self._offsets[shard] += end
        events = []
        for line in data[:end].splitlines():
            try:
                event = json.loads(line)
            except ValueError:
                continue  # The writer was killed while writing it.
            if isinstance(event, dict):
                events.append(event)
        return events

    def state(self) -> State:
        """The sum of what has been read."""
        if self._stale:
            self._state = self._add()
            self._stale = False
            if self._begin < 0:
                self._begin = self._state.executions
        # Several workers may be shrinking the same failure.
        least: dict[tuple[str, str, str], Shrinking] = {}
        for one in self._shrinking.values():
            key = (one.test, one.kind, one.place)
            if key not in least or one.now < least[key].now:
                least[key] = one
        self._state.shrinking = [least[key] for key in sorted(least)]
        return self._state

    def executed_here(self) -> int:
        """Executions since the campaign was started or resumed."""
        return self._state.executions - max(self._begin, 0)

    def _add(self) -> State:
        state = State()
        found = self.found()
        totals = merging.merge(found).tests() if found else {}
        strategies: dict[str, list[Record]] = {}
        for total in totals.values():
            state.executions += total["executions"]
            state.steps += total["steps"]
            state.budget_hits += total["budget_hits"]
            state.checked += total["checked"]
            state.virtual_seconds += total["virtual_time_ns"] / 1e9
            state.steps_max = max(state.steps_max, total["max"].get("steps", 0))
            state.tasks_max = max(state.tasks_max, total["max"].get("tasks", 0))
            state.traces += records.distinct_traces(total["sketch"])
            state.goals += total["goals"]
            state.failures += [Failure(total["test"], failure)
                               for failure in total["failures"]]
            state.tests.append(Test(
                total["test"], total["executions"],
                total["max"].get("steps", 0), total["budget_hits"]))
            strategies.setdefault(total["strategy"], []).append(total)
        # Over all tests: one that is exhausted has no new traces.
        if state.executions:
            state.chance = sum(
                records.chance_of_new(total["sketch"], total["executions"])
                * total["executions"]
                for total in totals.values()) / state.executions
        state.steps_of, state.tasks_of = (
            records.merge_histograms(total["shape"].get(name, [])
                                     for total in totals.values())
            for name in ("steps", "tasks"))
        state.strategies = [_strategy(name, of)
                            for name, of in sorted(strategies.items())]
        state.differ = sum(failure.record["hits"] for failure in state.failures
                           if failure.record["kind"] == NOT_DETERMINISTIC)
        # Tests run in order; one that was skipped is not searched.
        begun = max((i for i, test in enumerate(self._tests)
                     if test in totals), default=-1)
        asked = [totals[test]["schedules"] if test in totals
                 else self._schedules for i, test in enumerate(self._tests)
                 if test in totals or i > begun]
        if asked and all(asked):
            state.asked = sum(number for number in asked if number)
        return state


def _has(event: Record, kind: type, *names: str) -> bool:
    """Whether the members exist and have that type."""
    return all(isinstance(event.get(name), kind) for name in names)


def _has_ended(record: Record) -> bool:
    """(Without a limit, a record is complete once its time is over, but can be
    continued.)"""
    return record["exhausted"] or (
        record["complete"] and record["schedules"] != 0)


def _strategy(name: str, totals: list[Record]) -> Strategy:
    """The figures of the tests with that strategy."""
    parts = sorted({part for total in totals for part in total["parts"]})
    rows = [_part(part, totals) for part in parts]
    row = Strategy(name, sum(total["executions"] for total in totals),
                   sum(len(total["failures"]) for total in totals))
    if parts == [name]:  # It has no other part.
        (only,) = rows
        return dataclasses.replace(only, executions=row.executions,
                                   failures=row.failures)
    return dataclasses.replace(row, parts=tuple(rows))


def _part(name: str, totals: list[Record]) -> Strategy:
    executions = sum(total["parts"].get(name, 0) for total in totals)
    failures = sum(failure["part"] == name for total in totals
                   for failure in total["failures"])
    pct = re.fullmatch(r"pct:([1-9][0-9]{0,8})", name)
    if pct is None:
        return Strategy(name, executions, failures)
    depth = int(pct[1])
    # Each test has a bound of its own: take the weakest.
    bound, tasks, steps = max(
        (records.pct_bound(depth, total["max"].get("tasks", 0),
                           total["max"].get("steps", 0),
                           total["parts"].get(name, 0)),
         total["max"].get("tasks", 0), total["max"].get("steps", 0))
        for total in totals)
    return Strategy(name, executions, failures, bound, depth, tasks, steps)


def resident(pids: list[int]) -> int:
    """The resident memory of processes in bytes; 0 where it is unknown."""
    total = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/statm", encoding="ascii") as file:
                total += int(file.read().split()[1]) * os.sysconf(
                    "SC_PAGE_SIZE")
        except (OSError, ValueError, IndexError):
            continue
    return total
