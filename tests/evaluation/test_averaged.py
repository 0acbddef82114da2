"""Runs answer together by the mean of their probabilities, and only where they were asked the same."""

import pytest

from emotone.errors import UsageError
from emotone.evaluation.averaged import averaged
from emotone.evaluation.record import RunRecord

from .test_pool import run


def told(*happy: float, seed: int = 0, fold: int = 0) -> RunRecord:
    """A run on clips that are all happy, with so much of *happy* in its answers."""
    record = run(len(happy), 0, seed=seed, fold=fold, folds=2)
    scores = tuple((each, 1 - each) for each in happy)
    return record.model_copy(update={"predictions": record.predictions.model_copy(update={"probabilities": scores})})


def test_the_surer_run_decides_and_folds_are_put_together() -> None:
    seeds = [told(0.4, 0.9, seed=0), told(0.7, 0.2, seed=1)]  # means 0.55 and 0.55
    assert averaged(seeds)["accuracy"] == 1
    assert averaged(seeds[:1])["accuracy"] == 0.5
    others = [told(0.1, 0.1, seed=seed, fold=1) for seed in (0, 1)]
    assert averaged([*seeds, *others])["accuracy"] == 0.5


def test_what_was_asked_otherwise_is_refused() -> None:
    other = told(0.4).model_copy(update={"classes": ("happy", "angry")})
    for runs in ([told(0.4), other], [told(0.4), told(0.4, 0.9, seed=1)], []):
        with pytest.raises(UsageError, match="same classes, tested on the same samples"):
            averaged(runs)
