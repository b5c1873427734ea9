"""The processes of a campaign on this machine: one for each shard, as many at a
time as there are cores. A process that dies is restarted and continues from its
record. One that crashes is restarted with its executions in child processes,
whose crashes it survives.
"""

from __future__ import annotations

import ctypes
import dataclasses
import os
import signal
import subprocess
import time
from collections.abc import Callable

from cli.binary import command, signal_name, start_failed
from cli.files import make_folder
from cli.targets import Target
from cli.trouble import (FAILED, INCOMPLETE, INFRASTRUCTURE, INTERNAL,
                         NOT_REPRODUCIBLE, NO_TEST, USAGE)

# A worker that dies this often without progress is given up.
_DEATHS_MAX = 3
_CRASHES = (-signal.SIGSEGV, -signal.SIGABRT, -signal.SIGBUS, -signal.SIGFPE,
            -signal.SIGILL)
# A write that fails now may succeed later.
_PAUSE_AFTER_DEATH = 0.5

# A signal to stop that we did not send.
_INTERRUPTED = (128 + signal.SIGINT, 128 + signal.SIGTERM)

_PR_SET_PDEATHSIG = 1


def _die_with_parent() -> None:
    """In the child: ends it when `clotho` ends."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


@dataclasses.dataclass
class _Shard:
    number: int
    process: subprocess.Popen[bytes] | None = None
    deaths: int = 0          # Consecutive ones, without progress.
    progress: object = None  # Its progress when it was started.
    not_before: float = 0.0
    paused: bool = False     # Has been paused since it was started.
    isolates: bool = False   # Runs executions in child processes first.
    code: int | None = None  # The exit code, once it will not be restarted.


class Workers:
    """Runs all shards of a campaign.

    `flags(shard)` returns the flags of a shard's process. `progress(shard)`
    returns a value that changes when the shard makes progress.
    `has_ended(shard)` is called when the process has ended, and returns whether
    the process reported its own end. `has_more(shard)` is called when a process
    ends that was paused, and returns whether to restart it, because it counted
    the pause as time.
    """

    def __init__(self, target: Target, shards: int, at_a_time: int, logs: str,
                 flags: Callable[[int], list[str]],
                 progress: Callable[[int], object],
                 has_ended: Callable[[int], bool],
                 has_more: Callable[[int], bool],
                 say: Callable[[str], None]) -> None:
        self._target = target
        self._shards = [_Shard(i) for i in range(shards)]
        self._total = shards
        self._at_a_time = at_a_time
        self._logs = logs
        self._flags = flags
        self._progress = progress
        self._has_ended = has_ended
        self._has_more = has_more
        self._say = say
        self._stopping = False
        self._paused = False
        self.restarts = 0
        make_folder(logs)

    def log(self, shard: int) -> str:
        """The file to which a shard's process prints."""
        return os.path.join(self._logs, f"shard-{shard}.log")

    def poll(self) -> bool:
        """Starts and reaps processes. Returns false once all have ended."""
        for shard in self._shards:
            if shard.process is not None:
                code = shard.process.poll()
                if code is not None:
                    shard.process = None
                    self._ended(shard, code)
        running = sum(shard.process is not None for shard in self._shards)
        now = time.monotonic()
        for shard in self._shards:
            if (self._stopping or self._paused
                    or running >= self._at_a_time):
                break
            if (shard.process is None and shard.code is None
                    and shard.not_before <= now):
                self._start(shard)
                running += 1
        return running > 0 or (not self._stopping and any(
            shard.code is None for shard in self._shards))

    def _start(self, shard: _Shard) -> None:
        shard.progress = self._progress(shard.number)
        shard.paused = False
        isolate = ["--clotho_isolate=1"] if shard.isolates else []
        with open(self.log(shard.number), "wb") as log:
            try:
                # We handle Ctrl-C in the terminal and pass it on.
                shard.process = subprocess.Popen(
                    command(self._target, *self._flags(shard.number),
                            *isolate),
                    cwd=self._target.folder, stdin=subprocess.DEVNULL,
                    stdout=log, stderr=log, start_new_session=True,
                    preexec_fn=_die_with_parent)
            except OSError as error:
                raise start_failed(self._target, error) from error

    def _ended(self, shard: _Shard, code: int) -> None:
        # A sanitizer, or a program that calls exit(), can end with any code.
        crashed = code in _CRASHES or (code in (0, FAILED, INCOMPLETE)
                                       and not self._has_ended(shard.number))
        died = crashed or code < 0 or code in (INFRASTRUCTURE, *_INTERRUPTED)
        if (not died and code in (0, FAILED, INCOMPLETE) and shard.paused
                and not self._stopping and self._has_more(shard.number)):
            return
        if not died or self._stopping:
            shard.code = code if not died else None
            if code in (USAGE, NO_TEST, INTERNAL) and not self._stopping:
                # Other shards would fail in the same way.
                self.stop()
            return
        shard.deaths = (0 if self._progress(shard.number) != shard.progress
                        else shard.deaths) + 1
        how = signal_name(code) if code < 0 else f"exit code {code}"
        again = "it is restarted and continues from its record"
        if crashed and not shard.isolates:
            shard.isolates = True
            shard.deaths = 0
            again = ("it is restarted, with each execution in a child process "
                     "first, and continues from its record")
        if shard.deaths >= _DEATHS_MAX:
            shard.code = code
            self._say(f"giving up on shard {shard.number}: it ended with {how} "
                      f"{shard.deaths} times without progress; the end of its "
                      f"output is in {self.log(shard.number)}")
            return
        self.restarts += 1
        shard.not_before = time.monotonic() + _PAUSE_AFTER_DEATH
        self._say(f"shard {shard.number} ended with {how}: {again}")

    def pause(self) -> None:
        """Stops all processes for now, and starts no others."""
        self._paused = True
        for shard in self._shards:
            shard.paused = shard.paused or shard.process is not None
        self._signal(signal.SIGSTOP, os.killpg)

    def go_on(self) -> None:
        """Continues after a pause."""
        self._paused = False
        self._signal(signal.SIGCONT, os.killpg)

    def stop(self) -> None:
        """Asks all, including paused ones, to write their results and stop."""
        self._stopping = True
        self._signal(signal.SIGINT)
        self.go_on()

    def kill(self) -> None:
        """Kills all processes."""
        self._stopping = True
        self._signal(signal.SIGKILL)
        for shard in self._shards:
            if shard.process is not None:
                shard.process.wait()
                shard.process = None

    def _signal(self, number: int,
                send: Callable[[int, int], None] = os.kill) -> None:
        for shard in self._shards:
            if shard.process is not None and shard.process.poll() is None:
                send(shard.process.pid, number)

    def running(self) -> list[int]:
        """The numbers of the shards that have a process."""
        return [shard.number for shard in self._shards
                if shard.process is not None]

    def pids(self) -> list[int]:
        return [shard.process.pid for shard in self._shards
                if shard.process is not None]

    def worst(self) -> tuple[int, int] | None:
        """The shard with the worst exit code that its record does not explain,
        and the exit code for the campaign."""
        for wanted in (INTERNAL, USAGE, NO_TEST, NOT_REPRODUCIBLE):
            for shard in self._shards:
                if shard.code == wanted:
                    return shard.number, wanted
        for shard in self._shards:
            if shard.code is None or shard.code in (0, 1, 5):
                continue
            lasting = shard.code < 0 and shard.code not in (
                -signal.SIGKILL, -signal.SIGTERM)
            return shard.number, FAILED if lasting else INFRASTRUCTURE
        return None

    def last_words(self, shard: int, lines: int = 25) -> str:
        """The end of the output of a shard's process."""
        try:
            with open(self.log(shard), "rb") as log:
                log.seek(max(0, os.fstat(log.fileno()).st_size - 8192))
                text = log.read().decode("utf-8", "backslashreplace")
        except OSError:
            return ""
        return "\n".join(text.splitlines()[-lines:])
