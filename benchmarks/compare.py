#!/usr/bin/env python3
"""Runs cross_runtime side by side with its peers, and prints one table.

  benchmarks/compare.py                  all workloads, five rounds
  benchmarks/compare.py --only=W1,W6 --rounds=9
  benchmarks/compare.py --write          updates the table in docs/performance.md

Builds Clotho's cross_runtime and the raw limit (peers/raw.cc) with Clang and with
GCC. Asio, tokio and asyncio are included if they are installed:

  apt-get install libasio-dev librust-tokio-dev cargo

The speed of a machine changes from minute to minute. So a round runs one workload
on all runtimes before the next workload, and a ratio compares figures of the same
round; the table shows the median of the rounds' ratios.
"""

import argparse
import collections
import datetime
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PEERS = os.path.join(ROOT, "benchmarks", "peers")
DOCUMENT = os.path.join(ROOT, "docs", "performance.md")
BEGIN = "<!-- compare.py: begin -->\n"
END = "<!-- compare.py: end -->\n"

WORKLOADS = ["W1", "W2", "W3", "W4", "W5", "W6", "W7"]
# A million timers take asyncio half a minute on a slow day.
SECONDS_MAX = 300

# The baseline of all runtimes, and the peers of Clotho.
RAW = "raw, g++"
CLOTHO = "Clotho, Clang"
OTHERS = ["Asio", "tokio", "asyncio"]
COLUMNS = [RAW, "raw, Clang", CLOTHO, "Clotho, g++"] + OTHERS

FIGURES = {
    "W1.switch.N=1": "switch, 1 task",
    "W1.switch.N=100": "switch, 100 tasks",
    "W1.switch.N=10000": "switch, 10,000 tasks",
    "W2.spawn.cold": "spawn and gather, 1,000,000 tasks",
    "W2.bytes": "memory per task",
    "W3.timer.dense": "sleep, 1,000,000 tasks",
    "W3.timer.sparse": "sleep, 1,000 tasks",
    "W4.chan.1p1c": "message through a queue of one",
    "W4.chan.1000p1c": "the same, 1,000 producers",
    "W5.cancel": "cancel through three frames",
    "W5.destroy": "destroy three frames",
    "W6.chain.d=1000": "awaited call, 1,000 deep",
    "W6.chain.d=10": "awaited call, 10 deep",
    "W7.random.race": "random executions of a race",
    "W7.random.lock": "the same with a lock",
    "W7.dfs.time.race": "all executions of the race",
    "W7.dfs.count.race": "number of these executions",
    "W7.dfs.time.lock": "all executions with the lock",
    "W7.dfs.count.lock": "number of these executions",
}


class Skipped(Exception):
    """Says why a program is left out."""


def run(command, **options):
    """Runs a build step; if it fails, Skipped has its output."""
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, check=False, **options)
    except OSError as error:
        raise Skipped(str(error)) from error
    if done.returncode != 0:
        raise Skipped(f"`{' '.join(command)}` failed:\n{done.stdout}")


def clotho(folder, name, *flags):
    """Builds cross_runtime, and copies it before Bazel builds it differently."""
    bazel = [os.path.join(ROOT, "tools", "bazel")]
    target = "//benchmarks:cross_runtime"
    run(bazel + ["build", "-c", "opt", *flags, target], cwd=ROOT)
    path = os.path.join(folder, name)
    shutil.copy(os.path.join(ROOT, "bazel-bin", "benchmarks", "cross_runtime"), path)
    return [path]


def cpp_peer(folder, name, compiler, source, *flags):
    if shutil.which(compiler) is None:
        raise Skipped(f"there is no {compiler}")
    path = os.path.join(folder, name)
    run([compiler, "-std=c++20", "-O2", *flags, os.path.join(PEERS, source),
         "-o", path])
    return [path]


def asio(folder):
    if not os.path.exists("/usr/include/asio.hpp"):
        raise Skipped("there is no /usr/include/asio.hpp (libasio-dev)")
    return cpp_peer(folder, "asio", "g++", "asio.cc", "-pthread",
                    "-DASIO_DISABLE_THREADS")


