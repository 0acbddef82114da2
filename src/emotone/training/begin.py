"""The weights a fine-tuning begins with: another network's, and for labels that it has not, a fit to its reading."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

__all__ = ["begin_with"]

_STRENGTH = 0.01  # of the logistic regression: far fewer clips than weights


def begin_with(
    network: nn.Module, start: Any, known: Sequence[str], classes: Sequence[str], X: Any, y: NDArray[np.intp]
) -> None:
    """Give a network the weights of another that differs at most in its output layer.

    Where `classes` has labels that are not among `known`, the whole output layer is a logistic regression on what
    `start` makes of the samples. Fine-tuning from random rows would first spoil the layers below, and with few clips
    would not get beyond the most frequent label (Kumar et al., 2022, doi:10.48550/arXiv.2202.10054).

    Args:
        network: what is to be trained; its last layer is `output`.
        start: a fitted `Classifier`.
        known: its labels.
        classes: those of the network.
        X: training samples as a `Classifier` takes them.
        y: the index among `classes` of each; every class has samples.
    """
    weights = start.network_.state_dict()
    if set(classes) <= set(known):
        rows = [known.index(label) for label in classes]
        output = (weights["output.weight"][rows], weights["output.bias"][rows])
    else:
        output = _fitted(start, X, y)
    network.load_state_dict(weights | dict(zip(("output.weight", "output.bias"), output, strict=True)))


def _fitted(start: Any, X: Any, y: NDArray[np.intp]) -> tuple[Tensor, Tensor]:
    """Return weight (classes, width) and bias (classes,) of a logistic regression."""
    from sklearn.linear_model import LogisticRegression

    read = _read(start, X)
    mean, deviation = read.mean(0), np.maximum(read.std(0), 1e-6)
    model = LogisticRegression(C=_STRENGTH, max_iter=1000).fit((read - mean) / deviation, y)
    rows, bias = model.coef_ / deviation, model.intercept_
    if len(rows) == 1:  # of two classes scikit-learn keeps the difference
        rows, bias = np.concatenate([-rows / 2, rows / 2]), np.concatenate([-bias / 2, bias / 2])
    return torch.from_numpy(rows), torch.from_numpy(bias - rows @ mean)


def _read(start: Any, X: Any) -> NDArray[np.float64]:
    """Return what the output layer of a fitted classifier reads of samples, (samples, width)."""
    read: list[Tensor] = []
    hook = start.network_.output.register_forward_pre_hook(lambda _, given: read.append(given[0].float().cpu()))
    start.predict_proba(X)
    hook.remove()
    return torch.cat(read).double().numpy()
