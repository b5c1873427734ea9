"""Merges the records of a campaign's shards, and writes the result."""

from __future__ import annotations

import dataclasses
import os
import re
import shlex
import shutil
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable
from typing import Any

from cli import records
from cli.files import file_name, make_folder, write_file
from cli.records import Found, Record
from cli.trouble import (FAILED, INCOMPLETE, INFRASTRUCTURE, PASSED, Trouble,
                         quote)

# Identifies a folder that `clotho merge` wrote.
MARK = "junit.xml"


@dataclasses.dataclass
class Missing:
    """What is still to be run of a test's block, divided into `shards`."""

    test: str
    block: int
    shards: int
    absent: list[int]      # They have no record.
    unfinished: list[int]  # Their records stop before the end.


@dataclasses.dataclass
class Part:
    """A block of a test."""

    total: Record
    owners: dict[str, Found]      # The record of each failure, by signature.
    records: list[Found]          # `total` is their sum.
    missing: Missing | None


@dataclasses.dataclass
class Merged:
    """All tests of a campaign."""

    parts: list[Part]  # By test, then block.
    missing_blocks: dict[str, list[int]]

    def tests(self) -> dict[str, Record]:
        """For each test, the sum over its blocks."""
        by_test: dict[str, list[Found]] = {}
        for part in self.parts:
            by_test.setdefault(part.total["test"], []).append(
                Found(part.total, ""))
        return {test: records.add(found)[0]
                for test, found in by_test.items()}

    def missing(self) -> list[Missing]:
        return [part.missing for part in self.parts if part.missing]

    def verdict(self, cut_short: bool = False) -> int:
        """The exit code; `cut_short`: not everything was meant to run."""
        totals = self.tests().values()
        if any(total["failures"] for total in totals):
            return FAILED
        if not cut_short and (self.missing() or self.missing_blocks):
            return INCOMPLETE
        if any(goal["reached"] == 0 for total in totals
               for goal in total["goals"]):
            return INCOMPLETE
        return PASSED


def merge(found: Iterable[Found]) -> Merged:
    """The sum of records, in any order; a record may occur several times."""
    everything = list(found)
    records.same_campaign(everything)
    parts: dict[tuple[str, int], list[Found]] = {}
    for one in records.distinct(everything):
        parts.setdefault((one.record["test"], one.record["block"]),
                         []).append(one)
    blocks: dict[str, set[int]] = {}
    for test, block in parts:
        blocks.setdefault(test, set()).add(block)
    missing_blocks = {
        test: sorted(set(range(max(numbers))) - numbers)
        for test, numbers in blocks.items()
        if len(numbers) != max(numbers) + 1}
    return Merged([_part(*key, parts[key]) for key in sorted(parts)],
                  missing_blocks)


def _part(test: str, block: int, found: list[Found]) -> Part:
    """A block of a test. If it was divided into shards in several ways, the one
    that has got furthest counts, and the failures of all of them."""
    cuts: dict[int, list[Found]] = {}
    everywhere, owners_of_all = records.add(found)
    for one in found:
        cuts.setdefault(one.record["shards"], []).append(one)
    best: Part | None = None
    best_rank: tuple[object, ...] = ()
    for shards, ones in sorted(cuts.items()):
        present = {one.record["shard"] for one in ones}
        unfinished = [one.record["shard"] for one in ones
                      if not one.record["complete"]]
        absent = sorted(set(range(shards)) - present)
        missing = (Missing(test, block, shards, absent, unfinished)
                   if absent or unfinished else None)
        total, owners = records.add(ones)
        if missing:
            total["complete"] = False
        rank = (missing is None, total["executions"], -shards)
        if best is None or rank > best_rank:
            best, best_rank = Part(total, owners, found, missing), rank
    assert best is not None
    if best.missing:
        # (Hits are counted in one way only, so that none counts twice.)
        best.total["failures"] = [
            next((known for known in best.total["failures"]
                  if known["signature"] == failure["signature"]
                  and known["first"] == failure["first"]), failure)
            for failure in everywhere["failures"]]
        best.owners = owners_of_all
    return best


