"""What knowing the speaker adds: the same runs, adapted by other, unlabelled clips of the speaker of each test clip."""

from dataclasses import dataclass

import numpy as np

from emotone.evaluation.intervals import bootstrap_gain, clusters
from emotone.evaluation.metrics import confusion, per_class
from emotone.evaluation.pool import Pooled, pool
from emotone.evaluation.record import RunRecord

__all__ = ["Adaptation", "Gain", "adaptation"]


@dataclass(frozen=True, slots=True)
class Gain:
    """A metric of the adapted system minus that of the plain one on the same clips, as a fraction of 1.

    Attributes:
        value: the gain.
        low, high: its 95 % interval, by paired bootstrap over speakers.
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Adaptation:
    """One system under one protocol, adapted to the speakers. It never mixes with the plain result.

    Attributes:
        pooled: its runs as they are once the speakers are known.
        gain: metric -> what that adds.
    """

    pooled: Pooled
    gain: dict[str, Gain]


def adaptation(plain: Pooled) -> Adaptation | None:
    """Return a system's result adapted to the speakers; None where a run has none, for both must judge the same."""
    runs = [_once_known(run) for run in plain.runs]
    known = [run for run in runs if run is not None]
    if len(known) < len(runs):
        return None
    adapted = pool(known)
    told = plain.predictions
    intervals = bootstrap_gain(
        told.true,
        told.predicted,
        adapted.predictions.predicted,
        clusters(told.speaker, told.clip),
        plain.classes,
        repeats=[run.seed for run in plain.runs for _ in run.predictions.true],
    )
    return Adaptation(
        adapted,
        {name: Gain(adapted.metrics[name] - plain.metrics[name], *intervals[name]) for name in intervals},
    )


def _once_known(run: RunRecord) -> RunRecord | None:
    """Return the run as if its adapted answers were its answers."""
    if run.adapted is None:
        return None
    true = run.predictions.true
    predicted = tuple(run.classes[index] for index in np.argmax(run.adapted.probabilities, axis=1))
    answers = {"predicted": predicted, "probabilities": run.adapted.probabilities}
    return run.model_copy(
        update={
            "metrics": run.adapted.metrics,
            "intervals": run.adapted.intervals,
            "per_class": per_class(true, predicted, run.classes),
            "confusion": confusion(true, predicted, run.classes),
            "predictions": run.predictions.model_copy(update=answers),
            "adapted": None,
        }
    )
