"""The records of campaigns: what a shard has done for a test, and their sums.

A campaign (a test binary with --clotho_shard_by=schedules and --clotho_out=DIR)
writes one record for each test, DIR/TEST/shard-I-of-N.json. Execution j of a
test depends only on its number, and shard I of N runs those with j mod N = I:
so the sum of all shards is the same whatever N is.

Addition is commutative, associative and idempotent. The key of a record is the
campaign (the program, seed, strategy and number of executions), the test, the
block and the shard; of two records with the same key, the more advanced one
counts.
"""

from __future__ import annotations

import array
import copy
import dataclasses
import heapq
import json
import math
import os
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from cli.files import parse_json, read_text
from cli.trouble import USAGE, Trouble, quote

Record = dict[str, Any]

_NAME = re.compile(r"shard-\d+-of-\d+(-block-\d+)?\.json")
_WHAT = "a shard's record"


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _hex16(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch("[0-9a-f]{16}",
                                                   value) is not None


def _text(value: object) -> bool:
    return isinstance(value, str)


def _sketch(value: object) -> bool:
    if not isinstance(value, dict) or not _whole(value.get("size")):
        return False
    entries = value.get("entries")
    if not isinstance(entries, list) or len(entries) > value["size"]:
        return False
    for entry in entries:
        if not (isinstance(entry, list) and len(entry) == 2
                and _hex16(entry[0]) and _whole(entry[1])
                and 0 < entry[1] < 2**64):
            return False
    hashes = [entry[0] for entry in entries]
    return all(a < b for a, b in zip(hashes, hashes[1:]))


def _numbers(value: object) -> bool:
    return isinstance(value, dict) and all(map(_whole, value.values()))


def _histograms(value: object) -> bool:
    return isinstance(value, dict) and all(
        isinstance(entries, list) and all(
            isinstance(entry, list) and len(entry) == 2
            and all(map(_whole, entry)) for entry in entries)
        for entries in value.values())


def _all_have(*members: tuple[str, Callable[[object], bool]]
              ) -> Callable[[object], bool]:
    return lambda value: isinstance(value, list) and all(
        isinstance(element, dict) and all(
            check(element.get(name)) for name, check in members)
        for element in value)


def _folder(value: object) -> bool:
    """Whether it is the path of a subfolder; a copy must not leave the folder."""
    return isinstance(value, str) and not os.path.isabs(value) and (
        ".." not in value.split("/")) and "\0" not in value


# What each member must be. Other members are left for later versions.
_MEMBERS: dict[str, tuple[Callable[[object], bool], str]] = {
    "campaign": (_hex16, "16 hexadecimal digits"),
    "test": (_text, "a test's name"),
    "shard": (_whole, "a number"),
    "shards": (_whole, "a number"),
    "strategy": (_text, "a strategy's name"),
    "seed": (_whole, "a number"),
    "schedules": (_whole, "a number"),
    "block": (_whole, "a number"),
    "next": (_whole, "a number"),
    "complete": (lambda value: isinstance(value, bool), "true or false"),
    "exhausted": (lambda value: isinstance(value, bool), "true or false"),
    "executions": (_whole, "a number"),
    "steps": (_whole, "a number"),
    "max": (_numbers, "an object of numbers"),
    "shape": (_histograms, "an object of lists of a number and a count"),
    "parts": (_numbers, "an object of numbers"),
    "budget_hits": (_whole, "a number"),
    "checked": (_whole, "a number"),
    "virtual_time_ns": (_whole, "a number"),
    "sketch": (_sketch, "a size, and pairs of a hash and a count, sorted"),
    "goals": (_all_have(("goal", _text), ("place", _text),
                        ("reached", _whole)),
              "objects with goal, place and reached"),
    "failures": (_all_have(("signature", _text), ("kind", _text), ("what", _text),
                           ("place", _text), ("first", _whole),
                           ("hits", _whole), ("replay", _text),
                           ("part", _text), ("folder", _folder)),
                 "objects with signature, kind, what, place, first, hits, replay, "
                 "part and folder (a relative path)"),
}
_SUMS = ("executions", "steps", "budget_hits", "checked", "virtual_time_ns")
_SAME = ("campaign", "test", "strategy", "seed", "schedules", "block")


class Entries(Sequence[list[Any]]):
    """The pairs of a sketch, in a tenth of the memory that lists would take,
    since a merge may have thousands of sketches."""

    def __init__(self, pairs: list[list[Any]]) -> None:
        self._hashes = array.array("Q", (int(one, 16) for one, _ in pairs))
        self._counts = array.array("Q", (count for _, count in pairs))

    def __len__(self) -> int:
        return len(self._hashes)

    def __getitem__(self, index: Any) -> Any:
        return [f"{self._hashes[index]:016x}", self._counts[index]]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Entries) and (
            (self._hashes, self._counts) == (other._hashes, other._counts))

    __hash__ = None


