"""`clotho help TOPIC`, and what bash needs to complete a command."""

from __future__ import annotations

import argparse

from cli.trouble import Trouble, quote

TOPICS = {
    "replay": """\
A replay string is one execution of a test, in a form that can be pasted:

  c1/0/4:1/b7e2       version 1, program seed 0; at step 4, candidate 1 runs
                      where FIFO order runs candidate 0; a check
  c1/0/5:t            at step 5 the next timer fires first
  c1/0/fifo          FIFO order
  c1/0/+pct:2:118     execution 118 of strategy pct:2, before shrinking
  c1/0/@long.replay   in a file, being too long for a line

It has only characters that a shell, YAML and --test_env leave alone. The check
notices that the program is no longer the one that the string was made by; a
replay that does not follow ends with 3.

  clotho replay STRING TARGET TEST     what happens
  clotho debug STRING                  step by step, forwards and backwards
  clotho explain STRING                which deviations matter
  clotho shrink STRING                 fewer of them
  clotho save STRING                   into testdata/clotho/, to run from now on
""",
    "codes": """\
Exit codes, of the test binaries and of clotho:

  0        nothing found
  1        a failure was found, and comes back when it is run again
  2        usage: a flag, a variable, a replay string, an unreadable file
  3        a program is not deterministic, or did not follow its replay
  4        no test selected
  5        incomplete: an exhaustive search cut short, a goal never reached, a
           shard missing in a merge
  70       an internal error in Clotho
  75       cannot write results, disk full, a worker killed: worth a retry
  130/143  interrupted; results are written
""",
    "results": """\
Below the folder of results, clotho-out in the workspace unless --out says
otherwise:

  last.json               what clotho last ran: the target and test that a
                          command takes if it is told none
  results.jsonl           what happened, an object a line
  SUITE.NAME/             of a test: what its failure left behind
    report.txt            the report
    trace.json            the trace, for clotho show
    trace.chrome.json     the same for ui.perfetto.dev
    SUITE.NAME.saved       the schedule, as it would be saved
    shard-I-of-N.json     of a campaign: what shard I has done
    1a2b3c4d/             of a campaign: a folder of that kind for each failure
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
    """Prints a topic, or the help of a command, or of all."""
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


_COMPLETION = """\
# Completion of `clotho` for bash:  source <(tools/clotho completion)
_clotho() {
  local word=${COMP_WORDS[COMP_CWORD]} words=
  if ((COMP_CWORD == 1)); then
    words="%(commands)s"
  elif [[ $word == -* ]]; then
    case ${COMP_WORDS[1]} in
%(flags)s
    esac
  elif [[ ${COMP_WORDS[1]} == help ]]; then
    words="%(topics)s"
  fi
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
  [[ -n $words ]] || mapfile -t COMPREPLY < <(compgen -f -- "$word")
}
complete -F _clotho clotho
"""


def show_completion(commands: dict[str, argparse.ArgumentParser]) -> int:
    """Prints the script that completes commands, their flags and files."""
    flags = "\n".join(
        f"      {name}) words=\"" + " ".join(
            flag for action in command._actions
            for flag in action.option_strings) + "\" ;;"
        for name, command in commands.items())
    print(_COMPLETION % {"commands": " ".join(commands), "flags": flags,
                         "topics": " ".join(TOPICS)}, end="")
    return 0
