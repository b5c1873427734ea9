#!/usr/bin/env python3
"""Shows what happened in a failing execution, from its trace.json.

    show.py clotho-out/Suite.Test                      as text
    show.py clotho-out/Suite.Test --at=4               what step 4 could choose
    show.py outputs.zip --format=html -o timeline.html a page for a browser

PATH is a trace.json, its folder, a folder of results, or an outputs.zip of
Bazel. An output file is written whole or not at all. The exit code is 0, or 2 if
the input is invalid.
"""

import argparse
import base64
import hashlib
import json
import os
import sys
from typing import Any, Optional

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

# pylint: disable=wrong-import-position
import chrome
import trace as traces
from trace import printable, time_text
# pylint: enable=wrong-import-position

FORMATS = ("text", "json", "html", "chrome", "dot", "ps", "pstree")
# These formats are not written to a terminal.
_FOR_FILES = ("html", "chrome")

# The page has only the last steps of a long execution, where the failure is.
STEPS_MAX = 10_000

_WIDTH = 100


class ShowError(Exception):
    """Says why a request cannot be fulfilled, and what to do."""


# ---- Text. ----


def _table(rows: list[list[str]], head: list[str]) -> list[str]:
    """Columns as wide as their content; the last one is not padded."""
    rows = [head] + rows
    widths = [
        max(len(row[i]) for row in rows) for i in range(len(head) - 1)
    ]
    lines = []
    for row in rows:
        parts = [cell.ljust(width) for cell, width in zip(row, widths)]
        lines.append("  ".join(parts + [row[-1]]).rstrip())
    return lines


def _heading(trace: traces.Trace) -> list[str]:
    lines = []
    if trace.test:
        lines.append(f"TEST      {printable(trace.test)}")
    for i, line in enumerate(trace.failure.split("\n")):
        if line or i == 0:
            label = "WHAT      " if i == 0 else "          "
            lines.append(
                label + (printable(line) or "(the trace has no failure)"))
    where = trace.failed.get("file", "")
    if where:
        place = f"{printable(where)}:{trace.failed.get('line', 0)}"
        function = printable(trace.failed.get("function", ""))
        lines.append("          " + (f"in {function} ({place})" if function else
                                     f"at {place}"))
    if trace.replay:
        lines.append(f"REPLAY    {printable(trace.replay)}")
    if trace.deviations:
        for i, deviation in enumerate(trace.deviations):
            label = "SCHEDULE  " if i == 0 else "          "
            lines.append(f"{label}step {deviation.step}: "
                         f"{printable(deviation.taken)}")
            if deviation.fifo:
                lines.append(f"            {printable(deviation.fifo)}")
    else:
        lines.append("SCHEDULE  none: this is FIFO order")
    if trace.fifo is not None:
        verdict = ("FIFO order passes" if not trace.fifo.failure else
                   f"FIFO order fails: {printable(trace.fifo.failure)}")
        lines.append(f"          {verdict}")
    return lines


def _text(trace: traces.Trace) -> str:
    lines = _heading(trace)
    lines.append("")
    deviations = trace.deviation_columns()
    failing = trace.failing_column()
    rows = []
    for column, step in enumerate(trace.steps):
        mark = "*" if column in deviations else " "
        mark = "X" if column == failing else mark
        own = trace.events_of(column)
        if not own:
            rows.append([mark, str(step.step), time_text(step.time_ns), "",
                         printable(step.taken)])
        first = True
        for event in own:
            text = printable(event.text)
            if event.kind == "failure":
                text = f"FAILS: {text}"
            if event.line:
                text += f"   {printable(event.place())}"
            rows.append([
                mark if first else "",
                str(step.step) if first else "",
                time_text(event.time_ns) if first else "",
                "" if event.kind == "timer" else printable(
                    trace.lanes[event.lane]), text
            ])
            first = False
    lines += _table(rows, ["", "step", "time", "task", "event"])
    return "\n".join(lines) + "\n"


def _since(task: traces.TaskState) -> str:
    return f"step {task.since_step}" if task.since_step else "the beginning"


def _state_text(trace: traces.Trace, task: traces.TaskState) -> str:
    if task.state == "waiting":
        return f"waits for {printable(task.what)}"
    if task.state == "ready" and task.woken_by is not None:
        if task.woken_by != task.lane:
            return f"ready, through {printable(trace.lanes[task.woken_by])}"
    if task.state == "done":
        return f"done: {printable(task.what)}"
    return task.state


