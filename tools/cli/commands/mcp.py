"""Serves the commands to a program over the Model Context Protocol, on standard
input and output, until its input ends. docs/mcp.md shows a session.

The tools are list_tests, hunt, replay, explain, shrink and save. Their results
are the documents that --json prints.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys

from cli import options
from cli.mcp_server import Server
from cli.mcp_tools import Tools
from cli.trouble import USAGE, Trouble

HELP = "serves the commands over the Model Context Protocol"
EXAMPLE = "tools/clotho mcp"
NO_JSON = "it writes the messages of the protocol"

_VERSION = "1"  # Of the tools, not of Clotho.
_INSTRUCTIONS = (
    "Clotho runs asynchronous C++ tests in many schedules. hunt finds a failing "
    "schedule and returns its replay string; replay, explain and shrink work on "
    "it; after the fix, replay shows that it passes, and save with fixed=true "
    "keeps it as a regression test.")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    options.add_common(parser)


def run(arguments: argparse.Namespace) -> int:
    if sys.stdin.isatty():
        raise Trouble("clotho mcp reads messages from a program: expected a "
                      "pipe as its input, not a terminal (docs/mcp.md says how "
                      "a client starts it)", USAGE)
    # Nothing but messages may reach standard output.
    sys.stdout.flush()
    sink = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    flags = [f"--out={arguments.out}"] if arguments.out else []
    flags += [f"--bazel_flag={flag}" for flag in arguments.bazel_flag]
    server = Server(Tools(flags), sys.stdin.buffer, sink, "clotho", _VERSION,
                    _INSTRUCTIONS)

    def stop(number: int, _: object) -> None:
        raise SystemExit(128 + number)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    server.serve()
    return 0
