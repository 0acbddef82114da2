"""The weights that a fine-tuning begins with: another network's, and for new labels a fit to what it makes of them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from emotone.training.linear import fit_rows

__all__ = ["begin_with"]


def begin_with(
    network: nn.Module, start: Any, known: Sequence[str], classes: Sequence[str], X: Any, y: NDArray[np.intp]
) -> None:
    """Give a network the weights of another that differs at most in its output layer.

    Labels that both have keep their rows of the output layer. The rows of new ones are fitted beside these, as a
    logistic regression on what `start` makes of the samples: from random rows, fine-tuning would first spoil the
    layers below (Kumar et al., 2022, doi:10.48550/arXiv.2202.10054), and with few clips would not get beyond the
    most frequent label.

    Args:
        network: what is to be trained; its last layer is `output`.
        start: a fitted `Classifier`.
        known: its labels.
        classes: those of the network.
        X: training samples as a `Classifier` takes them.
        y: the index among `classes` of each.
    """
    weights = start.network_.state_dict()
    rows = {index: known.index(label) for index, label in enumerate(classes) if label in known}
    weight = torch.zeros(len(classes), weights["output.weight"].shape[1])
    bias = torch.zeros(len(classes))
    for index, row in rows.items():
        weight[index], bias[index] = weights["output.weight"][row], weights["output.bias"][row]
    new = [index for index in range(len(classes)) if index not in rows]
    if new:
        weight[new], bias[new] = fit_rows(_read(start, X), torch.from_numpy(y), weight, bias, new)
    network.load_state_dict(weights | {"output.weight": weight, "output.bias": bias})


def _read(start: Any, X: Any) -> Tensor:
    """Return what the output layer of a fitted classifier reads of samples, (samples, width), on the CPU."""
    read: list[Tensor] = []
    hook = start.network_.output.register_forward_pre_hook(lambda _, given: read.append(given[0].float().cpu()))
    start.predict_proba(X)
    hook.remove()
    return torch.cat(read)
