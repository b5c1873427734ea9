"""CMake's sources and the version, compared with their other places.

The libraries of CMake have the sources of the BUILD files' targets
(cmake/ClothoSources.cmake), and every place that names the version names that
of the file VERSION.
"""

import glob
import os
import pathlib
import re
import subprocess
import tempfile
import unittest

# (Through the links of Bazel's runfiles to the source tree, whose folders are
# listed.)
ROOT = pathlib.Path(__file__).resolve().parent.parent.parent

# Which targets of Bazel make up a library of CMake.
LIBRARIES = {
    "runtime": ["runtime:runtime", "runtime/internal:internal"],
    "sim": ["sim:sim", "sim/engine:engine", "sim/report:report",
            "sim/search:search", "sim/strategies:strategies"],
    "testing": ["sim:testing", "sim/flags:flags", "sim/gtest:gtest",
                "sim/report:console"],
    "testing_main": ["sim:testing_main"],
    "libfuzzer_main": ["sim:libfuzzer_main"],
    "threads": ["sim:threads", "sim/threads:threads"],
    "properties": ["properties:properties"],
}

# The targets with the same rule that are no part of a library.
OTHERS = {"runtime/testing:testing", "sim/testing:shell"}


def libraries_of(package):
    """The sources and headers of each clotho_cc_library of a BUILD file, which
    Python can evaluate, too."""
    folder = ROOT / package
    found = {}

    def find(patterns, exclude=()):
        names = {name for pattern in patterns
                 for name in glob.glob(pattern, root_dir=folder)}
        return sorted(names - {name for pattern in exclude
                               for name in glob.glob(pattern, root_dir=folder)})

    def library(name, srcs=(), hdrs=(), **_):
        found[f"{package}:{name}"] = (
            {f"{package}/{file}" for file in srcs},
            {f"{package}/{file}" for file in hdrs})

    def nothing(*_, **__):
        return []

    names = {"glob": find, "clotho_cc_library": library}
    text = (folder / "BUILD.bazel").read_text()
    for rule in re.findall(r"\b([a-z_]+)\(", text):
        names.setdefault(rule, nothing)
    exec(compile(text, f"{package}/BUILD.bazel", "exec"), names)
    return found


def all_libraries():
    found = {}
    for top in ("runtime", "sim", "properties"):
        for path in (ROOT / top).rglob("BUILD.bazel"):
            package = str(path.parent.relative_to(ROOT))
            # (Clotho's own properties.)
            if package != "properties/runtime":
                found.update(libraries_of(package))
    return found


def of_cmake(library):
    """The sources and headers that CMake would compile and install."""
    script = ('cmake_minimum_required(VERSION 3.22)\n'
              f'include("{ROOT}/cmake/ClothoSources.cmake")\n'
              f'clotho_sources(sources headers {library})\n'
              'message("${sources}|${headers}")\n')
    with tempfile.NamedTemporaryFile("w", suffix=".cmake") as file:
        file.write(script)
        file.flush()
        done = subprocess.run(["cmake", "-P", file.name], capture_output=True,
                              text=True, check=True)
    sources, headers = done.stderr.strip().split("|")
    return set(sources.split(";")), set(filter(None, headers.split(";")))


class SourcesTest(unittest.TestCase):
    maxDiff = None

    def test_each_target_belongs_to_a_library(self):
        known = {target for targets in LIBRARIES.values() for target in targets}
        self.assertEqual(set(all_libraries()), known | OTHERS)

    def test_sources_and_headers_are_the_same(self):
        bazel = all_libraries()
        for library, targets in LIBRARIES.items():
            with self.subTest(library):
                sources, headers = of_cmake(library)
                self.assertEqual(
                    sources, set().union(*(bazel[one][0] for one in targets)))
                self.assertEqual(
                    headers, set().union(*(bazel[one][1] for one in targets)))
                self.assertTrue(sources)


class VersionTest(unittest.TestCase):

    def test_is_the_same_everywhere(self):
        version = (ROOT / "VERSION").read_text().strip()
        self.assertRegex(version, r"^\d+\.\d+\.\d+$")
        for file, pattern in (
                ("MODULE.bazel", r'module\(\n    name = "clotho",\n'
                                 r'    version = "([^"]*)"'),
                ("sim/version.h", r'#define CLOTHO_VERSION "([^"]*)"'),
                ("CHANGELOG.md", r"\n## (\S+)"),
                ("examples/in_your_project/bazel/MODULE.bazel",
                 r'name = "clotho", version = "([^"]*)"')):
            with self.subTest(file):
                found = re.search(pattern, (ROOT / file).read_text())
                self.assertIsNotNone(found)
                self.assertEqual(found[1], version)

    def test_the_example_asks_for_it(self):
        version = (ROOT / "VERSION").read_text().strip()
        text = (ROOT / "examples/in_your_project/cmake/CMakeLists.txt").read_text()
        asked = re.search(r"find_package\(clotho (\S+) ", text)[1]
        self.assertEqual(asked, ".".join(version.split(".")[:2]))


if __name__ == "__main__":
    unittest.main()
