"""What PyAV reads, the second reader: m4a, mp4, webm, aac, and whatever libsndfile does not know."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from emotone.audio.source import (
    MAX_CHANNELS,
    Binary,
    Samples,
    check_channels,
    check_rate,
    checked,
    cut_short,
    truncated,
)
from emotone.errors import AudioError

__all__ = ["MEDIA_SUFFIXES", "Media", "open_media", "open_webm"]

MEDIA_SUFFIXES = frozenset(
    [
        ".m4a",
        ".m4b",
        ".mp4",
        ".mov",
        ".3gp",
        ".webm",
        ".mkv",
        ".mka",
        ".aac",
        ".wma",
        ".avi",
        ".amr",
        ".ac3",
        ".tta",
        ".wv",
        ".ts",
    ]
)
"""Endings of what only PyAV reads."""

_DEMUXERS = "aac,mov,matroska,webm,mp3,ogg,flac,wav,w64,aiff,au,caf,asf,avi,amr,ac3,eac3,tta,wv,mpegts,voc,ircam"
_GUESSED = ("aac", "ac3", "eac3", "amr", "mp3")  # raw streams, whose length is estimated from their bit rate
_LONGEST_BEFORE = 600.0  # seconds; a clock that says more is not believed
_TAGS = (b"ID3", b"TAG")  # of MP3s that were put one after the other: the parser takes them for a frame's beginning
_SLACK = 0.2  # seconds that a track may be shorter than stated: packets of silence that encoders put before and after


@contextmanager
def open_media(file: Binary, name: str, *, strict: bool) -> Iterator["Media"]:
    """Open a container by PyAV."""
    head = file.read(12)
    file.seek(0)
    try:
        import av
    except ImportError:
        if Path(name).suffix.lower() in MEDIA_SUFFIXES or head[4:8] == b"ftyp" or head[:4] == b"\x1aE\xdf\xa3":
            raise AudioError(f"{name}: m4a, mp4, webm and aac need PyAV: pip install emotone[media]") from None
        raise AudioError(f"{name}: not audio, or no format that can be read") from None
    try:
        # The whitelist keeps ffmpeg from following playlists to other files and addresses.
        # Tags need not be in the encoding that they should be.
        container = av.open(file, "r", options={"format_whitelist": _DEMUXERS}, metadata_errors="replace")
    except (av.FFmpegError, OSError) as error:
        if head[4:8] == b"ftyp":
            raise truncated(name, "an MP4 without its index") from None
        raise AudioError(f"{name}: not audio, or no format that can be read ({error.strerror})") from None
    with container:
        yield Media(container, name, strict=strict)


@contextmanager
def open_webm(stream: Any) -> Iterator["Media"]:
    """Open WebM that comes bit by bit, as a browser's MediaRecorder writes it.

    Args:
        stream: its `read(size)` waits for the next bytes, at most so many; b"" is the end.
    """
    try:
        import av
    except ImportError:
        raise AudioError("WebM needs PyAV: pip install emotone[media]") from None
    try:
        options = {"format_whitelist": "matroska,webm"}
        container = av.open(stream, "r", format="matroska", options=options, metadata_errors="replace")
    except (av.FFmpegError, OSError) as error:
        raise AudioError(f"stream: not WebM, or damaged ({error.strerror})") from None
    with container:
        yield Media(container, "stream", strict=False, clock=False)


class Media:
    """The first audio track, as `emotone.audio.blocks.Recording`."""

    def __init__(self, container: Any, name: str, *, strict: bool, clock: bool = True) -> None:
        if not container.streams.audio or container.streams.audio[0].codec_context is None:
            raise AudioError(f"{name}: holds no audio track that can be read")
        track = container.streams.audio[0]
        self.name, self.rate, self.channels = name, int(track.rate or 0), int(track.channels)
        check_rate(self.rate, name)
        check_channels(self.channels, name)
        self._container, self._strict = container, strict
        self._clock = clock and container.format.name not in _GUESSED
        self._until = 0.0  # by the container's clock
        self._gap = 0.0  # where it first goes on without sound
        self._whole = True  # as far as was read
        self.seconds = _stated(container, track)
        self.notes: list[str] = []
        if len(container.streams.audio) > 1:
            self.notes.append(f"has {len(container.streams.audio)} audio tracks; the first is taken")

    def blocks(self, frames: int) -> Iterator[Samples]:
        """Yield (channels, samples)."""
        found = waiting = 0
        parts: list[Samples] = []
        for part in self._parts():
            parts.append(part)
            waiting += part.shape[1]
            if waiting >= frames:
                found += waiting
                yield self._joined(parts)
                parts, waiting = [], 0
        if parts:
            found += waiting
            yield self._joined(parts)
        if not found:
            raise AudioError(f"{self.name}: holds no samples")
        left_out = self._until - found / self.rate
        if left_out > _SLACK and self._until > self.seconds - _SLACK and self._whole:
            self.notes.append(
                f"{left_out:.1f} s have no sound and are left out, the first at {self._gap:.1f} s: "
                "what follows is later than said"
            )
        elif found / self.rate < self.seconds - _SLACK:
            self._say(cut_short(self.seconds - found / self.rate, self.seconds))

    def seek(self, sample: int) -> int:
        """Stay at the beginning: a decoder that begins in the middle gives other samples."""
        return 0

    def _parts(self) -> Iterator[Samples]:
        import av

        same = _Same(self.rate)
        damaged = 0
        try:
            for packet in self._container.demux(audio=0):
                try:
                    decoded = packet.decode()
                except av.InvalidDataError as error:  # as ffmpeg does, go on with the next packet
                    if bytes(packet)[:3] in _TAGS:
                        continue
                    if self._strict:
                        raise truncated(self.name, str(error.strerror)) from None
                    damaged += 1
                    continue
                for frame in decoded:
                    if frame.layout.nb_channels > MAX_CHANNELS:
                        damaged += 1
                        continue
                    yield from self._before(frame)
                    yield from same.parts(frame)
            yield from same.rest()
        except (av.FFmpegError, OSError) as error:
            self._say(f"its end cannot be read ({error.strerror})")
        if damaged:
            self._say(f"damaged: {damaged} packets could not be decoded")

    def _before(self, frame: Any) -> Iterator[Samples]:
        """Yield silence before the first frame of a film whose sound begins later; follow the clock."""
        if not self._clock or frame.time is None:
            return
        begun = frame.time - float(self._container.start_time or 0) / 1e6
        if not self._until and _SLACK < begun < _LONGEST_BEFORE:
            silence = np.zeros((frame.layout.nb_channels, self.rate), np.float32)
            for second in range(math.ceil(begun)):
                yield silence[:, : round((begun - second) * self.rate)]
        if self._until and not self._gap and begun - self._until > _SLACK:
            self._gap = self._until
        self._until = begun + frame.samples / frame.sample_rate

    def _say(self, detail: str) -> None:
        if self._strict:
            raise truncated(self.name, detail)
        self._whole = False
        self.notes.append(detail)

    def _joined(self, parts: list[Samples]) -> Samples:
        return checked(np.concatenate(parts, axis=1).astype(np.float32, copy=False), self.name)


class _Same:
    """What is decoded, as frames of the first one's channels at one rate: a broadcast may change both on its way."""

    def __init__(self, rate: int) -> None:
        self._rate, self._layout = rate, ""
        self._kind: tuple[str, str, int] | None = None
        self._resampler: Any = None

    def parts(self, frame: Any) -> Iterator[Samples]:
        """Yield (channels, samples) of a frame, and first what is left of others before it."""
        import av

        kind = frame.format.name, frame.layout.name, frame.sample_rate
        if kind != self._kind:
            yield from self.rest()
            self._kind, self._layout = kind, self._layout or frame.layout.name
            self._resampler = av.AudioResampler(format="flt", layout=self._layout, rate=self._rate)
        yield from map(_samples, self._resampler.resample(frame))

    def rest(self) -> Iterator[Samples]:
        """Yield what the resampler still holds."""
        if self._resampler is not None:
            yield from map(_samples, self._resampler.resample(None))


def _samples(frame: Any) -> Samples:
    """Return (channels, samples) of a packed frame; PyAV miscounts the planes of eight channels and more."""
    packed: Samples = frame.to_ndarray()
    return packed.reshape(-1, frame.layout.nb_channels).T


def _stated(container: Any, track: Any) -> float:
    """Return the seconds that the file gives an audio track; 0 where it gives none: a film's may be longer."""
    if container.format.name in _GUESSED:
        return 0.0
    if track.duration:
        return float(track.duration * track.time_base)
    begun = max(container.start_time or 0, 0)
    return max((container.duration or 0) - begun, 0) / 1e6 if len(container.streams) == 1 else 0.0
