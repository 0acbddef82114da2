"""The first layers of a Whisper encoder on a clip's own length, and what their frames are over time (Radford et al.,
2022)."""

import math
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from emotone.models.config import WhisperConfig
from emotone.models.encoder_layers import LEAST_VARIANCE, EncoderLayers, Weights, over_time
from emotone.models.layers import within
from emotone.models.whisper_weights import digest, read_weights

__all__ = ["WhisperLayers"]

_HEAD = 64  # values of a head, in every Whisper
_LONGEST_WAVE = 10_000.0  # of the positions, in steps of 20 ms
_LOUDEST = 10.0  # dB, of a clip whose level does not count
_ROWS = 256  # of which the rows of a product in training are a multiple


class WhisperLayers(EncoderLayers):
    """Log-mels of clips of any length in, one score (logit) a class out.

    Whisper itself pads every clip to 30 s. Here a clip ends where it ends: its scores depend neither on the other clips
    of its batch nor on the frames that it is padded with.

    Args:
        config: the recipe's model.
        bands: mel bands of a frame, as many as the encoder reads.
        classes: how many.
    """

    config: WhisperConfig

    def __init__(self, config: WhisperConfig, bands: int, classes: int) -> None:
        super().__init__()
        self.config, self.bands, width = config, bands, config.width
        self.conv1 = nn.Conv1d(bands, width, 3, padding=1)
        self.conv2 = nn.Conv1d(width, width, 3, stride=2, padding=1)
        self.layers = nn.ModuleList(_Layer(width) for _ in range(config.layers))
        self.add_output(width, classes)

    @property
    def trained(self) -> Sequence[nn.Module]:
        """The layers, the first first."""
        return list(self.layers)

    @property
    def hears(self) -> str:
        """How recordings are taken in."""
        return f"normalise {self.config.normalise} {self.config.floor}"

    def weights_in(self, folder: Path) -> Weights:
        """Return the weights of the Whisper in a folder."""
        state = read_weights(folder, self.config, bands=self.bands)
        return Weights(state, digest(state))

    def normalise(self, frames: Tensor, lengths: Tensor) -> Tensor:
        """Return log-mels, dB, in Whisper's scale; zero beyond each clip's end."""
        real = within(lengths, frames.shape[2])[:, None]
        loudest = torch.where(real, frames, -torch.inf).amax((1, 2), keepdim=True)
        frames = torch.maximum(frames, loudest - self.config.floor)
        if self.config.normalise == "peak":
            frames = frames - loudest + _LOUDEST
        return (frames / 40 + 1) * real

    def statistics(self, normalised: Tensor, lengths: Tensor) -> Tensor:
        """Return mean and deviation over time of the frames of each layer that is read, (batch, width)."""
        real = within(lengths, normalised.shape[2])[:, None]
        frames = F.gelu(self.conv1(normalised)) * real
        frames = F.gelu(self.conv2(frames)).transpose(1, 2)
        real = real[:, 0, ::2]
        frames = frames + _positions(frames.shape[1], frames.shape[2], frames.device)
        attend: Callable[[Tensor, Tensor, Tensor], Tensor]
        told: Callable[[Tensor], tuple[Tensor, Tensor]]
        if self.training:  # a third of a batch's steps is beyond the clips' ends: not worth their time
            frames, steps = _joined(frames, real)
            attend, told = partial(_attend_each, steps), partial(_over_time_each, steps[:-1])
        else:
            unheard = torch.where(real, 0.0, -torch.inf)[:, None, None].to(frames.dtype)
            attend, told = partial(_attend, unheard), partial(over_time, real)
        found: list[Tensor] = []
        for number, layer in enumerate(self.layers, start=1):
            frames = layer(frames, attend)
            if number in self.config.read:
                found += told(frames.float())
        return torch.cat(found, dim=1)


class _Layer(nn.Module):
    """A layer of a transformer: attention and a network for each frame, both normalised before."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query, self.value, self.out = (nn.Linear(width, width) for _ in range(3))
        self.key = nn.Linear(width, width, bias=False)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, frames: Tensor, attend: Callable[[Tensor, Tensor, Tensor], Tensor]) -> Tensor:
        """Return the same shape as `frames`, (..., width). `attend` gives what each frame hears, from queries, keys and
        values of that shape.
        """
        read = self.norm1(frames)
        frames = frames + self.out(attend(self.query(read), self.key(read), self.value(read)))
        result: Tensor = frames + self.down(F.gelu(self.up(self.norm2(frames))))
        return result


def _attend(unheard: Tensor, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Attend within each clip of a batch of tensors (batch, steps, width). `unheard`, (batch, 1, 1, steps), is -inf for
    steps beyond a clip's end, else 0: a mask of truth values is exported with a search for rows without any.
    """
    batch, steps, width = query.shape
    split = (batch, steps, width // _HEAD, _HEAD)
    query, key, value = (part.reshape(split).transpose(1, 2) for part in (query, key, value))
    heard = F.scaled_dot_product_attention(query, key, value, attn_mask=unheard)
    return heard.transpose(1, 2).reshape(batch, steps, width)


def _attend_each(steps: list[int], query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Attend within each clip of tensors (steps of all clips one after another, width).

    Written out, for torch's fused attention is slow to learn on a CPU.
    """
    heard = []
    clips = (torch.split(part.reshape(len(part), -1, _HEAD), steps) for part in (query, key, value))
    for clip in zip(*clips, strict=True):
        asked, keys, values = (part.transpose(0, 1) for part in clip)
        weights = torch.softmax(asked @ keys.transpose(1, 2) * _HEAD**-0.5, dim=2)
        heard.append((weights.to(values.dtype) @ values).transpose(0, 1).flatten(1))
    return torch.cat(heard)


def _positions(steps: int, width: int, device: torch.device) -> Tensor:
    """Return sines and cosines of the steps' places, (steps, width): Whisper's, of any length."""
    rates = torch.exp(torch.arange(width // 2, device=device) * (-math.log(_LONGEST_WAVE) / (width // 2 - 1)))
    angles = torch.arange(steps, device=device)[:, None] * rates
    return torch.cat([angles.sin(), angles.cos()], dim=1)


def _joined(frames: Tensor, real: Tensor) -> tuple[Tensor, list[int]]:
    """Return the real frames of all clips, one clip after another, and how many each has.

    Zeros stand last, as a clip of their own: for every new number of rows a product of matrices is prepared anew on a
    CPU, which takes time and memory, so there are few numbers.
    """
    own = frames[real]
    rest = _ROWS - len(own) % _ROWS
    return F.pad(own, (0, 0, 0, rest)), [*real.sum(1).tolist(), rest]


def _over_time_each(steps: list[int], frames: Tensor) -> tuple[Tensor, Tensor]:
    """Return the same of the frames of each clip, one after another, (steps, width), without what stands behind."""
    clips = torch.split(frames[: sum(steps)], steps)
    variance = torch.stack([clip.var(0, correction=0) for clip in clips])
    return torch.stack([clip.mean(0) for clip in clips]), (variance + LEAST_VARIANCE).sqrt()
