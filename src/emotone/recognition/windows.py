"""What of a recording the network hears: windows over each region of speech."""

import math
from dataclasses import dataclass

import numpy as np

from emotone.audio import Samples
from emotone.recognition.speech import Region, Speech

__all__ = ["Window", "Windows", "spans"]


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of speech that gets one answer.

    Attributes:
        region: the region that it lies in.
        start, end: in samples of the recording.
        samples: (end - start,).
        full: whether it is as long as it can be, and so counts for the result; others are for live use only.
        last: whether its end is the region's.
    """

    region: Region
    start: int
    end: int
    samples: Samples
    full: bool
    last: bool


class Windows:
    """Cuts mono sound that comes in blocks into windows. The blocks' sizes make no difference.

    In a region that begins at a, windows end at a + hop, a + 2 hop, ... and at its end; each reaches back over the last
    `window` samples, but not beyond a.

    Args:
        rate: of the sound, in Hz.
        window, hop: in samples.
        live: whether the shorter windows at a region's beginning are wanted, too.
    """

    def __init__(self, rate: int, *, window: int, hop: int, live: bool) -> None:
        self._speech = Speech(rate)
        self._window, self._hop = window, hop
        self._first = 1 if live else math.ceil(window / hop)
        self._next = self._first
        self._buffer = np.zeros(0, np.float32)
        self._start = 0  # of the buffer, in the recording

    @property
    def heard(self) -> int:
        """Samples taken in so far."""
        return self._start + len(self._buffer)

    @property
    def speaking(self) -> bool:
        """Whether the last sound that was decided on is speech."""
        return self._speech.speaking

    def feed(self, samples: Samples) -> list[Window]:
        """Take (samples,) in [-1, 1]; return the windows that are complete."""
        self._buffer = np.concatenate([self._buffer, samples])
        return self._follow(self._speech.feed(samples))

    def finish(self) -> list[Window]:
        """Return the rest."""
        return self._follow(self._speech.finish(self.heard))

    def _follow(self, regions: list[Region]) -> list[Window]:
        windows: list[Window] = []
        needed = self._speech.earliest
        for region in regions:
            # Strictly: a window that ends with its region is the region's last one, and counted as that.
            while (end := region.start + self._next * self._hop) < region.end:
                windows.append(self._cut(region, end, last=False))
                self._next += 1
            if region.final:
                windows.append(self._cut(region, region.end, last=True))
                self._next = self._first
            else:
                needed = max(region.start, region.end - self._window)
        dropped = max(0, min(needed, self.heard) - self._start)
        self._buffer = self._buffer[dropped:].copy() if dropped else self._buffer
        self._start += dropped
        return windows

    def _cut(self, region: Region, end: int, *, last: bool) -> Window:
        start = max(region.start, end - self._window)
        samples = self._buffer[start - self._start : end - self._start].copy()  # else all of the buffer would stay
        return Window(region, start, end, samples, last or end - region.start >= self._window, last)


def spans(region: Region, *, window: int, hop: int) -> list[tuple[int, int]]:
    """Return the start and end of each window that `Windows` cuts of a region that has ended, but for live ones."""
    ends = [*range(region.start + math.ceil(window / hop) * hop, region.end, hop), region.end]
    return [(max(region.start, end - window), end) for end in ends]
