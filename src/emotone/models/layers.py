"""The parts a network is made of: convolution blocks, pooling, additive attention, and Keras's defaults."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from emotone.models.config import ConvolutionConfig

__all__ = ["AdditiveAttention", "MaxPool", "convolution_blocks", "keras_defaults", "within"]


def within(counts: Tensor, steps: int) -> Tensor:
    """Return which of `steps` steps count, (batch, steps), where the first `counts` (batch,) of each do."""
    return torch.arange(steps, device=counts.device) < counts[:, None]


class MaxPool(nn.Module):
    """Max pooling with stride equal to its size; a map smaller than the pool is pooled whole."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size

    def forward(self, maps: Tensor) -> Tensor:
        """Pool (batch, channels, length) or (batch, channels, height, width)."""
        window = [min(self.size, length) for length in maps.shape[2:]]
        return F.max_pool2d(maps, window) if len(window) == 2 else F.max_pool1d(maps, window)

    def extra_repr(self) -> str:
        """Show the size."""
        return str(self.size)


class AdditiveAttention(nn.Module):
    """Weight every step by softmax over time of tanh(W h + b), and sum (bhanbhro, section 3.3.2)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.score = nn.Linear(width, 1)

    def forward(self, steps: Tensor, real: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return the weighted sum of the steps that are `real` (None: of all), and the weights, zero for the others.

        Shape:
            steps (batch, steps, width); real (batch, steps); output (batch, width) and (batch, steps).
        """
        scores = torch.tanh(self.score(steps))
        if real is not None:
            scores = scores.masked_fill(~real.unsqueeze(2), -torch.inf)
        weights = torch.softmax(scores, dim=1)
        return (weights * steps).sum(1), weights.squeeze(2)


def convolution_blocks(config: ConvolutionConfig, *, channels: int, dimensions: int) -> nn.Sequential:
    """Return the stack of blocks over maps of `channels` channels and 1 or 2 `dimensions`."""
    convolution = nn.Conv2d if dimensions == 2 else nn.Conv1d
    norm = nn.BatchNorm2d if dimensions == 2 else nn.BatchNorm1d
    stack = nn.Sequential()
    for out, kernel, pool, dropout in zip(config.channels, config.kernel, config.pool, config.dropout, strict=True):
        activation = nn.ELU() if config.activation == "elu" else nn.ReLU()
        stack.append(convolution(channels, out, kernel, padding=config.padding))
        if config.norm == "after":
            stack.extend([activation, norm(out), MaxPool(pool)])
        else:  # pooled first: ReLU and ELU rise, so the maximum may be taken before them, at a fraction of the cost
            stack.extend([norm(out)] if config.norm == "before" else [])
            stack.extend([MaxPool(pool), activation])
        if dropout:
            stack.append(nn.Dropout(dropout))
        channels = out
    return stack


@torch.no_grad()
def keras_defaults(module: nn.Module) -> None:
    """Set one module's initial weights and batch normalisation as Keras does; for `nn.Module.apply`.

    Glorot uniform kernels, zero biases, orthogonal recurrent kernels, forget gates at one, batch normalisation with
    momentum 0.99 (0.01 in torch's terms) and epsilon 0.001 (keras.io, layers API).
    """
    if isinstance(module, nn.Linear | nn.Conv1d | nn.Conv2d):
        nn.init.xavier_uniform_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
        module.momentum, module.eps = 0.01, 0.001
    elif isinstance(module, nn.LSTM):
        _keras_lstm(module)


def _keras_lstm(lstm: nn.LSTM) -> None:
    hidden = lstm.hidden_size
    for name, parameter in lstm.named_parameters():
        if name.startswith("weight_ih"):
            nn.init.xavier_uniform_(parameter)
        elif name.startswith("weight_hh") and not parameter.is_meta:  # of which only the size is asked for
            nn.init.orthogonal_(parameter)
        else:
            nn.init.zeros_(parameter)
        if name.startswith("bias_ih"):  # torch's gates are input, forget, cell, output
            parameter[hidden : 2 * hidden] = 1.0
