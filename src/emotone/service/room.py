"""Memory that callers share: bytes of uploads, bytes of decoded sound."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from emotone.service.problems import ProblemError

__all__ = ["Room", "Share"]


class Share:
    """What one request holds of a room; it may grow."""

    def __init__(self, room: "Room") -> None:
        self._room, self.size = room, 0

    def grow(self, size: int) -> None:
        """Take more; `ProblemError` 503 where there is no more."""
        if self._room.taken + size > self._room.size:
            raise ProblemError(503, "Too much is being uploaded at a time; try again.", retry_after=1)
        self._room.taken += size
        self.size += size

    def shrink(self, size: int) -> None:
        """Give back all but so much."""
        self._room.taken -= self.size - size
        self.size = size
        self._room.changed()


class Room:
    """So many bytes, of which requests hold shares.

    Attributes:
        size: in bytes.
        taken: of them.
    """

    def __init__(self, size: int) -> None:
        self.size, self.taken = size, 0
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []

    @contextmanager
    def share(self) -> Iterator[Share]:
        """Give a share, empty at first, and take it back."""
        share = Share(self)
        try:
            yield share
        finally:
            share.shrink(0)

    async def wait(self, share: Share, size: int) -> None:
        """Let a share grow, once there is room: first come, first served."""
        size = min(size, self.size)
        if self._waiting or self.taken + size > self.size:
            turn = asyncio.get_running_loop().create_future()
            entry = (size, turn)
            self._waiting.append(entry)
            try:
                await turn  # `changed` has taken it
            except asyncio.CancelledError:
                if entry in self._waiting:
                    self._waiting.remove(entry)
                else:
                    self.taken -= size
                self.changed()
                raise
        else:
            self.taken += size
        share.size += size

    def changed(self) -> None:
        """Let those go on for whom there is room now."""
        while self._waiting and self.taken + self._waiting[0][0] <= self.size:
            size, turn = self._waiting.pop(0)
            if not turn.done():
                self.taken += size
                turn.set_result(None)
