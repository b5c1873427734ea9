"""Keys that are pressed while a campaign runs.

The terminal is asked for them one by one, without echo. Ctrl-C and its like
stay signals. Whoever opens `Keys` has to close them, whatever happens: a shell
that gets the terminal back as it is here shows nothing of what is typed.
"""

from __future__ import annotations

import os
import select
import sys
import termios
import time
import tty

_ESCAPE = b"\x1b"


class Keys:
    """The keys of a terminal, from `open` to `close`."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._before: list[object] | None = None

    def open(self) -> bool:
        """False: there are none, as nobody here may ask the terminal."""
        if self._before is not None:
            return True
        try:
            if not os.isatty(self._fd) or not self._is_ours():
                return False
            before = termios.tcgetattr(self._fd)
            # From here on, so that a signal in between changes nothing.
            self._before = before
            # (At once: what is printed may wait for a reader that is slow.)
            tty.setcbreak(self._fd, termios.TCSANOW)
        except (OSError, termios.error):
            self.close()
            return False
        return True

    def _is_ours(self) -> bool:
        """In the background, to ask would stop us."""
        try:
            return os.tcgetpgrp(self._fd) == os.getpgrp()
        except OSError:
            return True  # Not the terminal that we are controlled from.

    def are_open(self) -> bool:
        return self._before is not None

    def read(self, seconds: float) -> str:
        """What is pressed until then: as soon as there is something."""
        if self._before is None:
            time.sleep(seconds)
            return ""
        try:
            if not select.select([self._fd], [], [], seconds)[0]:
                return ""
            pressed = os.read(self._fd, 64)
        except OSError:
            pressed = b""
        if not pressed:  # The terminal is gone.
            self.close()
            return ""
        # What an arrow sends has letters that nobody has pressed.
        return pressed.split(_ESCAPE)[0].decode("ascii", "replace")

    def close(self) -> None:
        """The terminal is as it was; what was pressed late is for nobody."""
        before, self._before = self._before, None
        if before is None:
            return
        try:
            termios.tcflush(self._fd, termios.TCIFLUSH)
            termios.tcsetattr(self._fd, termios.TCSANOW, before)
        except (OSError, termios.error):
            pass  # It is gone.


def make_keys() -> Keys:
    """Those of the standard input, if it is a terminal."""
    try:
        return Keys(sys.stdin.fileno())
    except (AttributeError, OSError, ValueError):
        return Keys(-1)  # It is closed, or no file.