def _step_text(trace: traces.Trace, number: int) -> str:
    """One step: what could have run, and what the tasks were doing."""
    moment = trace.at(number)
    step = moment.step
    assert step is not None
    lines = [
        f"step {step.step}, t = {time_text(step.time_ns)}: "
        f"{printable(step.taken)}", ""
    ]
    column = trace.column_of(number)
    assert column is not None
    names = step.named or [step.taken]
    for i, name in enumerate(names):
        marks = []
        if i == 0 and step.candidates > 1:
            marks.append("FIFO order's")
        if i == step.choice and step.candidates > 1:
            marks.append("this was taken")
        label = "could have run  " if i == 0 else " " * 16
        lines.append(
            label + printable(name) +
            (f"   ({', '.join(marks)})" if marks else ""))
        if i < len(step.why):
            lines.append(" " * 18 + printable(step.why[i]))
    if step.candidates > len(names):
        lines.append(" " * 16 + f"and {step.candidates - len(names)} more")
    lines.append("")
    for event in trace.events_of(column):
        where = "" if event.kind == "timer" else printable(
            trace.lanes[event.lane]) + ": "
        place = f"   {printable(event.place())}" if event.line else ""
        lines.append(f"  {where}{printable(event.text)}{place}")
    lines.append("")
    return "\n".join(lines + _ps_lines(trace, moment)) + "\n"


def _ps_lines(trace: traces.Trace, moment: traces.Moment) -> list[str]:
    rows = []
    for task in moment.tasks:
        where = " > ".join(frame.text() for frame in task.stack)
        rows.append([
            printable(task.name),
            _state_text(trace, task),
            _since(task),
            time_text(task.since_ns),
            printable(where)
        ])
    return _table(rows, ["task", "state", "since", "t", "awaiting at"])


def _ps(trace: traces.Trace, number: Optional[int]) -> str:
    return "\n".join(_ps_lines(trace, trace.at(number))) + "\n"


def _pstree(trace: traces.Trace, number: Optional[int]) -> str:
    """The tasks as a tree: which task created which."""
    moment = trace.at(number)
    here = {task.lane for task in moment.tasks}
    children: dict[Optional[int], list[traces.TaskState]] = {}
    for task in moment.tasks:
        parent = task.parent if task.parent in here else None
        children.setdefault(parent, []).append(task)
    lines: list[str] = []
    # Not recursive, since chains of tasks may be long.
    stack = [(task, "", "") for task in reversed(children.get(None, []))]
    while stack:
        task, prefix, branch = stack.pop()
        where = f"   {printable(task.stack[-1].place())}" if task.stack else ""
        lines.append(f"{prefix}{branch}{printable(task.name)}  "
                     f"{_state_text(trace, task)}{where}")
        below = children.get(task.lane, [])
        if branch:
            prefix += "    " if branch == "`-- " else "|   "
        for i in range(len(below) - 1, -1, -1):
            stack.append((below[i], prefix,
                          "`-- " if i == len(below) - 1 else "|-- "))
    return "\n".join(lines) + "\n"


# ---- Graphs, and formats for programs. ----


def _dot_text(text: str) -> str:
    return '"' + printable(text).replace("\\", "\\\\").replace(
        '"', '\\"') + '"'


def _dot(trace: traces.Trace) -> str:
    """The wait-for graph at the end, for Graphviz."""
    lines = ["digraph waits {", "  node [shape=box];"]
    cycle = set()
    for i, task in enumerate(trace.cycle):
        cycle.add((task, trace.cycle[(i + 1) % len(trace.cycle)]))
    for i, wait in enumerate(trace.waits):
        color = ", color=red" if i in trace.cycle else ""
        lines.append(f"  t{i} [label={_dot_text(wait.task)}{color}];")
    for i, wait in enumerate(trace.waits):
        label = _dot_text(wait.what)
        for holder in wait.holders:
            color = ", color=red" if (i, holder) in cycle else ""
            lines.append(f"  t{i} -> t{holder} [label={label}{color}];")
        if wait.what and not wait.holders:
            lines.append(f"  n{i} [label=\"unknown\", shape=plain];")
            lines.append(f"  t{i} -> n{i} [label={label}, style=dashed];")
    lines.append("}")
    return "\n".join(lines) + "\n"


