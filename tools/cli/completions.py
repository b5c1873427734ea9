"""The scripts that complete commands, flags, strategies, tests and files in a
shell."""

from __future__ import annotations

import argparse

from cli.topics import TOPICS

SHELLS = ("bash", "zsh", "fish")

# As --clotho_strategy takes them; a number after a colon is up to the user.
STRATEGIES = ("fuzz", "random", "role_random", "fifo", "pct:3", "pos", "urw",
               "surw", "delay_bounded", "exhaustive", "reduced", "guided")
# Those that take TARGET TEST...
_WITH_TESTS = ("fuzz", "campaign", "check", "plan")

# (zsh has bash's completion as an emulation, but not mapfile.)
_BASH = """\
# Completion of `clotho` for bash:  source <(tools/clotho completion)
_clotho() {
  local word=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]} words= i
  local before="${COMP_WORDS[*]:0:$COMP_CWORD}"
  if [[ $word == --strategy=* ]]; then
    words="%(with_flag)s"
  elif [[ "$before $word" == *--strategy" "= || $before == *--strategy" "= ]]; then
    # (For bash, "=" is a word of its own.)
    words="%(strategies)s"
    [[ $word != = ]] || word=
  elif ((COMP_CWORD == 1)); then
    words="%(commands)s"
  elif [[ $word == -* ]]; then
    case $command in
%(flags)s
    esac
  elif [[ $command == help ]]; then
    words="%(topics)s"
  elif [[ $command == completion ]]; then
    words="%(shells)s"
  elif [[ " %(with_tests)s " == *" $command "* ]]; then
    # The tests of the binary that was named before, if it is a file.
    for ((i = 2; i < COMP_CWORD; ++i)); do
      if [[ -f ${COMP_WORDS[i]} && -x ${COMP_WORDS[i]} ]]; then
        words=$("${COMP_WORDS[0]}" list "${COMP_WORDS[i]}" 2>/dev/null |
                cut -d " " -f 1)
        break
      fi
    done
  fi
%(reply)s
}
complete -F _clotho clotho
"""

_REPLIES = {
    "bash": """\
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
  [[ -n $words ]] || mapfile -t COMPREPLY < <(compgen -f -- "$word")""",
    "zsh": """\
  if [[ -n $words ]]; then
    COMPREPLY=($(compgen -W "$words" -- "$word"))
  else
    COMPREPLY=(${(f)"$(compgen -f -- "$word")"})
  fi""",
}


def _flags_of(command: argparse.ArgumentParser) -> list[str]:
    return [flag for action in command._actions
            for flag in action.option_strings]


def _bash(shell: str, commands: dict[str, argparse.ArgumentParser]) -> str:
    flags = "\n".join(
        f"      {name}) words=\"{' '.join(_flags_of(command))}\" ;;"
        for name, command in commands.items())
    script = _BASH % {
        "commands": " ".join(commands), "flags": flags,
        "topics": " ".join(TOPICS), "shells": " ".join(SHELLS),
        "strategies": " ".join(STRATEGIES),
        "with_flag": " ".join(f"--strategy={name}" for name in STRATEGIES),
        "with_tests": " ".join(_WITH_TESTS), "reply": _REPLIES[shell]}
    if shell == "zsh":
        return ("autoload -U +X compinit && compinit\n"
                "autoload -U +X bashcompinit && bashcompinit\n"
                + script.replace("for bash:  source <(tools/clotho completion)",
                                 "for zsh:  source <(tools/clotho completion "
                                 "zsh)"))
    return script


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _fish(commands: dict[str, argparse.ArgumentParser]) -> str:
    lines = ["# Completion of `clotho` for fish:  "
             "tools/clotho completion fish | source"]
    for name, command in commands.items():
        about = (command.description or "").split("\n")[0]
        lines.append(f"complete -c clotho -n __fish_use_subcommand -a {name} "
                     f"-f -d {_quoted(about)}")
        seen = f"-n '__fish_seen_subcommand_from {name}'"
        for action in command._actions:
            for flag in action.option_strings:
                kind = "l" if flag.startswith("--") else "s"
                text = f"complete -c clotho {seen} -{kind} {flag.lstrip('-')}"
                if flag == "--strategy":
                    text += f" -x -a '{' '.join(STRATEGIES)}'"
                elif action.nargs != 0:
                    text += " -r"
                lines.append(text + f" -d {_quoted(action.help or '')}")
    for name, words in (("help", TOPICS), ("completion", SHELLS)):
        lines.append(f"complete -c clotho -n '__fish_seen_subcommand_from "
                     f"{name}' -f -a '{' '.join(words)}'")
    tests = ("(for word in (commandline -opc); test -f $word -a -x $word; and "
             "clotho list $word 2>/dev/null | string split -f 1 \" \"; end)")
    lines.append(f"complete -c clotho -n '__fish_seen_subcommand_from "
                 f"{' '.join(_WITH_TESTS)}' -a {_quoted(tests)}")
    return "\n".join(lines) + "\n"


def show(shell: str, commands: dict[str, argparse.ArgumentParser]) -> int:
    """Prints the script for a shell."""
    print(_fish(commands) if shell == "fish" else _bash(shell, commands),
          end="")
    return 0
