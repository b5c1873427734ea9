"""Displays a campaign: as a screen on a terminal, as lines on a pipe.

The output is ASCII. The screen uses only the few ANSI sequences that every
terminal knows, and needs at least 20 columns.
"""

from __future__ import annotations

import math
import os
import sys
import textwrap
from typing import TextIO

from cli import records
from cli.progress import (NOT_DETERMINISTIC, Failure, Shrinking, State,
                          Strategy)

NARROW = 66  # Below this width, there is one figure per line.

# The kinds of failure of an execution that reached a limit.
_LIMITS = ("livelock", "virtual time")
# What keys do, in words and in one word. The last ones are left out first.
_KEYS = {"q": ("stop and write results", "stop"), "p": ("pause", "pause"),
         "f": ("failures", "failures"), "g": ("goals", "goals"),
         "b": ("budget hits", "budget")}
_ORDER = "pfgbq"
_VIEWS = "fgb"


def grouped(number: float) -> str:
    """18 402 113."""
    return f"{round(number):,}".replace(",", " ")


def short(number: float) -> str:
    """18.4M: about three digits."""
    for limit, letter in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= limit * 0.9995:
            return f"{number / limit:.3g}{letter}"
    return f"{number:.3g}"


def duration(seconds: float) -> str:
    """12m41s."""
    whole = int(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02d}s"
    if whole < 48 * 3600:
        return f"{whole // 3600}h{whole % 3600 // 60:02d}m"
    return f"{whole // 86400}d{whole % 86400 // 3600:02d}h"


def virtual(seconds: float) -> str:
    """4.1 years."""
    for unit, length in (("years", 365.25 * 86400), ("days", 86400.0),
                         ("hours", 3600.0), ("min", 60.0), ("s", 1.0)):
        if seconds >= length:
            return f"{seconds / length:.3g} {unit}"
    return f"{seconds:.3g} s"


def percent(share: float) -> str:
    """4.1 %."""
    value = 100 * share
    return f"{value:.2g} %" if 0 < value < 99.5 else f"{value:.0f} %"


def _chance(value: float) -> str:
    """0.97, 2e-10: rounded up."""
    if value >= 0.001:
        return f"{math.ceil(value * 1000) / 1000:.3g}"
    return f"{value * 1.05:.0e}" if value > 0 else "0"


def _plain(text: str) -> str:
    """The text for a terminal, without line breaks and control characters."""
    return "".join(c if " " <= c <= "~" else "?" for c in text)


def _goals(state: State) -> tuple[int, int]:
    return (sum(goal["reached"] > 0 for goal in state.goals),
            len(state.goals))


def line(state: State) -> str:
    """The state as one line: for a pipe, every 10 seconds."""
    of = f"/{short(state.asked)}" if state.asked else ""
    text = (f"{duration(state.elapsed)} {short(state.executions)}{of} "
            f"{short(state.rate)}/s new {percent(state.chance)} "
            f"fail {len(state.failures)}")
    reached, goals = _goals(state)
    if goals:
        text += f" goals {reached}/{goals}"
    return text


def failure_line(number: int, failure: Failure) -> str:
    """A new failure as one line."""
    record = failure.record
    what = record["what"].splitlines()[0] if record["what"] else record["kind"]
    return _plain(f"failure #{number} {failure.test} {record['kind']} "
                  f"{record['place']} {what} {record['replay']}")


def draw(state: State, width: int, height: int, view: str = "",
         page: int = 0) -> list[str]:
    """The lines of the screen; none is longer than `width`. `view` is the key
    of a list to show instead, which has `pages`."""
    if view:
        lines = _list(state, width, height, view, page)
    else:
        lines = (_narrow(state, width) if width < NARROW
                 else _wide(state, width, with_parts=True))
        if width >= NARROW and len(lines) >= height:
            # The failures are more important.
            lines = _wide(state, width, with_parts=False)
        lines.append(_last_line(state, width))
    lines = [_plain(text)[:width].rstrip() for text in lines]
    if len(lines) > height:
        # The last line lists the keys, so leave out lines before it.
        lines = lines[:height - 2] + ["..."[:width], lines[-1]]
    return lines[:height]


