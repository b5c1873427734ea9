"""A trace in Chrome's trace event format, for ui.perfetto.dev.

The same as the trace.chrome.json that a failing test writes, which
sim/report/trace_json.h describes, or with virtual time as its axis.
"""

import json
from typing import Any, Optional

import trace_model as model

# Viewers are slow with more steps, and the failure is at the end.
STEPS_MAX = 10_000


def write(trace: model.Trace, virtual: bool = False) -> str:
    """The text of the file. With `virtual`, steps are placed at their virtual
    time; steps at the same instant follow each other, each a nanosecond
    long."""
    return _Writer(trace, virtual).text()


class _Writer:

    def __init__(self, trace: model.Trace, virtual: bool):
        self.trace = trace
        self.lines: list[dict[str, Any]] = []
        last = max((event.step for event in trace.events), default=0)
        self.last = last
        self.first = max(1, last - STEPS_MAX + 1) if last > STEPS_MAX else 1
        self.steps = {step.step: step for step in trace.steps}
        self.deviations = {
            deviation.step: deviation
            for deviation in trace.deviations
            if deviation.step >= self.first
        }
        self.arrows: dict[int, list[model.Event]] = {}
        self.sliced: set[tuple[int, int]] = set()
        self.last_arrow = 0
        # Virtual time in microseconds; steps at the same instant follow each
        # other, each a nanosecond long.
        self.begins: Optional[dict[int, float]] = None
        if virtual:
            self.begins = {}
            at = -1
            for event in trace.events:
                if event.step not in self.begins:
                    at = max(at + 1, event.time_ns)
                    self.begins[event.step] = at / 1000

    def at(self, step: int, part: float = 0) -> float:
        if self.begins is not None:
            return self.begins.get(step, 0.0) + part / 1000
        return float(step + part)

    def text(self) -> str:
        trace = self.trace
        other = {"clotho_trace": "1"}
        for name in ("test", "replay", "failure"):
            if getattr(trace, name):
                other[name] = getattr(trace, name)
        if self.first > 1:
            other["drawn"] = f"steps {self.first} to {self.last}"
        self._names()
        for step in trace.steps:
            if step.step >= self.first:
                self.lines.append({
                    "ph": "C", "pid": 1, "name": "ready",
                    "ts": self.at(step.step),
                    "args": {"tasks": step.candidates - step.timer},
                })
        for event in trace.events:
            if event.step >= self.first:
                self._event(event)
        for deviation in [*self.deviations.values()]:
            self._deviation(deviation, 0)
        lines = ",\n  ".join(
            json.dumps(line, separators=(",", ":")) for line in self.lines)
        return ("{\"displayTimeUnit\":\"ns\",\"otherData\":" +
                json.dumps(other, separators=(",", ":")) +
                ",\n\"traceEvents\":[\n  " + lines + "\n]}\n")

    def _names(self) -> None:
        name = self.trace.test or "execution"
        self.lines.append({
            "ph": "M", "pid": 1, "name": "process_name",
            "args": {"name": name}
        })
        for lane, name in enumerate(self.trace.lanes):
            if name == "-":
                name = "callbacks"
            for what, args in (("thread_name", {"name": name}),
                               ("thread_sort_index", {"sort_index": lane})):
                self.lines.append({
                    "ph": "M", "pid": 1, "tid": lane + 1, "name": what,
                    "args": args
                })

    def _event(self, event: model.Event) -> None:
        if event.kind in ("start", "resume"):
            self._slice(event)
        elif event.kind in ("spawn", "wake"):
            self._mark(event, "t")
            assert event.other is not None
            self.arrows.setdefault(event.other, []).append(event)
        else:
            self._mark(event,
                       {"failure": "g", "timer": "p"}.get(event.kind, "t"))

    def _slice(self, event: model.Event) -> None:
        if (event.step, event.lane) in self.sliced:
            return
        self.sliced.add((event.step, event.lane))
        args: dict[str, Any] = {
            "step": event.step, "virtual_ns": event.time_ns
        }
        name = event.text
        if event.line:
            args.update(file=event.file, line=event.line)
            name += f" {event.place()}"
        step = self.steps.get(event.step)
        if step is not None and step.candidates > 1:
            args.update(choice=step.choice, candidates=step.candidates)
            if step.timer:
                args["timer"] = True
            args["named"] = step.named
        self.lines.append({
            "ph": "X", "pid": 1, "tid": event.lane + 1,
            "ts": self.at(event.step),
            "dur": 1 if self.begins is None else 0.001,
            "cat": "step", "name": name, "args": args
        })
        if event.step in self.deviations:
            self._deviation(self.deviations.pop(event.step), event.lane)
        for start in self.arrows.pop(event.lane, []):
            self._arrow(start, event)

    def _arrow(self, start: model.Event, to: model.Event) -> None:
        self.last_arrow += 1
        self.lines.append({
            "ph": "s", "pid": 1, "tid": start.lane + 1,
            "ts": self.at(start.step, 0.75), "id": self.last_arrow,
            "cat": "flow", "name": start.kind
        })
        # It ends at the enclosing slice: for an eager task, in the step in
        # which the task began.
        inside = 0.875 if to.step == start.step else 0
        self.lines.append({
            "ph": "f", "bp": "e", "pid": 1, "tid": to.lane + 1,
            "ts": self.at(to.step, inside), "id": self.last_arrow,
            "cat": "flow", "name": start.kind
        })

    def _mark(self, event: model.Event, scope: str) -> None:
        args: dict[str, Any] = {
            "step": event.step, "virtual_ns": event.time_ns
        }
        if event.line:
            args.update(file=event.file, line=event.line)
        self.lines.append({
            "ph": "i", "pid": 1, "tid": event.lane + 1,
            "ts": self.at(event.step, 0.5), "s": scope, "cat": event.kind,
            "name": event.text, "args": args
        })

    def _deviation(self, deviation: model.Deviation, lane: int) -> None:
        self.lines.append({
            "ph": "i", "pid": 1, "tid": lane + 1,
            "ts": self.at(deviation.step), "s": "p", "cat": "deviation",
            "name": f"deviation: {deviation.taken}",
            "args": {"step": deviation.step, "fifo": deviation.fifo}
        })
