"""From the answers to windows to emotions over time."""

import math
from itertools import groupby

import numpy as np
import numpy.typing as npt

from emotone.recognition.result import NO_SPEECH, SILENCE, UNCERTAIN, Result, Segment, judge
from emotone.recognition.windows import Window

__all__ = ["Timeline"]

Array = npt.NDArray[np.float64]


class Timeline:
    """Gathers the answers to a recording's full windows.

    A region of speech is divided into cells of `hop`. A cell's scores are the mean over the windows that cover it, each
    counted by how much of the cell it covers: that smooths. The recording's scores are the mean over all cells by
    duration.

    Args:
        labels: in the order of the probabilities.
        rate: in Hz.
        hop: in samples.
    """

    def __init__(self, labels: tuple[str, ...], *, rate: int, hop: int) -> None:
        self._labels, self._rate, self._hop = labels, rate, hop
        self._cells: list[Array] = []  # of the open region: sums of what covers them, what of it is far, weight last
        self._starts: list[Array] = []
        self._ends: list[Array] = []
        self._scores: list[Array] = []
        self._far: list[npt.NDArray[np.bool_]] = []

    def add(self, window: Window, probabilities: npt.NDArray[np.float32], *, far: bool = False) -> None:
        """Take the answer to a window; a region's in their order. Where most windows are `far`, the emotion is
        uncertain.
        """
        if not window.full:
            return
        origin, hop = window.region.start, self._hop
        answer = np.append(probabilities.astype(np.float64), (far, 1.0))
        until = math.ceil((window.end - origin) / hop)
        self._cells += [np.zeros_like(answer) for _ in range(until - len(self._cells))]
        for cell in range((window.start - origin) // hop, until):
            start = origin + cell * hop
            self._cells[cell] += answer * (min(window.end, start + hop) - max(window.start, start))
        if window.last:
            cells = np.stack(self._cells)
            starts = origin + hop * np.arange(len(cells), dtype=np.float64)
            self._starts.append(starts)
            self._ends.append(np.append(starts[1:], window.end))
            scores = cells[:, :-2] / cells[:, -1:]
            self._far.append(cells[:, -2] > cells[:, -1] / 2)
            self._scores.append(scores / scores.sum(axis=1, keepdims=True))
            self._cells = []

    @property
    def speech(self) -> float:
        """Seconds of speech in all answers so far."""
        return sum(float(lengths.sum()) for lengths in self._lengths()) / self._rate

    @property
    def far(self) -> float:
        """Seconds of speech that are far from what the model was trained on."""
        return sum(float(each[far].sum()) for each, far in zip(self._lengths(), self._far, strict=True)) / self._rate

    def result(self, duration: float, *, min_confidence: float) -> Result:
        """Return the emotions over time and of the whole of a recording of `duration` seconds."""
        if not self._scores:
            silence = (Segment(0.0, duration, SILENCE, {}, 0.0),) if duration else ()
            return Result(NO_SPEECH, {}, 0.0, silence, duration)
        segments: list[Segment] = []
        reached = 0.0
        for starts, ends, scores, far in zip(self._starts, self._ends, self._scores, self._far, strict=True):
            begin = self._seconds(starts[0], duration)
            if begin > reached:
                segments.append(Segment(reached, begin, SILENCE, {}, 0.0))
            labels = [
                UNCERTAIN if unlike else judge(self._named(row), min_confidence)[0]
                for row, unlike in zip(scores, far, strict=True)
            ]
            for emotion, cells in groupby(range(len(labels)), key=labels.__getitem__):
                which = list(cells)
                named = self._mean(scores[which], ends[which] - starts[which])
                begin, reached = (self._seconds(each, duration) for each in (starts[which[0]], ends[which[-1]]))
                segments.append(Segment(begin, reached, emotion, named, max(named.values())))
        if duration > reached:
            segments.append(Segment(reached, duration, SILENCE, {}, 0.0))
        weights = np.concatenate(self._lengths())
        overall = self._mean(np.concatenate(self._scores), weights)
        emotion, confidence = judge(overall, min_confidence)
        if self.far > self.speech / 2:
            emotion = UNCERTAIN
        return Result(emotion, overall, confidence, tuple(segments), duration)

    def _lengths(self) -> list[Array]:
        """Return the samples of each region's cells."""
        return [ends - starts for starts, ends in zip(self._starts, self._ends, strict=True)]

    def _mean(self, scores: Array, weights: Array) -> dict[str, float]:
        mean = np.average(scores, axis=0, weights=weights)
        return self._named(mean / mean.sum())

    def _named(self, scores: Array) -> dict[str, float]:
        return dict(zip(self._labels, scores.tolist(), strict=True))

    def _seconds(self, sample: float, duration: float) -> float:
        return min(round(float(sample) / self._rate, 4), duration)
