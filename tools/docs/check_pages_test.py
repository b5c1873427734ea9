"""What check_pages.py finds in a small project."""

import os
import subprocess
import sys
import tempfile
import unittest

CHECKER = os.path.abspath(sys.argv.pop(1))

PROGRAM = """#!/bin/sh
echo '  --clotho_seed=N  a seed'
"""
CLOTHO = """#!/bin/sh
case $1 in
  -h) echo '    replay         runs one schedule'
      echo '    fuzz (campaign)' ;;
  *) echo "$1 --note=TEXT, -o FILE" ;;
esac
"""


class CheckPagesTest(unittest.TestCase):

    def check(self, pages):
        """The lines that the checker prints for these pages."""
        with tempfile.TemporaryDirectory() as root:
            files = {"tools/clotho": CLOTHO, "program": PROGRAM, **pages}
            for path, text in files.items():
                full = os.path.join(root, path)
                os.makedirs(os.path.dirname(full), exist_ok=True)
                with open(full, "w", encoding="utf-8") as file:
                    file.write(text)
                os.chmod(full, 0o755)
            run = subprocess.run(
                [sys.executable, CHECKER, os.path.join(root, "README.md"),
                 os.path.join(root, "program")],
                capture_output=True, text=True, check=False)
        self.assertEqual(run.stderr, "")
        self.assertEqual(run.returncode, 1 if run.stdout else 0)
        return run.stdout.splitlines()

    def test_accepts_what_is_right(self):
        self.assertEqual(self.check({
            "docs/README.md": "# Index\n[a](a.md#it-is-here-1), [folder](.), "
                              "[top](../README.md), [web](https://x.org/y)\n",
            "docs/a.md": "## It is `here`\n## It is here\n[back](#it-is-here)\n"
                         "`--clotho_seed=1`\n\n"
                         "    clotho replay c1/0/4:1 --note=x \\\n"
                         "        -o file\n\n"
                         "```\n[no](link)\nclotho campaign\n```\n"
                         "`source clotho.py` adds `clotho tasks`.\n",
            "README.md": "[docs](docs/README.md)\n"}), [])

    def test_finds_dead_links(self):
        self.assertEqual(self.check({
            "docs/README.md": "[a](b.md), [b](../x/), [c](README.md#c)\n",
            "README.md": "[docs](docs/README.md#nothing)\n"}), [
                "README.md: (docs/README.md#nothing): docs/README.md has no "
                "heading #nothing",
                "docs/README.md: (b.md): there is no docs/b.md",
                "docs/README.md: (../x/): there is no x",
                "docs/README.md: (README.md#c): docs/README.md has no heading "
                "#c"])

    def test_finds_pages_that_nothing_leads_to(self):
        self.assertEqual(self.check({
            "docs/README.md": "[a](a.md)\n",
            "docs/a.md": "[b](b.md)\n",
            "docs/b.md": "",
            "docs/alone.md": "[a](a.md)\n"}), [
                "docs/alone.md: cannot be reached from docs/README.md"])

    def test_finds_flags_and_commands_that_do_not_exist(self):
        self.assertEqual(self.check({
            "docs/README.md": "Try `--clotho_sede=1`, CLOTHO_SEED=1, "
                              "`CLOTHO_SEDE=1`.\n\n"
                              "    tools/clotho replay --notes=x\n"
                              "    clotho fuzz -p\n\n"
                              "```sh\nclotho reply x\n```\n"}), [
                "docs/README.md: a test program has no flag --clotho_sede",
                "docs/README.md: a test program has no variable CLOTHO_SEDE",
                "docs/README.md: `clotho reply x`: there is no command reply",
                "docs/README.md: `    tools/clotho replay --notes=x`: clotho "
                "replay has no flag --notes",
                "docs/README.md: `    clotho fuzz -p`: clotho fuzz has no flag "
                "-p"])


if __name__ == "__main__":
    unittest.main()
