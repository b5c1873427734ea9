#!/usr/bin/env python3
"""A stand-in for a test binary in a campaign, for the tests of `clotho`.

It takes the flags of a campaign, and writes the records and events of a test
binary, for two tests with fake executions: what execution j does depends only
on the test and j. The environment variable FAKE_CAMPAIGN is a JSON object with
these members:
  "pause"     the seconds that an execution takes
  "die_at"    an execution that kills the process, once
  "crash_at"  an execution that ends the process, unless it is isolated, by the
              signal or with the exit code (0 or 1) in "crash"
  "code"      the exit code
  "layout"    an execution that depends on the memory layout
  "over"      a file whose existence says that the search time is over; it is
              then removed
  "shrinks"   a file; failures are being shrunk while it exists
"""

import hashlib
import json
import os
import signal
import sys
import time

TESTS = {"Fake.Passes": [], "Fake.Fails": [97, 41]}
SIZE = 64
PARTS = ("pct:1", "pct:2", "pos")


def number(test, j):
    return int.from_bytes(hashlib.sha256(f"{test} {j}".encode()).digest()[:8])


def run_execution(record, test, j):
    """Adds execution j; returns the failure if it is a new one."""
    value = number(test, j)
    # Few executions have a unique trace.
    trace = f"{number('trace', value % 500):016x}"
    record["executions"] += 1
    record["steps"] += value % 50
    record["virtual_time_ns"] += value % 1000
    record["max"]["steps"] = max(record["max"]["steps"], value % 50)
    part = PARTS[j % len(PARTS)]
    record["parts"][part] = record["parts"].get(part, 0) + 1
    for name, size in (("steps", value % 50), ("tasks", 6)):
        shape = dict(record["shape"][name])
        shape[size] = shape.get(size, 0) + 1
        record["shape"][name] = [[s, shape[s]] for s in sorted(shape)]
    counts = dict(record["sketch"]["entries"])
    counts[trace] = counts.get(trace, 0) + 1
    record["sketch"]["entries"] = [[t, counts[t]]
                                   for t in sorted(counts)[:SIZE]]
    goal = record["goals"][0]
    if value % 7 == 0:
        goal["reached"] += 1
        if goal["first"] is None:
            goal["first"] = j
    for one in TESTS[test]:
        if value % one != 0:
            continue
        signature = f"always queue.cc:{one}"
        for known in record["failures"]:
            if known["signature"] == signature:
                known["hits"] += 1
                return None
        failure = {
            "signature": signature, "kind": "always", "what": f"Always \"{one}\"",
            "place": f"queue.cc:{one}", "first": j, "hits": 1,
            "replay": f"c1/0/{j + 1}:1", "deviations": 1, "part": part,
            "folder": f"{test}/{number('signature', one):016x}"[:-8]}
        record["failures"].append(failure)
        return failure
    return None


