"""Rows of an output layer, fitted by themselves: a logistic regression on what the layer reads."""

from collections.abc import Sequence

import torch
from torch import Tensor

from emotone.training.losses import surprise

__all__ = ["fit_rows"]

_DECAY = 100.0  # half of it times the squared weights is added to the clips' losses: there are far fewer clips


def fit_rows(
    read: Tensor,
    y: Tensor,
    weight: Tensor,
    bias: Tensor,
    new: Sequence[int],
    *,
    copies: int = 1,
    meant: Tensor | None = None,
    weights: Tensor | None = None,
    scale: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Return weight and bias of the rows `new`, which with the other rows as they are make the logits of `read`.

    Args:
        read: what the layer reads of training samples, (samples, width).
        y: class indices, (samples,).
        weight: of the layer, (classes, width). bias: (classes,).
        new: the classes whose rows are fitted.
        copies: how often each clip is among the samples; together they weigh as much as one.
        meant: (labels, classes), true for the classes that a label may mean; then `y` are indices of labels.
        weights: of the samples, (samples,), 1 on average; None where all weigh the same.
        scale: how large the weights of each value are expected to be beside one another, (width,): the deviations of
            their Gaussian prior; None where they are alike.
    """
    deviation, mean = torch.std_mean(read, dim=0)
    deviation = deviation.clamp(min=1e-6)
    if scale is not None:
        deviation = deviation / scale
    standardised, fixed = (read - mean) / deviation, read @ weight.T + bias
    rows, offset = (torch.zeros(size, requires_grad=True) for size in ((len(new), read.shape[1]), (len(new),)))
    optimiser = torch.optim.LBFGS([rows, offset], max_iter=200, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimiser.zero_grad()
        logits = fixed.index_copy(1, torch.tensor(new), standardised @ rows.T + offset)
        surprises = surprise(logits, y, meant, reduction="none")
        total = surprises.sum() if weights is None else surprises @ weights
        found = total / copies + _DECAY / 2 * rows.square().sum()
        found.backward()
        return found

    optimiser.step(loss)
    scaled = rows.detach() / deviation
    return scaled, offset.detach() - scaled @ mean
