"""The losses are the papers' formulas."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from emotone import recipes
from emotone.training.losses import focal_loss, make_loss, softmax_mse, vague_cross_entropy

LOGITS = torch.tensor([[2.0, -1.0, 0.5], [0.1, 0.2, 0.3], [-3.0, 4.0, 1.0], [0.0, 0.0, 0.0]], dtype=torch.float64)
TARGET = torch.tensor([0, 2, 0, 1])


def by_hand() -> tuple[np.ndarray, np.ndarray]:
    """The softmax, and the probability of the true class."""
    exponents = np.exp(LOGITS.numpy())
    softmax = exponents / exponents.sum(1, keepdims=True)
    return softmax, softmax[np.arange(4), TARGET.numpy()]


@pytest.mark.parametrize(("alpha", "gamma"), [(0.25, 2.0), (1.0, 0.0), (0.5, 1.5)])
def test_focal_loss(alpha: float, gamma: float) -> None:
    _, p = by_hand()
    expected = np.mean(-alpha * (1 - p) ** gamma * np.log(p))
    assert focal_loss(LOGITS, TARGET, alpha=alpha, gamma=gamma).item() == pytest.approx(expected)


def test_focal_loss_without_focus_is_cross_entropy() -> None:
    torch.testing.assert_close(focal_loss(LOGITS, TARGET, alpha=1, gamma=0), F.cross_entropy(LOGITS, TARGET))


def test_mean_squared_error_of_the_softmax() -> None:
    softmax, _ = by_hand()
    expected = np.mean((softmax - np.eye(3)[TARGET.numpy()]) ** 2)  # over batch and classes, as Keras
    assert softmax_mse(LOGITS, TARGET).item() == pytest.approx(expected)


def test_the_recipe_chooses_the_loss() -> None:
    for name, expected in [
        ("kakadiya/cnn", focal_loss(LOGITS, TARGET, alpha=0.25, gamma=2)),
        ("onah/cnn", softmax_mse(LOGITS, TARGET)),
        ("boucheta/cnn", F.cross_entropy(LOGITS, TARGET)),
    ]:
        training = recipes.load(name).training
        assert training
        torch.testing.assert_close(make_loss(training)(LOGITS, TARGET), expected)


@pytest.mark.parametrize("sure", [60.0, -60.0, 900.0])
def test_losses_stay_finite_where_a_probability_is_one_or_zero(sure: float) -> None:
    logits = torch.tensor([[sure, 0.0]], requires_grad=True)
    for loss in (focal_loss(logits, torch.tensor([0]), alpha=0.25, gamma=2), softmax_mse(logits, torch.tensor([0]))):
        (gradient,) = torch.autograd.grad(loss, logits)
        assert loss.isfinite() and gradient.isfinite().all()


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_a_label_that_may_mean_two_classes_costs_what_their_sum_does(smoothing: float) -> None:
    sure = torch.eye(3, dtype=torch.bool)[TARGET]
    torch.testing.assert_close(
        vague_cross_entropy(LOGITS, sure, label_smoothing=smoothing),
        F.cross_entropy(LOGITS, TARGET, label_smoothing=smoothing),
    )
    either = sure.clone()
    either[0] = torch.tensor([True, False, True])
    found = vague_cross_entropy(LOGITS, either, reduction="none")
    torch.testing.assert_close(found[1:], F.cross_entropy(LOGITS, TARGET, reduction="none")[1:])
    torch.testing.assert_close(found[0].exp(), 1 / torch.softmax(LOGITS[0], 0)[[0, 2]].sum())
