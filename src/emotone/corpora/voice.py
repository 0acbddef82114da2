"""A source-filter voice: glottal pulses and noise through formants. Fant (1960); pulses as in Klatt & Klatt (1990)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.signal import lfilter, sosfilt

__all__ = ["RATE", "Segment", "Style", "speak"]

RATE = 16_000
"""Sampling rate in Hz."""

Signal = npt.NDArray[np.float64]

_BANDWIDTHS = (70.0, 100.0, 140.0, 220.0)
_FADE = int(0.012 * RATE)  # segments are cross-faded over this many samples
_SMOOTH = int(0.008 * RATE)


@dataclass(frozen=True)
class Segment:
    """A stretch of constant articulation.

    Attributes:
        formants: the lowest four resonances in Hz, of a male vocal tract.
        seconds: its length at rate 1.
        voice: gain of the glottal source.
        noise: gain of the frication noise.
        stressed: 1 where the pitch accent is, down to 0.
    """

    formants: tuple[float, float, float, float]
    seconds: float
    voice: float = 1.0
    noise: float = 0.0
    stressed: float = 0.0


@dataclass(frozen=True)
class Style:
    """How a voice says something.

    Attributes:
        pitch: mean fundamental frequency in Hz.
        accent: height of a pitch accent in semitones.
        slope: semitones that the pitch falls (negative) or rises from begin to end.
        final: semitones that it rises on the last syllable.
        level: dB of the voice, 0 being a plain voice.
        attack: dB that stressed syllables stand out.
        rate: speaking rate, 1 being plain.
        tilt: pole of the low-pass that softens the source, 0 (bright) to below 1 (dull).
        open_quotient: share of a period that the glottis is open, 0.4 (tense) to 0.9 (lax).
        breath: gain of the aspiration noise.
        jitter: standard deviation of a period's length, relative.
        tremor: depth in semitones of a modulation of the pitch at 7 Hz.
        formant_scale: all formants are multiplied by this.
        silence: seconds before and after.
    """

    pitch: float
    accent: float
    slope: float
    final: float
    level: float
    attack: float
    rate: float
    tilt: float
    open_quotient: float
    breath: float
    jitter: float
    tremor: float
    formant_scale: float
    silence: tuple[float, float]


def speak(segments: Sequence[Segment], style: Style, rng: np.random.Generator) -> Signal:
    """Say `segments` in `style`: samples of shape (n,) at `RATE`, within about [-1, 1]."""
    lengths = [max(2 * _FADE, round(segment.seconds / style.rate * RATE)) for segment in segments]
    edges = np.concatenate([[0], np.cumsum(lengths)])
    total = int(edges[-1])
    centres = (edges[:-1] + edges[1:]) / 2
    stress = np.interp(np.arange(total), centres, [segment.stressed for segment in segments])
    loudness = 10 ** ((style.level + style.attack * (stress - 0.5)) / 20)
    source = _source(_pitch(stress, total, style, rng), style, rng)
    voice = source * _envelope(segments, lengths, "voice") * loudness
    noise = rng.standard_normal(total) * _envelope(segments, lengths, "noise") * loudness
    spoken = _articulate(voice + 0.25 * noise, segments, edges, style.formant_scale)
    spoken += 0.02 * lfilter([1, -0.9], [1], noise)  # frication is brighter than the formants let through
    before, after = (np.zeros(round(seconds * RATE)) for seconds in style.silence)
    return np.concatenate([before, spoken, after])


def _pitch(stress: Signal, total: int, style: Style, rng: np.random.Generator) -> Signal:
    """Return the fundamental frequency in Hz, per sample."""
    time = np.arange(total) / RATE
    along = np.linspace(-0.5, 0.5, total)
    late = np.clip((along - 0.25) / 0.25, 0, 1)
    tremor = style.tremor * np.sin(2 * np.pi * (7 * time + rng.random()))
    semitones = style.slope * along + style.accent * (stress - 0.4) + style.final * late + tremor
    return style.pitch * 2 ** (semitones / 12)


def _source(pitch: Signal, style: Style, rng: np.random.Generator) -> Signal:
    """Return glottal pulses with aspiration, power about 1."""
    period = np.floor(np.cumsum(pitch) / RATE).astype(int)
    jittered = pitch * (1 + style.jitter * rng.standard_normal(period[-1] + 1)[period])
    phase = np.cumsum(jittered) / RATE % 1
    within = phase / style.open_quotient
    pulses = np.where(within < 1, 2 * within - 3 * within**2, 0.0)  # derivative of the flow x^2 - x^3
    shimmer = 1 + 2 * style.jitter * rng.standard_normal(period[-1] + 1)[period]
    pulses = lfilter([1 - style.tilt], [1, -style.tilt], pulses * shimmer)
    breath = rng.standard_normal(pitch.size) * (0.4 + 0.6 * (within < 1))
    mixed: Signal = 1.6 * pulses + style.breath * breath
    return mixed


def _envelope(segments: Sequence[Segment], lengths: Sequence[int], part: str) -> Signal:
    """Return the gain of the segments' voice or noise per sample, without jumps."""
    steps = np.repeat([getattr(segment, part) for segment in segments], lengths)
    window = np.hanning(2 * _SMOOTH + 1)
    smooth: Signal = np.convolve(np.pad(steps, _SMOOTH), window / window.sum(), mode="valid")
    return smooth


def _articulate(source: Signal, segments: Sequence[Segment], edges: npt.NDArray[np.int64], scale: float) -> Signal:
    """Filter each stretch of `source` by its segment's formants, cross-fading from one to the next."""
    spoken = np.zeros(source.size)
    for segment, start, end in zip(segments, edges[:-1], edges[1:], strict=True):
        first, last = max(0, start - _FADE), min(source.size, end + _FADE)
        stretch = sosfilt(_resonators(segment.formants, scale), source[first:last])
        corners = [first, start + _FADE, end - _FADE, last]
        spoken[first:last] += stretch * np.interp(np.arange(first, last), corners, [0, 1, 1, 0])
    return spoken


def _resonators(formants: Sequence[float], scale: float) -> npt.NDArray[np.float64]:
    """Return a cascade of two-pole resonators of unit gain at 0 Hz, as second-order sections."""
    sections = []
    for formant, bandwidth in zip(formants, _BANDWIDTHS, strict=True):
        radius = np.exp(-np.pi * bandwidth / RATE)
        angle = 2 * np.pi * min(formant * scale, 0.47 * RATE) / RATE
        poles = [1.0, -2 * radius * np.cos(angle), radius**2]
        sections.append([sum(poles), 0.0, 0.0, *poles])
    return np.array(sections)
