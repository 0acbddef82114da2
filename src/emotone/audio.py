"""Decode, mono, resample: float32 in [-1, 1]. The one gate for bad audio."""

import io
import re
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

from emotone.errors import AudioError

__all__ = ["MAX_RATE", "MAX_SECONDS", "MIN_RATE", "load", "open_recording", "read", "resample"]

MAX_SECONDS = 4 * 3600
"""Longer recordings are refused: decoded they would not fit in usual memory."""
MIN_RATE, MAX_RATE = 1_000, 768_000
"""Sampling rates in Hz that are believed."""

_LOUDEST = 8.0  # float audio slightly above full scale is clipped; this far above, its scale is not [-1, 1]
_LEAST_STREAMED = 0x7FFF_0000  # chunk sizes from here on are what streaming writers put when the length is unknown
_DECLARED = re.compile(r"^\s*(?:data|SSND|Data Size)\s*: (\d+) \(should be (\d+)\)", re.MULTILINE)
_MEDIA_SUFFIXES = frozenset({".m4a", ".mp4", ".webm", ".mkv", ".mka", ".mov", ".aac", ".3gp"})
_MEDIA_DEMUXERS = "aac,mov,matroska,webm,mp3,ogg,flac,wav"

Samples = npt.NDArray[np.float32]
Source = Path | str | bytes | BinaryIO
_File = io.BufferedReader | io.BytesIO


def read(source: Source) -> tuple[Samples, int]:
    """Decode a recording as it is: every channel, its own rate.

    Args:
        source: a path, a file's bytes, or an open binary file. The content decides the format, not the suffix: wav,
            flac, ogg, opus, mp3 and whatever else libsndfile reads; m4a, mp4, webm and aac with the extra `media`.

    Returns:
        Samples of shape (channels, samples), float32 in [-1, 1], and the rate in Hz.

    Raises:
        AudioError: a missing, empty, truncated, over-long or non-audio file, NaN or infinite samples. A cut mp3 or
            raw aac cannot be told from a short one.
    """
    name, file = open_recording(source)
    with file:
        decoded = _decode_sndfile(file, name)
        if decoded is None:
            file.seek(0)
            decoded = _decode_media(file, name)
    samples, rate = decoded
    return _checked(samples, name), rate


def load(source: Source, *, rate: int | None = None) -> tuple[Samples, int]:
    """Decode a recording to mono (the mean of its channels) at `rate` Hz, or at its own rate.

    Args:
        source: as in `read`.
        rate: the wanted rate in Hz; None keeps the recording's.

    Returns:
        Samples of shape (samples,), float32 in [-1, 1], and their rate.

    Raises:
        AudioError: as in `read`; also a recording so short that nothing is left after resampling.
    """
    channels, own_rate = read(source)
    mono = channels[0] if len(channels) == 1 else channels.mean(axis=0, dtype=np.float32)
    if rate is None or rate == own_rate:
        return mono, own_rate
    resampled = resample(mono, own_rate, rate)
    if not resampled.size:
        raise AudioError(f"{_name(source)}: too short: {mono.size} samples at {own_rate} Hz leave none at {rate} Hz")
    return np.clip(resampled, -1.0, 1.0, out=resampled), rate


def resample(samples: Samples, from_rate: int, to_rate: int) -> Samples:
    """Resample (samples,) or (channels, samples) by soxr at high quality ("HQ"). May overshoot [-1, 1] slightly."""
    for rate in (from_rate, to_rate):
        _check_rate(rate, "resample")
    if from_rate == to_rate:
        return samples
    resampled: Samples = soxr.resample(np.ascontiguousarray(samples.T), from_rate, to_rate, quality="HQ").T
    return np.ascontiguousarray(resampled)


def _name(source: Source) -> str:
    if isinstance(source, Path | str):
        return str(source)
    return str(getattr(source, "name", "audio"))


def open_recording(source: Source) -> tuple[str, _File]:
    """Return what errors call a recording, and its bytes as a seekable file; `AudioError` where there are none."""
    name = _name(source)
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
        file = io.BytesIO(source if isinstance(source, bytes) else source.read())
    if not file.read(1):
        file.close()
        raise AudioError(f"{name}: the file is empty (0 bytes)")
    file.seek(0)
    return name, file


