"""The losses of the papers, over logits."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from emotone.recipes.schema import TrainingConfig

__all__ = ["focal_loss", "make_loss", "softmax_mse", "surprise", "vague_cross_entropy"]

Loss = Callable[[Tensor, Tensor], Tensor]


def focal_loss(logits: Tensor, target: Tensor, *, alpha: float, gamma: float) -> Tensor:
    """Return the mean of alpha (1 - p)^gamma (-log p), p the probability of the true class (Lin et al., 2017).

    Shape:
        logits (batch, classes); target (batch,) class indices; output ().
    """
    cross_entropy = F.cross_entropy(logits, target, reduction="none")
    return (alpha * (1 - torch.exp(-cross_entropy)) ** gamma * cross_entropy).mean()


def softmax_mse(logits: Tensor, target: Tensor) -> Tensor:
    """Return the mean squared error of the softmax against the one-hot target, over batch and classes."""
    one_hot = F.one_hot(target, logits.shape[1]).to(logits.dtype)
    return F.mse_loss(torch.softmax(logits, dim=1), one_hot)


def vague_cross_entropy(
    logits: Tensor, meant: Tensor, *, label_smoothing: float = 0.0, reduction: str = "mean"
) -> Tensor:
    """Return the cross-entropy of labels that may mean several classes: -log of the sum of their probabilities.

    Shape:
        logits (batch, classes); meant (batch, classes), true for what a label may mean; output (), or (batch,) where
        `reduction` is "none".
    """
    log_probabilities = torch.log_softmax(logits, dim=1)
    surprise = -log_probabilities.masked_fill(~meant, -torch.inf).logsumexp(dim=1)
    surprise = (1 - label_smoothing) * surprise - label_smoothing * log_probabilities.mean(dim=1)
    return surprise.mean() if reduction == "mean" else surprise


def surprise(logits: Tensor, target: Tensor, meant: Tensor | None, **options: Any) -> Tensor:
    """Return the cross-entropy of `target` (batch,): class indices, or with `meant` (labels, classes) those of labels.

    `options`: `label_smoothing` and `reduction`.
    """
    if meant is None:
        return F.cross_entropy(logits, target, **options)
    return vague_cross_entropy(logits, meant[target], **options)


def make_loss(config: TrainingConfig) -> Loss:
    """Return the recipe's loss as a function of (logits, target)."""
    if config.loss == "focal":
        return lambda logits, target: focal_loss(logits, target, alpha=config.focal_alpha, gamma=config.focal_gamma)
    return softmax_mse if config.loss == "mse" else F.cross_entropy