def write(merged: Merged, folder: str) -> None:
    """Writes a merged folder: all of it, or nothing.

    A complete test has one record. For an incomplete one, the records of its
    shards remain separate, so that missing ones can be added later.
    """
    folder = os.path.abspath(folder)
    if os.path.isdir(folder) and os.listdir(folder) and not os.path.exists(
            os.path.join(folder, MARK)):
        raise Trouble(f"{quote(folder)} contains something other than a merged "
                      f"result: expected a folder that does not exist yet, or "
                      f"one that clotho merge wrote")
    unfinished = f"{folder}.{os.getpid()}.tmp"
    before = f"{folder}.{os.getpid()}.old"
    try:
        make_folder(unfinished)
        for part in merged.parts:
            _write_part(part, unfinished)
        write_file(os.path.join(unfinished, MARK), junit(merged))
        if os.path.exists(folder):
            os.rename(folder, before)
        os.rename(unfinished, folder)
    except OSError as error:
        if os.path.exists(before) and not os.path.exists(folder):
            os.rename(before, folder)
        raise Trouble(f"cannot write {quote(folder)}: {error.strerror}",
                      INFRASTRUCTURE) from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
        shutil.rmtree(before, ignore_errors=True)


def _write_part(part: Part, folder: str) -> None:
    test = file_name(part.total["test"])
    block = part.total["block"]
    suffix = f"-block-{block}" if block else ""
    make_folder(os.path.join(folder, test))
    if part.missing is None:
        write_file(os.path.join(folder, test, f"shard-0-of-1{suffix}.json"),
                   records.write_text(part.total))
    else:
        for one in part.records:
            record = {name: value for name, value in one.record.items()
                      if name != "seconds"}
            write_file(
                os.path.join(folder, test, f"shard-{record['shard']}-of-"
                             f"{record['shards']}{suffix}.json"),
                records.write_text(record))
    for failure in part.total["failures"]:
        _copy_folder(part.owners[failure["signature"]].base, failure, folder)


def _copy_folder(base: str, failure: Record, folder: str) -> None:
    if not failure["folder"]:
        return
    source = os.path.join(base, failure["folder"])
    if not os.path.isdir(source):
        return  # Only its record is left.
    target = os.path.join(folder, failure["folder"])
    make_folder(target)
    for name in sorted(os.listdir(source)):
        path = os.path.join(source, name)
        if name == "report.txt":
            write_file(os.path.join(target, name), _read_report(path, failure))
        elif os.path.isfile(path) and not name.endswith(".tmp"):
            shutil.copyfile(path, os.path.join(target, name))


def _read_report(path: str, failure: Record) -> str:
    """A report, with the paths that its files have in the merged folder."""
    with open(path, encoding="utf-8", errors="backslashreplace") as file:
        text = file.read()
    return re.sub(r"^FILES .*(?:\n(?: +\S.*|in outputs\.zip.*))*",
                  f"FILES     {failure['folder']}/", text, flags=re.MULTILINE)


def _xml_text(text: str) -> str:
    """The text with control characters escaped that XML does not allow."""
    return re.sub(r"[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]",
                  lambda match: f"\\x{ord(match[0]):02x}", text)


