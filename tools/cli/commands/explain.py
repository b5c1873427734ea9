"""Says what of a failing schedule matters: how plain order goes, what becomes
of it without each of its departures, and the turning point.
"""

from __future__ import annotations

import argparse

from cli import options, single
from cli.memory import remember

HELP = "what of a failing schedule matters"
EXAMPLE = "tools/clotho explain c1/0/4:1 //examples:job_queue_hunt"

# Each is a process.
_DEPARTURES_MAX = 64


def add_arguments(parser: argparse.ArgumentParser) -> None:
    options.add_replay(parser)


def run(arguments: argparse.Namespace) -> int:
    chosen = options.Chosen(arguments)
    target, test = chosen.target, chosen.test
    given = chosen.sources[0].replay
    failure = single.failing(target, test, given)
    remember(chosen.out, target, test, given)
    # The search explains what it finds; a replay only shows it.
    found = single.search_from(target, test,
                               single.without_check(failure.replay))
    full = found if found.report else failure
    for heading in ("WHAT", "CHANGE", "RACE", "WAITS"):
        text = single.block(full.report, heading)
        if text:
            print(text + "\n")

    def say(replay: str) -> str:
        outcome = single.replay(target, test, replay)
        if outcome.code == 0:
            return "passes"
        if outcome.code == 3:
            return "does not apply: the steps after it are others"
        if outcome.origin and outcome.origin == failure.origin:
            return "fails all the same"
        return f"fails otherwise: {outcome.what()}"

    plain = single.with_departures(failure.replay, [])
    print(f"PLAIN   {plain} {say(plain)}")
    all_departures = single.departures(failure.replay)
    print()
    for i, departure in enumerate(all_departures[:_DEPARTURES_MAX]):
        rest = all_departures[:i] + all_departures[i + 1:]
        heading = "WITHOUT" if i == 0 else ""
        print(f"{heading:<8}{departure}  "
              f"{say(single.with_departures(failure.replay, rest))}")
    if len(all_departures) > _DEPARTURES_MAX:
        print(f"        and {len(all_departures) - _DEPARTURES_MAX} more, that "
              f"were not tried: clotho shrink first")
    if all_departures:
        print()
    print(single.block(full.report, "TURN")
          or "TURN    none: no departure makes the failure more likely")
    return 1
