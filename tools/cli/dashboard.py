"""stats.json: the progress of a campaign, for dashboards and scripts.

It is one object, rewritten as a whole: a reader sees the last version or the
next one, never a part. docs/scaling.md describes it.
"""

from __future__ import annotations

import json
import os
import time

from cli.files import write_file
from cli.progress import State


def path(out: str) -> str:
    """The path of a campaign's stats.json."""
    return os.path.join(out, "stats.json")


def write(out: str, state: State) -> None:
    """Rewrites it; raises Trouble if it cannot be written."""
    write_file(path(out), json.dumps({
        "clotho_stats": 1,
        "target": state.title,
        "status": state.status,
        "updated": round(time.time(), 3),
        "seconds": round(state.elapsed, 3),
        "workers": state.workers,
        "restarts": state.restarts,
        "executions": state.executions,
        "asked": state.asked,
        "rate": round(state.rate, 3),
        "distinct": round(state.traces),
        "new_chance": round(state.chance, 6),
        "failures": len(state.failures),
        "shrinking": len(state.shrinking),
        "goals": len(state.goals),
        "goals_reached": sum(goal["reached"] > 0 for goal in state.goals),
        "budget_hits": state.budget_hits,
        "checked": state.checked,
        "differ": state.differ}, indent=1) + "\n")
