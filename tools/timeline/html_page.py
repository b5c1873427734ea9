"""The page for a browser: its data, and the page itself.

The page is one file. page/ has its parts: the text of the page, its style, and
its script, whose modules are inserted one after the other.
"""

import base64
import hashlib
import json
import os
from typing import Any, Optional

import trace_model as model
from task_states import arrows, lane_spans
from trace_text import printable, time_text

# The page has only the last steps of a long execution, where the failure is.
STEPS_MAX = 10_000

# The modules of the script, in the order in which they run.
_SCRIPT = ("helpers", "header", "selection", "compare", "layout", "lanes",
           "scroll", "details", "waits", "history", "search", "raw", "main")


class ShowError(Exception):
    """Says why a request cannot be fulfilled, and what to do."""


def _without_empty(value: Any) -> Any:
    return {
        name: part
        for name, part in value.items()
        if part not in (None, "", [], {}, False)
    }


def _known(value: Any) -> dict[str, Any]:
    """The members of an object that the file has."""
    return {name: part for name, part in vars(value).items()
            if part is not None}


def frame_json(frame: model.Frame) -> dict[str, Any]:
    return _without_empty(vars(frame))


def step_json(step: model.Step) -> dict[str, Any]:
    # The time also as text: numbers in a browser have only 53 bits.
    value: dict[str, Any] = {"n": step.step, "t": step.time_ns,
                             "when": time_text(step.time_ns),
                             "taken": step.taken}
    if step.last != step.step:
        value["last"] = step.last
    if step.lane is not None:
        value["lane"] = step.lane
    if step.candidates > 1:
        value["choice"] = step.choice
        value["candidates"] = step.candidates
        value["named"] = step.named
        if step.timer:
            value["timer"] = True
    if step.why:
        value["why"] = step.why
    if step.since:
        value["since"] = step.since
    if step.by is not None:
        value["by"] = step.by
    return value


def _event_json(event: model.Event) -> dict[str, Any]:
    value: dict[str, Any] = {"lane": event.lane, "kind": event.kind,
                             "text": event.text}
    if event.line:
        value["place"] = event.place()
    if event.stack is not None:
        value["stack"] = event.stack
    if event.other is not None:
        value["other"] = event.other
    return value


def page_data(trace: model.Trace, steps_max: int,
              sources: Optional[dict[str, list[str]]] = None,
              number: Optional[int] = None) -> dict[str, Any]:
    """The data of the page: the last `steps_max` steps, up to the failure.
    Columns count from the first of them."""
    total = len(trace.steps)
    first = max(0, total - steps_max)
    steps = []
    for column in range(first, total):
        step = step_json(trace.steps[column])
        events = [_event_json(event) for event in trace.events_of(column)]
        if events:
            step["events"] = events
        steps.append(step)
    for column, deviations in trace.deviation_columns().items():
        if column >= first:
            steps[column - first]["deviates"] = [
                vars(deviation) for deviation in deviations
            ]
    failing = trace.failing_column()
    value: dict[str, Any] = {
        "test": trace.test,
        "replay": trace.replay,
        "failure": trace.failure,
        "failed": _known(trace.failed),
        "replay_command": trace.replay_command,
        "race": trace.race,
        "input": trace.input,
        "search": _known(trace.search),
        "goals": [vars(goal) for goal in trace.goals],
        "lanes": trace.lanes,
        "total": total,
        "first": first,
        "steps": steps,
        "deviations": [vars(deviation) for deviation in trace.deviations],
        "spans": [
            [[max(span.begin, first) - first, span.end - first, span.state,
              span.text]
             for span in spans
             if span.end > first]
            for spans in lane_spans(trace)
        ],
        "arrows": [[start - first, lane, end - first, other, kind]
                   for start, lane, end, other, kind in arrows(trace)
                   if start >= first],
        "stacks": [[frame_json(frame) for frame in stack]
                   for stack in trace.stacks],
        "waits": [_wait_json(wait) for wait in trace.waits],
        "cycle": trace.cycle,
        "histories": [_history_json(history) for history in trace.histories],
    }
    if failing is not None and failing >= first:
        value["failing"] = failing - first
    if trace.fifo is not None:
        value["fifo"] = _fifo_json(trace, first, steps_max)
    if sources:
        value["sources"] = sources
    if number is not None:
        value["at"] = number
    return value


