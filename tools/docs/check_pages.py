#!/usr/bin/env python3
"""Checks what the pages of the project say about each other and about programs:

  - a relative link leads to a file or folder that exists, and its anchor to a
    heading of that page;
  - each page of docs/ can be reached from docs/README.md;
  - a flag `--clotho_...` is one of a test program's, and so is a variable
    `CLOTHO_...=`;
  - in code, `clotho COMMAND --flag` names a command and a flag that exist.

Usage: check_pages.py README PROGRAM
README is README.md of the project; if it is a symbolic link, as in Bazel's
runfiles, the project is where it leads to. PROGRAM is a test program.
"""

import functools
import os
import re
import subprocess
import sys

# Folders that are not part of the project, or hold no pages of it.
SKIPPED = re.compile(r"\.|bazel-|clotho-out$|node_modules$|__pycache__$")

LINK = re.compile(r"\[(?:[^\[\]]|\[[^\]]*\])*\]\(([^()\s]+(?:\([^()]*\))?)\)")
FENCE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
INLINE = re.compile(r"`[^`\n]+`")
INDENTED = re.compile(r"(?:(?<=\n\n)|\A)(?: {4}.*\n)+", re.MULTILINE)

# `source tools/gdb/clotho.py` adds these to gdb.
GDB_COMMANDS = {"stack", "tasks"}


def pages_of(root):
    """The paths of all pages, relative to `root`."""
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(f for f in folders if not SKIPPED.match(f))
        for name in sorted(files):
            if name.endswith(".md"):
                yield os.path.relpath(os.path.join(folder, name), root)


def read(root, page):
    with open(os.path.join(root, page), encoding="utf-8") as file:
        return file.read()


def prose_of(text):
    """The text without code."""
    return INLINE.sub("``", FENCE.sub("", text))


def anchors_of(text):
    """The anchors that GitHub gives to the headings of a page."""
    anchors = set(re.findall(r"<a (?:name|id)=\"([^\"]+)\"", text))
    counts = {}
    for heading in re.findall(r"^#+ +(.*?) *#* *$", FENCE.sub("", text),
                              re.MULTILINE):
        heading = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        anchor = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        count = counts.get(anchor, 0)
        counts[anchor] = count + 1
        anchors.add(f"{anchor}-{count}" if count else anchor)
    return anchors


def links_of(page, text):
    """Pairs of a file, relative to the root, and an anchor, for each link."""
    for link in LINK.findall(prose_of(text)):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (os.path.normpath(os.path.join(os.path.dirname(page), path))
                  if path else page)
        yield link, target, anchor


def code_of(text):
    """The pieces of code of a page: blocks, and what is between backticks. A
    line that ends with a backslash is one with the next."""
    blocks = [block.split("\n", 1)[1] for block in FENCE.findall(text)]
    rest = FENCE.sub("", text)
    blocks += INDENTED.findall(rest)
    for block in blocks:
        yield from block.replace("\\\n", " ").split("\n")
    for code in INLINE.findall(INDENTED.sub("", rest)):
        yield code[1:-1]


@functools.lru_cache(maxsize=None)
def help_of(*command):
    run = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=60, check=False,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})
    if run.returncode != 0:
        raise SystemExit(f"{' '.join(command)}: exit code {run.returncode}\n"
                         f"{run.stdout}{run.stderr}")
    return run.stdout


def commands_of(clotho):
    """The commands of the `clotho` program, with their other names."""
    commands = set()
    for line in re.findall(r"^    (\S.*)$", help_of(clotho, "-h"), re.MULTILINE):
        name, other = re.match(r"([a-z]+)(?: \(([a-z]+)\))?", line).groups()
        commands.update({name, other} - {None})
    return commands


def main():
    readme, program = sys.argv[1:]
    root = os.path.dirname(os.path.realpath(readme))
    program = os.path.abspath(program)
    clotho = os.path.join(root, "tools", "clotho")
    flags = set(re.findall(r"^  (--clotho_\w+)=", help_of(program, "--help"),
                           re.MULTILINE))
    # (The last one is for jobs on Kubernetes.)
    variables = {flag[2:].upper() for flag in flags} | {"CLOTHO_TOTAL_SHARDS"}
    commands = commands_of(clotho)
    wrong = []
    texts = {page: read(root, page) for page in pages_of(root)}
    reached = {}

    for page, text in texts.items():
        reached[page] = set()
        for link, target, anchor in links_of(page, text):
            if os.path.isdir(os.path.join(root, target)):
                pass
            elif not os.path.exists(os.path.join(root, target)):
                wrong.append(f"{page}: ({link}): there is no {target}")
            elif target in texts:
                reached[page].add(target)
                if anchor and anchor not in anchors_of(texts[target]):
                    wrong.append(f"{page}: ({link}): {target} has no heading "
                                 f"#{anchor}")
        for flag in sorted(set(re.findall(r"--clotho_\w+", text)) - flags):
            wrong.append(f"{page}: a test program has no flag {flag}")
        for name in sorted(set(re.findall(r"\b(CLOTHO_\w+)=", text)) - variables):
            wrong.append(f"{page}: a test program has no variable {name}")
        for code in code_of(text):
            for command, rest in re.findall(
                    r"(?:^|[\s/(])clotho +([a-z]+)\b([^|;&#]*)", code):
                if command in GDB_COMMANDS:
                    continue
                if command not in commands:
                    wrong.append(f"{page}: `{code}`: there is no command "
                                 f"{command}")
                    continue
                known = help_of(clotho, command, "-h")
                for flag in re.findall(r"(?<!\S)--?[a-z][\w-]*", rest):
                    if not re.search(rf"(?<![\w-]){flag}(?![\w-])", known):
                        wrong.append(f"{page}: `{code}`: clotho {command} has "
                                     f"no flag {flag}")

    found, new = set(), {"docs/README.md"}
    while new:
        found |= new
        new = set().union(*(reached.get(page, set()) for page in new)) - found
    for page in texts:
        if page.startswith("docs/") and page not in found:
            wrong.append(f"{page}: cannot be reached from docs/README.md")

    for message in wrong:
        print(message)
    sys.exit(1 if wrong else 0)


main()
