"""What a killed process leaves behind."""

import time
from pathlib import Path

__all__ = ["left_of", "wait_until_none_is_left"]


def left_of(session: int) -> list[str]:
    """The command lines of the processes that are still alive in a session."""
    alive = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
            if int(fields[3]) == session and fields[0] not in "ZX":
                alive.append((stat.parent / "cmdline").read_text().replace("\0", " "))
        except OSError:
            continue
    return alive


def wait_until_none_is_left(session: int, *, seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while left := left_of(session):
        assert time.monotonic() < end, f"still alive: {left}"
        time.sleep(0.1)
