"""From channels to one: their mean, unless they cancel each other."""

import numpy as np
import numpy.typing as npt

from emotone.audio.source import Samples

__all__ = ["CANCELLED", "Mixer", "to_mono"]

CANCELLED = "its channels cancel each other; the louder one is taken"
"""What is to be known of a recording whose mean is not taken."""

_QUIETER = 10**-1.5  # 15 dB: the mean of channels that are alike or independent is at most 3 dB below each of two
_DECIDED = 0.1  # seconds of sound that are mixed as one


class Mixer:
    """Mixes sound that comes in blocks. The blocks' sizes make no difference.

    One polarity turned round, as a faulty cable or a stereo effect has it, leaves next to nothing of the mean. So where
    the mean of all that was heard is 15 dB below the loudest channel, that channel is taken.

    Args:
        rate: of the sound, in Hz.

    Attributes:
        cancelled: whether a channel was ever taken for the mean.
    """

    def __init__(self, rate: int) -> None:
        self._step = max(1, round(_DECIDED * rate))
        self._rest: Samples | None = None
        self._energy: npt.NDArray[np.float64] | None = None  # of each channel, the mean last
        self.cancelled = False

    def feed(self, block: Samples, *, last: bool = False) -> Samples:
        """Take (channels, samples); return what can be said of one channel, (samples,); all that is left if `last`."""
        if len(block) == 1:
            only: Samples = block[0]
            return only
        if self._rest is not None:
            block = np.concatenate([self._rest, block], axis=1)
        whole = block.shape[1] if last else block.shape[1] // self._step * self._step
        self._rest = block[:, whole:].copy()  # whose buffer the caller may fill again
        steps = [self._mix(block[:, at : at + self._step]) for at in range(0, whole, self._step)]
        return np.concatenate(steps) if steps else np.zeros(0, np.float32)

    def finish(self) -> Samples:
        """Return the rest."""
        if self._rest is None:
            return np.zeros(0, np.float32)
        return self.feed(self._rest[:, :0], last=True)

    def _mix(self, step: Samples) -> Samples:
        mean: Samples = step.mean(axis=0, dtype=np.float32)
        energy = np.square(np.vstack([step, mean]), dtype=np.float64).sum(axis=1)
        self._energy = energy if self._energy is None else self._energy + energy
        *channels, of_mean = self._energy
        if of_mean >= _QUIETER * max(channels):
            return mean
        self.cancelled = True
        chosen: Samples = step[int(np.argmax(channels))]
        return chosen


def to_mono(samples: Samples) -> Samples:
    """Return the mean (samples,) of the channels (channels, samples), or the loudest where they cancel each other."""
    if len(samples) == 1:
        mono: Samples = samples[0]
        return mono
    mean: Samples = samples.mean(axis=0, dtype=np.float32)
    energy = [float(np.square(each, dtype=np.float64).sum()) for each in (*samples, mean)]
    if energy[-1] >= _QUIETER * max(energy[:-1]):
        return mean
    loudest: Samples = samples[int(np.argmax(energy[:-1]))]
    return loudest
