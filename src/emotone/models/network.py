"""The network that every recipe with `kind: network` describes: convolution, LSTM, pooling, dense layers."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from emotone.errors import RecipeError
from emotone.models.config import NetworkConfig
from emotone.models.layers import AdditiveAttention, convolution_blocks, keras_defaults, within

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
        logits: Tensor = self.output(self.embed(features)[0])
        return logits

    def embed(self, features: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return what the output layer reads, and the weights over time where the pooling is attention.

        Shape:
            features (batch, *input_shape); output (batch, width) and (batch, steps).
        """
        steps, counts = self._steps(features)
        for layer in self.recurrent:
            steps = self._read(layer, steps, counts)
        pooled, attention = self._pool(steps, counts)
        return self.dense(pooled), attention

    def _steps(self, features: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return what the recurrent layers read, (batch, steps, width), and how many steps count; None where all do."""
        if self.config.reads == "chunks":
            return self._time_distributed(features)
        if self.config.reads == "sequence":
            maps = self.convolution(features)
        else:
            maps = self.convolution(features.unsqueeze(1))
        if self.config.reads == "image":
            maps = maps.flatten(1, 2)
        return maps.transpose(1, 2), None

    def _time_distributed(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Cut clips (batch, C, T) into overlapping chunks; all go through the convolutions as one large batch.

        A clip has the chunks that it has alone: its pads, the zero frames at its end, make none. So neither its scores
        nor the batch statistics depend on how long the others are, and most of the work is spared.
        """
        size, hop = self.config.chunk_frames or 1, self.config.chunk_hop or 1
        frames = features.shape[2]
        missing = size - frames if frames < size else -(frames - size) % hop
        chunks = F.pad(features, (0, missing)).unfold(2, size, hop).transpose(1, 2)
        numbers = torch.arange(1, frames + 1, device=features.device)
        lengths = (features.ne(0).any(1) * numbers).amax(1).cpu()  # the one wait for a GPU; packing wants them here
        counts = 1 + ((lengths - size).clamp(min=0) + hop - 1) // hop
        return self._convolve(chunks, within(counts, chunks.shape[1])), counts

    def _convolve(self, chunks: Tensor, real: Tensor) -> Tensor:
        """Return a step (batch, chunks, width) for every chunk (batch, chunks, C, size), zero where it is not real."""
        maps: Tensor = self.convolution(chunks[real].unsqueeze(1)).flatten(1)
        steps = maps.new_zeros(*real.shape, maps.shape[1])
        steps[real] = maps
        return steps

    def _read(self, lstm: nn.Module, steps: Tensor, counts: Tensor | None) -> Tensor:
        """Return an LSTM's output (batch, steps, width), zero after the steps that count."""
        if counts is None or int(counts.min()) == steps.shape[1]:
            output: Tensor = lstm(steps)[0]
            return output
        packed, _ = lstm(pack_padded_sequence(steps, counts, batch_first=True, enforce_sorted=False))
        return pad_packed_sequence(packed, batch_first=True, total_length=steps.shape[1])[0]

    def _pool(self, steps: Tensor, counts: Tensor | None) -> tuple[Tensor, Tensor | None]:
        if self.attention is not None:
            real = None if counts is None else within(counts, steps.shape[1]).to(steps.device)
            pooled, weights = self.attention(steps, real)
            return pooled, weights
        if self.config.pooling == "last":
            return steps[:, -1] if counts is None else steps[torch.arange(steps.shape[0]), counts - 1], None
        if self.config.pooling == "average":
            return steps.mean(1) if counts is None else steps.sum(1) / counts[:, None].to(steps.device), None
        return steps.flatten(1), None

    @torch.no_grad()
    def _size_of_steps(self) -> tuple[int, int]:
        """Send one sample through the convolutions: (steps, width) of what comes out."""
        self.convolution.eval()  # keeps batch statistics as they are
        shape = self._steps(torch.ones(1, *self.input_shape))[0].shape
        self.convolution.train()
        return shape[1], shape[2]
