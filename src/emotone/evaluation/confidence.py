"""How far a system's confidence can be believed: its calibration error, and what keeping silent when unsure buys."""

from dataclasses import dataclass
from functools import cached_property
from statistics import mean

import numpy as np
from numpy.typing import NDArray

from emotone.evaluation.calibration import calibration_error, risk_coverage
from emotone.evaluation.pool import Pooled

__all__ = ["THRESHOLDS", "Confidence", "confidence_of"]

THRESHOLDS = (0.5, 0.7, 0.9)
"""The least confidences at which tables say how many clips are still answered, and how many of these wrongly."""


@dataclass(frozen=True)
class Confidence:
    """Every test sample of all runs of a system: how sure the answer was, and whether it was right.

    Attributes:
        confidence: the probability of the class that was named, as a fraction of 1, shape (samples,).
        right: shape (samples,), of bool.
        seed: of the run that each sample is from, shape (samples,).
    """

    confidence: NDArray[np.float64]
    right: NDArray[np.bool_]
    seed: NDArray[np.intp]

    @cached_property
    def error(self) -> float:
        """The expected calibration error: per seed on the samples of all folds together, then the mean over seeds."""
        parts = [self.seed == seed for seed in np.unique(self.seed)]
        return mean(calibration_error(self.confidence[part], self.right[part]) for part in parts)

    @cached_property
    def curve(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Coverage and risk as of `risk_coverage`, one threshold for all runs."""
        return risk_coverage(self.confidence, self.right)

    def answered(self, threshold: float) -> tuple[float, float | None]:
        """Return the share of samples that are at least so sure, and the share of wrong ones among these, if any."""
        sure = self.confidence >= threshold
        return float(sure.mean()), float(1 - self.right[sure].mean()) if sure.any() else None


def confidence_of(pooled: Pooled) -> Confidence | None:
    """Return the confidence of a system's answers; None where a run has no probabilities."""
    if any(len(run.predictions.probabilities) != len(run.predictions.true) for run in pooled.runs):
        return None
    told = pooled.predictions
    return Confidence(
        confidence=np.concatenate([np.max(run.predictions.probabilities, axis=1) for run in pooled.runs]),
        right=np.array([one == other for one, other in zip(told.true, told.predicted, strict=True)]),
        seed=np.repeat([run.seed for run in pooled.runs], [len(run.predictions.true) for run in pooled.runs]),
    )
