"""Open a recording and decode it block by block: however long it is, a block at a time is in memory."""

import io
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import numpy as np
import numpy.typing as npt
import soundfile

from emotone.errors import AudioError

__all__ = [
    "MAX_RATE",
    "MIN_RATE",
    "Recording",
    "Samples",
    "Source",
    "check_rate",
    "checked",
    "name_of",
    "open_blocks",
    "open_recording",
]

MIN_RATE, MAX_RATE = 1_000, 768_000
"""Sampling rates in Hz that are believed."""

_LOUDEST = 8.0  # float audio slightly above full scale is clipped; this far above, its scale is not [-1, 1]
_LEAST_STREAMED = 0x7FFF_0000  # chunk sizes from here on are what streaming writers put when the length is unknown
_DECLARED = re.compile(r"^\s*(?:data|SSND|Data Size)\s*: (\d+) \(should be (\d+)\)", re.MULTILINE)
_MEDIA_SUFFIXES = frozenset({".m4a", ".mp4", ".webm", ".mkv", ".mka", ".mov", ".aac", ".3gp"})
_MEDIA_DEMUXERS = "aac,mov,matroska,webm,mp3,ogg,flac,wav"
_IN_MEMORY = 32 << 20  # bytes of an open file that are kept in memory; more go to a temporary file

Samples = npt.NDArray[np.float32]
Source = Path | str | bytes | BinaryIO
_File = io.BufferedReader | io.BytesIO | tempfile.SpooledTemporaryFile[bytes]


class Recording(Protocol):
    """An open recording.

    Attributes:
        name: what errors call it.
        rate: in Hz.
        seconds: its length as the file states it, 0 where it does not.
    """

    name: str
    rate: int
    seconds: float

    def blocks(self, frames: int) -> Iterator[Samples]:
        """Yield (channels, samples), float32 in [-1, 1], of about `frames` samples each; `AudioError` as in `read`."""
        ...


@contextmanager
def open_blocks(source: Source) -> Iterator[Recording]:
    """Open a recording of any length; `AudioError` for what is no recording."""
    name, file = open_recording(source)
    with file:
        recording: Recording | None = _open_sndfile(file, name)
        if recording is not None:
            yield recording
            return
        file.seek(0)
        with _open_media(file, name) as container:
            yield _Media(container, name)


def checked(samples: Samples, name: str) -> Samples:
    """Return `samples` (channels, samples) within [-1, 1], or say what is wrong with them."""
    if not samples.size:
        return samples
    low, high = float(samples.min()), float(samples.max())
    if not np.isfinite([low, high]).all():
        raise AudioError(f"{name}: holds NaN or infinite samples")
    peak = max(-low, high)
    if peak > _LOUDEST:
        raise AudioError(f"{name}: samples reach {peak:g}; float audio must lie in -1 to 1")
    return np.clip(samples, -1.0, 1.0) if peak > 1.0 else samples


def check_rate(rate: int, name: str) -> None:
    """Refuse a sampling rate that cannot be meant."""
    if not MIN_RATE <= rate <= MAX_RATE:
        raise AudioError(f"{name}: sampling rate {rate} Hz is not supported (allowed: {MIN_RATE} to {MAX_RATE} Hz)")


def name_of(source: Source) -> str:
    """Return what errors call a recording."""
    if isinstance(source, Path | str):
        return str(source)
    return str(getattr(source, "name", "audio"))


def open_recording(source: Source) -> tuple[str, _File]:
    """Return what errors call a recording, and its bytes as a seekable file; `AudioError` where there are none."""
    name = name_of(source)
    if isinstance(source, Path | str):
        path = Path(source)
        if path.is_dir():
            raise AudioError(f"{name}: is a folder, not a recording")
        try:
            file: _File = path.open("rb")
        except FileNotFoundError:
            raise AudioError(f"{name}: no such file") from None
        except OSError as error:
            raise AudioError(f"{name}: cannot be read: {error.strerror}") from None
    else:
        file = io.BytesIO(source) if isinstance(source, bytes) else _spooled(source)
    if not file.read(1):
        file.close()
        raise AudioError(f"{name}: the file is empty (0 bytes)")
    file.seek(0)
    return name, file


def _spooled(stream: BinaryIO) -> tempfile.SpooledTemporaryFile[bytes]:
    """Return what is left of a stream, which may be a pipe, as a seekable file."""
    file = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 the caller closes it
    shutil.copyfileobj(stream, file, 1 << 20)
    file.seek(0)
    return file