def junit(merged: Merged) -> bytes:
    """JUnit XML, with a testcase for each test, not for each shard."""
    root = ElementTree.Element("testsuites")
    suites: dict[str, ElementTree.Element] = {}
    by_test = merged.tests()
    missing = {one.test: one for one in merged.missing()}
    for test, total in by_test.items():
        suite_name, _, name = test.rpartition(".")
        suite = suites.get(suite_name)
        if suite is None:
            suite = suites[suite_name] = ElementTree.SubElement(
                root, "testsuite", name=_xml_text(suite_name))
        case = ElementTree.SubElement(
            suite, "testcase", name=_xml_text(name),
            classname=_xml_text(suite_name))
        properties = ElementTree.SubElement(case, "properties")
        values = {
            "campaign": total["campaign"], "strategy": total["strategy"],
            "seed": total["seed"], "schedules": total["schedules"],
            "executions": total["executions"], "steps": total["steps"],
            "distinct_traces": round(records.distinct_traces(total["sketch"])),
        }
        for i, failure in enumerate(total["failures"]):
            values[f"replay_{i + 1}"] = failure["replay"]
        for key, value in values.items():
            ElementTree.SubElement(properties, "property", name=key,
                                   value=_xml_text(str(value)))
        for failure in total["failures"]:
            element = ElementTree.SubElement(
                case, "failure", type=_xml_text(failure["kind"]),
                message=_xml_text(failure["what"]))
            element.text = _xml_text(_report(merged, test, failure))
        for goal in total["goals"]:
            if goal["reached"] == 0 and test not in missing:
                ElementTree.SubElement(
                    case, "failure", type="goal", message=_xml_text(
                        f"{goal['goal']} was never reached ({goal['place']})"))
        if test in missing or test in merged.missing_blocks:
            ElementTree.SubElement(
                case, "error", type="incomplete",
                message=_xml_text(f"{total['executions']} executions were run, "
                                  f"but some shards are missing"))
    for suite_name, suite in [*suites.items(), ("", root)]:
        cases = list(suite.iter("testcase"))
        suite.set("tests", str(len(cases)))
        suite.set("failures", str(sum(case.find("failure") is not None
                                      for case in cases)))
        suite.set("errors", str(sum(case.find("error") is not None
                                    for case in cases)))
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="utf-8",
                                xml_declaration=True) + b"\n"


def _report(merged: Merged, test: str, failure: Record) -> str:
    """The report of a failure, or what its record says if there is none."""
    for part in merged.parts:
        owner = part.owners.get(failure["signature"])
        if part.total["test"] != test or owner is None:
            continue
        path = os.path.join(owner.base, failure["folder"], "report.txt")
        if failure["folder"] and os.path.isfile(path):
            return _read_report(path, failure)
    return f"{failure['what']}\n{failure['place']}\n{failure['replay']}"


def ranges(numbers: list[int]) -> str:
    """"0, 3-5, 9" of sorted numbers."""
    texts = []
    at = 0
    while at < len(numbers):
        last = at
        while last + 1 < len(numbers) and numbers[last + 1] == (
                numbers[last] + 1):
            last += 1
        texts.append(str(numbers[at]) if last == at
                     else f"{numbers[at]}-{numbers[last]}")
        at = last + 1
    return ", ".join(texts)


def flags_of(record: Record) -> list[str]:
    """The flags with which the binary runs in this campaign."""
    bound = ([f"--clotho_schedules={record['schedules']}"]
             if record["schedules"] else [])
    return [*bound, f"--clotho_strategy={record['strategy']}",
            f"--clotho_seed={record['seed']}", "--clotho_failures=0",
            "--clotho_shard_by=schedules"]


def for_programs(merged: Merged, folder: str) -> dict[str, Any]:
    """The result, for programs; `folder` is the merged one."""
    tests = []
    for test, total in merged.tests().items():
        sketch = total["sketch"]
        tests.append({
            **{name: total[name] for name in (
                "test", "strategy", "seed", "schedules", "executions", "steps",
                "virtual_time_ns", "exhausted", "complete")},
            "distinct_traces": round(records.distinct_traces(sketch)),
            "chance_of_new": records.chance_of_new(sketch,
                                                   total["executions"]),
            "failures": [
                {**{name: failure[name] for name in (
                    "kind", "what", "place", "signature", "replay", "first",
                    "hits")},
                 "results": os.path.abspath(os.path.join(
                     folder, failure["folder"])) if failure["folder"]
                 else None}
                for failure in total["failures"]],
            "goals": [{name: goal.get(name) for name in (
                "goal", "place", "reached", "first")}
                      for goal in total["goals"]],
            "missing_blocks": merged.missing_blocks.get(test, [])})
    return {"tests": tests,
            "missing": [dataclasses.asdict(one) for one in merged.missing()]}