@dataclasses.dataclass(frozen=True)
class Found:
    """A record, and its path."""

    record: Record
    path: str

    @property
    def base(self) -> str:
        """The folder that its failures' folders are relative to."""
        return os.path.dirname(os.path.dirname(self.path))


def parse(text: str, path: str) -> Record:
    """Parses the text of a record; Trouble says what is wrong."""
    record = parse_json(text, path, _WHAT)
    version = record.get("clotho_record")
    if version != 1:
        raise Trouble(f"{quote(path)} is not {_WHAT} of version 1: its "
                      f"\"clotho_record\" is {quote(version)}")
    for name, (check, expected) in _MEMBERS.items():
        if not check(record.get(name)):
            value = json.dumps(record.get(name))
            raise Trouble(f"{quote(path)} is not {_WHAT}: its \"{name}\" is "
                          f"{quote(value)}: expected {expected}")
    if record["shard"] >= record["shards"]:
        raise Trouble(f"{quote(path)} is not {_WHAT}: there is no shard "
                      f"{record['shard']} of {record['shards']}")
    record["sketch"]["entries"] = Entries(record["sketch"]["entries"])
    return record


def read(path: str) -> Found:
    """The record in a file."""
    return Found(parse(read_text(path, _WHAT), path), path)


def find(folder: str, skip: str | None = None) -> list[str]:
    """The paths of the records below a folder, sorted, without `skip`."""
    found = []

    def fail(error: OSError) -> None:
        raise Trouble(f"cannot read {quote(error.filename)}: {error.strerror}")

    for here, folders, files in os.walk(folder, onerror=fail):
        folders.sort()
        if skip is not None and os.path.abspath(here) == skip != (
                os.path.abspath(folder)):
            folders.clear()
            continue
        found += [os.path.join(here, name) for name in files
                  if _NAME.fullmatch(name)]
    return sorted(found)


def same_campaign(found: Iterable[Found]) -> None:
    """Raises Trouble if two records of a test are of different campaigns."""
    first: dict[str, Found] = {}
    for one in found:
        other = first.setdefault(one.record["test"], one)
        if other.record["campaign"] == one.record["campaign"]:
            continue
        differ = [f"{name} {quote(other.record[name])} and "
                  f"{quote(one.record[name])}"
                  for name in ("strategy", "seed", "schedules")
                  if other.record[name] != one.record[name]]
        raise Trouble(
            f"{quote(other.path)} and {quote(one.path)} are not of one "
            f"campaign: {other.record['campaign']} and "
            f"{one.record['campaign']}, "
            f"{', '.join(differ) or 'from two builds of the program'}", USAGE)


def _canonical(record: Record) -> str:
    return json.dumps({name: value for name, value in record.items()
                       if name != "seconds"}, sort_keys=True, default=list)


def _progress(found: Found) -> tuple[object, ...]:
    """Of two records with the same key, the one with the larger value counts."""
    record = found.record
    return (record["complete"], record["next"], record["executions"],
            _canonical(record))


def distinct(found: Iterable[Found]) -> list[Found]:
    """One record for each key, in the order of the keys."""
    best: dict[tuple[object, ...], Found] = {}
    for one in found:
        record = one.record
        key = (record["test"], record["block"], record["shards"],
               record["shard"])
        if key not in best or _progress(one) > _progress(best[key]):
            best[key] = one
    return [best[key] for key in sorted(best)]


def merge_sketches(sketches: list[dict[str, Any]]) -> dict[str, Any]:
    """The sketch of the union of the traces."""
    size = min(sketch["size"] for sketch in sketches)
    merged: list[list[Any]] = []
    # All are sorted, so larger hashes need not be looked at.
    for trace, count in heapq.merge(*(one["entries"] for one in sketches)):
        if merged and merged[-1][0] == trace:
            merged[-1][1] += count
        elif len(merged) < size:
            merged.append([trace, count])
        else:
            break
    return {"size": size, "entries": merged}


def merge_histograms(histograms: Iterable[list[list[int]]]) -> list[list[int]]:
    """The sum of the histograms."""
    counts: dict[int, int] = {}
    for entries in histograms:
        for least, count in entries:
            counts[least] = counts.get(least, 0) + count
    return [[least, counts[least]] for least in sorted(counts)]