def _fifo_json(trace: model.Trace, first: int,
               steps_max: int) -> dict[str, Any]:
    assert trace.fifo is not None
    difference = trace.first_difference()
    begin = trace.steps[first].step if trace.steps else 0
    steps = [step for step in trace.fifo.steps if step.step >= begin]
    return {
        "failure": trace.fifo.failure,
        "left_out": trace.fifo.left_out + max(0, len(steps) - 2 * steps_max),
        "steps": [[step.step, step.task, step.taken]
                  for step in steps[:2 * steps_max]],
        "parts": difference - first if difference is not None else None,
    }


def _wait_json(wait: model.Wait) -> dict[str, Any]:
    value = _without_empty(vars(wait))
    for name in ("created", "held"):
        value.pop(name, None)
        frame: model.Frame = getattr(wait, name)
        if frame.line:
            value[name] = frame_json(frame)
    if wait.since_step:
        value["since_text"] = time_text(wait.since_ns)
    if wait.stack:
        value["stack"] = [frame_json(frame) for frame in wait.stack]
    return value


def _history_json(history: model.History) -> dict[str, Any]:
    value = _without_empty(vars(history))
    value["operations"] = [
        _operation_json(operation) for operation in history.operations
    ]
    return value


def _operation_json(operation: model.Operation) -> dict[str, Any]:
    value = {
        name: part
        for name, part in vars(operation).items()
        if part is not None and part is not False
    }
    value["called_text"] = time_text(operation.called_ns)
    value["returned_text"] = time_text(operation.returned_ns)
    return value


def read_sources(trace: model.Trace, root: str) -> dict[str, list[str]]:
    """The text of the files that the trace names, relative to `root`."""
    if not os.path.isdir(root):
        raise ShowError(
            f"--embed-sources={printable(root)} is not a folder: give the root "
            "of the workspace")
    names = {event.file for event in trace.events if event.line}
    names |= {frame.file for stack in trace.stacks for frame in stack}
    names |= {frame.file for wait in trace.waits for frame in wait.stack}
    if trace.failed.file:
        names.add(trace.failed.file)
    sources: dict[str, list[str]] = {}
    inside = os.path.realpath(root)
    for name in sorted(names):
        path = os.path.realpath(os.path.join(inside, name))
        # A trace may come from anywhere: it must not reach files outside.
        if not path.startswith(os.path.join(inside, "")):
            continue
        try:
            with open(path, encoding="utf-8", errors="replace") as file:
                sources[name] = file.read().split("\n")
        except OSError:
            continue
    if not sources:
        raise ShowError(
            f"--embed-sources={printable(root)}: none of the trace's files "
            f"(such as {printable(min(names, default='none'))}) is there: give "
            "the root of the workspace")
    return sources


def _resource(name: str) -> str:
    folder = os.path.dirname(os.path.abspath(__file__))
    with open(os.path.join(folder, "page", name), encoding="utf-8") as file:
        return file.read()


def _hash_of(text: str) -> str:
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"


def page(trace: model.Trace, steps_max: int = STEPS_MAX,
         sources: Optional[dict[str, list[str]]] = None,
         number: Optional[int] = None) -> str:
    """The whole page. It fetches nothing, and a browser runs only the page's
    own script, whatever names the trace contains."""
    data = json.dumps(page_data(trace, steps_max, sources, number),
                      separators=(",", ":"))
    # ASCII in which no tag or comment can begin or end.
    for char in "<>&":
        data = data.replace(char, f"\\u{ord(char):04x}")
    style = _resource("page.css")
    script = "\n" + "\n".join(
        _resource(f"{name}.js") for name in _SCRIPT)
    policy = (f"default-src 'none'; style-src {_hash_of(style)}; "
              f"script-src {_hash_of(script)}")
    title = "".join(
        f"&#{ord(char)};" if char in "<>&\"'" else char
        for char in printable(trace.test or "execution"))
    parts = {"POLICY": policy, "TITLE": title, "STYLE": style,
             "SCRIPT": script, "DATA": data}
    text = _resource("page.html")
    # In one pass, since the inserted text may contain the placeholders.
    pieces = text.split("%%")
    return "".join(
        parts[piece] if i % 2 else piece for i, piece in enumerate(pieces))
