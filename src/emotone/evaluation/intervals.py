"""How sure a metric is: intervals by bootstrap over speakers, because clips of one speaker are not independent."""

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

from emotone.evaluation.metrics import METRICS, check, confusions, from_confusions

__all__ = ["bootstrap", "bootstrap_gain", "clusters"]

_RESAMPLES = 2000
_MIDDLE = (0.025, 0.975)  # quantiles


def clusters(speakers: Sequence[str | None], clips: Sequence[str]) -> tuple[str, ...]:
    """Return what to resample: the speakers, or the clips where a speaker is unknown or all are the same one.

    With clips the interval says how sure the metric is for these speakers, not for others.
    """
    if None in speakers or len(set(speakers)) < 2:
        return tuple(clips)
    return tuple(str(speaker) for speaker in speakers)


def bootstrap(
    true: Sequence[str],
    predicted: Sequence[str],
    groups: Sequence[Hashable] | None,
    classes: Sequence[str],
    *,
    metrics: Sequence[str] = METRICS,
    resamples: int = _RESAMPLES,
    repeats: Sequence[Hashable] | None = None,
) -> dict[str, tuple[float, float]]:
    """Return 95 % percentile intervals of the metrics by cluster bootstrap.

    Whole groups (speakers) are drawn with replacement, as many as there are, and the metrics computed on all their
    samples; the interval holds the middle 95 % of them. (Davison and Hinkley, Bootstrap Methods and their
    Application, 1997, 3.8.) The same samples give the same intervals.

    Args:
        true: labels, shape (n,).
        predicted: labels, shape (n,).
        groups: the speaker of each sample. None, or one single group, falls back to every sample on its own.
        classes: every label that occurs, at least.
        metrics: which of `emotone.evaluation.metrics.METRICS`.
        resamples: how many times to draw.
        repeats: which run (seed) each sample is from, for several runs of one system on the same speakers. Metrics are
            then computed per run and averaged, and a drawn speaker brings its samples of all runs.

    Returns:
        metric -> (low, high), as fractions of 1.
    """
    found = _resampled(true, predicted, groups, classes, metrics, resamples, repeats)
    return {metric: _middle(values) for metric, values in found.items()}


def bootstrap_gain(
    true: Sequence[str],
    before: Sequence[str],
    after: Sequence[str],
    groups: Sequence[Hashable] | None,
    classes: Sequence[str],
    *,
    repeats: Sequence[Hashable] | None = None,
) -> dict[str, tuple[float, float]]:
    """Return 95 % percentile intervals of what the metrics gain from one answer to another on the same samples.

    The paired bootstrap: a drawn speaker brings the samples of both sides.

    Args:
        true: labels, shape (n,).
        before, after: the labels that were named, both of shape (n,).
        groups, classes, repeats: as of `bootstrap`.

    Returns:
        metric -> (low, high) of after minus before, as fractions of 1.
    """
    # Both sides draw the same speakers.
    first, second = (_resampled(true, side, groups, classes, METRICS, _RESAMPLES, repeats) for side in (before, after))
    return {metric: _middle(second[metric] - first[metric]) for metric in first}


def _middle(values: NDArray[np.float64]) -> tuple[float, float]:
    low, high = np.nanquantile(values, _MIDDLE)
    return float(low), float(high)


def _resampled(
    true: Sequence[str],
    predicted: Sequence[str],
    groups: Sequence[Hashable] | None,
    classes: Sequence[str],
    metrics: Sequence[str],
    resamples: int,
    repeats: Sequence[Hashable] | None,
) -> dict[str, NDArray[np.float64]]:
    """Return each metric of each draw of groups, averaged over the repeats: shape (resamples,)."""
    check(true, predicted, classes)
    group = _numbers(groups if groups is not None else range(len(true)))
    if group.max() == 0:
        group = np.arange(len(true))
    repeat = _numbers(repeats if repeats is not None else [0] * len(true))
    tables = confusions(true, predicted, classes, group, repeat)
    size = tables.shape[0]
    drawn = np.random.default_rng(0).multinomial(size, np.full(size, 1 / size), size=resamples)
    sums = (drawn.astype(np.float64) @ tables.reshape(size, -1)).reshape(resamples, *tables.shape[1:])
    # A run none of whose speakers was drawn counts for nothing in that resample.
    return {metric: np.nanmean(values, axis=1) for metric, values in from_confusions(sums, metrics).items()}


def _numbers(values: Sequence[Hashable] | range) -> NDArray[np.intp]:
    """Number the distinct values from 0 in order of appearance."""
    order: dict[Hashable, int] = {}
    return np.array([order.setdefault(value, len(order)) for value in values], dtype=np.intp)
