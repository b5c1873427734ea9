"""Reads the command line, runs the command, and turns errors into codes."""

from __future__ import annotations

import argparse
import errno
import importlib
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from typing import NoReturn

from cli import completions, topics
from cli.answer import Answer, of_trouble
from cli.binary import nearest
from cli.files import read_text
from cli.trouble import (INFRASTRUCTURE, INTERNAL, INTERRUPTED, USAGE,
                         Trouble, quote)

# In the order in which users first need them.
COMMANDS = ("list", "test", "fuzz", "replay", "debug", "show", "explain",
            "shrink", "save", "saved", "check", "plan", "merge", "mcp")
ALIASES = {"campaign": "fuzz"}


class _Parser(argparse.ArgumentParser):
    """Raises Trouble for errors, and does not accept abbreviated flags."""

    def __init__(self, **settings: object) -> None:
        super().__init__(
            allow_abbrev=False,
            formatter_class=argparse.RawDescriptionHelpFormatter, **settings)

    def error(self, message: str) -> NoReturn:
        raise Trouble(f"{message}\n{self.format_usage()}"
                      f"run {self.prog} -h for help")


def _flags_of(command: argparse.ArgumentParser) -> list[str]:
    return [flag for action in command._actions
            for flag in action.option_strings]


def _module(command: str):
    return importlib.import_module(
        f"cli.commands.{ALIASES.get(command, command)}")


def _version() -> str:
    path = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(
        os.path.abspath(__file__)))), "VERSION")
    return read_text(path, "the version of Clotho").strip()


class _ShowVersion(argparse.Action):
    """--version. (Reads the file only if it is asked to.)"""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        print(f"clotho {_version()}")
        parser.exit()


def make_parser() -> argparse.ArgumentParser:
    """The parser of the whole command line."""
    parser = _Parser(
        prog="clotho", description="Tests, campaigns and failures of Clotho.",
        epilog="clotho COMMAND -h shows an example. clotho help TOPIC explains "
               "a topic: " + ", ".join(topics.TOPICS))
    parser.add_argument("--version", nargs=0, action=_ShowVersion,
                        help="prints the version of Clotho")
    commands = parser.add_subparsers(
        dest="command", metavar="COMMAND", required=True,
        parser_class=_Parser)
    for name in COMMANDS:
        module = _module(name)
        command = commands.add_parser(
            name, help=module.HELP, description=module.__doc__.strip(),
            epilog="example:\n  " + module.EXAMPLE.strip().replace(
                "\n", "\n  "),
            aliases=[alias for alias, of in ALIASES.items() if of == name])
        module.add_arguments(command)
        if not getattr(module, "NO_JSON", ""):
            command.add_argument(
                "--json", action="store_true",
                help="print one JSON document, for programs (docs/json.md)")
        command.set_defaults(run=module.run)
    topic = commands.add_parser(
        "help", help="explains a topic: " + ", ".join(topics.TOPICS))
    topic.add_argument("topic", nargs="?", metavar="TOPIC")
    topic.set_defaults(run=lambda arguments: topics.show(
        arguments.topic, parser, commands.choices))
    completion = commands.add_parser(
        "completion", help="prints the completion script for a shell",
        epilog="example:\n  source <(tools/clotho completion)\n"
               "  source <(tools/clotho completion zsh)\n"
               "  tools/clotho completion fish | source")
    completion.add_argument("shell", nargs="?", default="bash",
                            choices=completions.SHELLS, metavar="SHELL",
                            help="bash, zsh or fish (default: bash)")
    completion.set_defaults(run=lambda arguments: completions.show(
        arguments.shell, commands.choices))
    return parser


def _run(argv: list[str], answer: Answer) -> int:
    # What follows "--" is for the test binary.
    flags: list[str] = []
    if "--" in argv:
        at = argv.index("--")
        argv, flags = argv[:at], argv[at + 1:]
    parser = make_parser()
    name = argv[0] if argv else ""
    command = topics.commands_of(parser).get(name)
    if command is None:
        parser.parse_args(argv)  # Prints help, or reports the error.
        return USAGE
    # (Subparsers do not allow flags between the other arguments.)
    arguments, rest = command.parse_known_intermixed_args(argv[1:])
    module = None if name in ("help", "completion") else _module(name)
    if answer.wanted and getattr(module, "NO_JSON", ""):
        raise Trouble(f"clotho {name} has no --json: {module.NO_JSON}")
    arguments.rest = rest
    if hasattr(arguments, "settle"):
        arguments.settle(arguments, name)
        rest = arguments.rest
    if rest and not getattr(module, "PASSES_ON", False):
        raise Trouble(
            f"clotho {name}: unknown argument {quote(rest[0])}"
            f"{nearest(rest[0].split('=')[0], _flags_of(command), 0.7)}\n"
            f"run clotho {name} -h for help")
    if flags and not getattr(module, "TAKES_FLAGS", False):
        raise Trouble(f"clotho {name} takes no flags for the test binary, but "
                      f"got {quote(flags[0])} after --")
    arguments.flags = flags
    arguments.answer = answer
    return arguments.run(arguments)


def main(argv: Sequence[str]) -> int:
    """Runs a command line, and returns the exit code."""
    # Non-ASCII characters in a name must not end the program.
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")
    # `bazel run` starts programs in another folder.
    here = os.environ.get("BUILD_WORKING_DIRECTORY")
    answer = Answer(list(argv))
    answer.begin()
    try:
        if here:
            os.chdir(here)
        code = _run(list(argv), answer)
        sys.stdout.flush()
        answer.write(code)
        return code
    except Trouble as trouble:
        _say(str(trouble))
        of_trouble(answer, trouble)
        return trouble.code
    except KeyboardInterrupt:
        _say("interrupted")
        answer.write(INTERRUPTED, "interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        # The reader has closed the pipe: nothing more can be printed.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 128 + signal.SIGPIPE
    except OSError as error:
        message = (f"{error.strerror}: {error.filename}" if error.filename
                   else str(error))
        code = (INFRASTRUCTURE if error.errno in (
            errno.ENOSPC, errno.EROFS, errno.EDQUOT, errno.EIO, errno.EACCES,
            errno.EMFILE, errno.ENOMEM, errno.EAGAIN) else USAGE)
        _say(message)
        answer.write(code, message)
        return code
    except Exception:  # pylint: disable=broad-exception-caught
        traceback.print_exc()
        _say("internal error in clotho: please report it, with the lines "
             "above")
        answer.write(INTERNAL, "internal error in clotho: standard error has "
                               "the lines to report")
        return INTERNAL


def _say(text: str) -> None:
    sys.stdout.flush()
    print("clotho: " + text, file=sys.stderr)
