"""A recording's map: the fine structure of its voice over time and pitch, in which copies agree and takes do not."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from emotone import audio
from emotone.audio import Part

__all__ = ["Map", "draw", "smooth", "squeeze"]

Array = npt.NDArray[np.float32]

_BINS_PER_OCTAVE = 48  # a quarter of a semitone each: takes that a listener would call equally high still differ
_RATE = 8000  # Hz; a telephone copy of a clip has no more
_WINDOW, _HOP = 2048, 256  # samples: 256 ms, so that harmonics stand apart and a phase vocoder's smearing is within
_LOWEST, _HIGHEST = 300.0, 3500.0  # Hz
_DEPTH = 40.0  # dB below the voice's peak that count; what is lower is noise of the room or of a copy
_WIDTH = 7  # bins; what is smoother along pitch than this is timbre, which all clips of a speaker share
_ACTIVE = 0.35  # of the depth; frames whose loudest bin is lower are silence around the voice
_SHORTEST = 8  # active frames; shorter sounds hold too little to tell copies from takes
_LONGEST = 30.0  # seconds that are looked at


@dataclass(frozen=True)
class Map:
    """What `draw` gives.

    Attributes:
        ridges: decibels above their surroundings along pitch, (bins, frames): harmonics are ridges. From the first
            loud frame to the last.
        shape: decibels above the floor, of the same frames, (bins, frames).
    """

    ridges: Array
    shape: Array


def draw(source: Path | Part) -> Map | None:
    """Return a recording's map; None for one that is silent or too short (0.25 s of voice) to be compared.

    Raises:
        AudioError: a recording that cannot be read.
    """
    samples, _ = audio.load(source, rate=_RATE)
    samples = np.pad(samples[: int(_LONGEST * _RATE)], _WINDOW // 2)
    frames = np.lib.stride_tricks.sliding_window_view(samples, _WINDOW)[::_HOP]
    power = np.abs(np.fft.rfft(frames * np.hanning(_WINDOW).astype(np.float32))) ** 2
    decibels = 10 * np.log10(_bands() @ power.T.astype(np.float32) + 1e-12)
    peak = np.quantile(decibels.max(axis=0), 0.98)  # not the largest: a click is louder than the voice
    shape = np.clip(decibels - peak, -_DEPTH, 0) + _DEPTH
    loud = np.flatnonzero(shape.max(axis=0) > _ACTIVE * _DEPTH)
    if not loud.size or loud[-1] - loud[0] + 1 < _SHORTEST:
        return None
    shape = shape[:, loud[0] : loud[-1] + 1]
    ridges = shape - smooth(shape, _WIDTH)
    if not ridges.any():
        return None
    return Map(ridges, shape)


def smooth(values: Array, width: int) -> Array:
    """Return the mean of `width` (odd) neighbours along the first axis; the ends are repeated."""
    padded = np.pad(values, ((width // 2 + 1, width // 2), (0, 0)), mode="edge")
    total = np.cumsum(padded, axis=0, dtype=np.float64)
    mean: Array = ((total[width:] - total[:-width]) / width).astype(np.float32)
    return mean


def squeeze(values: Array, frames: int) -> Array:
    """Return `values` (bins, n) brought to `frames` frames, by linear interpolation."""
    own = values.shape[1]
    position = np.clip((np.arange(frames) + 0.5) / frames * own - 0.5, 0, own - 1)
    left = np.floor(position).astype(np.intp)
    right = np.minimum(left + 1, own - 1)
    share = (position - left).astype(np.float32)
    between: Array = values[:, left] * (1 - share) + values[:, right] * share
    return between


@cache
def _bands() -> Array:
    """Return triangular filters, equally spaced in pitch, each of weight 1: (bins, FFT bins)."""
    count = int(_BINS_PER_OCTAVE * np.log2(_HIGHEST / _LOWEST))
    step = _RATE / _WINDOW
    edges = _LOWEST * 2 ** (np.arange(-1, count + 1) / _BINS_PER_OCTAVE)
    bins = np.arange(_WINDOW // 2 + 1) * step
    centre = edges[1:-1, None]
    low, high = np.minimum(edges[:-2, None], centre - step), np.maximum(edges[2:, None], centre + step)
    weights = np.maximum(0, np.minimum((bins - low) / (centre - low), (high - bins) / (high - centre)))
    filters: Array = (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
    return filters
