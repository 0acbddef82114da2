"""What PyAV reads, the second reader: m4a, mp4, webm, aac, and whatever libsndfile does not know."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from emotone.audio.source import Binary, Samples, check_channels, check_rate, checked, cut_short, truncated
from emotone.errors import AudioError

__all__ = ["MEDIA_SUFFIXES", "open_media", "open_webm"]

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
_SLACK = 0.2  # seconds that a track may be shorter than stated: packets of silence that encoders put before and after


@contextmanager
def open_media(file: Binary, name: str, *, strict: bool) -> Iterator["_Media"]:
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
        container = av.open(file, "r", options={"format_whitelist": _DEMUXERS})
    except (av.FFmpegError, OSError) as error:
        if head[4:8] == b"ftyp":
            raise truncated(name, "an MP4 without its index") from None
        raise AudioError(f"{name}: not audio, or no format that can be read ({error.strerror})") from None
    with container:
        yield _Media(container, name, strict=strict)


@contextmanager
def open_webm(stream: Any) -> Iterator["_Media"]:
    """Open WebM that comes bit by bit, as a browser's MediaRecorder writes it.

    Args:
        stream: its `read(size)` waits for the next bytes, at most so many; b"" is the end.
    """
    try:
        import av
    except ImportError:
        raise AudioError("WebM needs PyAV: pip install emotone[media]") from None
    try:
        container = av.open(stream, "r", format="matroska", options={"format_whitelist": "matroska,webm"})
    except (av.FFmpegError, OSError) as error:
        raise AudioError(f"stream: not WebM, or damaged ({error.strerror})") from None
    with container:
        yield _Media(container, "stream", strict=False)


class _Media:
    """The first audio track, as `emotone.audio.blocks.Recording`."""

    def __init__(self, container: Any, name: str, *, strict: bool) -> None:
        if not container.streams.audio or container.streams.audio[0].codec_context is None:
            raise AudioError(f"{name}: holds no audio track that can be read")
        track = container.streams.audio[0]
        self.name, self.rate, self.channels = name, int(track.rate or 0), int(track.channels)
        check_rate(self.rate, name)
        check_channels(self.channels, name)
        self._container, self._strict = container, strict
        self.seconds = _stated(container, track)
        self.notes: list[str] = []

    def blocks(self, frames: int) -> Iterator[Samples]:
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
        if found / self.rate < self.seconds - _SLACK:
            self._say(cut_short(self.seconds - found / self.rate, self.seconds))

    def seek(self, sample: int) -> bool:
        return sample == 0

    def _parts(self) -> Iterator[Samples]:
        import av

        planar = av.AudioResampler(format="fltp", rate=self.rate)
        damaged = 0
        try:
            for packet in self._container.demux(audio=0):
                try:
                    decoded = packet.decode()
                except av.InvalidDataError as error:  # as ffmpeg does, go on with the next packet
                    if self._strict:
                        raise truncated(self.name, str(error.strerror)) from None
                    damaged += 1
                    continue
                for frame in decoded:
                    for part in planar.resample(frame):
                        yield part.to_ndarray()
            for part in planar.resample(None):
                yield part.to_ndarray()
        except (av.FFmpegError, OSError) as error:
            self._say(f"its end cannot be read ({error.strerror})")
        if damaged:
            self._say(f"damaged: {damaged} packets could not be decoded")

    def _say(self, detail: str) -> None:
        if self._strict:
            raise truncated(self.name, detail)
        self.notes.append(detail)

    def _joined(self, parts: list[Samples]) -> Samples:
        return checked(np.concatenate(parts, axis=1).astype(np.float32, copy=False), self.name)


def _stated(container: Any, track: Any) -> float:
    """Return the seconds that the file gives an audio track; 0 where it gives none: a film's may be longer."""
    if container.format.name in _GUESSED:
        return 0.0
    if track.duration:
        return float(track.duration * track.time_base)
    return float(container.duration or 0) / 1e6 if len(container.streams) == 1 else 0.0
