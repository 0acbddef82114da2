"""What knowing the speaker adds is measured on the same clips, speaker by speaker, and apart from the plain result."""

from collections.abc import Callable

import numpy as np
import pytest

from emotone.evaluation.adapted import adaptation
from emotone.evaluation.paired import all_outcomes, difference
from emotone.evaluation.pool import pool
from emotone.evaluation.record import RunRecord

Make = Callable[..., RunRecord]


@pytest.fixture(scope="module")
def runs(make_record: Make) -> list[RunRecord]:
    return [
        make_record("emotone/base", "luna5", fold=fold, seed=seed, accuracy=0.5, adapted=0.6)
        for fold in range(5)
        for seed in range(2)
    ]


def test_the_adapted_result_is_that_of_the_adapted_probabilities(runs: list[RunRecord]) -> None:
    plain = pool(runs)
    found = adaptation(plain)
    assert found is not None
    named = [
        run.classes[index]
        for run in plain.runs
        if run.adapted
        for index in np.argmax(run.adapted.probabilities, axis=1)
    ]
    right = np.mean([one == other for one, other in zip(plain.predictions.true, named, strict=True)])
    assert found.pooled.metrics["accuracy"] == pytest.approx(right)
    assert found.pooled.predictions.clip == plain.predictions.clip
    assert plain.metrics == pool([run.model_copy(update={"adapted": None}) for run in runs]).metrics


def test_the_gain_is_paired_by_speaker(runs: list[RunRecord]) -> None:
    plain = pool(runs)
    found = adaptation(plain)
    assert found is not None
    for name, gain in found.gain.items():
        assert gain.value == pytest.approx(found.pooled.metrics[name] - plain.metrics[name])
        assert gain.low < gain.value < gain.high
    wanted = difference(all_outcomes(found.pooled), all_outcomes(plain))
    gain = found.gain["accuracy"]
    assert (gain.value, gain.low, gain.high) == pytest.approx((wanted.value, wanted.low, wanted.high), abs=0.005)


def test_answers_that_adaptation_does_not_change_gain_nothing(runs: list[RunRecord]) -> None:
    same = [
        run.model_copy(
            update={"adapted": run.adapted.model_copy(update={"probabilities": run.predictions.probabilities})}
        )
        for run in runs
        if run.adapted
    ]
    found = adaptation(pool(same))
    assert found is not None
    assert {(gain.value, gain.low, gain.high) for gain in found.gain.values()} == {(0.0, 0.0, 0.0)}


def test_plain_and_adapted_runs_are_not_mixed(runs: list[RunRecord]) -> None:
    assert adaptation(pool([*runs[:-1], runs[-1].model_copy(update={"adapted": None})])) is None
