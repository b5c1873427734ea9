#!/usr/bin/env python3
"""Makes the pages of the site out of the pages of the project.

The pages keep their places. What they link to becomes a page, too: a source
file, with its text; a folder without a page of its own, with the list of its
files. A line `<!-- ... -->`, which is for our checkers, is left out. The page
reference.md has a list of the headers, with links to Doxygen's pages in api/.

Usage: site_pages.py ROOT OUT
"""

import os
import re
import sys

LINK = re.compile(r"(\]\()([^()\s#]+)((?:#[^()\s]*)?\))")
# Code has no links.
CODE = re.compile(r"^```.*?^```$|`[^`\n]+`", re.DOTALL | re.MULTILINE)
PAGES = ("README.md", "docs", "examples", "properties", "tools/conformance")
LANGUAGES = {".h": "cpp", ".cc": "cpp", ".py": "python", ".sh": "sh",
             ".bazel": "python", ".bzl": "python", ".json": "json"}


def pages_of(root):
    """The paths of the pages, relative to `root`."""
    for start in PAGES:
        if start.endswith(".md"):
            yield start
        for folder, folders, files in os.walk(os.path.join(root, start)):
            folders.sort()
            for name in sorted(files):
                if name.endswith(".md"):
                    yield os.path.relpath(os.path.join(folder, name), root)


class Site:

    def __init__(self, root, out):
        self.root = root
        self.out = out
        self.pages = set(pages_of(root))
        self.added = set()

    def write(self, page, text):
        path = os.path.join(self.out, page)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    def read(self, path):
        with open(os.path.join(self.root, path), encoding="utf-8") as file:
            return file.read()

    def page_for(self, target):
        """The page that shows a file or a folder of the project."""
        if target in self.pages:
            return target
        if os.path.isdir(os.path.join(self.root, target)):
            page = os.path.normpath(os.path.join(target, "README.md"))
            if page not in self.pages and page not in self.added:
                self.added.add(page)
                self.write(page, self.listing(target))
            return page
        page = target + ".md"
        if page not in self.added:
            self.added.add(page)
            language = LANGUAGES.get(os.path.splitext(target)[1], "text")
            self.write(page, f"# {target}\n\n~~~~{language}\n"
                             f"{self.read(target).rstrip()}\n~~~~\n")
        return page

    def listing(self, folder):
        files = sorted(
            name for name in os.listdir(os.path.join(self.root, folder))
            if os.path.isfile(os.path.join(self.root, folder, name)))
        lines = [f"- [{name}]({self.page_for(os.path.join(folder, name))})"
                 for name in files]
        return self.relative(
            f"{folder}/README.md", f"# {folder}\n\n" + "\n".join(lines) + "\n")

    @staticmethod
    def relative(page, text):
        """Links relative to the root become relative to `page`."""
        return re.sub(
            r"\]\(([^()]+)\)",
            lambda m: f"]({os.path.relpath(m[1], os.path.dirname(page))})", text)

    def convert(self, page):
        def link(match):
            if re.match(r"[a-z]+:", match[2]):
                return match[0]
            folder = os.path.dirname(page)
            shown = self.page_for(
                os.path.normpath(os.path.join(folder, match[2])))
            return match[1] + os.path.relpath(shown, folder or ".") + match[3]

        text = re.sub(r"^<!-- \w+: .* -->\n", "", self.read(page),
                      flags=re.MULTILINE)
        parts, end = [], 0
        for code in CODE.finditer(text):
            parts += [LINK.sub(link, text[end:code.start()]), code[0]]
            end = code.end()
        self.write(page, "".join(parts) + LINK.sub(link, text[end:]))


# The rooms whose headers programs and tests include, and what they are for.
ROOMS = {"runtime": "coroutines, tasks, time", "sim": "tests",
         "properties": "properties"}
# Not for programs: the same list is in Doxyfile.
INNER = {"done_waiter.h", "loop_core.h", "mailbox.h", "primitive.h", "sigint.h",
         "thread_link.h", "to_be_awaited.h"}


def headers(root):
    """The headers of each room, by the room's name."""
    found = {}
    for room in ROOMS:
        folder = os.path.join(root, room)
        if os.path.isdir(folder):
            found[room] = [name for name in sorted(os.listdir(folder))
                           if name.endswith(".h") and name not in INNER]
    return found


def reference(root):
    """The list of the headers of each room, with their first sentences."""
    lines = ["# API reference", ""]
    rooms = headers(root)
    everywhere = [name for names in rooms.values() for name in names]
    for room, names in rooms.items():
        lines += [f"## {room}/: {ROOMS[room]}", "", "| header | |", "|---|---|"]
        for name in names:
            with open(os.path.join(root, room, name), encoding="utf-8") as file:
                comment = re.match(r"((?://.*\n)*)", file.read())[1]
            first = re.sub(r"^// ?", "", comment, flags=re.MULTILINE)
            first = " ".join(first.partition("\n\n")[0].split())
            first = first.replace("<", "&lt;").replace("|", "\\|")
            # As Doxygen names its pages: the folder is in the name of a page
            # only if two rooms have a header of that name.
            page = name.replace("_", "__").replace(".", "_8")
            if everywhere.count(name) > 1:
                page = f"{room}_2{page}"
            lines.append(f"| [{name}](api/{page}.html) | {first} |")
        lines.append("")
    return "\n".join(lines)


def main():
    site = Site(*sys.argv[1:])
    for page in sorted(site.pages):
        site.convert(page)
    site.write("reference.md", reference(site.root))


main()
