"""A result's confidence is that of its own answers, over folds and seeds; what it lacks is said."""

from collections.abc import Callable

import numpy as np
import pytest

from emotone.evaluation.confidence import Confidence, confidence_of
from emotone.evaluation.pool import pool
from emotone.evaluation.record import RunRecord

Make = Callable[..., RunRecord]


def sure_of(run: RunRecord, confidence: float) -> RunRecord:
    """The run with the same answers, all given with this confidence."""
    size = len(run.classes)
    rows = tuple(
        tuple(confidence if label == named else (1 - confidence) / (size - 1) for label in run.classes)
        for named in run.predictions.predicted
    )
    return run.model_copy(update={"predictions": run.predictions.model_copy(update={"probabilities": rows})})


def found(*runs: RunRecord) -> Confidence:
    confidence = confidence_of(pool(runs))
    assert confidence is not None
    return confidence


def test_a_run_as_sure_as_it_is_right_has_no_error_and_one_too_sure_has_the_gap(make_record: Make) -> None:
    run = make_record(accuracy=0.6)
    accuracy = run.metrics["accuracy"]
    assert found(sure_of(run, accuracy)).error == pytest.approx(0, abs=1e-9)
    assert found(sure_of(run, 0.99)).error == pytest.approx(0.99 - accuracy)


def test_the_error_pools_folds_and_averages_seeds(make_record: Make) -> None:
    folds = [make_record(protocol="luna5", fold=fold, accuracy=0.5) for fold in range(5)]
    right = [
        one == other
        for run in folds
        for one, other in zip(run.predictions.true, run.predictions.predicted, strict=True)
    ]
    own = np.mean(right)
    assert found(*(sure_of(run, 0.9) for run in folds)).error == pytest.approx(0.9 - own)
    seeds = [make_record(seed=seed, accuracy=accuracy) for seed, accuracy in enumerate((0.4, 0.7))]
    gaps = [0.55 - run.metrics["accuracy"] for run in seeds]
    assert gaps[0] > 0 > gaps[1]
    assert found(*(sure_of(run, 0.55) for run in seeds)).error == pytest.approx(np.mean(np.abs(gaps)))


def test_at_full_coverage_the_risk_is_what_accuracy_lacks(make_record: Make) -> None:
    runs = [make_record(protocol="luna5", fold=fold, seed=seed) for fold in range(5) for seed in range(2)]
    confidence = found(*runs)
    coverage, risk = confidence.curve
    assert coverage[-1] == 1
    assert risk[-1] == pytest.approx(1 - pool(runs).metrics["accuracy"])
    assert confidence.answered(0) == (1, pytest.approx(risk[-1]))
    share, wrong = confidence.answered(0.5)
    assert 0 < share < 1 and wrong is not None and wrong < risk[-1]
    assert risk[np.argmin(np.abs(coverage - share))] == pytest.approx(wrong)
    assert confidence.answered(1.01) == (0, None)


def test_answers_without_probabilities_have_no_confidence(make_record: Make) -> None:
    run = make_record()
    silent = run.model_copy(update={"predictions": run.predictions.model_copy(update={"probabilities": ()})})
    assert confidence_of(pool([silent, make_record(seed=1)])) is None
