"""Reads trace.json, and describes an execution at each of its steps.

sim/report/trace_json.h describes the format. The reader ignores members that it
does not know and accepts missing ones, so it can open traces of older versions.
Whatever is wrong with a file becomes a TraceError, whose text says what to do.

    trace = load("clotho-out/Suite.Test/trace.json")
    for task in trace.at(4).tasks: print(task.name, task.state)
"""

import bisect
import dataclasses
import json
import os
from typing import Any, Iterable, Optional
import zipfile

VERSION = 1

# Kinds of events: those of the task itself, and among these the ones that end it.
_OWN = ("start", "resume", "await", "return", "raise", "cancelled")
_ENDS = ("return", "raise", "cancelled")

RUN_AGAIN = "run the test again with --clotho_out=DIR, and show DIR"


class TraceError(Exception):
    """Says why a trace cannot be shown, and what to do."""


def printable(text: str) -> str:
    """The text as one line of ASCII, whatever its bytes are."""
    parts = []
    for char in text:
        code = ord(char)
        if 32 <= code < 127:
            parts.append(char)
        elif char == "\n":
            parts.append("\\n")
        elif char == "\t":
            parts.append("\\t")
        elif code < 256:
            parts.append(f"\\x{code:02x}")
        elif code < 0x10000:
            parts.append(f"\\u{code:04x}")
        else:
            parts.append(f"\\U{code:08x}")
    return "".join(parts)


def time_text(ns: int) -> str:
    """Virtual time as reports write it: "0 s", "5 ms", "1.5 s"."""
    if ns == 0:
        return "0 s"
    sign = "-" if ns < 0 else ""
    ns = abs(ns)
    for unit, name in ((10**9, "s"), (10**6, "ms"), (10**3, "us")):
        if ns >= unit:
            whole, rest = divmod(ns, unit)
            if rest == 0:
                return f"{sign}{whole} {name}"
            digits = len(str(unit)) - 1
            part = str(rest).rjust(digits, "0").rstrip("0")
            return f"{sign}{whole}.{part} {name}"
    return f"{sign}{ns} ns"


@dataclasses.dataclass
class Frame:
    """A place in the program; line 0: unknown."""

    function: str = ""
    file: str = ""
    line: int = 0

    def place(self) -> str:
        return f"{self.file}:{self.line}" if self.line else ""

    def text(self) -> str:
        return " ".join(part for part in (self.function, self.place()) if part)


@dataclasses.dataclass
class Event:
    """What happened; see TraceEvent in sim/engine/trace.h."""

    step: int
    time_ns: int
    lane: int
    kind: str
    text: str
    file: str = ""
    line: int = 0
    other: Optional[int] = None
    stack: Optional[int] = None

    def place(self) -> str:
        return f"{self.file}:{self.line}" if self.line else ""


@dataclasses.dataclass
class Deviation:
    step: int
    taken: str
    fifo: str


@dataclasses.dataclass
class Step:
    """What ran, what could have run, and why; see TraceStep in
    sim/engine/trace.h."""

    step: int
    time_ns: int
    taken: str
    choice: int = 0
    candidates: int = 1
    timer: bool = False
    named: list[str] = dataclasses.field(default_factory=list)
    why: list[str] = dataclasses.field(default_factory=list)
    since: int = 0
    by: Optional[int] = None
    # Derived from the events: the task of the step (None: no task), and the
    # last number of the step, which is greater than its first if the
    # environment decided something in it.
    lane: Optional[int] = None
    last: int = 0


@dataclasses.dataclass
class FifoStep:
    step: int
    time_ns: int
    task: str
    taken: str


@dataclasses.dataclass
class Fifo:
    """The same test in FIFO order."""

    steps: list[FifoStep]
    failure: str = ""
    left_out: int = 0


@dataclasses.dataclass
class Wait:
    """A task that was not done at the end."""

    task: str
    background: bool = False
    what: str = ""
    since_step: int = 0
    since_ns: int = 0
    stack: list[Frame] = dataclasses.field(default_factory=list)
    created: Frame = dataclasses.field(default_factory=Frame)
    holders: list[int] = dataclasses.field(default_factory=list)
    taken: bool = False
    held: Frame = dataclasses.field(default_factory=Frame)