def _without_empty(value: Any) -> Any:
    return {
        name: part
        for name, part in value.items()
        if part not in (None, "", [], {}, False)
    }


def _frame_json(frame: traces.Frame) -> dict[str, Any]:
    return _without_empty(vars(frame))


def _task_json(task: traces.TaskState) -> dict[str, Any]:
    value = {
        "task": task.name,
        "lane": task.lane,
        "state": task.state,
        "since_step": task.since_step,
        "since_ns": task.since_ns,
    }
    if task.what:
        value["what"] = task.what
    if task.stack:
        value["stack"] = [_frame_json(frame) for frame in task.stack]
    if task.parent is not None:
        value["parent"] = task.parent
    if task.woken_by is not None:
        value["woken_by"] = task.woken_by
    return value


def _json(trace: traces.Trace, number: Optional[int]) -> str:
    """For programs: the page's data; or, for one step, the tasks at it."""
    if number is None:
        value = page_data(trace, len(trace.steps))
        value["clotho_show"] = 1
    else:
        moment = trace.at(number)
        assert moment.step is not None
        value = {
            "clotho_show": 1,
            "at": number,
            "step": _step_json(moment.step),
            "tasks": [_task_json(task) for task in moment.tasks],
        }
    return json.dumps(value, indent=1) + "\n"


# ---- The page. ----


def _step_json(step: traces.Step) -> dict[str, Any]:
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


def _event_json(event: traces.Event) -> dict[str, Any]:
    value: dict[str, Any] = {"lane": event.lane, "kind": event.kind,
                             "text": event.text}
    if event.line:
        value["place"] = event.place()
    if event.stack is not None:
        value["stack"] = event.stack
    if event.other is not None:
        value["other"] = event.other
    return value


