#!/usr/bin/env python3
"""Lists which of CPython's own asyncio tests Clotho has, and where.

asyncio_tests.txt beside this file lists the methods of CPython 3.13.0's
test_asyncio that apply to a C++ runtime: those that are portable (P), and those
that apply only if the runtime has the feature they test (C), with the reason if
Clotho does not have them. The GoogleTest case for a method has its name:

    test_locks.py LockTests test_acquire_cancel  ->  LockTests.AcquireCancel

Leading underscores of a class are dropped. Two files have classes with the same
names as other files; theirs are prefixed with the file's name.

    test_pep492.py LockTests                     ->  Pep492LockTests

Usage, at the root of the repository: asyncio_tests.py [--check]
Writes docs/asyncio-tests.md. With --check, writes nothing, and fails if a
portable method has no test, if a conditional one has neither a test nor a
reason, if one with a test has a reason, or if the page is out of date.
"""

import dataclasses
import glob
import os
import re
import sys

LIST = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                    "asyncio_tests.txt")
SOURCES = "runtime/**/*_test.cc"
PAGE = "docs/asyncio-tests.md"
PREFIXES = {"test_futures2.py": "Futures2", "test_pep492.py": "Pep492"}
# Replacements where two methods of a class would get the same name.
NAMES = {"test__run_once": "UnderscoreRunOnce"}
CASE = re.compile(r"^(?:TEST|TEST_F|TEST_P|TYPED_TEST|TYPED_TEST_P)"
                  r"\(\s*(\w+),\s*(\w+)\s*\)", re.MULTILINE)

HEAD = """\
# CPython's tests

<!-- Written by tools/docs/asyncio_tests.py. -->

CPython's test suite is the most detailed account of what asyncio does. Of the
1266 test methods of 3.13.0's `test_asyncio`, {portable} are **portable**: they test
asyncio's semantics, and need no sockets, processes, signals or real threads, and
nothing that only Python has. Each of them is rewritten here in C++ from the behaviour
that it checks; its suite and name are those of the class and the method.
{conditional} more are **conditional**: they apply if the runtime has the feature that
they test. They are here, too, or the table says why not. The other {others} test
I/O, Windows, type checks at run time, and CPython's internals.

Where a method looks at a private attribute, its test checks the behaviour behind it.
The methods of a base class that CPython runs for several implementations count
once.

`python3 tools/docs/asyncio_tests.py` writes this page from
[the list](../tools/docs/asyncio_tests.txt) and the tests; `--check` fails if a portable
method or a reason is missing.
"""
ALL_METHODS = 1266


@dataclasses.dataclass
class Method:
    """A line of the list."""

    file: str
    python_class: str
    name: str
    conditional: bool
    reason: str  # May be empty.

    @property
    def case(self):
        """The suite and the name of the GoogleTest case for it."""
        suite = PREFIXES.get(self.file, "") + self.python_class.lstrip("_")
        words = self.name.removeprefix("test").split("_")
        name = "".join(word[:1].upper() + word[1:] for word in words)
        return suite, NAMES.get(self.name, name)


def read_list():
    """The methods, in the order of the list."""
    methods = []
    with open(LIST, encoding="utf-8") as file:
        for line in file:
            if line.strip() and not line.startswith("#"):
                path, python_class, name, kind, *reason = line.split(maxsplit=4)
                if kind not in ("P", "C"):
                    sys.exit(f"{LIST}: neither P nor C: {line}")
                methods.append(Method(path, python_class, name, kind == "C",
                                      "".join(reason).strip()))
    return methods


def find_cases():
    """The file of each case."""
    cases = {}
    for path in sorted(glob.glob(SOURCES, recursive=True)):
        with open(path, encoding="utf-8") as file:
            for case in CASE.findall(file.read()):
                cases.setdefault(case, path)
    return cases


def find_faults(methods, cases):
    """The differences between the list and the tests."""
    faults = []
    for method in methods:
        where = f"{method.file} {method.python_class}.{method.name}"
        case = ".".join(method.case)
        if method.case in cases:
            if method.reason:
                faults.append(f"{where}: has a reason, and a test {case}")
        elif not method.conditional:
            faults.append(f"{where}: portable, but there is no test {case}")
        elif not method.reason:
            faults.append(f"{where}: neither a test {case} nor a reason")
    return faults


def link(path, text):
    return f"[{text}](../{path})"


def write_page(methods, cases):
    """The text of the page."""
    files = list(dict.fromkeys(method.file for method in methods))
    conditional = sum(method.conditional for method in methods)
    parts = [HEAD.format(portable=len(methods) - conditional,
                         conditional=conditional,
                         others=ALL_METHODS - len(methods))]

    def row(name, some):
        asked = [method for method in some if method.case in cases]
        cells = [name]
        for kind in (False, True):
            of_kind = sum(method.conditional == kind for method in some)
            here = sum(method.conditional == kind for method in asked)
            cells += [str(of_kind), str(here)]
        return "| " + " | ".join(cells) + " |\n"

    parts.append("\n| file | portable | of them here | conditional | of them here |\n"
                 "|---|---|---|---|---|\n")
    for path in files:
        anchor = path.replace(".", "")
        parts.append(row(f"[{path}](#{anchor})",
                         [method for method in methods if method.file == path]))
    parts.append(row("**together**", methods))

    for path in files:
        parts.append(f"\n## {path}\n\n| method | | where, or why not |\n|---|---|---|\n")
        for method in methods:
            if method.file != path:
                continue
            if method.case in cases:
                where = link(cases[method.case], ".".join(method.case))
            else:
                where = method.reason or "**missing**"
            kind = "conditional" if method.conditional else "portable"
            parts.append(f"| `{method.python_class}.{method.name}` | {kind} "
                         f"| {where} |\n")
    return "".join(parts)


def main():
    if sys.argv[1:] not in ([], ["--check"]):
        sys.exit(__doc__)
    methods = read_list()
    cases = find_cases()
    faults = find_faults(methods, cases)
    page = write_page(methods, cases)
    if sys.argv[1:]:
        try:
            with open(PAGE, encoding="utf-8") as file:
                is_current = file.read() == page
        except FileNotFoundError:
            is_current = False
        if not is_current:
            faults.append(f"{PAGE} is out of date: "
                          "run python3 tools/docs/asyncio_tests.py")
    else:
        with open(PAGE, "w", encoding="utf-8") as file:
            file.write(page)
    for fault in faults:
        print(fault)
    sys.exit(1 if faults else 0)


main()
