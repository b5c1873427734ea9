"""Keys that are pressed while a campaign runs.

They are read from the terminal one by one, without echo. Ctrl-C and the like
remain signals. Code that opens `Keys` must close them whatever happens:
otherwise the shell gets back a terminal that does not echo.
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
        """Returns false if this process may not read the terminal."""
        if self._before is not None:
            return True
        try:
            if not os.isatty(self._fd) or not self._is_ours():
                return False
            before = termios.tcgetattr(self._fd)
            # Set first, so that `close` restores it after a signal in between.
            self._before = before
            # (TCSANOW: pending output may be waiting for a slow reader.)
            tty.setcbreak(self._fd, termios.TCSANOW)
        except (OSError, termios.error):
            self.close()
            return False
        return True

    def _is_ours(self) -> bool:
        """A background process that reads the terminal would be stopped."""
        try:
            return os.tcgetpgrp(self._fd) == os.getpgrp()
        except OSError:
            return True  # Not our controlling terminal.

    def are_open(self) -> bool:
        return self._before is not None

    def read(self, seconds: float) -> str:
        """The keys pressed within that time; returns as soon as there are any."""
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
        # An arrow key sends an escape and letters that were not pressed.
        return pressed.split(_ESCAPE)[0].decode("ascii", "replace")

    def close(self) -> None:
        """Restores the terminal, and discards keys that were not read."""
        before, self._before = self._before, None
        if before is None:
            return
        try:
            termios.tcflush(self._fd, termios.TCIFLUSH)
            termios.tcsetattr(self._fd, termios.TCSANOW, before)
        except (OSError, termios.error):
            pass  # It is gone.


def make_keys() -> Keys:
    """The keys of the standard input, if it is a terminal."""
    try:
        return Keys(sys.stdin.fileno())
    except (AttributeError, OSError, ValueError):
        return Keys(-1)  # Closed, or not a file.
