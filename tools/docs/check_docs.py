#!/usr/bin/env python3
"""Checks that a Markdown file shows what the project really does.

A comment before a fenced block says where the block comes from:

    <!-- file: PATH -->      the block is in that file, word for word, except
                             that it may be indented there
    <!-- output: PATH -->    the block is in the output of that program; --write
                             updates it
    <!-- help: PATH -->      the block is that test program's help on Clotho's
                             flags and exit codes; --write updates it. The page's
                             tables have a row for each of them, and the page
                             names no others

Usage: check_docs.py [--write] DOCUMENT [PROGRAM=PATH ...]
PROGRAM=PATH gives the path of a program if it is not PROGRAM itself.
"""

import re
import subprocess
import sys
import textwrap

BLOCK = re.compile(
    r"<!-- (?P<kind>file|output|help): (?P<source>\S+) -->\n"
    r"```(?P<language>\w*)\n(?P<text>.*?)```\n",
    re.DOTALL,
)


def report_of(program):
    """The report of a *_hunt program: from WHAT to the line SEARCH."""
    run = subprocess.run(
        [program], stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=60, check=False)
    lines = run.stdout.split("\n")
    starts = [i for i, line in enumerate(lines) if line.startswith("WHAT")]
    ends = [i for i, line in enumerate(lines) if line.startswith("SEARCH")]
    if not starts or not ends:
        raise SystemExit(f"{program} printed no report:\n{run.stdout}{run.stderr}")
    return "\n".join(line.rstrip() for line in lines[starts[0]:ends[0] + 1]) + "\n"


def help_of(program):
    """The help of a test program, without GoogleTest's part."""
    run = subprocess.run(
        [program, "--help"], stdin=subprocess.DEVNULL, capture_output=True,
        text=True, timeout=60, check=False)
    ours, end, _ = run.stdout.partition(
        "\nThis program contains tests written using Google Test")
    if not end:
        raise SystemExit(f"{program} printed no help:\n{run.stdout}{run.stderr}")
    return ours


# Names that look like a flag's variable but are not.
OTHERS = {"CLOTHO_PROPERTY", "CLOTHO_TEST", "CLOTHO_TOTAL_SHARDS"}


def misses_of_tables(content, text):
    """The rows that the tables of a page lack, and the names not in the help."""
    flags = re.findall(r"^  (--clotho_\w+)=", text, re.MULTILINE)
    codes = re.findall(r"^  (\d+)  ", text, re.MULTILINE)
    wrong = []
    for flag in flags:
        variable = flag[2:].upper()
        if not re.search(rf"^\| `{flag}=[^|]*\| `{variable}` \|", content,
                         re.MULTILINE):
            wrong.append(f"no row of a table begins with | `{flag}=...` | "
                         f"`{variable}` |")
    for code in codes:
        if not re.search(rf"^\| {code} \|", content, re.MULTILINE):
            wrong.append(f"no row of a table begins with | {code} |")
    for flag in sorted(set(re.findall(r"--clotho_\w+", content)) - set(flags)):
        wrong.append(f"there is no flag {flag}")
    variables = {flag[2:].upper() for flag in flags} | OTHERS
    for name in sorted(set(re.findall(r"\bCLOTHO_\w+", content)) - variables):
        wrong.append(f"there is no variable {name}")
    return wrong


def holds(code, text):
    """Whether `code` contains the lines of `text`, perhaps indented."""
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
        if kind == "help":
            actual = help_of(programs.get(source, source))
            wrong.extend(f"{document}: {miss}"
                         for miss in misses_of_tables(content, actual))
            if actual != text:
                wrong.append(f"{document}: {source} --help says:\n{actual}")
            return f"<!-- help: {source} -->\n```text\n{actual}```\n"
        # The path of the program differs between machines; its report does not.
        actual = re.sub(
            r"REPLAY    (.|\n)*?(CLOTHO_REPLAY=\S+)(.|\n)*?(--gtest_filter=\S+)",
            rf"REPLAY    \2 \\\n              bazel-bin/{source} \4",
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
    marks = len(re.findall(r"^<!-- (file|output|help): ", content, re.MULTILINE))
    if marks == 0 or marks != len(BLOCK.findall(content)):
        wrong.append(f"{document}: a marker without a block, or nothing to check")
    if content.count("```cpp\n") != len(re.findall("-->\n```cpp\n", content)):
        wrong.append(f"{document}: a C++ block without a marker")
    for message in wrong:
        print(message)
    sys.exit(1 if wrong else 0)


main()
