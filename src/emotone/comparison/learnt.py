"""What a trained system's scaler and padding were fit on: training clips alone, or more than that."""

from collections.abc import Callable

import numpy as np

from emotone.audit import Finding
from emotone.comparison.run import items_of
from emotone.corpora.base import Corpus
from emotone.protocols import Fold, Sample
from emotone.training.frames import frames_of
from emotone.training.preparation import Preparation
from emotone.training.system import FittedSystem

__all__ = ["learnt_from"]

_NEAR = 1e-4  # of a feature's deviation: by so much other machines' arithmetic may differ


def learnt_from(
    system: FittedSystem, fold: Fold, corpus: Corpus, *, on_progress: Callable[[int, int], None] | None = None
) -> list[Finding]:
    """Compare what a system's preparation learnt (length, means, deviations) with what the training samples give.

    Returns:
        Nothing where the two agree; else one finding: a leak, or a note where validation clips explain it.
    """
    recipe, own = system.recipe, system.preparation
    samples = [*fold.train, *fold.validation, *fold.test]
    extracted = frames_of(recipe, items_of(samples, corpus), encoder=system.encoder, on_progress=on_progress)
    frames = dict(zip(samples, extracted, strict=True))

    def apart(*parts: tuple[Sample, ...]) -> int:
        fitted = [frames[sample] for part in parts for sample in part]
        return _differing(own, Preparation.fit(fitted, recipe.features, recipe.scaler))

    count = apart(fold.train)
    if not count:
        return []
    values = 1 if own.mean is None else 1 + own.mean.size
    if not apart(fold.train, fold.test) or not apart(fold.train, fold.validation, fold.test):
        return [Finding("scaler", "leak", "feature statistics are fit on test clips too", count, values, "values")]
    if not apart(fold.train, fold.validation):
        return [
            Finding("scaler", "note", "feature statistics are fit on validation clips too", count, values, "values")
        ]
    return [
        Finding("scaler", "leak", "feature statistics are not those of the training clips", count, values, "values")
    ]


def _differing(own: Preparation, other: Preparation) -> int:
    """Return how many of the values that `own` learnt are not those of `other`: the length, means and deviations."""
    count = int(own.n_frames != other.n_frames)
    if own.mean is None or own.scale is None or other.mean is None or other.scale is None:
        return count
    if own.mean.shape != other.mean.shape:  # of another length
        return count + own.mean.size
    means, deviations = abs(own.mean - other.mean), abs(own.scale - other.scale)
    return count + int((np.maximum(means, deviations) > _NEAR * other.scale).sum())