def _last_line(state: State, width: int, view: str = "",
               more: bool = False) -> str:
    """The available keys; `more`: the list has another page."""
    if state.status == "stopping":
        return " stopping (Ctrl-C: now)" if width >= 24 else "stopping"
    if not state.keys:
        return (" Ctrl-C stops and writes the results" if width >= 38
                else "Ctrl-C stops")
    does = dict(_KEYS)
    if state.status == "paused":
        does["p"] = ("resume", "resume")
    if view:
        does[view] = ("next page", "next") if more else ("back", "back")
    for length, words in ((len(does), 0), *(
            (length, 1) for length in range(len(does), 0, -1))):
        shown = list(does)[:length]
        if view in does and view not in shown:
            shown[-1] = view  # The way back is more important.
        text = " " + "   ".join(f"{key} {does[key][words]}"
                                for key in _ORDER if key in shown)
        if len(text) <= width:
            return text
    return "q stop"


# The lines around a list.
_FRAME = 4


def pages(state: State, width: int, height: int, view: str) -> int:
    """How many screens a list takes."""
    rows = max(1, height - _FRAME)
    return max(1, -(-len(_body(state, width, view)) // rows))


def _list(state: State, width: int, height: int, view: str,
          page: int) -> list[str]:
    rows = max(1, height - _FRAME)
    count = pages(state, width, height, view)
    page = min(page, count - 1)  # The list may have become shorter.
    title = {
        "f": f"failures   {len(state.failures)} distinct",
        "g": "goals   {} of {}".format(*_goals(state)),
        "b": f"budget hits   {grouped(state.budget_hits)} executions"}[view]
    where = f"   page {page + 1} of {count}" if count > 1 else ""
    return [title + where, "",
            *_body(state, width, view)[page * rows:(page + 1) * rows],
            "", _last_line(state, width, view, page + 1 < count)]


def _body(state: State, width: int, view: str) -> list[str]:
    """The lines of a list. Long lines are wrapped, not cut off."""
    lines: list[str] = []

    def add(text: str, indent: int) -> None:
        indent = min(indent, width // 4)
        lines.extend(textwrap.wrap(
            _plain(text), max(width, 2), initial_indent=" " * indent,
            subsequent_indent=" " * min(indent + 2, width // 4),
            break_on_hyphens=False) or [""])

    def add_failure(number: int, failure: Failure) -> None:
        record = failure.record
        add(f"#{number} {record['kind']}   {record['place']}   "
            f"{grouped(record['hits'])} hits, first at {record['first']}   "
            f"{failure.test}", 1)
        for line_of in record["what"].splitlines()[:3]:
            add(line_of, 5)
        add(record["replay"], 5)

    numbered = list(enumerate(state.failures, 1))
    if view == "f":
        for number, failure in numbered:
            add_failure(number, failure)
        for one in state.shrinking:
            add(f"{one.kind}   {one.place}   {_shrinking(one)}   {one.test}", 1)
        return lines or [" none so far"]
    if view == "g":
        for goal in state.goals:
            add(f"[x] {goal['goal']}   first at {goal['first']}   "
                f"{grouped(goal['reached'])} x   ({goal['place']})"
                if goal["reached"] else
                f"[ ] {goal['goal']}   NEVER   ({goal['place']})", 1)
        return lines or [" none so far: no Sometimes(...) has been run"]
    for test in state.tests:
        add(f"{test.name}   {grouped(test.budget_hits)} of "
            f"{grouped(test.executions)} executions reached a limit of steps "
            f"or time; the longest has {grouped(test.steps_max)} steps", 1)
    for number, failure in numbered:
        if failure.record["kind"] in _LIMITS:
            add_failure(number, failure)
    if state.budget_hits:
        add("The limits are --clotho_max_steps and --clotho_max_virtual_time.",
            1)
    return lines or [" none so far"]


def _bar(share: float, width: int) -> str:
    done = int(share * width)
    return "[" + "#" * done + "-" * (width - done) + "]"


def _narrow(state: State, width: int) -> list[str]:
    of = f"/{short(state.asked)}" if state.asked else ""
    lines = [state.title, duration(state.elapsed)
             + (" paused" if state.status == "paused" else ""),
             f"{short(state.executions)}{of}"]
    if state.asked:
        share = min(1.0, state.executions / state.asked)
        lines.append(_bar(share, max(4, width - 10)) + f" {100 * share:.0f} %")
    eta = state.eta()
    lines.append(f"{short(state.rate)}/s" + (
        f" eta {duration(eta)}" if eta is not None else ""))
    lines.append(f"new {percent(state.chance)}")
    reached, goals = _goals(state)
    if goals:
        lines.append(f"goals {reached}/{goals}")
    if state.budget_hits:
        lines.append(f"limit {short(state.budget_hits)} x")
    if state.differ:
        lines.append(f"differ {short(state.differ)}")
    lines.append(f"failures {len(state.failures)}")
    for number, failure in enumerate(state.failures, 1):
        lines += [f"#{number} {failure.record['kind']}",
                  f" {failure.record['replay']}"]
    lines += [f" {_shrinking(one)}" for one in state.shrinking]
    return lines


def _shrinking(one: Shrinking) -> str:
    return f"shrinking {one.deviations} -> {one.now} ..."


def _strategy(strategy: Strategy, indent: int) -> str:
    name = " " * indent + strategy.name
    text = (f" {name:<20}{grouped(strategy.executions):>15}"
            f"{strategy.failures:>10}")
    if strategy.bound is not None:
        text += (f"   pct's bound: a bug of depth {strategy.depth} is "
                 f"missed with p <= {_chance(strategy.bound)} (n = "
                 f"{strategy.tasks}, k = {strategy.steps})")
    return text


def _bounds(strategy: Strategy) -> str:
    """The bounds of a portfolio's parts, to show instead of the parts."""
    bounds = [f"{part.depth}: {_chance(part.bound)}" for part in strategy.parts
              if part.bound is not None]
    return "   missed, by depth (pct's bound)  " + "  ".join(bounds) if (
        bounds) else ""


def _wide(state: State, width: int, with_parts: bool) -> list[str]:
    right = (("paused   " if state.status == "paused" else "")
             + f"{state.workers} workers   {duration(state.elapsed)}")
    title = f"clotho fuzz {state.title}"[:max(0, width - len(right) - 1)]
    lines = [title + right.rjust(width - len(title)), ""]
    text = f" executions {grouped(state.executions):>15}"
    if state.asked:
        share = min(1.0, state.executions / state.asked)
        bar = _bar(share, max(5, min(35, width - 80)))
        text += f"   {bar} {100 * share:3.0f} % of {short(state.asked)}"
    text += f"   {grouped(state.rate)} /s"
    eta = state.eta()
    if eta is not None:
        text += f"   eta {duration(eta)}"
    lines.append(text)
    lines.append(f" traces     {grouped(state.traces):>15}   chance that the "
                 f"next is new {percent(state.chance)} (Good-Turing)")
    mean = state.steps / state.executions if state.executions else 0
    steps = [grouped(records.percentile(state.steps_of, share))
             for share in (0.5, 0.99)]
    tasks = grouped(records.percentile(state.tasks_of, 0.5))
    lines.append(f" shape      {grouped(mean):>15} steps on average, p50 "
                 f"{steps[0]}, p99 {steps[1]}, max {grouped(state.steps_max)}"
                 f"   tasks p50 {tasks}, max {grouped(state.tasks_max)}")
    lines.append(f" time       {virtual(state.virtual_seconds):>15} of virtual "
                 f"time covered")
    if state.budget_hits:
        look = ", or press b" if state.keys else ""
        lines.append(f" budget     {grouped(state.budget_hits):>15} reached a "
                     f"limit of steps or time (raise --clotho_max_steps{look})")
    lines += ["", f" {'strategy':<20}{'executions':>15}{'failures':>10}"]
    for strategy in state.strategies:
        lines.append(_strategy(strategy, indent=0)
                     + ("" if with_parts else _bounds(strategy)))
        if with_parts:
            lines += [_strategy(part, indent=2) for part in strategy.parts]
    reached, goals = _goals(state)
    if goals:
        lines += ["", f" goals      {reached} of {goals}"]
        for goal in state.goals:
            lines.append(
                f"   [x] {goal['goal']}   first at "
                f"{goal['first']}   {grouped(goal['reached'])} x"
                if goal["reached"] else
                f"   [ ] {goal['goal']}   NEVER   ({goal['place']})")
    lines += ["", f" failures   {len(state.failures)} distinct"]
    for number, failure in enumerate(state.failures, 1):
        record = failure.record
        what = record["what"].splitlines()[0] if record["what"] else ""
        lines.append(f"   #{number:<3} {record['kind']:<12} "
                     f"{record['place']}   {record['hits']} hits   "
                     f"{record['replay']}   {what}")
    lines += [f"        {one.kind:<12} {one.place}   {_shrinking(one)}"
              for one in state.shrinking]
    lines += ["", f" determinism {grouped(state.checked):>14} run twice"
              + _differ(state)]
    lines.append(" " + (f"restarts {state.restarts}   " if state.restarts
                        else "") + f"rss {short(state.rss)}B   out {state.out}")
    return lines


def _differ(state: State) -> str:
    if not state.differ:
        return ", none differs" if state.checked else " so far"
    which = ", ".join(
        f"#{number}" for number, failure in enumerate(state.failures, 1)
        if failure.record["kind"] == NOT_DETERMINISTIC)
    return (f", {grouped(state.differ)} "
            f"{'differs' if state.differ == 1 else 'differ'} ({which})")


class Terminal:
    """Draws the screen, over the last one."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._drawn = 0
        self._size = (0, 0)
        self._view = ""
        self._page = 0

    @staticmethod
    def suits(stream: TextIO) -> bool:
        """Whether a screen can be drawn there."""
        return stream.isatty() and os.environ.get("TERM", "dumb") != "dumb"

    def size(self) -> tuple[int, int]:
        try:
            size = os.get_terminal_size(self._stream.fileno())
        except OSError:
            return 80, 24
        return max(size.columns, 1), max(size.lines, 3)

    def _room(self) -> tuple[int, int]:
        """The size without the last column and line, which would scroll."""
        width, height = self.size()
        return max(width - 1, 1), height - 1

    def press(self, key: str, state: State) -> None:
        """Shows the list of that key or its next page; after the last page,
        closes the list."""
        if key not in _VIEWS:
            return
        if key != self._view:
            self._view, self._page = key, 0
        elif self._page + 1 < pages(state, *self._room(), key):
            self._page += 1
        else:
            self._view, self._page = "", 0

    def show(self, state: State) -> None:
        width, height = self.size()
        lines = draw(state, *self._room(), self._view, self._page)
        text = "\x1b[?25l"
        if (width, height) != self._size and self._size != (0, 0):
            text += "\x1b[2J\x1b[H"  # A resize has wrapped the text.
        elif self._drawn:
            text += f"\x1b[{self._drawn}A"
        self._size = (width, height)
        text += "".join(f"\r{one}\x1b[K\n" for one in lines) + "\x1b[J"
        self._drawn = len(lines)
        self._stream.write(text)
        self._stream.flush()

    def close(self) -> None:
        """Leaves the screen; later output goes below it."""
        self._stream.write("\x1b[?25h")
        self._stream.flush()
        self._drawn = 0

    def say(self, text: str) -> None:
        """Prints a line above the screen."""
        if self._drawn:
            self._stream.write(f"\x1b[{self._drawn}A\x1b[J")
        self._drawn = 0
        self._stream.write(text + "\n")


def make_terminal() -> Terminal | None:
    """A Terminal for the standard output, if a screen can be drawn on it."""
    return Terminal(sys.stdout) if Terminal.suits(sys.stdout) else None
