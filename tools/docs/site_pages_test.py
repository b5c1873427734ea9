"""What site_pages.py makes of a small project."""

import os
import subprocess
import sys
import tempfile
import unittest

MAKER = os.path.abspath(sys.argv.pop(1))


class SitePagesTest(unittest.TestCase):

    def make(self, files):
        """The pages of the site, by path."""
        with tempfile.TemporaryDirectory() as root, \
                tempfile.TemporaryDirectory() as out:
            for path, text in files.items():
                full = os.path.join(root, path)
                os.makedirs(os.path.dirname(full), exist_ok=True)
                with open(full, "w", encoding="utf-8") as file:
                    file.write(text)
            subprocess.run([sys.executable, MAKER, root, out], check=True)
            pages = {}
            for folder, _, names in os.walk(out):
                for name in names:
                    path = os.path.join(folder, name)
                    with open(path, encoding="utf-8") as file:
                        pages[os.path.relpath(path, out)] = file.read()
            self.reference = pages.pop("reference.md")
            return pages

    def test_keeps_links_between_pages(self):
        text = "[a](a.md#x), [up](../README.md), [web](https://x.org), [b](#b)\n"
        self.assertEqual(
            self.make({"README.md": "[docs](docs/a.md)\n", "docs/a.md": "",
                       "docs/README.md": text})["docs/README.md"], text)

    def test_shows_sources_as_pages(self):
        self.assertEqual(
            self.make({"README.md": "[it](sim/a.h), `[no](sim/b.h)`\n",
                       "sim/a.h": "int a;\n", "sim/b.h": ""}),
            {"README.md": "[it](sim/a.h.md), `[no](sim/b.h)`\n",
             "sim/a.h.md": "# sim/a.h\n\n~~~~cpp\nint a;\n~~~~\n"})

    def test_shows_folders_as_lists(self):
        pages = self.make({"README.md": "", "docs/a.md": "[s](../sim)\n",
                           "sim/a.cc": "", "sim/b.txt": ""})
        self.assertEqual(pages["docs/a.md"], "[s](../sim/README.md)\n")
        self.assertEqual(pages["sim/README.md"],
                         "# sim\n\n- [a.cc](a.cc.md)\n- [b.txt](b.txt.md)\n")
        self.assertIn("sim/b.txt.md", pages)

    def test_a_folder_with_a_page_is_that_page(self):
        pages = self.make({"README.md": "[e](examples/x)\n",
                           "examples/x/README.md": "# X\n"})
        self.assertEqual(pages["README.md"], "[e](examples/x/README.md)\n")

    def test_lists_headers(self):
        self.make({"README.md": "", "sim/a_b.h": "// A<B>: what is\n// it.\n"
                                                 "//\n// More.\nint a;\n",
                   "sim/a.cc": ""})
        self.assertEqual(
            self.reference,
            "# API reference\n\n## sim/: tests\n\n| header | |\n|---|---|\n"
            "| [a_b.h](api/a__b_8h.html) | A&lt;B>: what is it. |\n")

    def test_two_headers_of_one_name_have_a_page_each(self):
        self.make({"README.md": "", "runtime/a.h": "// R.\n",
                   "sim/a.h": "// S.\n", "sim/b.h": "// B.\n"})
        self.assertIn("| [a.h](api/runtime_2a_8h.html) | R. |", self.reference)
        self.assertIn("| [a.h](api/sim_2a_8h.html) | S. |", self.reference)
        self.assertIn("| [b.h](api/b_8h.html) | B. |", self.reference)

    def test_leaves_out_what_is_for_checkers(self):
        self.assertEqual(
            self.make({"README.md": "<!-- file: a.cc -->\n```cpp\nint a;\n"
                                    "```\n"})["README.md"],
            "```cpp\nint a;\n```\n")


if __name__ == "__main__":
    unittest.main()
