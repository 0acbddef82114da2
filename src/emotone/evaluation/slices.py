"""Where a system is good and where not: accuracy by gender, intensity, statement, emotion and speaker."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from emotone.emotions import EMOTIONS
from emotone.evaluation.intervals import bootstrap, clusters
from emotone.evaluation.metrics import check, summary
from emotone.evaluation.record import Predictions

__all__ = ["SLICES", "Slice", "slices"]

SLICES = ("gender", "intensity", "statement", "emotion", "speaker")
"""What test samples are told apart by."""


@dataclass(frozen=True, slots=True)
class Slice:
    """A system's result on a part of the test samples.

    Attributes:
        slice: one of `SLICES`.
        value: the part's value, "female" for instance.
        clips: how many test samples it has.
        accuracy: fraction of 1.
        uar: mean recall over the classes that occur in this part, fraction of 1.
        interval: 95 % interval of the accuracy, by bootstrap over speakers; over clips where there is one speaker.
    """

    slice: str
    value: str
    clips: int
    accuracy: float
    uar: float
    interval: tuple[float, float]


def slices(predictions: Predictions, classes: Sequence[str], *, by: Sequence[str] = SLICES) -> list[Slice]:
    """Return the result on every part of the test samples, in the order of `by`, then by value.

    Samples that do not state a value (no gender given, say) are left out of that slice.
    """
    check(predictions.true, predictions.predicted, classes)
    results = []
    for name in by:
        values: Sequence[str | None] = getattr(predictions, name)
        for value in sorted({value for value in values if value is not None}, key=_order):
            results.append(_slice(predictions, classes, name, value, [i for i, v in enumerate(values) if v == value]))
    return results


def _slice(predictions: Predictions, classes: Sequence[str], name: str, value: str, where: list[int]) -> Slice:
    true = [predictions.true[i] for i in where]
    predicted = [predictions.predicted[i] for i in where]
    groups = clusters([predictions.speaker[i] for i in where], [predictions.clip[i] for i in where])
    metrics = summary(true, predicted, classes)
    interval = bootstrap(true, predicted, groups, classes, metrics=("accuracy",), resamples=1000)["accuracy"]
    return Slice(name, value, len(where), metrics["accuracy"], metrics["uar"], interval)


def _order(value: str) -> tuple[int, list[tuple[int, str]]]:
    """Emotions in their own order, anything else as a person would sort it: 2 before 10."""
    if value in EMOTIONS:
        return EMOTIONS.index(value), []
    return len(EMOTIONS), [(int(part), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", value)]