def _check_rate(rate: int, name: str) -> None:
    if not MIN_RATE <= rate <= MAX_RATE:
        raise AudioError(f"{name}: sampling rate {rate} Hz is not supported (allowed: {MIN_RATE} to {MAX_RATE} Hz)")


def _check_length(seconds: float, name: str) -> None:
    if seconds > MAX_SECONDS:
        raise AudioError(f"{name}: too long: {seconds / 3600:.1f} h (at most {MAX_SECONDS / 3600:g} h); cut it first")


def _truncated(name: str, detail: str) -> AudioError:
    return AudioError(f"{name}: truncated or damaged: {detail}")


def _checked(samples: Samples, name: str) -> Samples:
    """Return `samples` (channels, samples) within [-1, 1], or say what is wrong with them."""
    if not samples.size:
        raise AudioError(f"{name}: holds no samples")
    low, high = float(samples.min()), float(samples.max())
    if not np.isfinite([low, high]).all():
        raise AudioError(f"{name}: holds NaN or infinite samples")
    peak = max(-low, high)
    if peak > _LOUDEST:
        raise AudioError(f"{name}: samples reach {peak:g}; float audio must lie in -1 to 1")
    return np.clip(samples, -1.0, 1.0) if peak > 1.0 else samples


def _decode_sndfile(file: _File, name: str) -> tuple[Samples, int] | None:
    """Decode by libsndfile, or return None where it does not know the format."""
    try:
        sound = soundfile.SoundFile(_Nameless(file))
    except soundfile.LibsndfileError:
        return None
    with sound:
        rate, frames = int(sound.samplerate), int(sound.frames)
        _check_rate(rate, name)
        _check_length(frames / rate, name)
        declared = _DECLARED.search(sound.extra_info)
        if declared and int(declared[2]) < int(declared[1]) < _LEAST_STREAMED:
            raise _truncated(name, f"{declared[1]} bytes of samples announced, {declared[2]} found")
        if sound.format == "OGG" and _last_ogg_page_is_cut(file):
            raise _truncated(name, "the last Ogg page is cut")
        try:
            samples = sound.read(dtype="float32", always_2d=True)
        except (soundfile.LibsndfileError, RuntimeError) as error:
            raise _truncated(name, str(error)) from None
        if len(samples) < frames and sound.format != "MP3":  # an mp3's length is only an estimate
            raise _truncated(name, f"{frames} samples announced, {len(samples)} found")
    return np.ascontiguousarray(samples.T), rate


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


def _decode_media(file: _File, name: str) -> tuple[Samples, int]:
    """Decode the first audio track by PyAV."""
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
        container = av.open(file, options={"format_whitelist": _MEDIA_DEMUXERS})
    except (av.FFmpegError, OSError) as error:
        if head[4:8] == b"ftyp":
            raise _truncated(name, "an MP4 without its index") from None
        raise AudioError(f"{name}: not audio, or no format that can be read ({error.strerror})") from None
    with container:
        if not container.streams.audio:
            raise AudioError(f"{name}: holds no audio track")
        return _decode_track(container, name)


def _decode_track(container: Any, name: str) -> tuple[Samples, int]:
    import av

    rate = int(container.streams.audio[0].rate or 0)
    _check_rate(rate, name)
    # The length of a raw aac is guessed from its bit rate; that of an MP4 or WebM, where it is stated, holds.
    stated = (container.duration or 0) / 1e6 if container.format.name != "aac" else 0.0
    _check_length(stated, name)
    planar = av.AudioResampler(format="fltp", rate=rate)
    blocks: list[Samples] = []
    count = 0
    try:
        for frame in container.decode(audio=0):
            for block in planar.resample(frame):
                blocks.append(block.to_ndarray())
                count += block.samples
            _check_length(count / rate, name)
        blocks += [block.to_ndarray() for block in planar.resample(None)]
    except (av.FFmpegError, OSError) as error:
        raise _truncated(name, str(error.strerror)) from None
    if not blocks:
        raise AudioError(f"{name}: holds no samples")
    samples = np.concatenate(blocks, axis=1).astype(np.float32, copy=False)
    if samples.shape[1] / rate < stated - 0.5:
        raise _truncated(name, f"{stated:.1f} s announced, {samples.shape[1] / rate:.1f} s found")
    return samples, rate
