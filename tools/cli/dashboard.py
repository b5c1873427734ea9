"""stats.json: what a campaign comes to so far, for dashboards and scripts.

One object, rewritten as a whole: who reads it while the campaign runs sees the
last one or the next, never a half. docs/scaling.md says what is in it.
"""

from __future__ import annotations

import json
import os
import time

from cli.files import write_file
from cli.progress import State


def path(out: str) -> str:
    """Where a campaign has it."""
    return os.path.join(out, "stats.json")


def write(out: str, state: State) -> None:
    """Writes it anew; Trouble if that cannot be."""
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