def _truncated(name: str, detail: str) -> AudioError:
    return AudioError(f"{name}: truncated or damaged: {detail}")


class _Sndfile:
    """What libsndfile reads."""

    def __init__(self, sound: soundfile.SoundFile, name: str) -> None:
        self.name, self.rate, self._sound = name, int(sound.samplerate), sound
        check_rate(self.rate, name)
        self._frames = int(sound.frames)
        self.seconds = self._frames / self.rate

    def blocks(self, frames: int) -> Iterator[Samples]:
        found = 0
        while True:
            try:
                samples = self._sound.read(frames, dtype="float32", always_2d=True)
            except (soundfile.LibsndfileError, RuntimeError) as error:
                raise _truncated(self.name, str(error)) from None
            if not len(samples):
                break
            found += len(samples)
            yield checked(np.ascontiguousarray(samples.T), self.name)
        if found < self._frames and self._sound.format != "MP3":  # an mp3's length is only an estimate
            raise _truncated(self.name, f"{self._frames} samples announced, {found} found")
        if not found:
            raise AudioError(f"{self.name}: holds no samples")


def _open_sndfile(file: _File, name: str) -> _Sndfile | None:
    """Open by libsndfile, or return None where it does not know the format."""
    try:
        sound = soundfile.SoundFile(_Nameless(file))
    except soundfile.LibsndfileError:
        return None
    recording = _Sndfile(sound, name)
    declared = _DECLARED.search(sound.extra_info)
    if declared and int(declared[2]) < int(declared[1]) < _LEAST_STREAMED:
        raise _truncated(name, f"{declared[1]} bytes of samples announced, {declared[2]} found")
    if sound.format == "OGG" and _last_ogg_page_is_cut(file):
        raise _truncated(name, "the last Ogg page is cut")
    return recording


class _Nameless:
    """A binary file without its name, by which soundfile would guess the format."""

    def __init__(self, file: _File) -> None:
        self.seek, self.tell, self.readinto = file.seek, file.tell, file.readinto


def _last_ogg_page_is_cut(file: _File) -> bool:
    """Tell whether the file ends before its last Ogg page does (RFC 3533, section 6)."""
    position = file.tell()
    size = file.seek(0, io.SEEK_END)
    file.seek(max(0, size - 70_000))  # a page has at most 65,307 bytes
    tail = file.read()
    file.seek(position)
    start = tail.rfind(b"OggS")
    page = tail[start:]
    if start < 0 or len(page) < 27 or len(page) < 27 + page[26]:
        return True
    return len(page) < 27 + page[26] + sum(page[27 : 27 + page[26]])


def _open_media(file: _File, name: str) -> Any:
    """Open a container by PyAV."""
    head = file.read(12)
    file.seek(0)
    try:
        import av
    except ImportError:
        if Path(name).suffix.lower() in _MEDIA_SUFFIXES or head[4:8] == b"ftyp" or head[:4] == b"\x1aE\xdf\xa3":
            raise AudioError(f"{name}: m4a, mp4, webm and aac need PyAV: pip install emotone[media]") from None
        raise AudioError(f"{name}: not audio, or no format that can be read") from None
    try:
        # The whitelist keeps ffmpeg from following playlists to other files and addresses.
        return av.open(file, "r", options={"format_whitelist": _MEDIA_DEMUXERS})
    except (av.FFmpegError, OSError) as error:
        if head[4:8] == b"ftyp":
            raise _truncated(name, "an MP4 without its index") from None
        raise AudioError(f"{name}: not audio, or no format that can be read ({error.strerror})") from None


class _Media:
    """The first audio track of what PyAV reads."""

    def __init__(self, container: Any, name: str) -> None:
        if not container.streams.audio:
            raise AudioError(f"{name}: holds no audio track")
        self.name, self.rate, self._container = name, int(container.streams.audio[0].rate or 0), container
        check_rate(self.rate, name)
        # The length of a raw aac is guessed from its bit rate; that of an MP4 or WebM, where it is stated, holds.
        self.seconds = (container.duration or 0) / 1e6 if container.format.name != "aac" else 0.0

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
            raise _truncated(self.name, f"{self.seconds:.1f} s announced, {found / self.rate:.1f} s found")

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
            raise _truncated(self.name, str(error.strerror)) from None

    def _joined(self, parts: list[Samples]) -> Samples:
        return checked(np.concatenate(parts, axis=1).astype(np.float32, copy=False), self.name)
