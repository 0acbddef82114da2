"""Seeded waveform augmentation: the sets of nguyen, boucheta and bhanbhro with their own parameters."""

import hashlib
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt

from emotone.augment.config import AugmentConfig
from emotone.errors import unknown

__all__ = ["augment", "copies"]

Samples = npt.NDArray[np.float32]

_GLOBAL_RANDOM = threading.Lock()


def copies(config: AugmentConfig) -> list[str]:
    """Return the names of the copies that `config` makes of every clip; the clip as recorded is not among them.

    >>> copies(AugmentConfig(kind="boucheta"))
    ['noise', 'shift', 'stretch', 'pitch']
    >>> copies(AugmentConfig(kind="awgn", copies=2))
    ['awgn-1', 'awgn-2']
    """
    if config.kind == "boucheta":
        return list(_BOUCHETA)
    stem = "chain" if config.kind == "nguyen" else config.kind
    return [f"{stem}-{number}" for number in range(1, config.copies + 1)]


def augment(samples: Samples, rate: int, *, config: AugmentConfig, variant: str, clip_key: str) -> Samples:
    """Return one copy of a clip. The same clip, variant and seed give the same bytes, whatever ran before.

    Args:
        samples: mono float32 of shape (samples,); left as it is.
        rate: sampling rate in Hz.
        config: the kind of augmentation and its seed.
        variant: one of `copies(config)`.
        clip_key: the clip's identity; every clip draws its own random numbers.

    Returns:
        float32 of shape (samples,), of another length for boucheta's `stretch`. May leave [-1, 1].

    Raises:
        UsageError: an unknown variant.
    """
    if variant not in copies(config):
        raise unknown("copy", variant, copies(config), where=f"the augmentation {config.kind!r}")
    identity = "\0".join((str(config.seed), config.kind, variant, clip_key))
    seed = int.from_bytes(hashlib.blake2b(identity.encode(), digest_size=8).digest(), "little")
    draw = np.random.default_rng(seed)
    if config.kind == "boucheta":
        changed = _BOUCHETA[variant](samples, rate, draw)
    elif config.kind == "nguyen":
        changed = _nguyen(samples, rate, draw)
    elif config.kind == "awgn":
        changed = _at_snr(samples, draw.standard_normal(len(samples)), draw)
    else:
        changed = _at_snr(samples, draw.uniform(-1.0, 1.0, len(samples)), draw)
    return np.ascontiguousarray(changed, np.float32)


def _noise(samples: Samples, rate: int, draw: np.random.Generator) -> Samples:
    """Gaussian noise whose deviation is 0.005 of the clip's largest amplitude."""
    deviation = np.float32(0.005 * np.abs(samples).max())
    return samples + deviation * draw.standard_normal(len(samples), dtype=np.float32)


def _shift(samples: Samples, rate: int, draw: np.random.Generator) -> Samples:
    """Circular shift by up to 5 ms in either direction."""
    return np.roll(samples, round(draw.uniform(-0.005, 0.005) * rate))


def _stretch(samples: Samples, rate: int, draw: np.random.Generator) -> Samples:
    """Another tempo at the same pitch. The paper names 0.8 and the range 0.8 to 1.2: drawn from the range."""
    from librosa.effects import time_stretch

    changed: Samples = time_stretch(samples, rate=draw.uniform(0.8, 1.2))
    return changed


def _pitch(samples: Samples, rate: int, draw: np.random.Generator) -> Samples:
    """Another pitch at the same tempo, up to 2 semitones in either direction."""
    from librosa.effects import pitch_shift

    changed: Samples = pitch_shift(samples, sr=rate, n_steps=draw.uniform(-2.0, 2.0))
    return changed


_BOUCHETA: dict[str, Callable[[Samples, int, np.random.Generator], Samples]] = {
    "noise": _noise,
    "shift": _shift,
    "stretch": _stretch,
    "pitch": _pitch,
}


def _nguyen(samples: Samples, rate: int, draw: np.random.Generator) -> Samples:
    """Noise, stretch, pitch and shift, one after the other, each with probability one half."""
    from audiomentations import AddGaussianNoise, Compose, PitchShift, Shift, TimeStretch

    furthest = min(0.5, len(samples) / rate / 2)  # audiomentations cannot shift a clip beyond its own length
    chain = Compose(
        [
            AddGaussianNoise(min_amplitude=0.001, max_amplitude=0.015, p=0.5),
            TimeStretch(min_rate=0.8, max_rate=1.2, p=0.5),
            PitchShift(min_semitones=-4.0, max_semitones=4.0, p=0.5),
            Shift(min_shift=-furthest, max_shift=furthest, shift_unit="seconds", p=0.5),
        ]
    )
    with _seeded(int(draw.integers(2**32))):
        changed: Samples = chain(samples=samples.copy(), sample_rate=rate)
    return changed


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Seed the global generators, from which audiomentations draws, and put them back as they were."""
    with _GLOBAL_RANDOM:
        python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002
        random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002
        try:
            yield
        finally:
            random.setstate(python)
            np.random.set_state(numpy)  # noqa: NPY002


def _at_snr(samples: Samples, noise: npt.NDArray[np.float64], draw: np.random.Generator) -> Samples:
    """Add `noise` at a whole number of dB from 15 to 30 below the signal (bhanbhro, section 3.3.2).

    K = sqrt(signal power / noise power * 10^(-SNR / 10)); the paper divides signal and noise by 2^15 first, which
    cancels. A silent clip stays silent.
    """
    snr = draw.integers(15, 30, endpoint=True)
    signal_power = np.mean(np.square(samples, dtype=np.float64))
    scale = np.sqrt(signal_power / np.mean(np.square(noise)) * 10.0 ** (-snr / 10))
    return samples + np.asarray(scale * noise, np.float32)
