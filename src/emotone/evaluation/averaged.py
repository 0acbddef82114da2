"""What many runs answer together: how much of a system's error is the luck of a training, and how much all share."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from emotone.errors import UsageError
from emotone.evaluation.metrics import summary
from emotone.evaluation.record import RunRecord

__all__ = ["averaged"]


def averaged(runs: Iterable[RunRecord]) -> dict[str, float]:
    """Return the metrics of the mean of the runs' probabilities, sample by sample.

    Args:
        runs: of one or several systems, seeds and folds, all with the same classes.

    Raises:
        UsageError: the runs have other classes, or one tested what others did not.
    """
    heard: dict[tuple[str, str], list[NDArray[np.float64]]] = {}
    true: dict[tuple[str, str], str] = {}
    classes: set[tuple[str, ...]] = set()
    for run in runs:
        told = run.predictions
        classes.add(run.classes)
        samples = zip(told.clip, told.variant, strict=True)
        for sample, label, scores in zip(samples, told.true, told.probabilities, strict=True):
            heard.setdefault(sample, []).append(np.asarray(scores))
            true[sample] = label
    if len(classes) != 1 or len({len(each) for each in heard.values()}) != 1:
        raise UsageError("Only runs with the same classes, tested on the same samples, can be averaged.")
    (names,) = classes
    predicted = [names[int(np.mean(each, axis=0).argmax())] for each in heard.values()]
    return summary([true[sample] for sample in heard], predicted, names)
