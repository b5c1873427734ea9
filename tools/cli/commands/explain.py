"""Says which parts of a failing schedule matter: whether FIFO order passes,
what happens without each of the deviations, and the turning point.
"""

from __future__ import annotations

import argparse

from cli import options, single
from cli.memory import remember

HELP = "which parts of a failing schedule matter"
EXAMPLE = "tools/clotho explain c1/0/4:1 //examples:job_queue_hunt"

# Each one takes a process.
_DEVIATIONS_MAX = 64


def add_arguments(parser: argparse.ArgumentParser) -> None:
    options.add_replay(parser)


def run(arguments: argparse.Namespace) -> int:
    chosen = options.Chosen(arguments)
    target, test = chosen.target, chosen.test
    given = chosen.sources[0].replay
    failure = single.failing(target, test, given)
    remember(chosen.out, target, test, given)
    # A search explains a failure; a replay only shows it.
    found = single.search_from(target, test,
                               single.without_check(failure.replay))
    full = found if found.report else failure
    for heading in ("WHAT", "SCHEDULE", "RACE", "WAITS"):
        text = single.block(full.report, heading)
        if text:
            print(text + "\n")

    def say(replay: str) -> str:
        outcome = single.replay(target, test, replay)
        if outcome.code == 0:
            return "passes"
        if outcome.code == 3:
            return "does not apply: the steps after it differ"
        if outcome.signature and outcome.signature == failure.signature:
            return "still fails"
        return f"fails differently: {outcome.what()}"

    fifo = single.with_deviations(failure.replay, [])
    result = say(fifo)
    print(f"FIFO      {fifo} {result}")
    without: list[dict[str, str]] = []
    arguments.answer.add(
        target=target.name, test=test, replay=failure.replay,
        failure=full.failure, fifo={"replay": fifo, "result": result},
        without=without)
    all_deviations = single.deviations(failure.replay)
    print()
    for i, deviation in enumerate(all_deviations[:_DEVIATIONS_MAX]):
        rest = all_deviations[:i] + all_deviations[i + 1:]
        heading = "WITHOUT" if i == 0 else ""
        smaller = single.with_deviations(failure.replay, rest)
        result = say(smaller)
        without.append({"deviation": deviation, "replay": smaller,
                        "result": result})
        print(f"{heading:<10}{deviation}  {result}")
    arguments.answer.add(not_tried=all_deviations[_DEVIATIONS_MAX:])
    if len(all_deviations) > _DEVIATIONS_MAX:
        print(f"          {len(all_deviations) - _DEVIATIONS_MAX} more were not "
              f"tried: run clotho shrink first")
    if all_deviations:
        print()
    print(single.block(full.report, "TURNING POINT")
          or "TURNING POINT\n"
             "          none: no deviation makes the failure more likely")
    return 1
