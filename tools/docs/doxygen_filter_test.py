"""What doxygen_filter.py makes of a header."""

import os
import subprocess
import sys
import tempfile
import unittest

FILTER = os.path.abspath(sys.argv.pop(1))


def shown(header):
    with tempfile.NamedTemporaryFile("w", suffix=".h", encoding="utf-8") as file:
        file.write(header)
        file.flush()
        return subprocess.run([sys.executable, FILTER, file.name], check=True,
                              capture_output=True, text=True).stdout


class DoxygenFilterTest(unittest.TestCase):

    def test_comments_become_documentation(self):
        self.assertEqual(
            shown("// A: an answer.\n//\n//   A a;  // Code.\n\n"
                  "class A {\n  // ---- For users. ----\n  // Asks.\n"
                  "  int Ask();  // NOLINT\n};"),
            "/// @file\n/// A: an answer.\n/// \n///     A a;  // Code.\n\n"
            "class A {\n  // ---- For users. ----\n  /// Asks.\n"
            "  int Ask();  // NOLINT\n};\n")

    def test_leaves_out_what_is_internal(self):
        self.assertEqual(
            shown("int a;\nnamespace internal {\nint b;\n"
                  "}  // namespace internal\nint c;"), "int a;\n\nint c;\n")
        self.assertEqual(
            shown("class A {\n  friend class B<\n      int>;\n  int c;\n};\n"
                  "template <>\nstruct std::hash<A> {\n  int d;\n};"),
            "class A {\n\n  int c;\n};\n\n")

    def test_keeps_bases_with_members_for_users(self):
        self.assertEqual(
            shown("namespace clotho::internal {\nint b;\n"
                  "template <typename T>\nclass TaskMethods {\n  // Ends it.\n"
                  "  void Cancel();\n};\n}  // namespace clotho::internal"),
            "namespace clotho::internal {\ntemplate <typename T>\n"
            "class TaskMethods {\n  /// Ends it.\n  void Cancel();\n};\n}\n")


if __name__ == "__main__":
    unittest.main()