def save(path, text):
    with open(path + ".tmp", "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(path + ".tmp", path)


def is_over(fake):
    if not os.path.exists(fake.get("over", "")):
        return False
    os.remove(fake["over"])
    return True


def new_record(test, shard, shards, strategy, seed, schedules):
    """The record of a shard that has run nothing."""
    campaign = f"{number(f'{strategy} {seed} {schedules}', 0):016x}"
    return {
        "clotho_record": 1, "campaign": campaign, "test": test, "shard": shard,
        "shards": shards, "strategy": strategy, "seed": seed,
        "schedules": schedules, "block": 0, "next": shard, "complete": False,
        "exhausted": False, "executions": 0, "steps": 0, "seconds": 0.0,
        "max": {"steps": 0, "tasks": 6},
        "shape": {"steps": [], "tasks": []}, "parts": {}, "budget_hits": 0,
        "checked": 0,
        "virtual_time_ns": 0, "sketch": {"size": SIZE, "entries": []},
        "goals": [{"goal": "a job is stolen", "place": "queue.cc:7",
                   "reached": 0, "first": None}],
        "failures": []}


def campaign(flags, test, fake):
    shard, shards = map(int, flags.get("shard", "0/1").split("/"))
    # (With a time, there is no other limit.)
    schedules = int(flags.get("schedules", 0 if "for" in flags else 1000))
    end = schedules or float("inf")
    out = flags["out"]
    os.makedirs(f"{out}/{test}", exist_ok=True)
    path = f"{out}/{test}/shard-{shard}-of-{shards}.json"
    record = new_record(test, shard, shards, flags.get("strategy", "fuzz"),
                        int(flags.get("seed", 1)), schedules)
    if flags.get("resume") == "1" and os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            record = json.load(file)
    start = time.monotonic() - record["seconds"]

    def write():
        record["seconds"] = time.monotonic() - start
        save(path, json.dumps(record))

    def event(**members):
        line = json.dumps({**members, "test": test, "shard": shard}) + "\n"
        with open(f"{out}/results.jsonl", "ab", buffering=0) as file:
            file.write(line.encode())

    write()
    stop = []
    signal.signal(signal.SIGINT, lambda *_: stop.append(1))
    said = time.monotonic()
    while record["next"] < end and not stop and not is_over(fake):
        j = record["next"]
        died = f"{out}/died-{shard}"
        if fake.get("die_at") == j and not os.path.exists(died):
            save(died, "")
            os.kill(os.getpid(), signal.SIGKILL)
        if fake.get("crash_at") == j and test == "Fake.Passes":
            if flags.get("isolate") != "1":
                if fake["crash"] < 2:
                    os._exit(fake["crash"])
                os.kill(os.getpid(), fake["crash"])
            record["failures"].append({
                "signature": "crash", "kind": "crash", "what": "Signal",
                "place": "queue.cc:1", "first": j, "hits": 1,
                "replay": f"c1/0/{j + 1}:1", "deviations": 1, "part": "",
                "folder": f"{test}/0"})
        failure = run_execution(record, test, j)
        if fake.get("layout") == j:
            with open("/proc/self/personality", encoding="ascii") as file:
                record["steps"] += file.read() != "00000000\n"
        record["next"] += shards
        while failure is not None and os.path.exists(fake.get("shrinks", "")):
            event(event="shrinking", kind=failure["kind"],
                  place=failure["place"], **{"from": 5, "to": 3})
            time.sleep(0.05)
        if failure is not None:
            os.makedirs(f"{out}/{failure['folder']}", exist_ok=True)
            save(f"{out}/{failure['folder']}/report.txt",
                 f"WHAT      {failure['what']} in execution {j}\n")
            write()
            event(event="failure", **failure)
        if time.monotonic() - said > 0.2:
            said = time.monotonic()
            write()
            event(event="stats", executions=record["executions"],
                  steps=record["steps"], seconds=said - start,
                  failures=len(record["failures"]))
        time.sleep(fake.get("pause", 0))
    record["complete"] = record["next"] >= schedules  # (0: always true.)
    write()
    event(event="stats", executions=record["executions"],
          steps=record["steps"], seconds=record["seconds"],
          failures=len(record["failures"]))
    return bool(record["failures"]), bool(stop)


def main():
    fake = json.loads(os.environ.get("FAKE_CAMPAIGN", "{}"))
    flags = {}
    for argument in sys.argv[1:]:
        name, _, value = argument.lstrip("-").partition("=")
        flags[name.removeprefix("clotho_")] = value
    account = flags.get("gtest_output", "").removeprefix("json:")
    if "gtest_list_tests" in flags:
        with open(account, "w", encoding="utf-8") as file:
            json.dump({"testsuites": [{"name": "Fake", "testsuite": [
                {"name": name.split(".")[1], "file": "fake.cc", "line": 1}
                for name in TESTS]}]}, file)
        return 0
    if "code" in fake:
        print("fake_campaign: exiting with the requested code", file=sys.stderr)
        return fake["code"]
    chosen = flags.get("gtest_filter", "*").split(":")
    failed = False
    journal = f"{flags['out']}/results.jsonl"

    def event(**members):
        os.makedirs(flags["out"], exist_ok=True)
        with open(journal, "ab", buffering=0) as file:
            file.write((json.dumps(members) + "\n").encode())
    event(event="run")
    for test in TESTS:
        if chosen == ["*"] or test in chosen:
            fails, stopped = campaign(flags, test, fake)
            failed |= fails
            if stopped:
                break
    event(event="end", code=1 if failed else 0)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
