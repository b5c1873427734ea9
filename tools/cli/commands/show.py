"""Shows the trace of a failure as text, as an HTML page, or in another format.
Without RESULTS, shows the trace of the last failure.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from typing import Any

from cli.files import parse_json
from cli.memory import recall, results_folder
from cli.trouble import INTERNAL, Trouble, quote

HELP = "shows the trace of a failure, as text, HTML, ..."
EXAMPLE = """tools/clotho show --format=html -o timeline.html
tools/clotho show clotho-out/JobQueueTest.NoJobIsLost/trace.json"""

# Other arguments are passed to the timeline.
PASSES_ON = True

# The timeline's flags that take a value, so that the value is not taken for
# RESULTS.
_FLAGS = (
    (("--format",), "FORMAT", "text, json, html, chrome, dot, ps or pstree"),
    (("--at",), "STEP", "show this step: what could have run, and why"),
    (("--time",), "AXIS", "for --format=chrome: steps or virtual"),
    (("--embed-sources",), "ROOT", "put the sources into the page"),
    (("-o", "--output"), "FILE", "write to a file"),
)

_TIMELINE = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__)))), "timeline")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("results", metavar="RESULTS", nargs="?",
                        help="a trace.json, or a folder with one (default: the "
                             "last failure's)")
    for names, value, meaning in _FLAGS:
        parser.add_argument(*names, dest=names[-1], metavar=value,
                            help=meaning)
    parser.add_argument("--out", metavar="DIR",
                        help="the folder of results (default: clotho-out in the "
                             "workspace)")


def _for_programs(timeline: Any, results: str,
                  arguments: argparse.Namespace) -> int:
    """--json: what --format=json writes is a member of the answer."""
    if arguments.rest:
        raise Trouble(f"clotho show: unknown argument "
                      f"{quote(arguments.rest[0])}")
    given = vars(arguments)
    other = [names[-1] for names, _, _ in _FLAGS if names[-1] != "--at"
             and given[names[-1]] not in (None, "json")]
    if other:
        raise Trouble(f"clotho show --json does not go with {other[0]}: "
                      f"expected --at alone")
    at = [f"--at={given['--at']}"] if given["--at"] is not None else []
    try:
        asked = timeline.make_parser("clotho show").parse_args(
            ["--format=json", *at, "--", results])
    except SystemExit as stop:
        raise Trouble(f"{quote(given['--at'])} is not a step: expected a number "
                      f"from 1") from stop
    try:
        text = timeline.render(timeline.trace_files.load(results), asked)
    except (timeline.ShowError, timeline.model.TraceError) as error:
        raise Trouble(str(error)) from error
    arguments.answer.add(results=os.path.abspath(results),
                         trace=parse_json(text, results, "a trace"))
    return 0


def run(arguments: argparse.Namespace) -> int:
    results = arguments.results
    if results is None:
        out = results_folder(arguments.out)
        results = recall(out).results
        if not results:
            raise Trouble(f"no RESULTS given, and {quote(out)} has no record "
                          f"of a last failure: name a trace.json")
    if _TIMELINE not in sys.path:
        sys.path.insert(0, _TIMELINE)
    try:
        timeline = importlib.import_module("show")
    except ImportError as error:
        raise Trouble(f"this installation of clotho has no timeline: {error}",
                      INTERNAL) from error
    given = vars(arguments)
    if arguments.json:
        return _for_programs(timeline, results, arguments)
    flags = [f"{names[-1]}={given[names[-1]]}" for names, _, _ in _FLAGS
             if given[names[-1]] is not None]
    return timeline.main([*arguments.rest, *flags, "--", results],
                         "clotho show")
