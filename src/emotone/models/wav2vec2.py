"""The first layers of wav2vec 2.0, HuBERT, WavLM or data2vec-audio on a clip's own length, and what their frames are
over time (Baevski et al., 2020; Hsu et al., 2021; Chen et al., 2022; Baevski et al., 2022)."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from emotone.errors import UsageError
from emotone.models.config import Wav2Vec2Config
from emotone.models.encoder_layers import EncoderLayers, Weights, over_time
from emotone.models.layers import within
from emotone.models.wav2vec2_weights import build, read_weights

__all__ = ["Wav2Vec2Layers"]

_LEAST = 1e-7  # of the variance of a waveform, as the feature extractor has it
_TOGETHER = 4  # clips through the convolutions, whose frames take 6 MB a second, in training


class Wav2Vec2Layers(EncoderLayers):
    """Waveforms of clips of any length in, one score (logit) a class out.

    The layers are transformers' own. A clip ends where it ends: the normalisation over time under the first layer of
    base encoders, which in transformers hears pads, is over the clip's own frames, and positions begin and end with it.

    Args:
        config: the recipe's model, its architecture known.
        classes: how many.

    Raises:
        UsageError: the encoder was not looked for.
        EmotoneError: an architecture that cannot be; or transformers is not installed.
    """

    config: Wav2Vec2Config

    def __init__(self, config: Wav2Vec2Config, classes: int) -> None:
        super().__init__()
        if config.architecture is None:
            raise UsageError(f"{config.encoder}: was not looked for: model.architecture is not known.")
        self.config, self.bands, self.architecture = config, 1, config.architecture
        self.model = build(self.architecture, config.layers, what=config.encoder)
        self.sizes = tuple(zip(self.architecture.conv_kernel, self.architecture.conv_stride, strict=True))
        self.add_output(self.architecture.hidden_size, classes)

    @property
    def trained(self) -> Sequence[nn.Module]:
        """The layers, the first first."""
        return list(self.model.encoder.layers)

    @property
    def hears(self) -> str:
        """How recordings are taken in."""
        return repr(self.architecture)

    def weights_in(self, folder: Path) -> Weights:
        """Return the weights of the encoder in a folder."""
        state, digest = read_weights(folder, self.architecture, self.config.layers)
        return Weights({f"model.{name}": value for name, value in state.items()}, digest)

    @property
    def shortest(self) -> int:
        """How many samples the first frame reads."""
        samples = 1
        for kernel, stride in reversed(self.sizes):
            samples = (samples - 1) * stride + kernel
        return samples

    def normalise(self, frames: Tensor, lengths: Tensor) -> Tensor:
        """Return waveforms (batch, 1, samples) as the feature extractor has them, zero beyond each clip's end, where
        they go on for one frame: a clip that is shorter has one.
        """
        own = within(lengths, frames.shape[2])[:, None]
        frames = frames * own
        if self.architecture.do_normalize:
            size = lengths[:, None, None]
            frames = (frames - frames.sum(2, keepdim=True) / size) * own
            frames = frames * torch.rsqrt(frames.square().sum(2, keepdim=True) / size + _LEAST)
        return F.pad(frames, (0, self.shortest))

    def statistics(self, normalised: Tensor, lengths: Tensor) -> Tensor:
        """Return mean and deviation over time of the frames of each layer that is read, (batch, width)."""
        lengths = lengths.clamp(min=self.shortest)
        if self.training:
            cuts = tuple(range(_TOGETHER, len(lengths), _TOGETHER))
            parts = zip(normalised.tensor_split(cuts), lengths.tensor_split(cuts), strict=True)
            frames = torch.cat([self._convolved(*part) for part in parts])
        else:
            frames = self._convolved(normalised, lengths)
        for size in self.sizes:
            lengths = _steps(lengths, *size)
        frames = self.model.feature_projection(frames.transpose(1, 2))
        frames = frames[0] if isinstance(frames, tuple) else frames
        real = within(lengths, frames.shape[1])
        return torch.cat(self._read(frames * real[:, :, None], real), dim=1)

    def _convolved(self, frames: Tensor, lengths: Tensor) -> Tensor:
        """Return what the convolutions make of waveforms, (batch, channels, steps)."""
        for layer, size in zip(self.model.feature_extractor.conv_layers, self.sizes, strict=True):
            lengths = _steps(lengths, *size)
            norm = getattr(layer, "layer_norm", None)
            if isinstance(norm, nn.GroupNorm):  # each channel over time
                frames = layer.activation(_over_own(norm, layer.conv(frames), lengths))
            else:
                frames = layer(frames)
        return frames

    def _read(self, frames: Tensor, real: Tensor) -> list[Tensor]:
        """Return the statistics of the layers that are read, of frames (batch, steps, hidden) under the first one.

        Layers count as in transformers' `hidden_states`.
        """
        encoder = self.model.encoder
        frames = frames + self._positions(frames, real)
        if not self.architecture.do_stable_layer_norm:
            frames = encoder.layer_norm(frames)
        is_wavlm = self.architecture.model_type == "wavlm"
        options: dict[str, Any] = {"attention_mask": real, "position_bias": None}
        if not is_wavlm:
            options = {"attention_mask": torch.where(real, 0.0, -torch.inf)[:, None, None].to(frames.dtype)}
        found: list[Tensor] = []
        for number, layer in enumerate(encoder.layers, start=1):
            frames = layer(frames, **options)
            if is_wavlm:
                frames, options["position_bias"] = frames
            if number in self.config.read:
                found += over_time(real, frames.float())
        return found

    def _positions(self, frames: Tensor, real: Tensor) -> Tensor:
        """Return what is added to frames that are zero beyond each clip's end, for where they are."""
        embed = self.model.encoder.pos_conv_embed
        if self.architecture.model_type != "data2vec-audio":
            positions: Tensor = embed(frames)
            return positions
        frames = frames.transpose(1, 2)
        for layer in embed.layers:  # one upon another, each of which would hear what the one below makes of pads
            frames = layer(frames) * real[:, None]
        return frames.transpose(1, 2)


def _steps(lengths: Tensor, kernel: int, stride: int) -> Tensor:
    """Return how many steps a convolution makes of so many."""
    return torch.div(lengths - kernel, stride, rounding_mode="floor") + 1


def _over_own(norm: nn.GroupNorm, frames: Tensor, lengths: Tensor) -> Tensor:
    """Return a normalisation of each channel of frames (batch, channels, steps) over each clip's own steps."""
    own, size = within(lengths, frames.shape[2])[:, None], lengths[:, None, None]
    frames = frames.float()
    centred = frames - (frames * own).sum(2, keepdim=True) / size
    variance = (centred * own).square().sum(2, keepdim=True) / size
    return centred * torch.rsqrt(variance + norm.eps) * norm.weight[:, None] + norm.bias[:, None]