def percentile(histogram: list[list[int]], share: float) -> int:
    """The value that a share of the entries does not exceed; 0 if there are none.
    It is as exact as the histogram, whose buckets are named by their least
    value."""
    left = math.ceil(share * sum(count for _, count in histogram))
    for least, count in histogram:
        left -= count
        if left <= 0:
            return least
    return 0


def _add_numbers(objects: list[dict[str, int]]) -> dict[str, int]:
    return {name: sum(one.get(name, 0) for one in objects)
            for name in sorted({name for one in objects for name in one})}


def add(found: list[Found]) -> tuple[Record, dict[str, Found]]:
    """The sum of the records of one test and block, each from another shard.

    Also returns the record of each failure, by signature. The sum omits what
    depends on the clock or on the number of shards.
    """
    records = [one.record for one in found]
    total: Record = {"clotho_record": 1}
    for name in _SAME:
        total[name] = records[0][name]
    total |= {"shard": 0, "shards": 1,
              "complete": all(record["complete"] for record in records),
              "exhausted": all(record["exhausted"] for record in records)}
    total["next"] = (total["schedules"] if total["complete"]
                     else min(record["next"] for record in records))
    for name in _SUMS:
        total[name] = sum(record[name] for record in records)
    names = sorted({name for record in records for name in record["max"]})
    total["max"] = {name: max(record["max"].get(name, 0) for record in records)
                    for name in names}
    total["shape"] = {
        name: merge_histograms([r["shape"].get(name, []) for r in records])
        for name in sorted({name for r in records for name in r["shape"]})}
    total["parts"] = _add_numbers([record["parts"] for record in records])
    total["sketch"] = merge_sketches([r["sketch"] for r in records])
    goals: dict[tuple[str, str], Record] = {}
    for goal in (goal for record in records for goal in record["goals"]):
        known = goals.setdefault(
            (goal["place"], goal["goal"]),
            {"goal": goal["goal"], "place": goal["place"], "reached": 0,
             "first": None})
        known["reached"] += goal["reached"]
        if _whole(goal.get("first")):
            known["first"] = (goal["first"] if known["first"] is None
                              else min(known["first"], goal["first"]))
    total["goals"] = [goals[key] for key in sorted(goals)]
    failures: dict[str, Record] = {}
    owners: dict[str, Found] = {}
    for one in found:
        for failure in one.record["failures"]:
            known = failures.get(failure["signature"])
            hits = failure["hits"] + (known["hits"] if known else 0)
            if known is None or _first(failure) < _first(known):
                failures[failure["signature"]] = known = copy.copy(failure)
                owners[failure["signature"]] = one
            known["hits"] = hits
    total["failures"] = sorted(failures.values(), key=_first)
    return total, owners


def _first(failure: Record) -> tuple[object, ...]:
    """Orders failures by the execution that found them."""
    return (failure["first"], len(failure["replay"]), failure["replay"],
            failure["signature"])


def write_text(record: Record) -> str:
    """The text of a record in a file: the same bytes for the same record."""
    return json.dumps(record, indent=1, sort_keys=True, default=list) + "\n"


def distinct_traces(sketch: dict[str, Any]) -> float:
    """The number of distinct traces; exact as long as all fit the sketch."""
    entries = sketch["entries"]
    if len(entries) < sketch["size"] or not entries:
        return float(len(entries))
    return (len(entries) - 1) / ((int(entries[-1][0], 16) + 1) / 2.0**64)


def pct_bound(depth: int, tasks: int, steps: int, executions: int) -> float:
    """An upper bound on the chance that `executions` independent executions of
    PCT miss a bug of that depth (Burckhardt, Kothari, Musuvathi, Nagarakatte,
    ASPLOS 2010)."""
    if depth < 1 or tasks < 1 or steps < 1:
        return 1.0
    try:
        found = 1.0 / (tasks * float(steps)**(depth - 1))
    except OverflowError:
        return 1.0
    return 0.0 if found >= 1 else math.exp(executions * math.log1p(-found))


def chance_of_new(sketch: dict[str, Any], executions: int) -> float:
    """The Good-Turing estimate of the chance that the next execution has a new
    trace: the share of executions whose trace was seen once."""
    entries = sketch["entries"]
    if not entries or executions == 0:
        return 1.0
    once = sum(1 for _, count in entries if count == 1) / len(entries)
    return min(1.0, once * distinct_traces(sketch) / executions)
