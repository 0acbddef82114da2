"""Sound in, block by block; emotions out."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import starmap
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import soxr

from emotone.audio import CANCELLED, Mixer, Samples, check_rate, from_array
from emotone.bundle import BundleInfo
from emotone.errors import AudioError, UsageError
from emotone.recognition.result import Result, Update, judge
from emotone.recognition.speaker import Model
from emotone.recognition.timeline import Timeline
from emotone.recognition.windows import Window, Windows

__all__ = ["Answer", "Settings", "Stream", "Tally", "Track", "answers"]

_LONGEST = 60.0
_SHORTEST = 0.05
_BATCH = 2  # windows; of more of them, what lies between two layers no longer fits the cache of a core
_NEVER = 2.0  # a confidence that no answer has


@dataclass(frozen=True, slots=True)
class Settings:
    """How a recording is listened to.

    Attributes:
        window: seconds that one answer is given for.
        hop: seconds between answers.
        min_confidence: below it an emotion is "uncertain"; None where that depends on how much speech there is, and on
            whether it is like what the model was trained on.
    """

    window: float
    hop: float
    min_confidence: float | None

    @classmethod
    def of(
        cls,
        info: BundleInfo,
        *,
        window: float | None = None,
        hop: float | None = None,
        min_confidence: float | None = None,
    ) -> "Settings":
        """Fill in what the model was made for; `UsageError` for what cannot be."""
        window = info.window if window is None else window
        hop = min(info.hop, window) if hop is None else hop
        if not _SHORTEST <= window <= _LONGEST:
            raise UsageError(f"window is {window:g} s; it must lie in {_SHORTEST:g} to {_LONGEST:g} s.")
        if not _SHORTEST <= hop <= window:
            raise UsageError(f"hop is {hop:g} s; it must lie in {_SHORTEST:g} s to the window's {window:g} s.")
        if min_confidence is not None and not 0 <= min_confidence <= 1:
            raise UsageError(f"min_confidence is {min_confidence:g}; it must lie in 0 to 1.")
        return cls(window, hop, min_confidence)


class Answer(NamedTuple):
    """What the network says of a window.

    Attributes:
        probabilities: (classes,).
        embedding: that they come of, (width,).
        far: whether that is far from those of training.
        attention: over the window, (steps,); None of a model without such an output.
    """

    probabilities: npt.NDArray[np.float32]
    embedding: npt.NDArray[np.float32]
    far: bool = False
    attention: npt.NDArray[np.float32] | None = None


class Tally:
    """The answers to the windows of one recording, and what comes of them.

    Args:
        info: of the bundle.
        settings: how the recording is listened to.
        start: second of it at which the windows' count begins.
    """

    def __init__(self, info: BundleInfo, settings: Settings, *, start: float = 0.0) -> None:
        self._settings, self._start, self._shortest = settings, start, info.shortest
        self._timeline = Timeline(info.labels, rate=info.rate, hop=round(settings.hop * info.rate))

    def add(self, window: Window, answer: Answer) -> None:
        """Take the answer to a window."""
        self._timeline.add(window, answer.probabilities, far=answer.far and self._settings.min_confidence is None)

    def result(self, duration: float, known: Sequence[str]) -> Result:
        """Return what was heard, once all windows are answered.

        Args:
            duration: of the recording, in seconds.
            known: what is to be known of it.
        """
        notes, least = list(known), self._settings.min_confidence
        if least is None and self._shortest and 0 < (speech := self._timeline.speech) < self._shortest:
            notes.append(
                f"{speech:.2f} s of speech; the model was trained on no less than {self._shortest:.2f} s "
                "(min_confidence 0 gives its answer all the same)"
            )
            least = _NEVER
        elif self._timeline.far:
            notes.append(
                f"{self._timeline.far:.2f} s of {self._timeline.speech:.2f} s of speech are unlike what the model was "
                "trained on (min_confidence 0 gives its answer all the same)"
            )
        result = self._timeline.result(duration, min_confidence=least or 0.0)
        return replace(result.later(self._start), notes=tuple(notes))


class Track:
    """One recording on its way: everything but the network.

    Args:
        info: of the bundle.
        rate: of the recording, in Hz.
        settings: how it is listened to.
        live: whether windows that grow at a region's beginning are wanted, too.
        start: second of the recording at which what is pushed begins.

    Attributes:
        notes: what is to be known of the recording; once it is closed.
    """

    def __init__(self, info: BundleInfo, rate: int, settings: Settings, *, live: bool, start: float = 0.0) -> None:
        hop = round(settings.hop * info.rate)
        self._rate, self._taken, self.notes = rate, 0, list[str]()
        self._mixer = Mixer(rate)
        self._resampler = None if rate == info.rate else soxr.ResampleStream(rate, info.rate, 1, "float32", "HQ")
        self._windows = Windows(info.rate, window=round(settings.window * info.rate), hop=hop, live=live)
        self._tally = Tally(info, settings, start=start)

    def push(self, block: Samples) -> list[Window]:
        """Take (channels, samples); return the windows that are complete."""
        self._taken += block.shape[1]
        return self._windows.feed(self._resampled(self._mixer.feed(block), last=False))

    def close(self, notes: Sequence[str] = ()) -> list[Window]:
        """Return the last windows; take what is to be known of the recording."""
        self.notes = [*notes, *([CANCELLED] if self._mixer.cancelled else [])]
        rest = self._windows.feed(self._resampled(self._mixer.finish(), last=True))
        rest += self._windows.finish()
        del self._mixer, self._resampler, self._windows
        return rest

    @property
    def speaking(self) -> bool:
        """Whether the last sound that was decided on is speech; before `close`."""
        return self._windows.speaking

    @property
    def duration(self) -> float:
        """Seconds that were taken in."""
        return round(self._taken / self._rate, 4)

    def add(self, window: Window, answer: Answer) -> None:
        """Take the answer to a window."""
        self._tally.add(window, answer)

    def result(self) -> Result:
        """Return what was heard, once all windows are answered."""
        return self._tally.result(self.duration, self.notes)

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

    def __init__(self, model: Model, rate: int, settings: Settings, *, channels_last: bool | None = None) -> None:
        check_rate(rate, "stream")
        self._model, self._settings, self._channels_last = model, settings, channels_last
        self._channels: int | None = None
        self._track = Track(model.info, rate, settings, live=True)
        self.closing: list[Update] = []
        self._finished = False

    def feed(self, block: npt.ArrayLike) -> list[Update]:
        """Take the next sound.

        Args:
            block: (samples,), (channels, samples), or (samples, channels) of a stream made with `channels_last`; of
                any length; floats in [-1, 1], int16 or int32.

        Returns:
            An update for every hop of speech: how the last `window` seconds of it sound, or as many as there are.
            None in silence.

        Raises:
            AudioError: NaN, samples far beyond 1, another shape or type, other channels than before. The stream can go
                on.
            UsageError: after `finish`.
        """
        self._check_open()
        samples = from_array(block, name="block", channels_last=self._channels_last)
        if self._channels not in (None, len(samples)):
            raise AudioError(f"block: has {len(samples)} channels; those before it had {self._channels}")
        self._channels = len(samples)
        return self._answer(self._track.push(samples))

    def finish(self) -> Result:
        """End the stream and return the whole, as it is for a file."""
        self._check_open()
        self._finished = True
        self.closing = self._answer(self._track.close())
        return self._track.result()

    @property
    def speaking(self) -> bool:
        """Whether the last sound that was decided on, about 0.2 s ago, is speech; False after `finish`."""
        return not self._finished and self._track.speaking

    def _check_open(self) -> None:
        if self._finished:
            raise UsageError("The stream is finished; make another by Recognizer.stream().")

    def _answer(self, windows: list[Window]) -> list[Update]:
        updates = []
        labels, rate = self._model.info.labels, self._model.info.rate
        for window, answer in zip(windows, answers(self._model, windows), strict=True):
            self._track.add(window, answer)
            scores = dict(zip(labels, answer.probabilities.astype(float).tolist(), strict=True))
            cautious = self._settings.min_confidence is None and answer.far
            emotion, confidence = judge(scores, _NEVER if cautious else self._settings.min_confidence or 0.0)
            start, end = round(window.start / rate, 4), round(window.end / rate, 4)
            attention = None if answer.attention is None else tuple(answer.attention.tolist())
            updates.append(Update(start, end, emotion, scores, confidence, attention))
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
        far = model.are_far(outputs.embedding).tolist()
        weights = [None] * len(batch) if outputs.attention is None else map(_trimmed, outputs.attention)
        rows = zip(outputs.probabilities, outputs.embedding, far, weights, strict=True)
        found.update(zip(batch, starmap(Answer, rows), strict=True))
    return [found[each] for each in range(len(windows))]


def _trimmed(attention: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return the weights up to a clip's own end, beyond which they are zero."""
    return np.trim_zeros(attention, "b")