def tokio(folder):
    if shutil.which("cargo") is None:
        raise Skipped("there is no cargo")
    if not os.path.isdir("/usr/share/cargo/registry"):
        raise Skipped("there is no /usr/share/cargo/registry (librust-tokio-dev)")
    # Built in a copy, so that no lock file is left among the sources.
    source = os.path.join(folder, "tokio")
    shutil.copytree(os.path.join(PEERS, "tokio"), source,
                    ignore=shutil.ignore_patterns("target", "Cargo.lock"))
    run(["cargo", "build", "--release", "--quiet"], cwd=source)
    return [os.path.join(source, "target", "release", "tokio_peer")]


def asyncio(python):
    if shutil.which(python) is None:
        raise Skipped(f"there is no {python}")
    return [python, os.path.join(PEERS, "asyncio_peer.py")]


def build_all(folder, python):
    """The commands by name; a workload is to be appended to each."""
    builders = {
        RAW: lambda: cpp_peer(folder, "raw-gcc", "g++", "raw.cc"),
        "raw, Clang": lambda: cpp_peer(folder, "raw-clang", "clang++-19", "raw.cc"),
        CLOTHO: lambda: clotho(folder, "clotho-clang"),
        "Clotho, g++": lambda: clotho(folder, "clotho-gcc", "--config=gcc"),
        "Asio": lambda: asio(folder),
        "tokio": lambda: tokio(folder),
        "asyncio": lambda: asyncio(python),
    }
    programs = {}
    for name, builder in builders.items():
        say(f"building {name}")
        try:
            programs[name] = builder()
        except Skipped as reason:
            say(f"skipped: {name}: {reason}")
    return programs


def say(text):
    print(f"compare.py: {text}", file=sys.stderr, flush=True)


def parse(output):
    """The output of a program, as {key: (value, unit)}."""
    figures = {}
    for line in output.splitlines():
        fields = line.split("\t")
        if len(fields) != 3:
            continue
        try:
            figures[fields[0]] = (float(fields[1]), fields[2])
        except ValueError:
            continue
    return figures


def measure(name, command, workload):
    """The figures of one program for one workload; {} if it has none."""
    try:
        done = subprocess.run(
            command + [workload], stdin=subprocess.DEVNULL, capture_output=True,
            text=True, timeout=SECONDS_MAX, check=False)
    except subprocess.TimeoutExpired:
        say(f"{name} {workload}: not done in {SECONDS_MAX} s")
        return {}
    # 2: the program does not have this workload.
    if done.returncode not in (0, 2):
        say(f"{name} {workload}: failed ({done.returncode}): {done.stderr}")
        return {}
    return parse(done.stdout)


