"""Sound in, block by block; emotions out."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import starmap
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import soxr

from emotone.audio import Samples, check_rate, from_array, to_mono
from emotone.bundle import BundleInfo
from emotone.errors import UsageError
from emotone.recognition.result import Result, Update, judge
from emotone.recognition.speaker import Model
from emotone.recognition.timeline import Timeline
from emotone.recognition.windows import Window, Windows

__all__ = ["Answer", "Settings", "Stream", "Track", "answers"]

_LONGEST = 60.0
_SHORTEST = 0.05
_BATCH = 16


@dataclass(frozen=True, slots=True)
class Settings:
    """How a recording is listened to.

    Attributes:
        window: seconds that one answer is given for.
        hop: seconds between answers.
        min_confidence: below it an emotion is "uncertain".
    """

    window: float
    hop: float
    min_confidence: float

    @classmethod
    def of(
        cls, info: BundleInfo, *, window: float | None = None, hop: float | None = None, min_confidence: float = 0.0
    ) -> "Settings":
        """Fill in what the model was made for; `UsageError` for what cannot be."""
        window = info.window if window is None else window
        hop = min(info.hop, window) if hop is None else hop
        if not _SHORTEST <= window <= _LONGEST:
            raise UsageError(f"window is {window:g} s; it must lie in {_SHORTEST:g} to {_LONGEST:g} s.")
        if not _SHORTEST <= hop <= window:
            raise UsageError(f"hop is {hop:g} s; it must lie in {_SHORTEST:g} s to the window's {window:g} s.")
        if not 0 <= min_confidence <= 1:
            raise UsageError(f"min_confidence is {min_confidence:g}; it must lie in 0 to 1.")
        return cls(window, hop, min_confidence)


class Answer(NamedTuple):
    """What the network says of a window: probabilities (classes,) and the embedding (width,) that they come of."""

    probabilities: npt.NDArray[np.float32]
    embedding: npt.NDArray[np.float32]


class Track:
    """One recording on its way: everything but the network.

    Args:
        info: of the bundle.
        rate: of the recording, in Hz.
        settings: how it is listened to.
        live: whether windows that grow at a region's beginning are wanted, too.
    """

    def __init__(self, info: BundleInfo, rate: int, settings: Settings, *, live: bool) -> None:
        hop = round(settings.hop * info.rate)
        self._settings, self._rate, self._taken = settings, rate, 0
        self._resampler = None if rate == info.rate else soxr.ResampleStream(rate, info.rate, 1, "float32", "HQ")
        self._windows = Windows(info.rate, window=round(settings.window * info.rate), hop=hop, live=live)
        self._timeline = Timeline(info.labels, rate=info.rate, hop=hop)

    def push(self, block: Samples) -> list[Window]:
        """Take (channels, samples); return the windows that are complete."""
        mono = to_mono(block)
        self._taken += len(mono)
        return self._windows.feed(self._resampled(mono, last=False))

    def close(self) -> list[Window]:
        """Return the last windows."""
        rest = self._windows.feed(self._resampled(np.zeros(0, np.float32), last=True))
        return rest + self._windows.finish()

    def add(self, window: Window, probabilities: npt.NDArray[np.float32]) -> None:
        """Take the answer to a window."""
        self._timeline.add(window, probabilities)

    def result(self) -> Result:
        """Return what was heard, once all windows are answered."""
        duration = round(self._taken / self._rate, 4)
        return self._timeline.result(duration, min_confidence=self._settings.min_confidence)

    def _resampled(self, mono: Samples, *, last: bool) -> Samples:
        if self._resampler is None:
            return mono
        resampled: Samples = self._resampler.resample_chunk(mono, last=last)
        return np.clip(resampled, -1.0, 1.0, out=resampled)


class Stream:
    """A recording that comes in blocks. Made by `Recognizer.stream`; for one thread.

    The blocks' sizes change neither the updates nor the result, but for the rounding of the network's arithmetic.

    Attributes:
        closing: the updates that came to light in `finish`.
    """

    def __init__(self, model: Model, rate: int, settings: Settings) -> None:
        check_rate(rate, "stream")
        self._model, self._settings = model, settings
        self._track = Track(model.info, rate, settings, live=True)
        self.closing: list[Update] = []
        self._finished = False

    def feed(self, block: npt.ArrayLike) -> list[Update]:
        """Take the next sound.

        Args:
            block: (samples,) or (channels, samples), of any length; floats in [-1, 1], int16 or int32.

        Returns:
            An update for every hop of speech: how the last `window` seconds of it sound, or as many as there are.
            None in silence.

        Raises:
            AudioError: NaN, samples far beyond 1, another shape or type. The stream can go on.
            UsageError: after `finish`.
        """
        self._check_open()
        return self._answer(self._track.push(from_array(block, name="block")))

    def finish(self) -> Result:
        """End the stream and return the whole, as it is for a file."""
        self._check_open()
        self._finished = True
        self.closing = self._answer(self._track.close())
        return self._track.result()

    def _check_open(self) -> None:
        if self._finished:
            raise UsageError("The stream is finished; make another by Recognizer.stream().")

    def _answer(self, windows: list[Window]) -> list[Update]:
        updates = []
        labels, rate = self._model.info.labels, self._model.info.rate
        for window, (probabilities, _) in zip(windows, answers(self._model, windows), strict=True):
            self._track.add(window, probabilities)
            scores = dict(zip(labels, probabilities.astype(float).tolist(), strict=True))
            emotion, confidence = judge(scores, self._settings.min_confidence)
            start, end = round(window.start / rate, 4), round(window.end / rate, 4)
            updates.append(Update(start, end, emotion, scores, confidence))
        return updates


def answers(model: Model, windows: Sequence[Window]) -> list[Answer]:
    """Return what the network says of each window; those of like length are asked together."""
    found: dict[int, Answer] = {}
    order = sorted(range(len(windows)), key=lambda at: len(windows[at].samples))
    for at in range(0, len(order), _BATCH):
        batch = order[at : at + _BATCH]
        lengths = np.array([len(windows[each].samples) for each in batch])
        waveforms = np.zeros((len(batch), lengths.max()), np.float32)
        for row, each in zip(waveforms, batch, strict=True):
            row[: len(windows[each].samples)] = windows[each].samples
        outputs = model.run(waveforms, lengths)
        rows = zip(outputs.probabilities, outputs.embedding, strict=True)
        found.update(zip(batch, starmap(Answer, rows), strict=True))
    return [found[each] for each in range(len(windows))]
