"""Accuracy, UAR, F1, precision and recall, from labels or, many at once, from confusion matrices."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from emotone.errors import UsageError, unknown

__all__ = ["METRICS", "confusion", "confusions", "from_confusions", "per_class", "summary"]

METRICS = ("accuracy", "uar", "macro_f1", "weighted_f1")
"""What `summary` returns. UAR and macro F1 are means over the classes that occur in the truth."""


def summary(true: Sequence[str], predicted: Sequence[str], classes: Sequence[str]) -> dict[str, float]:
    """Return the metrics of one set of predictions, as fractions of 1.

    UAR (unweighted average recall) and macro F1 are means over the classes that occur in `true`, so that a test set
    without some class is not punished for it; weighted F1 weighs each class by how often it occurs in `true`. A class
    that is never predicted has precision 0.

    Raises:
        UsageError: nothing to score, unequal lengths, or a label that is not in `classes`.

    >>> summary(["sad", "sad", "angry", "angry"], ["sad", "angry", "angry", "angry"], ["sad", "angry"])["uar"]
    0.75
    """
    check(true, predicted, classes)
    found = from_confusions(confusions(true, predicted, classes))
    return {metric: float(value) for metric, value in found.items()}


def per_class(true: Sequence[str], predicted: Sequence[str], classes: Sequence[str]) -> dict[str, dict[str, float]]:
    """Return precision, recall, f1 (fractions of 1) and support (clips of that class in `true`) of every class."""
    check(true, predicted, classes)
    counts = confusions(true, predicted, classes)
    hits, truth, named = np.diagonal(counts), counts.sum(axis=1), counts.sum(axis=0)
    some = np.maximum([named, truth, named + truth], 1)  # 0 of nothing is 0
    rows = np.stack([hits / some[0], hits / some[1], 2 * hits / some[2], truth], axis=1)
    names = ("precision", "recall", "f1", "support")
    return {label: dict(zip(names, map(float, row), strict=True)) for label, row in zip(classes, rows, strict=True)}


def confusion(true: Sequence[str], predicted: Sequence[str], classes: Sequence[str]) -> tuple[tuple[int, ...], ...]:
    """Return the counts, rows true, columns predicted, both in the order of `classes`."""
    check(true, predicted, classes)
    return tuple(map(tuple, confusions(true, predicted, classes).astype(int).tolist()))


def confusions(
    true: Sequence[str], predicted: Sequence[str], classes: Sequence[str], *groups: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Return one confusion matrix for every combination of groups: (*sizes of the groups, classes, classes).

    Args:
        true, predicted, classes: as `check` lets them pass.
        groups: ways to part the samples, each a number from 0 for every sample; none: one matrix of all.
    """
    position = {label: index for index, label in enumerate(classes)}
    rows, columns = (np.array([position[label] for label in labels]) for labels in (true, predicted))
    shape = (*(int(group.max()) + 1 for group in groups), len(classes), len(classes))
    cells = np.ravel_multi_index((*groups, rows, columns), shape)
    return np.bincount(cells, minlength=int(np.prod(shape))).reshape(shape).astype(np.float64)


def from_confusions(matrices: NDArray[np.float64], metrics: Sequence[str] = METRICS) -> dict[str, NDArray[np.float64]]:
    """Return the metrics of many confusion matrices at once, as `summary` defines them.

    Args:
        matrices: shape (..., classes, classes), rows true. Counts may be weighted.
        metrics: which of `METRICS` to compute.

    Returns:
        metric -> array of shape (...). A matrix without any count gives NaN.
    """
    stray = set(metrics).difference(METRICS)
    if stray:
        raise unknown("metric", min(stray), METRICS)
    hits = np.diagonal(matrices, axis1=-2, axis2=-1)
    truth = matrices.sum(axis=-1)
    total = truth.sum(axis=-1)
    occurs = truth > 0
    number = occurs.sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        results = {"accuracy": hits.sum(axis=-1) / total}
        if "uar" in metrics:
            results["uar"] = np.where(occurs, hits / truth, 0).sum(axis=-1) / number
        if {"macro_f1", "weighted_f1"}.intersection(metrics):
            # 2 hits / (truth + predictions) is 2PR / (P + R), and 0 where neither precision nor recall is above 0.
            f1 = np.where(occurs, 2 * hits / (truth + matrices.sum(axis=-2)), 0)
            results["macro_f1"] = f1.sum(axis=-1) / number
            results["weighted_f1"] = (f1 * truth).sum(axis=-1) / total
    return {metric: results[metric] for metric in metrics}


def check(true: Sequence[str], predicted: Sequence[str], classes: Sequence[str]) -> None:
    """Refuse labels that cannot be scored: none, unequal in number, or not among `classes`."""
    if len(true) == 0:
        raise UsageError("No predictions to score.")
    if len(true) != len(predicted):
        raise UsageError(f"{len(true)} true labels but {len(predicted)} predictions.")
    stray = set(true).union(predicted).difference(classes)
    if stray:
        raise unknown("class", min(stray), classes)
