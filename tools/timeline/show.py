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
import json
import os
import sys
from typing import Any, Optional

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

# pylint: disable=wrong-import-position
import chrome
import html_page
import trace_files
import trace_model as model
from html_page import ShowError
from task_states import Moment, TaskState, moment_at
from trace_text import printable, time_text
# pylint: enable=wrong-import-position

FORMATS = ("text", "json", "html", "chrome", "dot", "ps", "pstree")
# These formats are not written to a terminal.
_FOR_FILES = ("html", "chrome")


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


def _heading(trace: model.Trace) -> list[str]:
    lines = []
    if trace.test:
        lines.append(f"TEST      {printable(trace.test)}")
    for i, line in enumerate(trace.failure.split("\n")):
        if line or i == 0:
            label = "WHAT      " if i == 0 else "          "
            lines.append(
                label + (printable(line) or "(the trace has no failure)"))
    failed = trace.failed
    if failed.file:
        place = f"{printable(failed.file)}:{failed.line or 0}"
        function = printable(failed.function or "")
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


def _text(trace: model.Trace) -> str:
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


def _since(task: TaskState) -> str:
    return f"step {task.since_step}" if task.since_step else "the beginning"


def _state_text(trace: model.Trace, task: TaskState) -> str:
    if task.state == "waiting":
        return f"waits for {printable(task.what)}"
    if task.state == "ready" and task.woken_by is not None:
        if task.woken_by != task.lane:
            return f"ready, through {printable(trace.lanes[task.woken_by])}"
    if task.state == "done":
        return f"done: {printable(task.what)}"
    return task.state


def _step_text(trace: model.Trace, number: int) -> str:
    """One step: what could have run, and what the tasks were doing."""
    moment = moment_at(trace, number)
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


def _ps_lines(trace: model.Trace, moment: Moment) -> list[str]:
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


def _ps(trace: model.Trace, number: Optional[int]) -> str:
    return "\n".join(_ps_lines(trace, moment_at(trace, number))) + "\n"


def _pstree(trace: model.Trace, number: Optional[int]) -> str:
    """The tasks as a tree: which task created which."""
    moment = moment_at(trace, number)
    here = {task.lane for task in moment.tasks}
    children: dict[Optional[int], list[TaskState]] = {}
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


def _dot(trace: model.Trace) -> str:
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


def _task_json(task: TaskState) -> dict[str, Any]:
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
        value["stack"] = [html_page.frame_json(frame) for frame in task.stack]
    if task.parent is not None:
        value["parent"] = task.parent
    if task.woken_by is not None:
        value["woken_by"] = task.woken_by
    return value


def _json(trace: model.Trace, number: Optional[int]) -> str:
    """For programs: the page's data; or, for one step, the tasks at it."""
    if number is None:
        value = html_page.page_data(trace, len(trace.steps))
        value["clotho_show"] = 1
    else:
        moment = moment_at(trace, number)
        assert moment.step is not None
        value = {
            "clotho_show": 1,
            "at": number,
            "step": html_page.step_json(moment.step),
            "tasks": [_task_json(task) for task in moment.tasks],
        }
    return json.dumps(value, indent=1) + "\n"


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


def render(trace: model.Trace, args: argparse.Namespace) -> str:
    """The text that a command line of make_parser() asks for. ShowError or
    TraceError if that is not possible."""
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
        moment_at(trace, args.at)  # Raises TraceError if there is no such step.
    if args.format == "json":
        return _json(trace, args.at)
    if args.format == "html":
        sources = None
        if args.embed_sources is not None:
            sources = html_page.read_sources(trace, args.embed_sources)
        return html_page.page(trace, html_page.STEPS_MAX, sources, args.at)
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
        text = render(trace_files.load(args.path), args)
        if not to_stdout:
            _write(args.output, text)
            return 0
    except (ShowError, model.TraceError) as error:
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
