#!/usr/bin/env python3
"""Counts the instructions of small programs, and compares them with a record.

  benchmarks/instructions.py             compares with instructions.txt
  benchmarks/instructions.py --write     records the counts

Unlike times, the counts are the same on a busy machine. So they show at once if a
change makes a switch, a task, a call or an execution more expensive; they do not
show the cost of memory accesses. Needs Valgrind (apt-get install valgrind).
tools/bazel builds the programs with the reference compiler; the counts of others
differ.

A count is for one item: each program runs at two sizes, and the difference is
divided. So it does not include the start and end of the process.

Exits with 1 if a count is more than 5 % off in either direction: record a count
that has become lower, or a later increase may remain unnoticed.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
RECORD = os.path.join(ROOT, "benchmarks", "instructions.txt")
TOLERANCE = 0.05

# The size of the smaller run of each program; the other is twice as large.
SIZES = {"switch": 100_000, "spawn": 5_000, "call": 100_000, "race": 1_000,
         "lock": 1_000}

HEAD = """\
# Instructions that one item takes, in an optimised build by the reference
# compiler: benchmarks/instructions.py --write.
"""


def build():
    """Builds the programs, and returns the path of the binary."""
    bazel = [os.path.join(ROOT, "tools", "bazel")]
    subprocess.run(bazel + ["build", "-c", "opt", "//benchmarks:instructions"],
                   cwd=ROOT, stdin=subprocess.DEVNULL, check=True)
    return os.path.join(ROOT, "bazel-bin", "benchmarks", "instructions")


def parse_count(text):
    """The count at the end of Valgrind's output."""
    found = re.search(r"I\s+refs:\s+([\d,]+)", text)
    if not found:
        raise SystemExit(f"instructions.py: no count in:\n{text}")
    return int(found[1].replace(",", ""))


def count(binary, program, size):
    """The number of instructions of a whole process."""
    run = subprocess.run(
        ["valgrind", "--tool=cachegrind", "--cache-sim=no",
         "--cachegrind-out-file=/dev/null", binary, program, str(size)],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if run.returncode != 0:
        raise SystemExit(f"instructions.py: {program} failed:\n{run.stderr}")
    return parse_count(run.stderr)


def measure(binary):
    """The instructions of one item of each program."""
    return {program: (count(binary, program, 2 * size) -
                      count(binary, program, size)) / size
            for program, size in SIZES.items()}


def parse_record(text):
    """The record, as {program: instructions}."""
    lines = [line for line in text.splitlines() if line and line[0] != "#"]
    record = {}
    for line in lines:
        found = re.fullmatch(r"(\w+) (\d+\.\d)", line)
        if not found:
            raise SystemExit(f'instructions.txt: "{line}"')
        record[found[1]] = float(found[2])
    return record


def record_text(counts):
    return HEAD + "".join(f"{program} {value:.1f}\n"
                          for program, value in counts.items())


def compare(recorded, counts):
    """A line for each program, and whether all counts match the record."""
    lines = []
    good = True
    for program, value in counts.items():
        if program not in recorded:
            lines.append(f"{program:8} {value:10.1f}  not recorded")
            good = False
            continue
        change = value / recorded[program] - 1
        off = abs(change) > TOLERANCE
        good = good and not off
        lines.append(f"{program:8} {value:10.1f}  {recorded[program]:10.1f}"
                     f"  {change:+7.1%}{'  OFF' if off else ''}")
    return lines, good


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true",
                        help="record the counts in instructions.txt")
    options = parser.parse_args()
    if shutil.which("valgrind") is None:
        raise SystemExit("instructions.py: valgrind was not found: install it "
                         "(apt-get install valgrind)")
    counts = measure(build())
    if options.write:
        with open(RECORD, "w", encoding="utf-8") as file:
            file.write(record_text(counts))
        return
    with open(RECORD, encoding="utf-8") as file:
        recorded = parse_record(file.read())
    lines, good = compare(recorded, counts)
    print(f"{'':8} {'now':>10}  {'recorded':>10}")
    print("\n".join(lines))
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