def summary(merged: Merged, program: str = "PROGRAM",
            cut_short: bool = False) -> str:
    """The summary for people; `cut_short`: without what is missing."""
    lines = []
    totals = merged.tests()
    blocks = {test: sum(part.total["test"] == test for part in merged.parts)
              for test in totals}
    for test, total in totals.items():
        sketch = total["sketch"]
        asked = total["schedules"] * blocks[test]
        of_asked = f" of {asked}" if asked else " (no limit)"
        chance = 100 * records.chance_of_new(sketch, total["executions"])
        chance_text = f"{chance:.2g}" if chance < 99.5 else "100"
        lines.append(
            f"{test}  {total['executions']} executions{of_asked}"
            f"{', which is all there are' if total['exhausted'] else ''}"
            f", {total['strategy']}, seed {total['seed']}")
        about = "" if len(sketch["entries"]) < sketch["size"] else "about "
        lines.append(
            f"  traces   {about}{round(records.distinct_traces(sketch))} "
            f"distinct; chance that the next is new {chance_text} % "
            f"(Good-Turing)")
        for failure in total["failures"]:
            lines.append(f"  failure  {failure['kind']} {failure['place']}  "
                         f"{failure['hits']} hits, first at "
                         f"{failure['first']}  {failure['replay']}")
            lines += [f"           {line}"
                      for line in failure["what"].splitlines()[:3]]
        for goal in total["goals"]:
            reached = (f"reached {goal['reached']} times, first at "
                       f"{goal['first']}" if goal["reached"]
                       else "NEVER reached")
            lines.append(f"  goal     {goal['goal']} ({goal['place']}): "
                         f"{reached}")
        if test in merged.missing_blocks:
            lines.append(f"  missing  blocks "
                         f"{ranges(merged.missing_blocks[test])} of Bazel's "
                         f"--runs_per_test")
    if not cut_short:
        lines += _missing_lines(merged, program)
    return "\n".join(lines) + "\n"


def _missing_lines(merged: Merged, program: str) -> list[str]:
    """Which shards to run. Tests that lack the same ones are run together."""
    groups: dict[tuple[object, ...], list[Missing]] = {}
    for one in merged.missing():
        key = (one.block, one.shards, tuple(one.absent),
               tuple(one.unfinished))
        groups.setdefault(key, []).append(one)
    lines = []
    totals = merged.tests()
    for ones in groups.values():
        first = ones[0]
        block = f" (block {first.block})" if first.block else ""
        for numbers, what in ((first.absent, "missing"),
                              (first.unfinished, "not finished")):
            if numbers:
                lines.append(f"{what}: shards {ranges(numbers)} of "
                             f"{first.shards}{block} of "
                             f"{', '.join(one.test for one in ones)}")
        todo = sorted(first.absent + first.unfinished)
        tests = shlex.quote(":".join(one.test for one in ones))
        flags = " ".join(map(shlex.quote, flags_of(totals[first.test])))
        again = (f"{program} --gtest_filter={tests} {flags} "
                 f"--clotho_resume=1")
        if first.block:
            again = f"TEST_RANDOM_SEED={first.block + 1} {again}"
        if len(todo) == 1:
            lines.append(f"  {again} --clotho_shard={todo[0]}/{first.shards} "
                         f"--clotho_out=DIR")
        elif todo:
            numbers = " ".join(map(str, todo))
            lines += [f"  for i in {numbers}; do",
                      f"    {again} --clotho_shard=$i/{first.shards} "
                      f"--clotho_out=DIR",
                      "  done"]
    return lines