def page_data(trace: traces.Trace, steps_max: int,
              sources: Optional[dict[str, list[str]]] = None,
              number: Optional[int] = None) -> dict[str, Any]:
    """The data of the page: the last `steps_max` steps, up to the failure.
    Columns count from the first of them."""
    total = len(trace.steps)
    first = max(0, total - steps_max)
    steps = []
    for column in range(first, total):
        step = _step_json(trace.steps[column])
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
        "failed": trace.failed,
        "replay_command": trace.replay_command,
        "race": trace.race,
        "input": trace.input,
        "search": trace.search,
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
            for spans in trace.spans()
        ],
        "arrows": [[start - first, lane, end - first, other, kind]
                   for start, lane, end, other, kind in trace.arrows()
                   if start >= first],
        "stacks": [[_frame_json(frame) for frame in stack]
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


def _fifo_json(trace: traces.Trace, first: int,
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


def _wait_json(wait: traces.Wait) -> dict[str, Any]:
    value = _without_empty(vars(wait))
    for name in ("created", "held"):
        value.pop(name, None)
        frame: traces.Frame = getattr(wait, name)
        if frame.line:
            value[name] = _frame_json(frame)
    if wait.since_step:
        value["since_text"] = time_text(wait.since_ns)
    if wait.stack:
        value["stack"] = [_frame_json(frame) for frame in wait.stack]
    return value


def _history_json(history: traces.History) -> dict[str, Any]:
    value = _without_empty(vars(history))
    value["operations"] = [
        _operation_json(operation) for operation in history.operations
    ]
    return value


def _operation_json(operation: traces.Operation) -> dict[str, Any]:
    value = {
        name: part
        for name, part in vars(operation).items()
        if part is not None and part is not False
    }
    value["called_text"] = time_text(operation.called_ns)
    value["returned_text"] = time_text(operation.returned_ns)
    return value


def _sources(trace: traces.Trace, root: str) -> dict[str, list[str]]:
    """The text of the files that the trace names, relative to `root`."""
    if not os.path.isdir(root):
        raise ShowError(
            f"--embed-sources={printable(root)} is not a folder: give the root "
            "of the workspace")
    names = {event.file for event in trace.events if event.line}
    names |= {frame.file for stack in trace.stacks for frame in stack}
    names |= {frame.file for wait in trace.waits for frame in wait.stack}
    if trace.failed.get("file"):
        names.add(trace.failed["file"])
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
    with open(os.path.join(folder, name), encoding="utf-8") as file:
        return file.read()


def _hash_of(text: str) -> str:
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"


def page(trace: traces.Trace, steps_max: int = STEPS_MAX,
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
    script = _resource("page.js")
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


# ---- The command. ----


def _write(path: str, text: str) -> None:
    """Writes a file whole, or not at all."""
    unfinished = f"{path}.{os.getpid()}.tmp"
    try:
        try:
            with open(unfinished, "w", encoding="ascii") as file:
                file.write(text)
            os.replace(unfinished, path)
        except OSError:
            if os.path.lexists(unfinished):
                os.unlink(unfinished)
            raise
    except OSError as error:
        raise ShowError(
            f"cannot write {printable(path)}: {error.strerror}: give another "
            "file with -o") from None


def _step_number(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(
            f"\"{printable(text)}\" is not a step: expected a number from 1, such "
            "as --at=4")
    return number


def make_parser(prog: str = "show.py") -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Shows what happened in a failing execution.",
        epilog=f"example: {prog} clotho-out/Suite.Test --format=html "
        "-o timeline.html")
    parser.add_argument(
        "path", metavar="PATH",
        help="a trace.json, its folder, a folder of results, or an "
        "outputs.zip of Bazel")
    parser.add_argument(
        "--format", choices=FORMATS, default="text",
        help="text: step by step; json: for programs; html: a page for a "
        "browser; chrome: for ui.perfetto.dev; dot: the wait-for graph, for "
        "Graphviz; ps, pstree: the tasks (default: text)")
    parser.add_argument(
        "--at", metavar="STEP", type=_step_number,
        help="show this step: what could have run and why, and what each "
        "task was doing just before it (default: all steps; for ps and "
        "pstree: the end)")
    parser.add_argument(
        "--time", choices=("steps", "virtual"), default="steps",
        help="the axis of --format=chrome (default: steps)")
    parser.add_argument(
        "--embed-sources", metavar="ROOT",
        help="embed the sources in the page; their paths are relative to "
        "this folder")
    parser.add_argument(
        "-o", "--output", metavar="FILE",
        help="write to a file (default: standard output)")
    return parser


def _render(trace: traces.Trace, args: argparse.Namespace) -> str:
    if args.at is not None and args.format in ("chrome", "dot"):
        raise ShowError(
            f"--at does not apply to --format={args.format}, which shows " +
            ("all steps" if args.format == "chrome" else "the end") +
            ": omit it, or choose text, json, html, ps or pstree")
    if args.embed_sources is not None and args.format != "html":
        raise ShowError("--embed-sources needs --format=html")
    if args.time != "steps" and args.format != "chrome":
        raise ShowError("--time needs --format=chrome")
    if args.at is not None:
        trace.at(args.at)  # Raises TraceError if there is no such step.
    if args.format == "json":
        return _json(trace, args.at)
    if args.format == "html":
        sources = None
        if args.embed_sources is not None:
            sources = _sources(trace, args.embed_sources)
        return page(trace, STEPS_MAX, sources, args.at)
    if args.format == "chrome":
        return chrome.write(trace, args.time == "virtual")
    if args.format == "dot":
        if not trace.waits:
            raise ShowError(
                f"{trace.source} has no wait-for graph: no task was waiting "
                "at the end, or an older version wrote the trace")
        return _dot(trace)
    if args.format == "ps":
        return _ps(trace, args.at)
    if args.format == "pstree":
        return _pstree(trace, args.at)
    return _text(trace) if args.at is None else _step_text(trace, args.at)


def main(argv: Optional[list[str]] = None, prog: str = "show.py") -> int:
    """Returns the exit code: 0, or 2."""
    try:
        args = make_parser(prog).parse_args(argv)
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 2
    to_stdout = args.output is None or args.output == "-"
    try:
        if to_stdout and args.format in _FOR_FILES and sys.stdout.isatty():
            suffix = "html" if args.format == "html" else "json"
            raise ShowError(
                f"--format={args.format} cannot be shown on a terminal: add "
                f"-o timeline.{suffix}")
        text = _render(traces.load(args.path), args)
        if not to_stdout:
            _write(args.output, text)
            return 0
    except (ShowError, traces.TraceError) as error:
        print(f"{prog}: {error}", file=sys.stderr)
        return 2
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError as error:
        # Otherwise Python would flush the rest again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            return 0  # The reader has closed the pipe.
        print(f"{prog}: cannot write to standard output: {error.strerror}",
              file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
