#!/usr/bin/env python3
"""Checks that what a Markdown file shows is what the project does.

A comment in front of a fenced block says where the block comes from:

    <!-- file: PATH -->      the block stands in that file, word for word, but
                             that it may be indented there
    <!-- output: PATH -->    the block is in what that program prints; with
                             --write, it is put there

Usage: check_docs.py [--write] DOCUMENT [PROGRAM=PATH ...]
PROGRAM=PATH says where a program is, if not at PROGRAM itself.
"""

import re
import subprocess
import sys
import textwrap

BLOCK = re.compile(
    r"<!-- (?P<kind>file|output): (?P<source>\S+) -->\n"
    r"```(?P<language>\w*)\n(?P<text>.*?)```\n",
    re.DOTALL,
)


def report_of(program):
    """What a hunt reports: from WHAT up to the line that ends it."""
    run = subprocess.run(
        [program], stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=60, check=False)
    lines = run.stdout.split("\n")
    starts = [i for i, line in enumerate(lines) if line.startswith("WHAT")]
    ends = [i for i, line in enumerate(lines) if line.startswith("SEARCH")]
    if not starts or not ends:
        raise SystemExit(f"{program} printed no report:\n{run.stdout}{run.stderr}")
    return "\n".join(line.rstrip() for line in lines[starts[0]:ends[0] + 1]) + "\n"


def holds(code, text):
    """Whether lines of `code` are those of `text`, maybe within a function."""
    lines = text.strip("\n") + "\n"
    return any("\n" + textwrap.indent(lines, indent) in "\n" + code
               for indent in ("", "  "))


def main():
    arguments = sys.argv[1:]
    write = "--write" in arguments
    arguments = [a for a in arguments if a != "--write"]
    document = arguments[0]
    programs = dict(a.split("=", 1) for a in arguments[1:])
    with open(document, encoding="utf-8") as file:
        content = file.read()
    wrong = []

    def check(match):
        kind, source, text = match["kind"], match["source"], match["text"]
        if kind == "file":
            with open(source, encoding="utf-8") as file:
                if not holds(file.read(), text):
                    wrong.append(f"{document}: a block is not in {source}:\n{text}")
            return match[0]
        # Where the program is differs between machines; what it reports does not.
        actual = re.sub(
            r"AGAIN   (.|\n)*?(CLOTHO_REPLAY=\S+)(.|\n)*?(--gtest_filter=\S+)",
            rf"AGAIN   \2 \\\n            bazel-bin/{source} \4",
            report_of(programs.get(source, source)))
        if actual == text:
            return match[0]
        wrong.append(f"{document}: {source} reports something else:\n{actual}")
        return f"<!-- {kind}: {source} -->\n```{match['language']}\n{actual}```\n"

    content = BLOCK.sub(check, content)
    if write:
        with open(document, "w", encoding="utf-8") as file:
            file.write(content)
        return
    marks = len(re.findall(r"^<!-- (file|output): ", content, re.MULTILINE))
    if marks == 0 or marks != len(BLOCK.findall(content)):
        wrong.append(f"{document}: a mark without a block, or nothing to check")
    if content.count("```cpp\n") != len(re.findall("-->\n```cpp\n", content)):
        wrong.append(f"{document}: a block of C++ without a mark")
    for message in wrong:
        print(message)
    sys.exit(1 if wrong else 0)


main()
