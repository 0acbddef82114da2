"""What a worker does with an upload: decode it, find speech, and cut what the network is to be asked."""

from dataclasses import dataclass
from multiprocessing.connection import Connection

from emotone.audio import Part, Recording, Samples, open_part
from emotone.bundle import BundleInfo
from emotone.config import Config
from emotone.errors import AudioError
from emotone.recognition.stream import Settings as Asked
from emotone.recognition.stream import Track
from emotone.recognition.windows import Window
from emotone.service.heard import Heard, packed, unpacked
from emotone.service.wire import ANY, Message, TooLongError, receive, understood
from emotone.service.workers import answer

__all__ = ["Channels", "Job", "Listener"]

Channels = tuple[int, ...] | None
"""Which channels are listened to by themselves: none, the mix of all, is None; () is each."""

_BLOCK = 1 << 20  # samples, of all channels, that are decoded at a time


@dataclass(frozen=True, slots=True)
class Job:
    """An upload: the file's bytes, and how it is to be listened to."""

    body: bytes
    channels: Channels
    settings: Asked


class _Wanted(Config):
    channels: Channels
    settings: Asked


@dataclass(frozen=True, slots=True)
class Listener:
    """The work of a worker, and what the service makes of its answers.

    Attributes:
        info: of the bundle; what only answering needs is left out.
        duration: seconds that a recording may have; each channel that is listened to by itself counts.
        channels: how many may be.
    """

    info: BundleInfo
    duration: float
    channels: int

    def __call__(self, pipe: Connection) -> None:
        """Serve jobs."""
        while True:
            message = receive(pipe, ANY)
            answer(pipe, lambda: packed(self.listen(_job(message))))  # noqa: B023 called at once
            del message

    @property
    def largest(self) -> int:
        """Bytes that an answer may have: all is speech, and cut into regions."""
        return round(5 * self.duration * self.info.rate)

    def question(self, job: Job) -> Message:
        """Return what a worker is asked, in the service."""
        return Message.of(_Wanted(channels=job.channels, settings=job.settings), job.body)

    def heard(self, job: Job, message: Message) -> list[Heard]:
        """Return what a worker answers, in the service.

        Raises:
            EmotoneError: that it answers.
            ValueError: no answer to the job.
        """
        heard = unpacked(message, self.info, job.settings, duration=self.duration)
        told = [each.channel for each in heard]
        wanted = [None] if job.channels is None else list(job.channels or range(len(told)))
        if told != wanted or not 0 < len(told) <= self.channels:
            raise ValueError(f"channels {told} in place of {wanted}")
        return heard

    def listen(self, job: Job) -> list[Heard]:
        """Decode an upload.

        Raises:
            TooLongError: before it is decoded where it states its length, else as soon as that is known.
            AudioError: what cannot be decoded; a channel that there is not; too many of them.
        """
        with open_part(Part(job.body), strict=False) as recording:
            which = self._which(recording, job.channels)
            self._check(recording.seconds, len(which))
            tracks = [Track(self.info, recording.rate, job.settings, live=False) for _ in which]
            windows: list[list[Window]] = [[] for _ in which]
            taken = 0
            for block in recording.blocks(max(1, _BLOCK // recording.channels)):
                taken += block.shape[1]
                self._check(taken / recording.rate, len(which))
                for channel, track, own in zip(which, tracks, windows, strict=True):
                    own.extend(track.push(_of(block, channel)))
            for track, own in zip(tracks, windows, strict=True):
                own.extend(track.close(recording.notes))
        return [
            Heard(channel, track.duration, tuple(track.notes), own)
            for channel, track, own in zip(which, tracks, windows, strict=True)
        ]

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


def _job(message: Message) -> Job:
    wanted = understood(_Wanted, message)
    return Job(message.body, wanted.channels, wanted.settings)
