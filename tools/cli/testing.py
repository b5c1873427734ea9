"""For the tests of `clotho`: runs the program in a folder of its own."""

from __future__ import annotations

import dataclasses
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

TOOLS = pathlib.Path(__file__).absolute().parent.parent


@dataclasses.dataclass(frozen=True)
class Ended:
    """The result of a run of `clotho`."""

    code: int
    out: str
    err: str


class ClothoTestCase(unittest.TestCase):
    """Runs `clotho` as a user does, in a temporary folder."""

    # Paths of test programs, from the command line after unittest's arguments.
    programs: list[str] = []

    def setUp(self) -> None:
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="clotho-test-"))
        self.addCleanup(shutil.rmtree, self.folder, True)
        for program in self.programs:
            (self.folder / os.path.basename(program)).symlink_to(program)

    def environment(self) -> dict[str, str]:
        return {name: value for name, value in os.environ.items()
                if not name.startswith(("CLOTHO_", "GTEST_"))}

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-B", str(TOOLS / "clotho.py"), *arguments]

    def clotho(self, *arguments: str, **environment: str) -> Ended:
        done = subprocess.run(
            self.command(*arguments), cwd=self.folder, capture_output=True,
            env={**self.environment(), **environment},
            stdin=subprocess.DEVNULL, check=False)
        return Ended(done.returncode, done.stdout.decode(),
                     done.stderr.decode())

    def write(self, name: str, text: str) -> str:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return name

    def read(self, name: str) -> str:
        return (self.folder / name).read_text()

    def assert_trouble(self, ended: Ended, code: int, *texts: str) -> None:
        """It exits with a code and a message for people that has the texts."""
        self.assertEqual(ended.code, code, ended)
        self.assertIn("clotho: ", ended.err)
        self.assertNotIn("Traceback", ended.err)
        for text in texts:
            self.assertIn(text, ended.err)


def main() -> None:
    """Runs the tests of the calling file; the command line has the programs."""
    ClothoTestCase.programs = [a for a in sys.argv[1:] if a.startswith("/")]
    sys.argv[1:] = [a for a in sys.argv[1:] if not a.startswith("/")]
    unittest.main(module="__main__")
