"""emotone's own network: residual convolutions over log-mels, mixing over time, attentive pooling."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from emotone.models.config import OwnConfig
from emotone.models.functionals import Functionals
from emotone.models.layers import within
from emotone.models.ragged import Ragged

__all__ = ["Own"]


class Own(Ragged):
    """Log-mels of clips of any length in, one score (logit) a class out.

    A clip's scores depend neither on the other clips of its batch nor on the frames that it is padded with: whatever
    lies beyond its end is zero before every convolution, as if the clip ended there.

    Args:
        config: the recipe's model.
        bands: mel bands of a frame.
        classes: how many.
    """

    config: OwnConfig

    def __init__(self, config: OwnConfig, bands: int, classes: int) -> None:
        super().__init__()
        self.config, self.bands = config, bands
        self.stem = nn.Sequential(
            nn.Conv2d(1, config.stem, 5, stride=2, padding=2, bias=False), nn.BatchNorm2d(config.stem)
        )
        stages, channels, height = [], config.stem, _halved(bands)
        for out in config.channels:
            for block in range(config.blocks):
                stride = 1 if block else 2
                stages.append(Residual(channels, out, stride, squeeze=config.squeeze))
                channels, height = out, _halved(height) if stride == 2 else height
        self.stages = nn.ModuleList(stages)
        self.join = nn.Sequential(nn.Linear(channels * height, config.width), nn.LayerNorm(config.width))
        self.dropout = nn.Dropout(config.dropout)
        self.mixers = nn.ModuleList(Mixer(config.width, 2**level) for level in range(config.mixers))
        self.pool = AttentiveStatistics(config.width)
        self.output = nn.Linear(2 * config.width, classes)
        self.functionals = Functionals(bands) if config.functionals else None
        if self.functionals is not None:
            self.output = _widened(self.output, self.functionals.width)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def normalise(self, frames: Tensor, lengths: Tensor) -> Tensor:
        """Return what the first convolution reads, as the recipe has it; zero beyond each clip's end."""
        real = within(lengths, frames.shape[2])[:, None]
        if self.config.normalise == "level":
            return (frames + 50) / 20 * real
        count = lengths[:, None, None] * (1 if self.config.normalise == "bands" else self.bands)
        axes = 2 if self.config.normalise == "bands" else (1, 2)
        mean = (frames * real).sum(axes, keepdim=True) / count
        centred = (frames - mean) * real
        power = centred.square().sum((1, 2), keepdim=True) / (lengths[:, None, None] * self.bands)
        return centred * torch.rsqrt(power + 1e-5)

    def score(self, normalised: Tensor, lengths: Tensor) -> Tensor:
        """Return logits (batch, classes) for what `normalise` gives."""
        if not self.training:
            logits: Tensor = self.output(self.embed(normalised, lengths)[0])
            return logits
        heard, width = self._hear(normalised, lengths)[0], 2 * self.config.width
        logits = F.linear(self.dropout(heard), self.output.weight[:, :width], self.output.bias)
        said = self.output.weight[:, width:].detach()  # what the functionals say stays as it is
        if self.functionals is not None and said.any():
            logits = logits + F.linear(self.functionals(normalised, lengths), said)
        return logits

    def embed(self, normalised: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Return what the output layer reads, (batch, 2 width or more), and the attention over time, (batch, steps)."""
        embedding, attention = self._hear(normalised, lengths)
        if self.functionals is not None:
            embedding = torch.cat([embedding, self.functionals(normalised, lengths)], dim=1)
        return embedding, attention

    def _hear(self, normalised: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Return the pooled sequence, (batch, 2 width), and the attention."""
        mask = within(lengths, normalised.shape[2]).to(normalised.dtype)[:, ::2]
        maps = F.relu(self.stem(normalised.unsqueeze(1))) * mask[:, None, None]
        for stage in self.stages:
            maps, mask = stage(maps, mask)
        sequence = self.dropout(self.join(maps.flatten(1, 2).transpose(1, 2))).transpose(1, 2) * mask[:, None]
        for mixer in self.mixers:
            sequence = mixer(sequence, mask)
        pooled: tuple[Tensor, Tensor] = self.pool(sequence, mask)
        return pooled


class Residual(nn.Module):
    """Two 3 x 3 convolutions with batch normalisation, their channels weighted, beside a shortcut (He et al., 2016)."""

    def __init__(self, channels: int, out: int, stride: int, *, squeeze: bool) -> None:
        super().__init__()
        self.stride = stride
        self.first = nn.Sequential(
            nn.Conv2d(channels, out, 3, stride=stride, padding=1, bias=False), nn.BatchNorm2d(out)
        )
        self.second = nn.Sequential(nn.Conv2d(out, out, 3, padding=1, bias=False), nn.BatchNorm2d(out))
        self.shortcut: nn.Module = nn.Identity()
        if stride == 2 or channels != out:
            self.shortcut = nn.Sequential(nn.Conv2d(channels, out, 1, bias=False), nn.BatchNorm2d(out))
        self.squeeze = nn.Sequential(nn.Linear(out, out // 4), nn.ReLU(), nn.Linear(out // 4, out)) if squeeze else None

    def forward(self, maps: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return maps (batch, out, height, steps), zero where the mask (batch, steps) is, and the mask that is left."""
        inner, mask = self.first(maps), mask[:, :: self.stride]
        inner = self.second(F.relu(inner) * mask[:, None, None])
        if self.squeeze is not None:  # Hu et al., 2018
            mean = (inner.mean(2) * mask[:, None]).sum(2) / mask.sum(1, keepdim=True)
            inner = inner * torch.sigmoid(self.squeeze(mean))[:, :, None, None]
        # Not by the convolution's stride: its gradient in oneDNN writes out of bounds with few channels (issue 6035)
        every = F.avg_pool2d(maps, 1, self.stride)
        return F.relu(inner + self.shortcut(every)) * mask[:, None, None], mask


class Mixer(nn.Module):
    """A dilated convolution over time beside a shortcut."""

    def __init__(self, width: int, dilation: int) -> None:
        super().__init__()
        self.convolution = nn.Conv1d(width, width, 3, padding=dilation, dilation=dilation, bias=False)
        self.norm = nn.BatchNorm1d(width)

    def forward(self, sequence: Tensor, mask: Tensor) -> Tensor:
        """Return (batch, width, steps), zero where the mask (batch, steps) is."""
        return (sequence + F.relu(self.norm(self.convolution(sequence)))) * mask[:, None]


class AttentiveStatistics(nn.Module):
    """Mean and deviation over time, weighted by attention (Okabe et al., 2018)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.attention = nn.Sequential(nn.Linear(width, width // 2), nn.Tanh(), nn.Linear(width // 2, 1))

    def forward(self, sequence: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return the statistics (batch, 2 width) and the weights (batch, steps) of a sequence (batch, width, steps)."""
        scores = self.attention(sequence.transpose(1, 2)).squeeze(2)
        weights = torch.softmax(scores.masked_fill(mask == 0, -torch.inf), dim=1)
        mean = (sequence * weights[:, None]).sum(2)
        variance = ((sequence - mean[:, :, None]).square() * weights[:, None]).sum(2)
        return torch.cat([mean, torch.sqrt(variance + 1e-5)], dim=1), weights


def _widened(layer: nn.Linear, more: int) -> nn.Linear:
    """Return a layer that reads so many values more, for which its weights are zero."""
    wide: nn.Linear = nn.utils.skip_init(nn.Linear, layer.in_features + more, layer.out_features)  # type: ignore[no-untyped-call]
    with torch.no_grad():
        wide.weight.copy_(F.pad(layer.weight, (0, more)))
        wide.bias.copy_(layer.bias)
    return wide


def _halved(length: int) -> int:
    """Return how many steps a convolution of stride 2 makes of so many."""
    return (length + 1) // 2
