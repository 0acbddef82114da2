"""What a recognition gives: emotions over time, and of the whole."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from emotone.errors import EmotoneError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["NO_SPEECH", "SILENCE", "UNCERTAIN", "Result", "Segment", "Update", "combine", "judge"]

NO_SPEECH, SILENCE, UNCERTAIN = "no speech", "silence", "uncertain"
"""What stands in place of an emotion: for a recording without speech, between speech, below the wanted confidence."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of a recording with one emotion, or of silence.

    Attributes:
        start, end: in seconds.
        emotion: a label of the model; "silence"; or "uncertain".
        scores: label -> probability, which sum to 1; empty for silence.
        confidence: the largest score; 0 for silence.
    """

    start: float
    end: float
    emotion: str
    scores: Mapping[str, float]
    confidence: float

    def to_dict(self) -> dict[str, Any]:
        """Return what JSON can hold."""
        return {
            "start": self.start,
            "end": self.end,
            "emotion": self.emotion,
            "confidence": self.confidence,
            "scores": dict(self.scores),
        }


@dataclass(frozen=True, slots=True)
class Update(Segment):
    """What a live stream heard last: as a segment, whose start and end are those of the speech that was heard.

    Attributes:
        attention: the network's weights over time, evenly from start to end; None of a model without such an output.
    """

    attention: tuple[float, ...] | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """What a recording says.

    Attributes:
        emotion: a label of the model; "uncertain", where the confidence is below the least one asked for; or "no
            speech".
        scores: label -> probability over all speech, which sum to 1; empty without speech.
        confidence: the largest score; 0 without speech.
        segments: emotions over time, from the beginning to the end without gaps.
        duration: of what was listened to, in seconds.
        start: where that begins in the recording, in seconds; the segments' times are the recording's.
        notes: what is to be known of the recording: that it is cut short, for instance.
    """

    emotion: str
    scores: Mapping[str, float]
    confidence: float
    segments: tuple[Segment, ...]
    duration: float
    start: float = 0.0
    notes: tuple[str, ...] = ()

    def later(self, seconds: float) -> "Result":
        """Return the result of the same sound that begins so much later in its recording."""
        if not seconds:
            return self
        moved = [
            replace(each, start=round(each.start + seconds, 4), end=round(each.end + seconds, 4))
            for each in self.segments
        ]
        return replace(self, segments=tuple(moved), start=round(self.start + seconds, 4))

    @property
    def speech(self) -> float:
        """Seconds of speech."""
        return round(sum(each.end - each.start for each in self.segments if each.emotion != SILENCE), 3)

    def to_dict(self) -> dict[str, Any]:
        """Return what JSON can hold."""
        return {
            "emotion": self.emotion,
            "confidence": self.confidence,
            "start": self.start,
            "duration": self.duration,
            "speech": self.speech,
            "scores": dict(self.scores),
            "segments": [segment.to_dict() for segment in self.segments],
            "notes": list(self.notes),
        }

    def to_json(self, *, indent: int | None = None) -> str:
        """Return `to_dict` as JSON."""
        return json.dumps(self.to_dict(), indent=indent, ensure_ascii=False)

    def to_frame(self) -> "pd.DataFrame":
        """Return a row per segment: start, end, emotion, confidence, and a column per label, NaN in silence."""
        try:
            import pandas as pd
        except ImportError:
            raise EmotoneError("to_frame() needs pandas: pip install pandas") from None
        named = ("start", "end", "emotion", "confidence")
        rows = [{**{name: getattr(each, name) for name in named}, **each.scores} for each in self.segments]
        return pd.DataFrame(rows, columns=[*named, *self.scores])


def combine(results: Sequence[Result], *, min_confidence: float | None) -> Result:
    """Return what several stretches say together, each counted by its speech: all that one speaker says, for instance.

    Args:
        results: of the stretches, in their order.
        min_confidence: below it the emotion is "uncertain"; None where it is so if most of the speech lies in stretches
            that are, whose notes then are the whole's.
    """
    segments = tuple(segment for each in results for segment in each.segments)
    duration = round(sum(each.duration for each in results), 4)
    spoken = [each for each in results if each.scores]
    if not spoken:
        return Result(NO_SPEECH, {}, 0.0, segments, duration, results[0].start)
    total = sum(each.speech for each in spoken)
    scores = {label: sum(each.scores[label] * each.speech for each in spoken) / total for label in spoken[0].scores}
    emotion, confidence = judge(scores, min_confidence or 0.0)
    whole = Result(emotion, scores, confidence, segments, duration, results[0].start)
    unsure = [each for each in spoken if each.emotion == UNCERTAIN] if min_confidence is None else []
    if sum(each.speech for each in unsure) > total / 2:
        notes = tuple(dict.fromkeys(note for each in unsure for note in each.notes))
        return replace(whole, emotion=UNCERTAIN, notes=notes)
    return whole


def judge(scores: Mapping[str, float], least: float) -> tuple[str, float]:
    """Return the emotion with the largest score and that score; "uncertain" where it is below `least`."""
    emotion = max(scores, key=scores.__getitem__)
    confidence = scores[emotion]
    return (emotion if confidence >= least else UNCERTAIN), confidence
