"""The network that every recipe with `kind: network` describes: convolution, LSTM, pooling, dense layers."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from emotone.errors import RecipeError
from emotone.models.config import NetworkConfig
from emotone.models.layers import AdditiveAttention, convolution_blocks, keras_defaults

__all__ = ["Network"]


class Network(nn.Module):
    """Features of one shape in, one score (logit) a class out.

    Args:
        config: the recipe's model.
        input_shape: of one sample without the batch: (F,) for `vector`, (C, T) otherwise.
        classes: how many.

    Raises:
        RecipeError: where the features do not fit what the network reads.
    """

    def __init__(self, config: NetworkConfig, input_shape: Sequence[int], classes: int) -> None:
        super().__init__()
        if len(input_shape) != (1 if config.reads == "vector" else 2):
            raise RecipeError(
                f"a network that reads {config.reads!r} cannot take features of shape {tuple(input_shape)}."
            )
        self.config = config
        self.input_shape = tuple(input_shape)
        self.convolution = nn.Sequential()
        if config.convolution:
            self.convolution = convolution_blocks(
                config.convolution,
                channels=input_shape[0] if config.reads == "sequence" else 1,
                dimensions=2 if config.reads in ("image", "chunks") else 1,
            )
            if config.reads in ("image", "chunks"):  # a third faster on a CPU
                self.convolution.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        steps, size = self._size_of_steps()
        self.recurrent = nn.ModuleList()
        if config.recurrent:
            for units in config.recurrent.units:
                self.recurrent.append(
                    nn.LSTM(size, units, batch_first=True, bidirectional=config.recurrent.bidirectional)
                )
                size = units * (2 if config.recurrent.bidirectional else 1)
        self.attention = AdditiveAttention(size) if config.pooling == "attention" else None
        if config.pooling == "flatten":
            size *= steps
        self.dense = nn.Sequential()
        for layer in config.dense:
            self.dense.extend([nn.Linear(size, layer.units), nn.ReLU(), nn.Dropout(layer.dropout)])
            size = layer.units
        self.output = nn.Linear(size, classes)
        if config.framework == "keras":
            self.apply(keras_defaults)

    def forward(self, features: Tensor) -> Tensor:
        """Return logits.

        Shape:
            features (batch, *input_shape); output (batch, classes).
        """
        steps = self._steps(features)
        for layer in self.recurrent:
            steps, _ = layer(steps)
        logits: Tensor = self.output(self.dense(self._pool(steps)))
        return logits

    def _steps(self, features: Tensor) -> Tensor:
        """Return what the recurrent layers read, (batch, steps, width)."""
        if self.config.reads == "chunks":
            return self._time_distributed(features)
        if self.config.reads == "sequence":
            maps = self.convolution(features)
        else:
            maps = self.convolution(features.unsqueeze(1))
        if self.config.reads == "image":
            maps = maps.flatten(1, 2)
        steps: Tensor = maps.transpose(1, 2)
        return steps

    def _time_distributed(self, features: Tensor) -> Tensor:
        """Cut (batch, C, T) into overlapping chunks; all go through the convolutions as one large batch."""
        size, hop = self.config.chunk_frames or 1, self.config.chunk_hop or 1
        frames = features.shape[2]
        missing = size - frames if frames < size else -(frames - size) % hop
        chunks = F.pad(features, (0, missing)).unfold(2, size, hop).transpose(1, 2)
        maps: Tensor = self.convolution(chunks.flatten(0, 1).unsqueeze(1))
        return maps.reshape(*chunks.shape[:2], -1)

    def _pool(self, steps: Tensor) -> Tensor:
        if self.attention is not None:
            pooled: Tensor = self.attention(steps)
            return pooled
        if self.config.pooling == "last":
            return steps[:, -1]
        return steps.mean(1) if self.config.pooling == "average" else steps.flatten(1)

    @torch.no_grad()
    def _size_of_steps(self) -> tuple[int, int]:
        """Send an empty sample through the convolutions: (steps, width) of what comes out."""
        self.convolution.eval()  # keeps batch statistics as they are
        shape = self._steps(torch.zeros(1, *self.input_shape)).shape
        self.convolution.train()
        return shape[1], shape[2]
