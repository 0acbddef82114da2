"""Clips as if recorded elsewhere: over a telephone, in noise, in a room."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from emotone.audio import load

RATE = 16_000
NOISE = 15  # dB below the clip
DECAY = 0.06  # s in which the room's echo falls to 1/e
DIRECT = 6.0  # how much louder what comes straight is than each echo


def telephone(clip: Path, to: Path, random: np.random.Generator) -> None:
    """8 kHz, G.711's mu-law."""
    soundfile.write(to, load(clip, rate=8_000)[0], 8_000, subtype="ULAW")


def noise(clip: Path, to: Path, random: np.random.Generator) -> None:
    """White noise."""
    samples = load(clip, rate=RATE)[0]
    power = np.mean(np.square(samples)) / 10 ** (NOISE / 10)
    _write(to, samples + np.sqrt(power) * random.standard_normal(len(samples)))


def room(clip: Path, to: Path, random: np.random.Generator) -> None:
    """Echoes that are noise and fade."""
    steps = np.arange(round(6 * DECAY * RATE))
    echo = random.standard_normal(len(steps)) * np.exp(-steps / DECAY / RATE)
    echo[0] = DIRECT
    _write(to, np.convolve(load(clip, rate=RATE)[0], echo))


def _write(to: Path, samples: NDArray[np.float64]) -> None:
    soundfile.write(to, 0.5 * samples / np.abs(samples).max(), RATE, subtype="FLOAT")


ELSEWHERE: dict[str, Callable[[Path, Path, np.random.Generator], None]] = {
    "telephone": telephone,
    "noise": noise,
    "room": room,
}
