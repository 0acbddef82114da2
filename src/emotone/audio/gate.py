"""A whole recording, or a stretch of it, as an array; arrays of others checked."""

import numpy as np
import numpy.typing as npt
import soxr

from emotone.audio.channels import to_mono
from emotone.audio.part import Part, open_part
from emotone.audio.source import Samples, Source, check_channels, check_rate, checked, name_of
from emotone.errors import AudioError

__all__ = ["MAX_SECONDS", "from_array", "load", "read", "resample"]

MAX_SECONDS = 4 * 3600
"""Longer recordings are not read whole: decoded they would not fit in usual memory. `open_blocks` reads any length."""

_USUAL_CHANNELS = 8  # more are believed where it is said which axis is theirs
_AT_LEAST = 60  # seconds that are decoded at a time where a recording does not state its length
_MOST = MAX_SECONDS * 48_000 * 2  # samples of all channels: a few kilobytes of silence can hold more than any memory


def read(source: Source | Part) -> tuple[Samples, int]:
    """Decode a recording, or a part of it, as it is: every channel, its own rate.

    Args:
        source: a path, a file's bytes, or an open binary file. The content decides the format, not the suffix: wav,
            flac, ogg, opus, mp3 and whatever else libsndfile reads; m4a, mp4, webm, aac and many others with the extra
            `media`.

    Returns:
        Samples of shape (channels, samples), float32 in [-1, 1], and the rate in Hz.

    Raises:
        AudioError: a missing, empty, truncated, over-long or non-audio file, NaN or infinite samples, a stretch that
            the recording does not have. A cut mp3 or raw aac cannot be told from a short one.
    """
    with open_part(source if isinstance(source, Part) else Part(source)) as recording:
        name, rate = recording.name, recording.rate
        channels = recording.channels
        _check_length(recording.seconds, rate, channels, name)
        blocks: list[Samples] = []
        found = 0
        for block in recording.blocks(max(round(recording.seconds * rate), _AT_LEAST * rate)):
            blocks.append(block)
            found += block.shape[1]
            _check_length(found / rate, rate, channels, name)
    return blocks[0] if len(blocks) == 1 else np.concatenate(blocks, axis=1), rate


def load(source: Source | Part, *, rate: int | None = None) -> tuple[Samples, int]:
    """Decode a recording, or a part of it, to mono (see `to_mono`) at `rate` Hz, or at its own rate.

    Args:
        source: as in `read`.
        rate: the wanted rate in Hz; None keeps the recording's.

    Returns:
        Samples of shape (samples,), float32 in [-1, 1], and their rate.

    Raises:
        AudioError: as in `read`; also a recording so short that nothing is left after resampling.
    """
    channels, own_rate = read(source)
    mono = to_mono(channels)
    if rate is None or rate == own_rate:
        return mono, own_rate
    resampled = resample(mono, own_rate, rate)
    if not resampled.size:
        raise AudioError(f"{name_of(source)}: too short: {mono.size} samples at {own_rate} Hz leave none at {rate} Hz")
    return np.clip(resampled, -1.0, 1.0, out=resampled), rate


def from_array(array: npt.ArrayLike, *, name: str = "array", channels_last: bool | None = None) -> Samples:
    """Return samples given as an array as float32 (channels, samples) in [-1, 1].

    Args:
        array: (samples,), (channels, samples) or (samples, channels), floats in [-1, 1] or integers of 16 or 32 bits at
            full scale. It may be empty.
        name: what errors call it.
        channels_last: whether the last axis of two is that of the channels, as sounddevice and soundfile have it; None
            takes (channels, samples) for granted where nothing speaks against it.

    Raises:
        AudioError: another shape or type, a shape that may be meant either way, NaN, infinite or far too large samples.
    """
    try:
        samples = np.asarray(array)
    except (ValueError, TypeError) as error:
        raise AudioError(f"{name}: no array of samples: {error}") from None
    if samples.ndim not in (1, 2):
        raise AudioError(f"{name}: has shape {samples.shape}; allowed are (samples,) and (channels, samples)")
    if samples.ndim == 2 and channels_last is None:
        channels, count = samples.shape
        if (channels > 1 and channels >= count > 0) or channels > _USUAL_CHANNELS:
            raise AudioError(
                f"{name}: has shape {samples.shape}, which as (channels, samples) is {channels} channels; say "
                "channels_last=True where it is (samples, channels), as sounddevice and soundfile give it, else False"
            )
    samples = samples.T if samples.ndim == 2 and channels_last else np.atleast_2d(samples)
    check_channels(len(samples), name)
    if samples.dtype in (np.int16, np.int32):
        return (samples / -float(np.iinfo(samples.dtype).min)).astype(np.float32)
    if not np.issubdtype(samples.dtype, np.floating):
        raise AudioError(f"{name}: has type {samples.dtype}; allowed are floats in -1 to 1, int16 and int32")
    with np.errstate(over="ignore"):
        return checked(np.ascontiguousarray(samples, dtype=np.float32), name)


def resample(samples: Samples, from_rate: int, to_rate: int) -> Samples:
    """Resample (samples,) or (channels, samples) by soxr at high quality ("HQ"). May overshoot [-1, 1] slightly."""
    for rate in (from_rate, to_rate):
        check_rate(rate, "resample")
    if from_rate == to_rate:
        return samples
    resampled: Samples = soxr.resample(samples.T, from_rate, to_rate, quality="HQ").T
    return np.ascontiguousarray(resampled)


def _check_length(seconds: float, rate: int, channels: int, name: str) -> None:
    if seconds > MAX_SECONDS:
        raise AudioError(f"{name}: too long: {seconds / 3600:.1f} h (at most {MAX_SECONDS / 3600:g} h); cut it first")
    if seconds * rate * channels > _MOST:
        raise AudioError(
            f"{name}: too long: {seconds / 3600:.1f} h of {channels} channels at {rate} Hz (at most "
            f"{_MOST / rate / channels / 3600:.1f} h of them); cut it first"
        )