@dataclasses.dataclass
class Operation:
    """An operation of a history; see TraceHistory in sim/engine/trace.h."""

    client: str
    text: str
    called: int
    returned: Optional[int] = None
    called_step: int = 0
    returned_step: int = 0
    called_ns: int = 0
    returned_ns: int = 0
    part: bool = False
    context: bool = False
    stuck: bool = False


@dataclasses.dataclass
class History:
    name: str
    operations: list[Operation]
    key: str = ""
    undecided: bool = False
    order: list[str] = dataclasses.field(default_factory=list)
    state: str = ""
    right_results: list[str] = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Goal:
    goal: str
    place: str
    reached: int


@dataclasses.dataclass
class Span:
    """What a task does from the beginning of one step to that of another. The
    steps are columns, that is, indices of Trace.steps; `end` is exclusive."""

    begin: int
    end: int
    state: str  # "running", "ready", "waiting", "timer"
    text: str = ""


@dataclasses.dataclass
class TaskState:
    """The state of a task at one moment."""

    lane: int
    name: str
    state: str  # "running", "ready", "waiting", "done"
    since_step: int
    since_ns: int
    what: str = ""  # What it waits for, or how it ended.
    stack: list[Frame] = dataclasses.field(default_factory=list)
    parent: Optional[int] = None
    woken_by: Optional[int] = None  # The lane that made it ready, if one did.


@dataclasses.dataclass
class Moment:
    """The tasks just before a step, or, without a step, at the end."""

    step: Optional[Step]
    tasks: list[TaskState]


