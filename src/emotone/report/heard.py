"""What the recogniser answered to some clips, as the page shows it: times from the clip's beginning, in seconds."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from emotone.report.words import percent

__all__ = ["TONES", "Clip", "Heard", "Span", "spans_said", "ticks"]

TONES = {
    "neutral": "soft",
    "calm": "green",
    "happy": "yellow",
    "sad": "blue",
    "angry": "vermilion",
    "fearful": "purple",
    "disgust": "brown",
    "surprised": "teal",
}
"""Emotion -> the name of its colour; any other is `soft`. The emotion always stands beside it in words."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a clip: an emotion with its confidence, "uncertain", or "silence"."""

    start: float
    end: float
    emotion: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Clip:
    """A clip, the emotion that its corpus states, and the answer: an emotion, "uncertain" or "no speech".

    Attributes:
        confidence: of the answer, a fraction of 1; 0 without speech.
        duration: in seconds.
        spans: from the beginning to the end without gaps.
    """

    name: str
    speaker: str | None
    stated: str
    emotion: str
    confidence: float
    duration: float
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Heard:
    """A model's answers.

    Attributes:
        model: its id.
        known: the corpora of these clips that the model was trained on.
        synthetic: whether the clips are of computer-made voices.
    """

    model: str
    known: tuple[str, ...]
    synthetic: bool
    clips: tuple[Clip, ...]

    @property
    def seconds(self) -> float:
        """How far the axis of all clips reaches: that of the longest, to the next tick."""
        longest = max(clip.duration for clip in self.clips)
        step = _step(longest)
        return step * ceil(longest / step)


def ticks(heard: Heard) -> Sequence[float]:
    """Return the marks of the axis in seconds, at most seven."""
    step = _step(max(clip.duration for clip in heard.clips))
    return [step * place for place in range(round(heard.seconds / step) + 1)]


def _step(seconds: float) -> float:
    for step in (0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600):
        if seconds <= 6 * step:
            return step
    return seconds / 6


def spans_said(clip: Clip) -> str:
    """Read a timeline aloud."""
    said = [
        f"{span.start:.1f} to {span.end:.1f} s {span.emotion}"
        + (f", {percent(span.confidence, 0)}\u00a0%" if span.confidence else "")
        for span in clip.spans
    ]
    return "; ".join(said)
