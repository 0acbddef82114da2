"""What a case may cost and touch: seconds of processor, memory, places that are written; for a process of its own."""

import os
import resource
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

__all__ = ["MEMORY", "SECONDS", "BrokenPromiseError", "Guard", "limit_memory"]

SECONDS = 2.0
"""Of processor time for a case; one that takes more ends the process by SIGPROF."""
MEMORY = 1 << 30
"""Bytes that a case may map beyond what the process had before."""

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_TOUCHING = {"os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.symlink", "os.link", "os.chmod", "os.chown",
             "os.truncate", "os.utime"}  # fmt: skip
_NEVER = {"subprocess.Popen", "os.system", "os.exec", "os.fork", "os.posix_spawn", "socket.connect"}


class BrokenPromiseError(AssertionError):
    """A promise that a case broke."""


class Guard:
    """Watches all that this process opens, from the moment it is made until the process ends.

    Args:
        folder: the only one that may be written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self._on = folder.resolve(), False
        self.touched: list[str] = []
        sys.addaudithook(self._see)

    @contextmanager
    def case(self, seconds: float = SECONDS) -> Iterator[None]:
        """Run a case of at most `seconds`; `BrokenPromiseError` for what it touched or started that it may not."""
        self.touched.clear()
        self._on = True
        signal.setitimer(signal.ITIMER_PROF, seconds)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
            self._on = False
        if self.touched:
            raise BrokenPromiseError(f"touched {self.touched[0]}")

    def _see(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self._on:
            return
        if event in _NEVER:
            self.touched.append(f"{event} {arguments[:2]}")
        elif event == "open" and isinstance(arguments[0], str | bytes) and arguments[2] & _WRITING:
            self._check(event, arguments[0])
        elif event in _TOUCHING:
            paths = 2 if event in ("os.rename", "os.link") else 1
            folder = next((each for each in arguments[paths:] if isinstance(each, int) and each > 2), None)
            for path in arguments[:paths]:
                self._check(event, path, folder if event in ("os.remove", "os.rmdir") else None)

    def _check(self, event: str, path: Any, folder: int | None = None) -> None:
        if isinstance(path, int):
            return
        # Its folder is resolved, not itself: a link that is made or removed may lead anywhere.
        place = (Path(f"/proc/self/fd/{folder}").readlink() if folder else Path.cwd()) / os.fsdecode(path)
        real = place.parent.resolve() / place.name
        if not real.is_relative_to(self._folder) and str(place) != os.devnull:
            self.touched.append(f"{event} {place}")


def limit_memory() -> None:
    """Let this process map `MEMORY` more than it has."""
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, used + MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
