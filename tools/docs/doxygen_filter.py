#!/usr/bin/env python3
"""Shows a header to Doxygen: its comments become documentation, and what is not
for users is left out.

Usage: doxygen_filter.py HEADER
"""

import re
import sys

# What is in a namespace `internal`, and what Doxygen 1.9 does not understand.
INTERNAL = re.compile(r"^(namespace (?:\w+::)*internal \{)$(.*?)"
                      r"^\}  // namespace (?:\w+::)*internal$",
                      re.DOTALL | re.MULTILINE)
# Bases that have members for users.
KEPT = re.compile(r"^(?:template <[^\n]*>\n)?"
                  r"class (?:GeneratorBase|QueueBase|TaskMethods) .*?^\};$",
                  re.DOTALL | re.MULTILINE)
LEFT_OUT = [
    re.compile(r"^ *friend .*?;$", re.DOTALL | re.MULTILINE),
    re.compile(r"^extern template .*?;$", re.DOTALL | re.MULTILINE),
    re.compile(r"^template <[^\n]*>\nstruct std::hash<.*?^\};$",
               re.DOTALL | re.MULTILINE),
]
COMMENT = re.compile(r"^(\s*)// ?(.*)$")
# Headings between declarations, and remarks for tools.
REMARK = re.compile(r"----|NOLINT")


def kept_of(namespace):
    kept = KEPT.findall(namespace[2])
    return "\n".join([namespace[1], *kept, "}"]) if kept else ""


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        text = file.read()
    text = INTERNAL.sub(kept_of, text)
    for pattern in LEFT_OUT:
        text = pattern.sub("", text)
    result = []
    for number, line in enumerate(text.split("\n")):
        comment = COMMENT.match(line)
        if comment is None or REMARK.match(comment[2]):
            result.append(line)
            continue
        if number == 0:  # The first comment is about the whole header.
            result.append("/// @file")
        words = comment[2]
        # In Markdown, code is indented by four spaces.
        if words.startswith("  "):
            words = "  " + words
        result.append(f"{comment[1]}/// {words}")
    print("\n".join(result))


main()
