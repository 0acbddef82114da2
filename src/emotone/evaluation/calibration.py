"""Whether a probability means what it says: temperature, expected calibration error, risk against coverage."""

import numpy as np
from numpy.typing import NDArray

from emotone.errors import UsageError

__all__ = ["calibration_error", "fit_temperature", "risk_coverage", "soften"]

Array = NDArray[np.floating]

_LOWEST, _HIGHEST = 0.05, 20.0  # temperatures that are believed
_SMALLEST = 1e-12  # a probability of 0 has no logarithm


def soften(probabilities: Array, temperature: float) -> NDArray[np.float64]:
    """Return softmax(logits / temperature) for the softmax of the same logits, (clips, classes). 1 changes nothing."""
    from scipy.special import softmax

    logits = np.log(np.maximum(np.asarray(probabilities, np.float64), _SMALLEST))
    softened: NDArray[np.float64] = softmax(logits / temperature, axis=1)
    return softened


def fit_temperature(
    probabilities: Array, true: NDArray[np.intp] | NDArray[np.bool_], weights: NDArray[np.floating] | None = None
) -> float:
    """Return the temperature under which clips that the model has not seen are likeliest (Guo et al., 2017).

    Args:
        probabilities: (clips, classes), each row of sum 1.
        true: class indices, (clips,); or (clips, classes), true for what a clip's label may mean.
        weights: of the clips, (clips,); None where all weigh the same.

    Returns:
        Between 0.05 and 20; above 1 for a model that is too sure of itself.

    Raises:
        UsageError: no clips.
    """
    from scipy.optimize import minimize_scalar

    _check(probabilities, true)
    meant = true if true.ndim == 2 else np.eye(probabilities.shape[1], dtype=bool)[true]

    def surprise(log_temperature: float) -> float:
        softened = soften(probabilities, float(np.exp(log_temperature)))
        own = (softened * meant).sum(axis=1)
        return float(-np.average(np.log(np.maximum(own, _SMALLEST)), weights=weights))

    found = minimize_scalar(surprise, bounds=(np.log(_LOWEST), np.log(_HIGHEST)), method="bounded")
    return float(np.exp(found.x))


def calibration_error(confidence: Array, right: NDArray[np.bool_], *, bins: int = 15) -> float:
    """Return the expected calibration error: by how much confidence and accuracy differ, on average over clips.

    Clips are put into `bins` equal ranges of confidence; a bin counts by its clips (Naeini et al., 2015; Guo et al.,
    2017). 0 is best, 1 is worst.

    Args:
        confidence: the probability of the class that was named, from 0 to 1, (clips,).
        right: whether that class is the true one, (clips,).
        bins: how many ranges.

    Raises:
        UsageError: no clips.
    """
    _check(confidence, right)
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = np.bincount(place, weights=right - confidence, minlength=bins)
    return float(np.abs(gaps).sum() / len(right))


def risk_coverage(confidence: Array, right: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what refusing unsure answers buys: the share of clips answered, and the share of wrong ones among these.

    The surest clips are answered first; clips of equal confidence come together, for no threshold parts them
    (Geifman and El-Yaniv, 2017).

    Args:
        confidence: of the class that was named, (clips,).
        right: whether that class is the true one, (clips,).

    Returns:
        coverage, rising to 1, and risk, both of shape (different confidences,).

    Raises:
        UsageError: no clips.
    """
    _check(confidence, right)
    order = np.argsort(-confidence, kind="stable")
    wrong = np.cumsum(~np.asarray(right, bool)[order])
    answered = np.arange(1, len(right) + 1)
    last = np.append(np.diff(confidence[order]) != 0, True)
    return answered[last] / len(right), wrong[last] / answered[last]


def _check(judged: Array, true: NDArray[np.bool_] | NDArray[np.intp]) -> None:
    if len(true) == 0 or len(true) != len(judged):
        raise UsageError(f"{len(judged)} answers and {len(true)} true ones cannot be compared.")