@dataclasses.dataclass
class Trace:
    source: str
    test: str
    replay: str
    failure: str
    failed: dict[str, Any]
    race: str
    replay_command: str
    input: str
    search: dict[str, Any]
    goals: list[Goal]
    lanes: list[str]
    deviations: list[Deviation]
    steps: list[Step]
    events: list[Event]
    stacks: list[list[Frame]]
    waits: list[Wait]
    cycle: list[int]
    histories: list[History]
    fifo: Optional[Fifo]

    def __post_init__(self) -> None:
        self._numbers = [step.step for step in self.steps]
        self._by_column: list[list[Event]] = [[] for _ in self.steps]
        for event in self.events:
            column = self.column_of(event.step)
            if column is not None:
                self._by_column[column].append(event)
        for column, step in enumerate(self.steps):
            step.last = step.step
            for event in self._by_column[column]:
                step.last = max(step.last, event.step)
                if step.lane is None and event.kind in ("start", "resume"):
                    step.lane = event.lane

    # ---- Positions. ----

    def column_of(self, number: int) -> Optional[int]:
        """The index in `steps` of the step with this number, or of the step in
        which the environment made the decision with this number."""
        column = bisect.bisect_right(self._numbers, number) - 1
        return column if column >= 0 else None

    def events_of(self, column: int) -> list[Event]:
        return self._by_column[column]

    def deviation_columns(self) -> dict[int, list[Deviation]]:
        """The deviations by column. A column has several if the environment
        decides more than once in a step."""
        found: dict[int, list[Deviation]] = {}
        for deviation in self.deviations:
            column = self.column_of(deviation.step)
            if column is not None:
                found.setdefault(column, []).append(deviation)
        return found

    def failing_column(self) -> Optional[int]:
        """The column of the failure; None if there is no failure or no step."""
        if not self.steps or not (self.failure or self.failed):
            return None
        number = self.failed.get("step")
        if isinstance(number, int):
            return self.column_of(number)
        for event in reversed(self.events):
            if event.kind == "failure":
                return self.column_of(event.step)
        return len(self.steps) - 1

    def first_difference(self) -> Optional[int]:
        """The first column in which the run in FIFO order differs."""
        if self.fifo is None:
            return None
        if self.deviations:
            return self.column_of(self.deviations[0].step)
        return None

    def parents(self) -> dict[int, int]:
        """The lane that created each lane. Lanes are in the order in which they
        appeared, so there are no cycles."""
        return {
            event.other: event.lane
            for event in self.events
            if event.kind == "spawn" and event.other is not None and
            event.lane < event.other
        }

    def frames_of(self, event: Event) -> list[Frame]:
        """The stack of the task of an event, innermost last."""
        if event.stack is not None:
            return self.stacks[event.stack]
        if event.line:
            return [Frame("", event.file, event.line)]
        return []

    # ---- What the tasks do. ----

    def spans(self) -> list[list[Span]]:
        """For each lane, what it does from its first step or mention on."""
        runs: list[list[int]] = [[] for _ in self.lanes]
        for column, step in enumerate(self.steps):
            if step.lane is not None:
                runs[step.lane].append(column)
        made: dict[int, int] = {}
        ended: dict[int, int] = {}
        waits: dict[tuple[int, int], Event] = {}
        woken: dict[int, list[int]] = {}
        for column in range(len(self.steps)):
            for event in self._by_column[column]:
                if event.kind in _ENDS:
                    ended[event.lane] = column
                elif event.kind == "await":
                    waits[(event.lane, column)] = event
                elif event.kind in ("spawn", "wake"):
                    assert event.other is not None
                    if event.kind == "spawn":
                        made.setdefault(event.other, column)
                    woken.setdefault(event.other, []).append(column)
        # Eager starts run inside another task's step.
        for lane, column in waits:
            if column not in runs[lane]:
                bisect.insort(runs[lane], column)
        return [
            self._spans_of(
                lane, runs[lane], made.get(lane), ended.get(lane), waits,
                woken.get(lane, []))
            for lane in range(len(self.lanes))
        ]

    def _spans_of(self, lane: int, runs: list[int], made: Optional[int],
                  ended: Optional[int], waits: dict[tuple[int, int], Event],
                  woken: list[int]) -> list[Span]:
        spans: list[Span] = []
        callbacks = self.lanes[lane] == "-"

        def between(begin: int, end: int, event: Optional[Event],
                    ready: Optional[int]) -> None:
            """The task waits from `begin` and is ready from `ready`."""
            if ready is None:
                ready = end
            ready = min(max(ready, begin), end)
            if begin < ready:
                text = event.text if event is not None else ""
                timer = text.startswith("await Sleep")
                spans.append(
                    Span(begin, ready, "timer" if timer else "waiting", text))
            if ready < end:
                spans.append(Span(ready, end, "ready"))

        def ready_at(begin: int, end: Optional[int],
                     event: Optional[Event]) -> Optional[int]:
            """The column from which a task that paused at `begin` is ready."""
            if event is None or event.text == "gives way":
                return begin
            if end is not None and self.steps[end].lane == lane:
                if self.steps[end].since:
                    column = self.column_of(self.steps[end].since)
                    if column is not None:
                        return column + 1
            # The trace is of an older version, or the task never ran again.
            for column in woken:
                if column >= begin - 1 and (end is None or column < end):
                    return column + 1
            return end

        previous: Optional[int] = None
        for column in runs:
            if callbacks:
                pass
            elif previous is not None:
                event = waits.get((lane, previous))
                between(previous + 1, column, event,
                        ready_at(previous + 1, column, event))
            elif made is not None and made < column:
                between(made + 1, column, None, made + 1)
            spans.append(Span(column, column + 1, "running"))
            previous = column
        end = len(self.steps)
        if callbacks:
            return spans
        if ended is not None:
            if previous is None or ended > previous:
                # Cancelled before its start, or at its end.
                begin = (previous if previous is not None else
                         made if made is not None else ended) + 1
                between(begin, ended, None, begin)
        elif previous is not None:
            event = waits.get((lane, previous))
            if event is not None:
                between(previous + 1, end, event,
                        ready_at(previous + 1, None, event))
        elif made is not None:
            between(made + 1, end, None, made + 1)
        return spans

    def at(self, number: Optional[int]) -> Moment:
        """The tasks just before the step with this number, or, without a
        number, at the end. TraceError if there is no such step."""
        column = len(self.steps)
        step = None
        if number is not None:
            known = self.column_of(number) if number > 0 else None
            if known is None or number > self.steps[known].last:
                raise TraceError(self._no_step(number))
            column = known
            step = self.steps[column]
        parents = self.parents()
        last: dict[int, Event] = {}  # Each lane's last own event before the column.
        made: dict[int, Event] = {}
        for before in range(column):
            for event in self._by_column[before]:
                if event.kind in _OWN:
                    last[event.lane] = event
                elif event.kind == "spawn" and event.other is not None:
                    made[event.other] = event
        next_step: dict[int, Step] = {}
        for later in self.steps[column:]:
            if later.lane is not None:
                next_step.setdefault(later.lane, later)
        tasks = []
        for lane, spans in enumerate(self.spans()):
            if self.lanes[lane] == "-":
                continue
            task = self._task_at(lane, spans, column, last.get(lane),
                                 made.get(lane), next_step.get(lane),
                                 parents.get(lane))
            if task is not None:
                tasks.append(task)
        return Moment(step, tasks)

    def _no_step(self, number: int) -> str:
        if not self.steps:
            return f"there is no step {number}: {self.source} has no steps"
        return (f"there is no step {number}: {self.source} has steps "
                f"{self.steps[0].step} to {self.steps[-1].last}")

    def _task_at(self, lane: int, spans: list[Span], column: int,
                 last: Optional[Event], made: Optional[Event],
                 next_step: Optional[Step],
                 parent: Optional[int]) -> Optional[TaskState]:
        """The state of a task before column `column`."""

        def state(what: str, step: int, time_ns: int, detail: str = "",
                  woken_by: Optional[int] = None) -> TaskState:
            return TaskState(lane, self.lanes[lane], what, step, time_ns,
                             detail, stack, parent, woken_by)

        stack = self.frames_of(last) if last is not None else []
        if column < len(self.steps) and self.steps[column].lane == lane:
            step = self.steps[column]
            return state("running", step.step, step.time_ns)
        if last is None:
            # A task that no task created exists from the beginning.
            if made is None:
                root = parent is None and next_step is not None
                return state("ready", 0, 0) if root else None
            return state("ready", made.step, made.time_ns, "", made.lane)
        if last.kind in _ENDS:
            return state("done", last.step, last.time_ns, last.text)
        if last.kind != "await":
            # Its last step has no end, because the execution failed there.
            return state("running", last.step, last.time_ns)
        span = next((s for s in spans if s.begin <= column < s.end), None)
        if span is None and column == len(self.steps) and spans:
            span = spans[-1]
        if span is not None and span.state == "ready":
            woken = next_step.by if next_step is not None else None
            if next_step is None and span.begin > 0:
                for event in self._by_column[span.begin - 1]:
                    if event.kind == "wake" and event.other == lane:
                        woken = event.lane
            since = self.steps[max(span.begin - 1, 0)]
            return state("ready", since.step, since.time_ns, "", woken)
        what = last.text.removeprefix("await ")
        if what == "gives way":
            return state("ready", last.step, last.time_ns)
        return state("waiting", last.step, last.time_ns, what)

    def arrows(self) -> list[tuple[int, int, int, int, str]]:
        """Which step made which task ready: (column and lane of the cause,
        column at which the task became ready, its lane, "spawn" or "wake")."""
        found: dict[tuple[int, int], tuple[int, int, int, int, str]] = {}
        for column in range(len(self.steps)):
            for event in self._by_column[column]:
                if event.kind in ("spawn", "wake"):
                    assert event.other is not None
                    found[(column, event.other)] = (
                        column, event.lane, column + 1, event.other,
                        event.kind)
        for step in self.steps:
            if step.lane is None or step.by is None or not step.since:
                continue
            cause = self.column_of(step.since)
            if cause is None or step.by == step.lane:
                continue
            found.setdefault((cause, step.lane),
                             (cause, step.by, cause + 1, step.lane, "wake"))
        return [found[key] for key in sorted(found)]


