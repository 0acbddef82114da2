"""A part of a recording: a stretch of it, one of its channels."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from emotone.audio.blocks import Recording, open_blocks, stretch
from emotone.audio.source import Samples
from emotone.errors import AudioError

__all__ = ["Part", "open_part", "part_of"]


@dataclass(frozen=True, slots=True)
class Part:
    """What is meant of a recording.

    Attributes:
        source: a path, a file's bytes, or an open binary file; for a recogniser, whatever it takes as one recording.
        start, end: of the stretch, in seconds; to the recording's end where `end` is None or infinite.
        channel: the one that is meant, from 0; None for all, mixed.
    """

    source: Any
    start: float = 0.0
    end: float | None = None
    channel: int | None = None


@contextmanager
def open_part(part: Part, *, strict: bool = True) -> Iterator[Recording]:
    """Open a part of a recording's file; errors as in `open_blocks`, and for a channel that there is not."""
    with open_blocks(part.source, start=part.start, end=part.end, strict=strict) as recording:
        yield _channel(recording, part.channel)


def part_of(recording: Recording, part: Part) -> Recording:
    """Return the stretch and the channel that are meant of an open recording; `AudioError` where it has none such."""
    return _channel(stretch(recording, part.start, part.end), part.channel)


def _channel(recording: Recording, channel: int | None) -> Recording:
    if channel is None:
        return recording
    if not 0 <= channel < recording.channels:
        raise AudioError(f"{recording.name}: has no channel {channel}; allowed: 0 to {recording.channels - 1}")
    return _Channel(recording, channel)


class _Channel:
    """One channel of a recording, as `emotone.audio.blocks.Recording`."""

    channels = 1

    def __init__(self, recording: Recording, channel: int) -> None:
        self.name, self.rate, self.seconds, self.notes = (
            recording.name, recording.rate, recording.seconds, recording.notes
        )  # fmt: skip
        self._recording, self._channel = recording, channel

    def blocks(self, frames: int) -> Iterator[Samples]:
        for block in self._recording.blocks(frames):
            yield block[self._channel : self._channel + 1]

    def seek(self, sample: int) -> int:
        return self._recording.seek(sample)
