"""The conditions: what may happen to speech between a mouth and a file, each with its degrees."""

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

__all__ = ["CONDITIONS", "SNRS", "Condition"]

Samples = npt.NDArray[np.float32]
Sound = tuple[Samples, int]
"""Mono samples in [-1, 1], (samples,), and their rate in Hz."""
Change = Callable[[Sound, Sequence[Samples], np.random.Generator], Sound]

SNRS = (30, 20, 10, 5, 0, -5)
"""Signal-to-noise ratios of the noises, in dB."""
_PHONE = 8_000  # Hz
_FRAME = 0.02  # s
_ACTIVE = 40.0  # dB below the loudest frame: what is fainter is no speech


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition in one degree.

    Attributes:
        kind: what it is.
        degree: how much of it, "" where there is but one.
        change: from a sound, sounds of other speakers at its rate, and a generator, the sound under this condition.
    """

    kind: str
    degree: str
    change: Change

    @property
    def name(self) -> str:
        """Both in one line."""
        return f"{self.kind}, {self.degree}" if self.degree else self.kind


def _clean(sound: Sound, others: Sequence[Samples], draw: np.random.Generator) -> Sound:
    return sound


def _white(length: int, rate: int, others: Sequence[Samples], draw: np.random.Generator) -> Samples:
    noise: Samples = draw.standard_normal(length, dtype=np.float32)
    return noise


def _babble(length: int, rate: int, others: Sequence[Samples], draw: np.random.Generator) -> Samples:
    """Other speakers at once, each as loud as the next, over and over."""
    mixed = np.zeros(length, np.float32)
    for voice in others:
        level = np.sqrt(_power(voice, rate))
        if level > 0:
            turned = np.roll(voice, int(draw.integers(len(voice))))
            mixed += np.resize(turned / level, length).astype(np.float32)
    return mixed if len(others) else _white(length, rate, others, draw)


def _hum(length: int, rate: int, others: Sequence[Samples], draw: np.random.Generator) -> Samples:
    """Mains of 50 Hz with ten harmonics, each fainter than the last."""
    times = np.arange(length) / rate
    phases = draw.uniform(0, 2 * np.pi, 10)
    waves = [np.sin(2 * np.pi * 50 * n * times + phase) / n for n, phase in enumerate(phases, start=1)]
    return np.asarray(np.sum(waves, axis=0), np.float32)


def _noise(make: Callable[..., Samples], snr: float) -> Change:
    def change(sound: Sound, others: Sequence[Samples], draw: np.random.Generator) -> Sound:
        samples, rate = sound
        noise = make(len(samples), rate, others, draw)
        power = float(np.mean(np.square(noise, dtype=np.float64)))
        scale = np.sqrt(_power(samples, rate) / max(power, 1e-20) * 10 ** (-snr / 10))
        return _within(samples + np.float32(scale) * noise), rate

    return change


def _room(reverberation: float) -> Change:
    """Return a room: the direct sound, and as loud as it a tail of noise that falls by 60 dB in so many seconds
    (Polack's model of late reverberation, 1988).
    """

    def change(sound: Sound, others: Sequence[Samples], draw: np.random.Generator) -> Sound:
        samples, rate = sound
        length = round(reverberation * rate)
        tail = draw.standard_normal(length) * 10 ** (-3 * np.arange(length) / length)
        response = np.concatenate([[1.0], tail / np.sqrt(np.square(tail).sum())])
        size = 1 << (len(samples) + len(response) - 1).bit_length()
        heard = np.fft.irfft(np.fft.rfft(samples, size) * np.fft.rfft(response, size), size)[: len(samples)]
        return _within(heard.astype(np.float32)), rate

    return change


def _coded(form: str, subtype: str, *, rate: int | None = None, **options: float | str) -> Change:
    """Return a way through a codec of libsndfile and back; `options` are soundfile's."""

    def change(sound: Sound, others: Sequence[Samples], draw: np.random.Generator) -> Sound:
        samples, own = sound
        used = rate or own
        if used != own:
            samples = soxr.resample(samples, own, used)
        file = io.BytesIO()
        soundfile.write(file, _within(samples), used, format=form, subtype=subtype, **options)
        file.seek(0)
        decoded, used = soundfile.read(file, dtype="float32")
        return decoded, used

    return change


def _clipped(gain: float) -> Change:
    """Return an input that is turned up until so many dB of the peaks are cut off."""

    def change(sound: Sound, others: Sequence[Samples], draw: np.random.Generator) -> Sound:
        samples, rate = sound
        return np.clip(samples / max(_peak(samples), 1e-9) * np.float32(10 ** (gain / 20)), -1, 1), rate

    return change


def _level(peak: float) -> Change:
    def change(sound: Sound, others: Sequence[Samples], draw: np.random.Generator) -> Sound:
        samples, rate = sound
        return samples * np.float32(10 ** (peak / 20) / max(_peak(samples), 1e-9)), rate

    return change


def _late(seconds: float) -> Change:
    """Return a recording that begins so long before the speech, with a faint hiss."""

    def change(sound: Sound, others: Sequence[Samples], draw: np.random.Generator) -> Sound:
        samples, rate = sound
        hiss = 10 ** (-70 / 20) * draw.standard_normal(round(seconds * rate), dtype=np.float32)
        return np.concatenate([np.float32(_peak(samples)) * hiss, samples]), rate

    return change


def _cropped(seconds: float) -> Change:
    """Return the loudest stretch of so many seconds."""

    def change(sound: Sound, others: Sequence[Samples], draw: np.random.Generator) -> Sound:
        samples, rate = sound
        length = round(seconds * rate)
        if len(samples) <= length:
            return sound
        energy = np.concatenate([[0.0], np.cumsum(np.square(samples, dtype=np.float64))])
        start = int(np.argmax(energy[length:] - energy[:-length]))
        return samples[start : start + length], rate

    return change


CONDITIONS = (
    Condition("clean", "", _clean),
    *(
        Condition(kind, f"{snr} dB", _noise(make, snr))
        for kind, make in (("white noise", _white), ("babble", _babble), ("mains hum", _hum))
        for snr in SNRS
    ),
    Condition("telephone", "mu-law", _coded("WAV", "ULAW", rate=_PHONE)),
    Condition("telephone", "GSM 06.10", _coded("WAV", "GSM610", rate=_PHONE)),
    Condition("MP3", "8 kbit/s", _coded("MP3", "MPEG_LAYER_III", bitrate_mode="CONSTANT", compression_level=0.99)),
    Condition("Opus", "7 kbit/s", _coded("OGG", "OPUS", compression_level=1.0)),
    *(Condition("room", f"{seconds:g} s", _room(seconds)) for seconds in (0.3, 0.6, 1.2)),
    *(Condition("clipping", f"{gain:g} dB", _clipped(gain)) for gain in (10, 20)),
    *(Condition("level", f"peak {peak:g} dB", _level(peak)) for peak in (-20, -40)),
    Condition("silence before", "3 s", _late(3.0)),
    Condition("crop", "1 s", _cropped(1.0)),
)
"""Every condition, the recording as it is first."""


def _power(samples: Samples, rate: int) -> float:
    """Return the mean power of speech: of the frames of 20 ms that lie within 40 dB of the loudest."""
    frame = max(1, round(_FRAME * rate))
    padded = np.pad(samples.astype(np.float64), (0, -len(samples) % frame))
    powers = np.square(padded).reshape(-1, frame).mean(axis=1)
    if not powers.size or powers.max() == 0:
        return 0.0
    return float(powers[powers >= powers.max() * 10 ** (-_ACTIVE / 10)].mean())


def _peak(samples: Samples) -> float:
    return float(np.abs(samples).max(initial=0.0))


def _within(samples: Samples) -> Samples:
    """Turn down what would be clipped."""
    return samples / np.float32(max(1.0, _peak(samples)))
