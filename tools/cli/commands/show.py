"""Shows the trace of a failure: as text, as a page of HTML, and in other
forms. Without RESULTS, it is that of the last failure.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys

from cli.memory import recall, results_folder
from cli.trouble import INTERNAL, Trouble, quote

HELP = "the trace of a failure, as text, HTML, ..."
EXAMPLE = """tools/clotho show --format=html -o timeline.html
tools/clotho show clotho-out/JobQueueTest.NoJobIsLost/trace.json"""

# The rest of the command line is for the timeline.
PASSES_ON = True

# Those of its flags that have a value, which is no RESULTS then.
_FLAGS = (("--format",), ("--at",), ("--time",), ("--embed-sources",),
          ("-o", "--output"))

_TIMELINE = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__)))), "timeline")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("results", metavar="RESULTS", nargs="?",
                        help="a trace.json, or a folder with one; the timeline's "
                             "flags: show.py -h in tools/timeline")
    for flag in _FLAGS:
        parser.add_argument(*flag, dest=flag[0], metavar="VALUE",
                            help=argparse.SUPPRESS)
    parser.add_argument("--out", metavar="DIR",
                        help="the folder of results (clotho-out in the "
                             "workspace)")


def run(arguments: argparse.Namespace) -> int:
    results = arguments.results
    if results is None:
        out = results_folder(arguments.out)
        results = recall(out).results
        if not results:
            raise Trouble(f"no RESULTS, and no failure was seen before with "
                          f"the results in {quote(out)}: name a trace.json")
    if _TIMELINE not in sys.path:
        sys.path.insert(0, _TIMELINE)
    try:
        timeline = importlib.import_module("show")
    except ImportError as error:
        raise Trouble(f"this clotho has no timeline: {error}",
                      INTERNAL) from error
    given = vars(arguments)
    flags = [f"--{flag[-1].lstrip('-')}={given[flag[0]]}" for flag in _FLAGS
             if given[flag[0]] is not None]
    return timeline.main([*arguments.rest, *flags, "--", results],
                         "clotho show")
