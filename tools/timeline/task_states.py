"""What the tasks of an execution do: the spans of each from step to step, the
state of all at one step, and which step made which task ready.

    for task in moment_at(trace, 4).tasks: print(task.name, task.state)
"""

import bisect
import dataclasses
from typing import Optional

from trace_model import ENDS, OWN, Event, Frame, Step, Trace, TraceError


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


def lane_spans(trace: Trace) -> list[list[Span]]:
    """For each lane, what it does from its first step or mention on."""
    runs: list[list[int]] = [[] for _ in trace.lanes]
    for column, step in enumerate(trace.steps):
        if step.lane is not None:
            runs[step.lane].append(column)
    made: dict[int, int] = {}
    ended: dict[int, int] = {}
    waits: dict[tuple[int, int], Event] = {}
    woken: dict[int, list[int]] = {}
    for column in range(len(trace.steps)):
        for event in trace.events_of(column):
            if event.kind in ENDS:
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
        _spans_of(
            trace, lane, runs[lane], made.get(lane), ended.get(lane), waits,
            woken.get(lane, []))
        for lane in range(len(trace.lanes))
    ]


def _spans_of(trace: Trace, lane: int, runs: list[int], made: Optional[int],
              ended: Optional[int], waits: dict[tuple[int, int], Event],
              woken: list[int]) -> list[Span]:
    spans: list[Span] = []
    callbacks = trace.lanes[lane] == "-"

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
        if end is not None and trace.steps[end].lane == lane:
            if trace.steps[end].since:
                column = trace.column_of(trace.steps[end].since)
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
    end = len(trace.steps)
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


def moment_at(trace: Trace, number: Optional[int]) -> Moment:
    """The tasks just before the step with this number, or, without a
    number, at the end. TraceError if there is no such step."""
    column = len(trace.steps)
    step = None
    if number is not None:
        known = trace.column_of(number) if number > 0 else None
        if known is None or number > trace.steps[known].last:
            raise TraceError(_no_step(trace, number))
        column = known
        step = trace.steps[column]
    parents = trace.parents()
    last: dict[int, Event] = {}  # Each lane's last own event before the column.
    made: dict[int, Event] = {}
    for before in range(column):
        for event in trace.events_of(before):
            if event.kind in OWN:
                last[event.lane] = event
            elif event.kind == "spawn" and event.other is not None:
                made[event.other] = event
    next_step: dict[int, Step] = {}
    for later in trace.steps[column:]:
        if later.lane is not None:
            next_step.setdefault(later.lane, later)
    tasks = []
    for lane, spans in enumerate(lane_spans(trace)):
        if trace.lanes[lane] == "-":
            continue
        task = _task_at(trace, lane, spans, column, last.get(lane),
                             made.get(lane), next_step.get(lane),
                             parents.get(lane))
        if task is not None:
            tasks.append(task)
    return Moment(step, tasks)


def _no_step(trace: Trace, number: int) -> str:
    if not trace.steps:
        return f"there is no step {number}: {trace.source} has no steps"
    return (f"there is no step {number}: {trace.source} has steps "
            f"{trace.steps[0].step} to {trace.steps[-1].last}")


def _task_at(trace: Trace, lane: int, spans: list[Span], column: int,
             last: Optional[Event], made: Optional[Event],
             next_step: Optional[Step],
             parent: Optional[int]) -> Optional[TaskState]:
    """The state of a task before column `column`."""

    def state(what: str, step: int, time_ns: int, detail: str = "",
              woken_by: Optional[int] = None) -> TaskState:
        return TaskState(lane, trace.lanes[lane], what, step, time_ns,
                         detail, stack, parent, woken_by)

    stack = trace.frames_of(last) if last is not None else []
    if column < len(trace.steps) and trace.steps[column].lane == lane:
        step = trace.steps[column]
        return state("running", step.step, step.time_ns)
    if last is None:
        # A task that no task created exists from the beginning.
        if made is None:
            root = parent is None and next_step is not None
            return state("ready", 0, 0) if root else None
        return state("ready", made.step, made.time_ns, "", made.lane)
    if last.kind in ENDS:
        return state("done", last.step, last.time_ns, last.text)
    if last.kind != "await":
        # Its last step has no end, because the execution failed there.
        return state("running", last.step, last.time_ns)
    span = next((s for s in spans if s.begin <= column < s.end), None)
    if span is None and column == len(trace.steps) and spans:
        span = spans[-1]
    if span is not None and span.state == "ready":
        woken = next_step.by if next_step is not None else None
        if next_step is None and span.begin > 0:
            for event in trace.events_of(span.begin - 1):
                if event.kind == "wake" and event.other == lane:
                    woken = event.lane
        since = trace.steps[max(span.begin - 1, 0)]
        return state("ready", since.step, since.time_ns, "", woken)
    what = last.text.removeprefix("await ")
    if what == "gives way":
        return state("ready", last.step, last.time_ns)
    return state("waiting", last.step, last.time_ns, what)


def arrows(trace: Trace) -> list[tuple[int, int, int, int, str]]:
    """Which step made which task ready: (column and lane of the cause,
    column at which the task became ready, its lane, "spawn" or "wake")."""
    found: dict[tuple[int, int], tuple[int, int, int, int, str]] = {}
    for column in range(len(trace.steps)):
        for event in trace.events_of(column):
            if event.kind in ("spawn", "wake"):
                assert event.other is not None
                found[(column, event.other)] = (
                    column, event.lane, column + 1, event.other,
                    event.kind)
    for step in trace.steps:
        if step.lane is None or step.by is None or not step.since:
            continue
        cause = trace.column_of(step.since)
        if cause is None or step.by == step.lane:
            continue
        found.setdefault((cause, step.lane),
                         (cause, step.by, cause + 1, step.lane, "wake"))
    return [found[key] for key in sorted(found)]
