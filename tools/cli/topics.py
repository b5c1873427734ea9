"""`clotho help TOPIC`."""

from __future__ import annotations

import argparse

from cli.trouble import Trouble, quote

TOPICS = {
    "replay": """\
A replay string is one execution of a test, in a form that you can paste:

  c1/0/4:1/b7e2       version 1, program seed 0; at step 4, candidate 1 runs
                      where FIFO order runs candidate 0; then a check
  c1/0/5:t            at step 5 the next timer fires first
  c1/0/fifo           FIFO order
  c1/0/+pct:2:118     execution 118 of strategy pct:2, before shrinking
  c1/0/@long.replay   in a file, if it is too long for a line

It has only characters that a shell, YAML and --test_env leave unchanged. The
check detects that the program has changed since the string was made; a
program that does not follow its replay exits with 3.

  clotho replay STRING TARGET TEST     shows what happens
  clotho debug STRING                  steps forwards and backwards
  clotho explain STRING                says which deviations matter
  clotho shrink STRING                 removes deviations that do not matter
  clotho save STRING                   saves it in testdata/clotho/, to run
                                       before every search
""",
    "codes": """\
Exit codes of the test binaries and of clotho:

  0        nothing was found
  1        a failure was found, and it is reproducible
  2        usage: an invalid flag, variable or replay string, an unreadable file
  3        the program is not deterministic, or did not follow its replay
  4        no test was selected
  5        incomplete: an exhaustive search cut short, a goal never reached, a
           shard missing in a merge
  70       an internal error in Clotho
  75       results cannot be written, the disk is full, a worker was killed:
           worth a retry
  130/143  interrupted; the results are written
""",
    "results": """\
Below the folder of results (clotho-out in the workspace unless --out says
otherwise):

  last.json               what clotho last ran: the default target and test of
                          a command
  results.jsonl           the events, one object per line
  SUITE.NAME/             the files of a test's failure:
    report.txt            the report
    trace.json            the trace, for clotho show
    trace.chrome.json     the same for ui.perfetto.dev
    SUITE.NAME.saved      the schedule, as it would be saved
    shard-I-of-N.json     in a campaign: the record of shard I
    1a2b3c4d/             in a campaign: such a folder for each failure
""",
}


def commands_of(parser: argparse.ArgumentParser
                ) -> dict[str, argparse.ArgumentParser]:
    """The parsers of the commands, by name."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return action.choices
    return {}


def show(topic: str | None, parser: argparse.ArgumentParser,
         commands: dict[str, argparse.ArgumentParser]) -> int:
    """Prints a topic, the help of a command, or the general help."""
    if topic is None:
        parser.print_help()
    elif topic in TOPICS:
        print(TOPICS[topic], end="")
    elif topic in commands:
        commands[topic].print_help()
    else:
        raise Trouble(f"there is no topic {quote(topic)}: expected one of "
                      f"{', '.join(TOPICS)}, or a command")
    return 0
