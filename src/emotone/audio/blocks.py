"""Open a recording and decode it block by block: however long it is, a block at a time is in memory."""

import math
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from emotone.audio.media import Media, open_media
from emotone.audio.onward import Onward, keep, kept
from emotone.audio.sndfile import open_sndfile
from emotone.audio.source import Samples, Source, open_recording
from emotone.errors import AudioError

__all__ = ["Recording", "open_blocks", "stretch"]

_SLACK = 0.02  # seconds that a stretch may reach beyond its recording: times are rounded
_SKIPPED = 1 << 20  # samples that are decoded at a time, to be dropped
_BEYOND = 1 << 62  # samples: more than any recording has


class Recording(Protocol):
    """An open recording.

    Attributes:
        name: what errors call it.
        rate: in Hz.
        channels: how many.
        seconds: its length as the file states it, 0 where it does not.
        notes: what is to be known of it, once it was read: that it is cut short, for instance.
    """

    name: str
    rate: int
    channels: int
    seconds: float
    notes: list[str]

    def blocks(self, frames: int) -> Iterator[Samples]:
        """Yield (channels, samples), float32 in [-1, 1], of about `frames` samples each; `AudioError` as in `read`."""
        ...

    def seek(self, sample: int) -> int:
        """Let the blocks begin as near before `sample` as can be without decoding what lies before; return where."""
        ...


@contextmanager
def open_blocks(
    source: Source, *, start: float = 0.0, end: float | None = None, strict: bool = True
) -> Iterator[Recording]:
    """Open a recording of any length, or a stretch of it.

    Args:
        source: as in `emotone.audio.read`.
        start, end: of the stretch, in seconds; to the recording's end where `end` is None or infinite.
        strict: refuse a recording that is cut short; else it is read as far as it goes, and `notes` say so.

    Raises:
        AudioError: what is no recording, or a stretch that it does not have.
        UsageError: what is no file.
    """
    path = source if isinstance(source, Path | str) and (start > 0 or end is not None) else None
    with ExitStack() as resources:
        onward = None if path is None else kept(path, start, resources, strict=strict)
        recording: Recording = onward or _open(source, resources, strict=strict)
        if path is not None and isinstance(recording, Media):
            recording = onward = Onward(recording)
        yield stretch(recording, start, end)
        if path is not None and onward:
            keep(path, onward, resources, strict=strict)


def _open(source: Source, resources: ExitStack, *, strict: bool) -> Recording:
    """Open a recording; `resources` gets what is to be closed with it."""
    name, file = open_recording(source)
    resources.enter_context(file)
    found = open_sndfile(file, name, strict=strict)
    if found is not None:
        return found
    file.seek(0)
    return resources.enter_context(open_media(file, name, strict=strict))


def stretch(recording: Recording, start: float, end: float | None) -> Recording:
    """Return what lies between two times of an open recording; `AudioError` for times that no stretch has."""
    if not 0 <= start < math.inf or (end is not None and not start < end):
        until = "its end" if end is None else f"{end:g} s"
        raise AudioError(f"{recording.name}: from {start:g} s to {until} is no stretch; allowed: 0 <= start < end")
    end = None if end == math.inf else end
    return recording if start == 0 and end is None else _Stretch(recording, start, end)


@dataclass
class _Stretch:
    """What lies between two times of a recording."""

    recording: Recording
    start: float
    end: float | None

    def __post_init__(self) -> None:
        of = self.recording
        self.name, self.rate, self.channels, self.notes = of.name, of.rate, of.channels, of.notes
        self.seconds = (self.end if self.end is not None else max(of.seconds, self.start)) - self.start

    def blocks(self, frames: int) -> Iterator[Samples]:
        first = self._sample(self.start)
        last = None if self.end is None else max(self._sample(self.end), first + 1)
        at = self.recording.seek(first)
        found = 0
        for block in self.recording.blocks(frames if at else max(frames, min(first, _SKIPPED))):
            begin, at = at, at + block.shape[1]
            kept = block[:, max(first - begin, 0) : None if last is None else last - begin]
            if kept.shape[1]:
                found += kept.shape[1]
                yield kept
            if last is not None and at >= last:
                return
        if not found:
            raise AudioError(f"{self.name}: ends at {at / self.rate:.2f} s; the stretch begins at {self.start:g} s")
        if last is not None and last - at > _SLACK * self.rate:
            self.notes.append(f"ends at {at / self.rate:.2f} s; the stretch was to go on to {self.end:g} s")

    def seek(self, sample: int) -> int:
        return 0

    def _sample(self, seconds: float) -> int:
        return round(min(seconds * self.rate, _BEYOND))
