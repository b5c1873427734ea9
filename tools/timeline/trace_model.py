"""A trace as data: the members of trace.json, and positions in it.

sim/report/trace_json.h describes the format. The members of a class have the
names of the members in the file; trace_reader.py reads them by their types. In
the metadata of a member: `least` is the least value of a number (None: may be
negative; otherwise 0), `index` names the list of the trace that a number is an
index of, and `derived` marks what is not in the file. REQUIRED names the members
that must be there; the others have defaults, so that traces of older versions
can be read.
"""

import bisect
import dataclasses
from typing import ClassVar, Optional

# Kinds of events: those of the task itself, and among these the ones that end it.
OWN = ("start", "resume", "await", "return", "raise", "cancelled")
ENDS = ("return", "raise", "cancelled")


class TraceError(Exception):
    """Says why a trace cannot be shown, and what to do."""


def _list() -> list:
    return dataclasses.field(default_factory=list)


def _signed() -> int:
    return dataclasses.field(default=0, metadata={"least": None})


def _from_one() -> int:
    return dataclasses.field(default=0, metadata={"least": 1})


def _index(of: str) -> Optional[int]:
    return dataclasses.field(default=None, metadata={"index": of})


def _indices(of: str) -> list[int]:
    return dataclasses.field(default_factory=list, metadata={"index": of})


def _derived(default: object = None) -> object:
    return dataclasses.field(default=default, metadata={"derived": True})


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

    REQUIRED: ClassVar = ("step", "lane", "kind")

    step: int = 0
    time_ns: int = _signed()
    lane: int = dataclasses.field(default=0, metadata={"index": "lanes"})
    kind: str = ""
    text: str = ""
    file: str = ""
    line: int = 0
    other: Optional[int] = _index("lanes")
    stack: Optional[int] = _index("stacks")

    def place(self) -> str:
        return f"{self.file}:{self.line}" if self.line else ""


@dataclasses.dataclass
class Deviation:
    """A choice that differs from FIFO order."""

    step: int = 0
    taken: str = ""
    fifo: str = ""


@dataclasses.dataclass
class Step:
    """What ran, what could have run, and why; see TraceStep in
    sim/engine/trace.h."""

    REQUIRED: ClassVar = ("step", "taken")

    step: int = _from_one()
    time_ns: int = _signed()
    taken: str = ""
    choice: int = 0
    candidates: int = 1
    timer: bool = False
    named: list[str] = _list()
    why: list[str] = _list()
    since: int = 0
    by: Optional[int] = _index("lanes")
    # The task of the step (None: no task), and the last number of the step,
    # which is greater than its first if the environment decided something in it.
    lane: Optional[int] = _derived()
    last: int = _derived(0)


@dataclasses.dataclass
class FifoStep:
    """A step of the same test in FIFO order."""

    REQUIRED: ClassVar = ("step",)

    step: int = _from_one()
    time_ns: int = _signed()
    task: str = ""
    taken: str = ""


@dataclasses.dataclass
class Fifo:
    """The same test in FIFO order."""

    steps: list[FifoStep] = _list()
    failure: str = ""
    left_out: int = 0


@dataclasses.dataclass
class Wait:
    """A task that was not done at the end."""

    task: str = ""
    background: bool = False
    what: str = ""
    since_step: int = 0
    since_ns: int = _signed()
    stack: list[Frame] = _list()
    created: Frame = dataclasses.field(default_factory=Frame)
    holders: list[int] = _indices("waits")
    taken: bool = False
    held: Frame = dataclasses.field(default_factory=Frame)


@dataclasses.dataclass
class Operation:
    """An operation of a history; see TraceHistory in sim/engine/trace.h."""

    client: str = ""
    text: str = ""
    called: int = 0
    returned: Optional[int] = None
    called_step: int = 0
    returned_step: int = 0
    called_ns: int = _signed()
    returned_ns: int = _signed()
    part: bool = False
    context: bool = False
    stuck: bool = False


@dataclasses.dataclass
class History:
    """What clients asked of an object and what they were told."""

    name: str = ""
    operations: list[Operation] = _list()
    key: str = ""
    undecided: bool = False
    order: list[str] = _list()
    state: str = ""
    right_results: list[str] = _list()


@dataclasses.dataclass
class Goal:
    """A Sometimes or a Reachable, and how often it held."""

    goal: str = ""
    place: str = ""
    reached: int = 0


@dataclasses.dataclass
class Failed:
    """Where the failure was noticed. None: the file does not say."""

    kind: Optional[str] = None
    step: Optional[int] = None
    time_ns: Optional[int] = dataclasses.field(
        default=None, metadata={"least": None})
    task: Optional[str] = None
    function: Optional[str] = None
    file: Optional[str] = None
    line: Optional[int] = None

    def is_known(self) -> bool:
        return any(value is not None for value in vars(self).values())


@dataclasses.dataclass
class Search:
    """How the failure was found and explained. None: the file does not say."""

    strategy: Optional[str] = None
    seed: Optional[int] = None
    schedules: Optional[int] = None
    executions: Optional[int] = None
    deviations_found: Optional[int] = None
    shrink_runs: Optional[int] = None
    minimal: Optional[bool] = None
    turning_point: Optional[str] = None
    nearest_pass: Optional[str] = None
    reachable: Optional[str] = None


@dataclasses.dataclass
class Trace:
    """One execution, and what is known of its failure."""

    REQUIRED: ClassVar = ("lanes", "steps", "events")

    source: str = _derived("")  # For messages: where it was read.
    lanes: list[str] = _list()
    deviations: list[Deviation] = _list()
    steps: list[Step] = _list()
    stacks: list[list[Frame]] = _list()
    events: list[Event] = _list()
    waits: list[Wait] = _list()
    goals: list[Goal] = _list()
    test: str = ""
    replay: str = ""
    failure: str = ""
    failed: Failed = dataclasses.field(default_factory=Failed)
    race: str = ""
    replay_command: str = ""
    input: str = ""
    search: Search = dataclasses.field(default_factory=Search)
    cycle: list[int] = _indices("waits")
    histories: list[History] = _list()
    fifo: Optional[Fifo] = None

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
        if not self.steps or not (self.failure or self.failed.is_known()):
            return None
        if self.failed.step is not None:
            return self.column_of(self.failed.step)
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