# ---- Reading. ----


class _Checker:
    """Takes values out of JSON, and reports the path of an invalid one."""

    def __init__(self, source: str):
        self.source = source

    def wrong(self, where: str, value: Any, expected: str) -> TraceError:
        shown = printable(json.dumps(value))
        if len(shown) > 60:
            shown = shown[:57] + "..."
        return TraceError(
            f"{self.source}: {where} is {shown}, expected {expected}: the "
            f"file was changed or damaged; {RUN_AGAIN}")

    def object(self, value: Any, where: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise self.wrong(where, value, "an object")
        return value

    def items(self, owner: dict[str, Any], name: str, where: str) -> list[Any]:
        value = owner.get(name, [])
        if not isinstance(value, list):
            raise self.wrong(f"{where}{name}", value, "a list")
        return value

    def text(self, owner: dict[str, Any], name: str, where: str) -> str:
        value = owner.get(name, "")
        if not isinstance(value, str):
            raise self.wrong(f"{where}{name}", value, "a text")
        return value

    def texts(self, owner: dict[str, Any], name: str, where: str) -> list[str]:
        values = self.items(owner, name, where)
        for value in values:
            if not isinstance(value, str):
                raise self.wrong(f"{where}{name}", value, "texts")
        return values

    def flag(self, owner: dict[str, Any], name: str, where: str) -> bool:
        value = owner.get(name, False)
        if not isinstance(value, bool):
            raise self.wrong(f"{where}{name}", value, "true or false")
        return value

    def number(self, owner: dict[str, Any], name: str, where: str,
               least: Optional[int] = 0) -> int:
        value = owner.get(name, 0)
        if (isinstance(value, bool) or not isinstance(value, int) or
                least is not None and value < least):
            kind = "a whole number"
            if least is not None:
                kind += f" of at least {least}"
            raise self.wrong(f"{where}{name}", value, kind)
        return value

    def index(self, owner: dict[str, Any], name: str, where: str,
              size: int) -> Optional[int]:
        if name not in owner:
            return None
        value = owner[name]
        if (isinstance(value, bool) or not isinstance(value, int) or
                not 0 <= value < size):
            raise self.wrong(f"{where}{name}", value,
                             f"a number below {size}")
        return value

    def must_have(self, owner: dict[str, Any], names: Iterable[str],
                  where: str) -> None:
        for name in names:
            if name not in owner:
                raise TraceError(
                    f"{self.source}: {where}{name} is missing: the file was "
                    f"changed or damaged; {RUN_AGAIN}")

    def frame(self, value: Any, where: str) -> Frame:
        frame = self.object(value, where)
        return Frame(
            self.text(frame, "function", f"{where}."),
            self.text(frame, "file", f"{where}."),
            self.number(frame, "line", f"{where}."))

    def frames(self, value: Any, where: str) -> list[Frame]:
        if not isinstance(value, list):
            raise self.wrong(where, value, "a list")
        return [
            self.frame(frame, f"{where}[{i}]") for i, frame in enumerate(value)
        ]


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def parse(content: bytes, source: str) -> Trace:
    """Reads the bytes of a trace.json; `source` is for messages."""
    source = printable(source)
    if not content.strip():
        raise TraceError(
            f"{source} is empty: the run that should have written it was "
            f"killed, or the disk was full; {RUN_AGAIN}")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise TraceError(
            f"{source} is not a trace: byte {error.start} is "
            f"0x{content[error.start]:02x}, which is not UTF-8; expected the "
            "trace.json that a failing test writes") from None
    try:
        json_value = json.loads(text, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        if text[error.pos:].strip() == "" or "Unterminated" in error.msg:
            raise TraceError(
                f"{source} ends too early, in line {error.lineno}: it was "
                "truncated, or the disk was full; copy it again, or "
                f"{RUN_AGAIN}") from None
        raise TraceError(
            f"{source} is not a trace: line {error.lineno}, column "
            f"{error.colno}: {error.msg}; expected the trace.json that a "
            "failing test writes") from None
    except (ValueError, RecursionError) as error:
        raise TraceError(
            f"{source} is not a trace: {printable(str(error))}; expected the "
            "trace.json that a failing test writes") from None
    if not isinstance(json_value, dict):
        raise TraceError(
            f"{source} is not a trace: it has no \"clotho_trace\"; expected the "
            "trace.json that a failing test writes")
    if "clotho_trace" not in json_value:
        if "traceEvents" in json_value:
            raise TraceError(
                f"{source} is a trace for Perfetto: give the trace.json "
                "beside it")
        raise TraceError(
            f"{source} is not a trace: it has no \"clotho_trace\"; expected the "
            "trace.json that a failing test writes")
    version = json_value["clotho_trace"]
    if version != VERSION or isinstance(version, bool):
        if isinstance(version, int) and version > VERSION:
            raise TraceError(
                f"{source} is of version {version}, and this program reads "
                f"version {VERSION}: use the `clotho` of the checkout that "
                "wrote it")
        raise TraceError(
            f"{source}: \"clotho_trace\" is {printable(repr(version))}, "
            f"expected {VERSION}: {RUN_AGAIN}")
    return _build(json_value, source)


def _build(value: dict[str, Any], source: str) -> Trace:
    check = _Checker(source)
    check.must_have(value, ("lanes", "steps", "events"), "")
    lanes = check.texts(value, "lanes", "")

    deviations = []
    for i, entry in enumerate(check.items(value, "deviations", "")):
        where = f"deviations[{i}]"
        entry = check.object(entry, where)
        where += "."
        deviations.append(
            Deviation(check.number(entry, "step", where),
                      check.text(entry, "taken", where),
                      check.text(entry, "fifo", where)))

    steps: list[Step] = []
    for i, entry in enumerate(check.items(value, "steps", "")):
        where = f"steps[{i}]"
        entry = check.object(entry, where)
        where += "."
        check.must_have(entry, ("step", "taken"), where)
        step = Step(
            check.number(entry, "step", where, 1),
            check.number(entry, "time_ns", where, None),
            check.text(entry, "taken", where),
            check.number(entry, "choice", where),
            check.number(entry, "candidates", where) or 1,
            check.flag(entry, "timer", where),
            check.texts(entry, "named", where),
            check.texts(entry, "why", where),
            check.number(entry, "since", where),
            check.index(entry, "by", where, len(lanes)))
        if steps and step.step <= steps[-1].step:
            raise check.wrong(f"{where}step", step.step,
                              f"more than {steps[-1].step}")
        if step.choice >= step.candidates:
            raise check.wrong(f"{where}choice", step.choice,
                              f"a number below {step.candidates}")
        steps.append(step)

    stacks = [
        check.frames(entry, f"stacks[{i}]")
        for i, entry in enumerate(check.items(value, "stacks", ""))
    ]
    events: list[Event] = []
    for i, entry in enumerate(check.items(value, "events", "")):
        where = f"events[{i}]"
        entry = check.object(entry, where)
        where += "."
        check.must_have(entry, ("step", "lane", "kind"), where)
        lane = check.index(entry, "lane", where, max(len(lanes), 1))
        event = Event(
            check.number(entry, "step", where),
            check.number(entry, "time_ns", where, None),
            lane or 0,
            check.text(entry, "kind", where),
            check.text(entry, "text", where),
            check.text(entry, "file", where),
            check.number(entry, "line", where),
            check.index(entry, "other", where, len(lanes)),
            check.index(entry, "stack", where, len(stacks)))
        if events and event.step < events[-1].step:
            raise check.wrong(f"{where}step", event.step,
                              f"at least {events[-1].step}")
        if event.kind in ("spawn", "wake") and event.other is None:
            check.must_have({}, ("other",), where)
        events.append(event)

    waits = []
    entries = check.items(value, "waits", "")
    for i, entry in enumerate(entries):
        where = f"waits[{i}]"
        entry = check.object(entry, where)
        where += "."
        waits.append(
            Wait(
                check.text(entry, "task", where),
                check.flag(entry, "background", where),
                check.text(entry, "what", where),
                check.number(entry, "since_step", where),
                check.number(entry, "since_ns", where, None),
                check.frames(entry.get("stack", []), f"{where}stack"),
                check.frame(entry.get("created", {}), f"{where}created"),
                _indices(check, entry, "holders", where, len(entries)),
                check.flag(entry, "taken", where),
                check.frame(entry.get("held", {}), f"{where}held")))

    goals = []
    for i, entry in enumerate(check.items(value, "goals", "")):
        where = f"goals[{i}]"
        entry = check.object(entry, where)
        where += "."
        goals.append(
            Goal(check.text(entry, "goal", where),
                 check.text(entry, "place", where),
                 check.number(entry, "reached", where)))

    return Trace(
        source=source,
        test=check.text(value, "test", ""),
        replay=check.text(value, "replay", ""),
        failure=check.text(value, "failure", ""),
        failed=_failed(check, value),
        race=check.text(value, "race", ""),
        replay_command=check.text(value, "replay_command", ""),
        input=check.text(value, "input", ""),
        search=_search(check, value),
        goals=goals,
        lanes=lanes,
        deviations=deviations,
        steps=steps,
        events=events,
        stacks=stacks,
        waits=waits,
        cycle=_indices(check, value, "cycle", "", len(waits)),
        histories=[
            _history(check, entry, f"histories[{i}]")
            for i, entry in enumerate(check.items(value, "histories", ""))
        ],
        fifo=_fifo(check, value))


def _failed(check: _Checker, value: dict[str, Any]) -> dict[str, Any]:
    failed = check.object(value.get("failed", {}), "failed")
    for name in ("kind", "task", "function", "file"):
        check.text(failed, name, "failed.")
    for name in ("step", "line"):
        check.number(failed, name, "failed.")
    check.number(failed, "time_ns", "failed.", None)
    return failed


def _search(check: _Checker, value: dict[str, Any]) -> dict[str, Any]:
    search = check.object(value.get("search", {}), "search")
    for name in ("strategy", "turning_point", "nearest_pass", "reachable"):
        check.text(search, name, "search.")
    for name in ("seed", "schedules", "executions", "deviations_found",
                 "shrink_runs"):
        check.number(search, name, "search.")
    check.flag(search, "minimal", "search.")
    return search


def _indices(check: _Checker, owner: dict[str, Any], name: str, where: str,
             size: int) -> list[int]:
    values = check.items(owner, name, where)
    for index in values:
        if (isinstance(index, bool) or not isinstance(index, int) or
                not 0 <= index < size):
            raise check.wrong(f"{where}{name}", index,
                              f"numbers below {size}")
    return values


def _history(check: _Checker, value: Any, where: str) -> History:
    history = check.object(value, where)
    where += "."
    operations = []
    for i, entry in enumerate(check.items(history, "operations", where)):
        at = f"{where}operations[{i}]"
        entry = check.object(entry, at)
        at += "."
        returned = None
        if "returned" in entry:
            returned = check.number(entry, "returned", at)
        operations.append(
            Operation(
                check.text(entry, "client", at),
                check.text(entry, "text", at),
                check.number(entry, "called", at),
                returned,
                check.number(entry, "called_step", at),
                check.number(entry, "returned_step", at),
                check.number(entry, "called_ns", at, None),
                check.number(entry, "returned_ns", at, None),
                check.flag(entry, "part", at),
                check.flag(entry, "context", at),
                check.flag(entry, "stuck", at)))
    return History(
        check.text(history, "name", where), operations,
        check.text(history, "key", where),
        check.flag(history, "undecided", where),
        check.texts(history, "order", where),
        check.text(history, "state", where),
        check.texts(history, "right_results", where))


def _fifo(check: _Checker, value: dict[str, Any]) -> Optional[Fifo]:
    if "fifo" not in value:
        return None
    fifo = check.object(value["fifo"], "fifo")
    steps = []
    for i, entry in enumerate(check.items(fifo, "steps", "fifo.")):
        where = f"fifo.steps[{i}]"
        entry = check.object(entry, where)
        where += "."
        steps.append(
            FifoStep(
                check.number(entry, "step", where, 1),
                check.number(entry, "time_ns", where, None),
                check.text(entry, "task", where),
                check.text(entry, "taken", where)))
    return Fifo(steps, check.text(fifo, "failure", "fifo."),
                 check.number(fifo, "left_out", "fifo."))


# ---- Finding. ----

# The file that a failing test writes, and the archive of Bazel.
TRACE = "trace.json"
ZIP = ".zip"

# More failures than this are counted, not listed.
_LISTED = 20


@dataclasses.dataclass
class Found:
    """A trace.json in a folder or in a zip."""

    path: str
    zip_member: Optional[str] = None

    def name(self) -> str:
        """The PATH argument of `show` for this trace."""
        if self.zip_member is None:
            folder = os.path.dirname(self.path)
            return folder if folder else self.path
        folder = os.path.dirname(self.zip_member)
        return os.path.join(self.path, folder or self.zip_member)

    def read(self) -> Trace:
        if self.zip_member is None:
            source = self.path
            content = _read(self.path)
        else:
            source = os.path.join(self.path, self.zip_member)
            try:
                with zipfile.ZipFile(self.path) as archive:
                    content = archive.read(self.zip_member)
            except (OSError, zipfile.BadZipFile, NotImplementedError,
                    RuntimeError, EOFError, ValueError, MemoryError) as error:
                raise _bad_zip(self.path, error) from None
            except Exception as error:  # zlib.error has no common base.
                raise _bad_zip(self.path, error) from None
        return parse(content, source)


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise TraceError(
            f"cannot read {printable(path)}: {error.strerror}") from None


def _bad_zip(path: str, error: Exception) -> TraceError:
    return TraceError(
        f"cannot read {printable(path)}: {printable(str(error))}: it was "
        "truncated, or is not a zip; copy it again")


def _zip_members(path: str) -> list[str]:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (OSError, zipfile.BadZipFile, ValueError,
            NotImplementedError) as error:
        raise _bad_zip(path, error) from None
    return sorted(
        name for name in names
        if name == TRACE or name.endswith("/" + TRACE))


def find(path: str) -> list[Found]:
    """All traces at or below a path, sorted: a trace.json, a folder, a zip, or
    a folder inside a zip ("outputs.zip/Suite.Test"). TraceError if there
    are none."""
    if os.path.isdir(path):
        return _find_in_folder(path)
    if os.path.exists(path):
        if path.endswith(ZIP):
            members = _zip_members(path)
            if not members:
                raise TraceError(
                    f"{printable(path)} has no {TRACE} in it: expected the "
                    "outputs of a failing test; see bazel-testlogs/.../"
                    "test.outputs/")
            return [Found(path, member) for member in members]
        return [Found(path)]
    # Inside a zip?
    head, tail = path, ""
    while head and not os.path.exists(head):
        head, name = os.path.split(head)
        tail = os.path.join(name, tail) if tail else name
        if not name and not tail:
            break
    if head and head.endswith(ZIP) and os.path.isfile(head):
        tail = tail.rstrip("/")
        members = [
            member for member in _zip_members(head)
            if member == tail or member.startswith(tail + "/")
        ]
        if members:
            return [Found(head, member) for member in members]
        raise TraceError(
            f"{printable(head)} has nothing named \"{printable(tail)}\" with "
            f"a {TRACE}: give the zip alone to see what it contains")
    raise TraceError(
        f"there is no file or folder {printable(path)}: expected a "
        f"{TRACE}, a folder of results (--clotho_out=DIR), or an outputs.zip "
        "of Bazel")


def _find_in_folder(path: str) -> list[Found]:
    own = os.path.join(path, TRACE)
    if os.path.isfile(own):
        return [Found(own)]
    found: list[Found] = []
    zips: list[str] = []
    for folder, folders, files in os.walk(path):
        folders.sort()
        if TRACE in files:
            found.append(Found(os.path.join(folder, TRACE)))
        if "outputs.zip" in files:
            zips.append(os.path.join(folder, "outputs.zip"))
    for name in sorted(zips):
        found.extend(Found(name, member) for member in _zip_members(name))
    if not found:
        raise TraceError(
            f"{printable(path)} has no {TRACE} in it: no test has failed, or "
            "no results were written; run the test with --clotho_out=DIR, and "
            "show DIR")
    return found


def several(path: str, found: list[Found]) -> TraceError:
    """An error that lists the failures, so that the user can choose one."""
    lines = [f"{printable(path)} has {len(found)} failures: show one of them"]
    for entry in found[:_LISTED]:
        try:
            what = entry.read().failure.split("\n")[0]
        except TraceError:
            what = "(cannot be read)"
        lines.append(f"  {printable(entry.name())}   {printable(what)}")
    if len(found) > _LISTED:
        lines.append(f"  and {len(found) - _LISTED} more")
    return TraceError("\n".join(lines))


def load(path: str) -> Trace:
    """The only trace at a path; TraceError if there is none, or several."""
    found = find(path)
    if len(found) > 1:
        raise several(path, found)
    return found[0].read()
