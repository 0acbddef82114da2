"""What a worker does with an upload: decode it, find speech, and cut what the network is to be asked."""

import pickle
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from multiprocessing.connection import Connection

import numpy as np

from emotone.audio import Part, Recording, Samples, open_part
from emotone.bundle import BundleInfo
from emotone.errors import AudioError
from emotone.recognition.stream import Settings as Asked
from emotone.recognition.stream import Track
from emotone.recognition.windows import Window
from emotone.service.workers import answer

__all__ = ["Channels", "Heard", "Job", "Listener", "TooLongError"]

Channels = tuple[int, ...] | None
"""Which channels are listened to by themselves: none, the mix of all, is None; () is each."""

_BLOCK = 1 << 20  # samples, of all channels, that are decoded at a time


class TooLongError(AudioError):
    """A recording that is longer than the service takes."""


@dataclass(frozen=True, slots=True)
class Job:
    """An upload: the file's bytes, and how it is to be listened to."""

    body: bytes
    channels: Channels
    settings: Asked


@dataclass(frozen=True, slots=True)
class Heard:
    """A recording, or one of its channels, decoded and cut.

    Attributes:
        channel: which; None for the mix.
        track: closed; waits for the answers to its windows.
        windows: which pickle as the speech that they lie in, each second once, however many windows cover it.
    """

    channel: int | None
    track: Track
    windows: list[Window]

    @property
    def size(self) -> int:
        """Bytes of its speech."""
        samples = reached = 0
        for each in self.windows:
            samples += each.end - max(each.start, reached)
            reached = each.end
        return 4 * samples

    def __reduce__(self) -> tuple[Callable[..., "Heard"], tuple[object, ...]]:
        return _unpacked, (self.channel, self.track, list(_packed(self.windows)))


@dataclass(frozen=True, slots=True)
class Listener:
    """The work of a worker.

    Attributes:
        info: of the bundle; what only answering needs is left out.
        duration: seconds that a recording may have; each channel that is listened to by itself counts.
        channels: how many may be.
    """

    info: BundleInfo
    duration: float
    channels: int

    def __call__(self, pipe: Connection) -> None:
        """Serve jobs, each answered by a list of `Heard` or by an `EmotoneError`."""
        while True:
            job: Job = pickle.loads(pipe.recv_bytes())  # noqa: S301 of the service
            answer(pipe, lambda: self.listen(job))  # noqa: B023 called at once
            del job

    def listen(self, job: Job) -> list[Heard]:
        """Decode an upload.

        Raises:
            TooLongError: before it is decoded where it states its length, else as soon as that is known.
            AudioError: what cannot be decoded; a channel that there is not; too many of them.
        """
        with open_part(Part(job.body), strict=False) as recording:
            which = self._which(recording, job.channels)
            self._check(recording.seconds, len(which))
            heard = [
                Heard(channel, Track(self.info, recording.rate, job.settings, live=False), []) for channel in which
            ]
            taken = 0
            for block in recording.blocks(max(1, _BLOCK // recording.channels)):
                taken += block.shape[1]
                self._check(taken / recording.rate, len(which))
                for each in heard:
                    each.windows.extend(each.track.push(_of(block, each.channel)))
            for each in heard:
                each.windows.extend(each.track.close(recording.notes))
        return heard

    def _which(self, recording: Recording, channels: Channels) -> list[int | None]:
        if channels is None:
            return [None]
        there = range(recording.channels)
        if beyond := [channel for channel in channels if channel not in there]:
            raise AudioError(f"audio: has no channel {beyond[0]}; allowed: 0 to {recording.channels - 1}")
        which = list(channels or there)
        if len(which) > self.channels:
            raise AudioError(f"audio: has {len(which)} channels; at most {self.channels} are listened to by themselves")
        return [*which]

    def _check(self, seconds: float, times: int) -> None:
        if seconds * times > self.duration:
            each = f", for each of {times} channels {self.duration / times:g} s" if times > 1 else ""
            raise TooLongError(f"audio: is longer than {self.duration:g} s{each}; cut it first")


def _of(block: Samples, channel: int | None) -> Samples:
    return block if channel is None else block[channel : channel + 1]


def _packed(windows: list[Window]) -> Iterator[tuple[Samples, list[Window]]]:
    """Yield, for each region, its speech, and its windows without their samples: they overlap."""
    nothing = np.zeros(0, np.float32)
    for _, group in groupby(windows, key=lambda each: each.region.index):
        own = list(group)
        parts, reached = [], own[0].start
        for each in own:
            parts.append(each.samples[reached - each.start :])
            reached = each.end
        yield np.concatenate(parts), [replace(each, samples=nothing) for each in own]


def _unpacked(channel: int | None, track: Track, packed: list[tuple[Samples, list[Window]]]) -> Heard:
    windows = []
    for speech, own in packed:
        first = own[0].start
        windows += [replace(each, samples=speech[each.start - first : each.end - first]) for each in own]
    return Heard(channel, track, windows)
