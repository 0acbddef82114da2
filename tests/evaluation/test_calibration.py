"""A probability that means what it says has no calibration error, and a temperature gives it back its meaning."""

import numpy as np
import pytest
from numpy.typing import NDArray

from emotone.errors import UsageError
from emotone.evaluation.calibration import calibration_error, fit_temperature, risk_coverage, soften


def error(probabilities: NDArray[np.float64], true: NDArray[np.intp]) -> float:
    return calibration_error(probabilities.max(axis=1), probabilities.argmax(axis=1) == true)


def honest(clips: int = 20_000, seed: int = 0) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Probabilities from which the true classes are drawn."""
    draw = np.random.default_rng(seed)
    logits = draw.normal(scale=1.5, size=(clips, 8))
    probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    true = (probabilities.cumsum(1) > draw.random((clips, 1))).argmax(1)
    return probabilities, true


@pytest.mark.parametrize("temperature", [0.3, 1.0, 4.0])
def test_a_model_that_is_too_sure_or_too_modest_is_found_out_and_mended(temperature: float) -> None:
    probabilities, true = honest()
    distorted = soften(probabilities, temperature)
    fitted = fit_temperature(distorted, true)
    assert fitted == pytest.approx(1 / temperature, rel=0.05)
    assert error(soften(distorted, fitted), true) < 0.02
    if temperature != 1:
        assert error(distorted, true) > 0.1


def test_softening_is_the_softmax_of_divided_logits() -> None:
    logits = np.random.default_rng(1).normal(size=(5, 8))
    softmax = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    wanted = np.exp(logits / 2.5) / np.exp(logits / 2.5).sum(1, keepdims=True)
    np.testing.assert_allclose(soften(softmax, 2.5), wanted, rtol=1e-9)
    np.testing.assert_allclose(soften(np.array([[1.0, 0.0]]), 2.0).sum(), 1.0)


def test_the_error_is_the_gap_between_confidence_and_accuracy() -> None:
    sure = np.full(10, 0.9)
    assert calibration_error(sure, np.ones(10, bool)) == pytest.approx(0.1)
    assert calibration_error(sure, np.zeros(10, bool)) == pytest.approx(0.9)
    assert calibration_error(sure, np.array([True] * 9 + [False])) == pytest.approx(0.0)
    both = np.repeat([0.9, 0.6], 10)
    assert calibration_error(both, np.ones(20, bool)) == pytest.approx(0.25)
    assert calibration_error(np.ones(1), np.array([True])) == 0.0


def test_refusing_the_unsure_lowers_the_risk_and_equal_confidence_stays_together() -> None:
    coverage, risk = risk_coverage(np.array([0.9, 0.8, 0.8, 0.6]), np.array([True, True, False, False]))
    np.testing.assert_allclose(coverage, [0.25, 0.75, 1.0])
    np.testing.assert_allclose(risk, [0.0, 1 / 3, 0.5])


def test_nothing_to_judge_is_an_error() -> None:
    with pytest.raises(UsageError, match="0 answers"):
        fit_temperature(np.empty((0, 8)), np.empty(0, int))
    for function in (calibration_error, risk_coverage):
        with pytest.raises(UsageError, match="0 answers"):
            function(np.empty(0), np.empty(0, bool))
