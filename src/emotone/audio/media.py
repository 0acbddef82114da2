"""What PyAV reads, the second reader: m4a, mp4, webm, aac, and whatever libsndfile does not know."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from emotone.audio.source import Binary, Samples, check_rate, checked, truncated
from emotone.errors import AudioError

__all__ = ["open_media"]

_SUFFIXES = frozenset({".m4a", ".mp4", ".webm", ".mkv", ".mka", ".mov", ".aac", ".3gp"})
_DEMUXERS = "aac,mov,matroska,webm,mp3,ogg,flac,wav"


@contextmanager
def open_media(file: Binary, name: str, *, strict: bool) -> Iterator["_Media"]:
    """Open a container by PyAV."""
    head = file.read(12)
    file.seek(0)
    try:
        import av
    except ImportError:
        if Path(name).suffix.lower() in _SUFFIXES or head[4:8] == b"ftyp" or head[:4] == b"\x1aE\xdf\xa3":
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


class _Media:
    """The first audio track, as `emotone.audio.blocks.Recording`."""

    def __init__(self, container: Any, name: str, *, strict: bool) -> None:
        if not container.streams.audio:
            raise AudioError(f"{name}: holds no audio track")
        track = container.streams.audio[0]
        self.name, self.rate, self.channels, self._container = (
            name,
            int(track.rate or 0),
            int(track.channels),
            container,
        )
        check_rate(self.rate, name)
        # The length of a raw aac is guessed from its bit rate; that of an MP4 or WebM, where it is stated, holds.
        self.seconds = (container.duration or 0) / 1e6 if container.format.name != "aac" else 0.0
        self.notes: list[str] = []
        self._strict = strict

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
        if found / self.rate < self.seconds - 0.5:
            raise truncated(self.name, f"{self.seconds:.1f} s announced, {found / self.rate:.1f} s found")

    def seek(self, sample: int) -> bool:
        return sample == 0

    def _parts(self) -> Iterator[Samples]:
        import av

        planar = av.AudioResampler(format="fltp", rate=self.rate)
        try:
            for frame in self._container.decode(audio=0):
                for part in planar.resample(frame):
                    yield part.to_ndarray()
            for part in planar.resample(None):
                yield part.to_ndarray()
        except (av.FFmpegError, OSError) as error:
            raise truncated(self.name, str(error.strerror)) from None

    def _joined(self, parts: list[Samples]) -> Samples:
        return checked(np.concatenate(parts, axis=1).astype(np.float32, copy=False), self.name)