class Results:
    """All figures of all rounds."""

    def __init__(self):
        # values[key][name][round]
        self.values = collections.defaultdict(lambda: collections.defaultdict(dict))
        self.units = {}

    def add(self, name, number, figures):
        for key, (value, unit) in figures.items():
            self.values[key][name][number] = value
            self.units[key] = unit

    def is_rate(self, key):
        return self.units[key].endswith("/s")

    def best(self, key, values):
        return max(values) if self.is_rate(key) else min(values)

    def ratio(self, key, name, others):
        """The cost of `name` as a multiple of the best of `others`.

        The median over the rounds that have both. None if there is no such
        round, or if the figure is a number of executions, for which neither
        more nor fewer is better.
        """
        if self.units[key] == "schedules":
            return None
        of = self.values[key]
        ratios = []
        for number, value in of[name].items() if name in of else ():
            there = [of[other][number] for other in others
                     if other in of and number in of[other]]
            if not there or not value:
                continue
            best = self.best(key, there)
            if best:
                ratios.append(best / value if self.is_rate(key) else value / best)
        return statistics.median(ratios) if ratios else None

    def cell(self, key, name):
        """The median of the rounds and, in brackets, the best of them."""
        of = self.values[key]
        if name not in of:
            return "–"
        values = list(of[name].values())
        median = number_text(statistics.median(values))
        if self.units[key] == "schedules":
            return median
        return f"{median} ({number_text(self.best(key, values))})"

    def table(self):
        """A Markdown table: a line for each figure, in cross_runtime's order."""
        header = (["", "unit"] + COLUMNS[:4] +
                  ["Clotho ÷ raw", "Clotho ÷ best peer"] + OTHERS)
        lines = [header, ["---"] * len(header)]
        for key, text in FIGURES.items():
            if key not in self.values:
                continue
            cells = {name: self.cell(key, name) for name in COLUMNS}
            lines.append(
                [f"{key[:2]} {text}", self.units[key]] +
                [cells[name] for name in COLUMNS[:4]] +
                [ratio_text(self.ratio(key, CLOTHO, [RAW])),
                 ratio_text(self.ratio(key, CLOTHO, OTHERS))] +
                [cells[name] for name in OTHERS])
        return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def number_text(value):
    """Three digits; the noise is larger than that."""
    if value >= 1e6:
        return f"{value / 1e6:.3g} M"
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def ratio_text(ratio):
    if ratio is None:
        return "–"
    return f"×{ratio:.0f}" if ratio >= 99.5 else f"×{ratio:.2g}"


def version(command):
    """The first line of the output of `command` that looks like a version."""
    try:
        text = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            check=False).stdout
    except OSError:
        return "?"
    found = re.search(r"\d+\.\d+(\.\d+)?", text)
    return found[0] if found else "?"


def machine(rounds, python):
    """One sentence on where and when the figures were measured."""
    model = "unknown processor"
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        found = re.search(r"^model name\s*: (.*)$", file.read(), re.MULTILINE)
        if found:
            model = found[1]
    return (
        f"{datetime.date.today().isoformat()}, {model}, {os.cpu_count()} cores, "
        f"Clang {version(['clang++-19', '--version'])}, "
        f"g++ {version(['g++', '-dumpfullversion'])}, "
        f"CPython {version([python, '--version'])}; "
        f"median (best) of {rounds} round{'s' if rounds > 1 else ''}.\n")


def replace_between_marks(text, content):
    """`text` with `content` between BEGIN and END."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"{DOCUMENT} does not have both marks")
    return before + begin + content + end + after


def workloads(text):
    """The workloads that --only names."""
    names = [name for name in text.split(",") if name] or WORKLOADS
    for name in names:
        if name not in WORKLOADS:
            raise argparse.ArgumentTypeError(
                f'"{name}" is not a workload: expected one of '
                f'{", ".join(WORKLOADS)}')
    return names


def rounds_of(text):
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f'"{text}" is not a number from 1')
    return int(text)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=rounds_of, default=5)
    parser.add_argument("--only", type=workloads, default=WORKLOADS,
                        help="workloads, such as W1,W6")
    parser.add_argument("--python", default=sys.executable,
                        help="the Python whose asyncio to measure (default: this one)")
    parser.add_argument("--write", action="store_true",
                        help="update the table in docs/performance.md")
    options = parser.parse_args()
    if options.write and options.only != WORKLOADS:
        parser.error("--write is for the whole table: not with --only")

    results = Results()
    with tempfile.TemporaryDirectory(prefix="clotho-compare-") as folder:
        programs = build_all(folder, options.python)
        if CLOTHO not in programs:
            raise SystemExit("compare.py: there is nothing to compare")
        for number in range(options.rounds):
            for workload in options.only:
                for name, command in programs.items():
                    results.add(name, number, measure(name, command, workload))
            say(f"round {number + 1} of {options.rounds} done")

    content = machine(options.rounds, options.python) + "\n" + results.table()
    print(content, end="")
    if options.write:
        with open(DOCUMENT, encoding="utf-8") as file:
            text = file.read()
        with open(DOCUMENT, "w", encoding="utf-8") as file:
            file.write(replace_between_marks(text, content))


if __name__ == "__main__":
    main()
