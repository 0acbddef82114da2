"""Stretches of one recording that are asked for in turn: where one cannot seek, it is decoded once, not for each."""

import os
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from emotone.audio.media import Media
from emotone.audio.source import Samples

__all__ = ["Onward", "keep", "kept"]

_STEP = 1 << 16  # samples that are decoded at a time
_KEPT = 1 << 22  # samples of all channels: over a minute, for stretches that overlap, as turns of a talk do

_Identity = tuple[str, bool, int, int, int, int]


class Onward:
    """A recording, just opened, that goes on where its last stretch ended, as `emotone.audio.blocks.Recording`."""

    def __init__(self, recording: Media) -> None:
        self.name, self.rate, self.channels = recording.name, recording.rate, recording.channels
        self.seconds, self.notes = recording.seconds, list(recording.notes)
        self._recording, self._of_opening = recording, len(recording.notes)
        self._decoded = recording.blocks(_STEP)
        self._kept: deque[Samples] = deque()
        self._begin = self._end = self._at = 0

    def again(self, start: float) -> bool:
        """Be as if just opened, for a stretch from `start` seconds on; False where that is gone."""
        self.notes, self._at = self._recording.notes[: self._of_opening], self._begin
        return start * self.rate >= self._begin

    def blocks(self, frames: int) -> Iterator[Samples]:
        """Yield (channels, samples) from where `seek` has led to, about a second at a time."""
        at = self._begin
        for block in list(self._kept):
            if at + block.shape[1] > self._at:
                yield block[:, max(self._at - at, 0) :]
            at += block.shape[1]
        for block in self._decoded:
            self._keep(block)
            yield block
        self.notes += self._recording.notes[self._of_opening :]

    def seek(self, sample: int) -> int:
        """Go to `sample`, or as far before it as what was decoded reaches; return where."""
        self._at = min(max(sample, self._begin), self._end)
        return self._at

    def _keep(self, block: Samples) -> None:
        self._kept.append(block)
        self._end += block.shape[1]
        while (self._end - self._begin - self._kept[0].shape[1]) * self.channels > _KEPT:
            self._begin += self._kept.popleft().shape[1]


class _Last(threading.local):
    """The recording of which a thread has read a stretch last; it stays open until another one is read."""

    held: tuple[_Identity, Onward, ExitStack] | None = None


_last = _Last()


def kept(path: Path | str, start: float, resources: ExitStack, *, strict: bool) -> Onward | None:
    """Return the recording at `path`, where it is the last one, has not changed, and can go on at `start` seconds.

    `resources` gets what is to be closed with it.
    """
    held, _last.held = _last.held, None
    if held is None:
        return None
    identity, recording, its = held
    if identity == _identity(path, strict=strict) and recording.again(start):
        resources.enter_context(its)
        return recording
    its.close()
    return None


def keep(path: Path | str, recording: Onward, resources: ExitStack, *, strict: bool) -> None:
    """Leave a recording open for the next stretch of it."""
    if identity := _identity(path, strict=strict):
        _last.held = identity, recording, resources.pop_all()


def _identity(path: Path | str, *, strict: bool) -> _Identity | None:
    try:
        found = os.stat(path)  # noqa: PTH116 `Path.stat` of some Pythons hides a NUL
    except (OSError, ValueError):
        return None
    return str(path), strict, found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
