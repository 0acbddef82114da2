"""Samples made ready for features: decoded at the recipe's rate, silence trimmed, peak normalised."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from emotone.audio import Part, load, name_of
from emotone.errors import AudioError
from emotone.features.config import AudioConfig

__all__ = ["load_prepared", "prepare", "trim"]

Samples = npt.NDArray[np.float32]

_FRAME, _HOP = 2048, 512  # samples, whatever the rate, as librosa.effects.trim has it
_AMIN = 1e-5


def load_prepared(source: Path | Part, config: AudioConfig) -> Samples:
    """Return a recording as `config` wants it: mono float32 of shape (samples,) at `config.rate`.

    Raises:
        AudioError: a recording that cannot be used, or is over before `config.offset`.
    """
    samples, _ = load(source, rate=config.rate)
    if len(samples) <= int(config.offset * config.rate):
        length = len(samples) / config.rate
        raise AudioError(
            f"{name_of(source)}: {length:.2f} s long; the recipe takes what follows the first {config.offset:g} s."
        )
    return prepare(samples, config)


def prepare(samples: Samples, config: AudioConfig) -> Samples:
    """Return `samples` (samples,), which have `config.rate` already, cut, trimmed and normalised as `config` wants.

    A silent clip stays as it is.
    """
    start = int(config.offset * config.rate)
    samples = samples[start : None if config.seconds is None else start + int(config.seconds * config.rate)]
    if config.trim_db is not None:
        samples = trim(samples, below_db=config.trim_db)
    if config.normalise == "peak":
        peak = max(float(samples.max()), -float(samples.min()))
        samples = samples / np.float32(peak) if peak >= np.finfo(np.float32).tiny else samples
    return samples


def trim(samples: Samples, *, below_db: float) -> Samples:
    """Return `samples` (samples,) without the silence at both ends, as librosa.effects.trim.

    A frame of 2,048 samples is silent if its RMS lies at least `below_db` dB under that of the loudest frame.
    """
    energy = np.add.reduceat(np.square(samples, dtype=np.float64), np.arange(0, len(samples), _HOP))
    hops = _FRAME // _HOP  # frame t is centred on sample t * _HOP
    frames = np.convolve(energy, np.ones(hops))[hops // 2 - 1 :][: len(samples) // _HOP + 1]
    rms = np.sqrt(frames / _FRAME)
    decibels = 20.0 * np.log10(np.maximum(rms, _AMIN) / max(rms.max(), _AMIN))
    loud = np.flatnonzero(decibels > -below_db)
    return samples[loud[0] * _HOP : (loud[-1] + 1) * _HOP]
