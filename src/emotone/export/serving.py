"""A fitted system as one torch module: from waveforms to calibrated probabilities, made of what ONNX has."""

from copy import deepcopy
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from emotone.features import functional
from emotone.features.config import AudioConfig
from emotone.features.fourier import MatrixFrontEnd
from emotone.models.network import Network
from emotone.models.ragged import Ragged
from emotone.training.preparation import Preparation
from emotone.training.system import FittedSystem

__all__ = ["AudioPreparation", "Heard", "Serving"]

_FRAME, _HOP = 2048, 512  # of features.prepare.trim, in samples
_LEAST_RMS = 1e-5


class Heard(NamedTuple):
    """What the front end takes of a batch of clips.

    Attributes:
        features: (batch, channels, frames), zero beyond each clip's own frames.
        frames: each clip's own, (batch,).
        start: the sample of the clip that frame 0 is centred on, (batch,); not 0 where its beginning is cut off.
    """

    features: Tensor
    frames: Tensor
    start: Tensor


class Serving(nn.Module):
    """What `FittedSystem.predict_files` does after decoding, for a batch of clips that do not see one another.

    Args:
        system: its model is a `Network`, an `Own` or `EncoderLayers`.

    Shape:
        - waveforms (batch, samples), each clip padded at its end; lengths (batch,), samples of each clip, at least 1
        - output: probabilities (batch, classes), embedding (batch, width), attention (batch, steps) where there is one
    """

    temperature: Tensor

    def __init__(self, system: FittedSystem) -> None:
        super().__init__()
        recipe, fitted = system.recipe, system.classifier.network_
        self.audio = AudioPreparation(recipe.audio)
        self.frontend = MatrixFrontEnd(recipe.features, recipe.audio.rate)
        self.preparation = _Preparation(system.preparation)
        self.network: Ragged | _ServedNetwork
        if isinstance(fitted, Ragged):
            self.network = deepcopy(fitted).cpu()
        else:
            self.network = _ServedNetwork(fitted.config, fitted.input_shape, len(system.classes))
            self.network.load_state_dict({name: value.cpu() for name, value in fitted.state_dict().items()})
        self.network.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
        self.register_buffer("temperature", torch.tensor(system.temperature), persistent=False)
        self.eval()

    def forward(self, waveforms: Tensor, lengths: Tensor) -> tuple[Tensor, ...]:
        """Return the outputs of a bundle."""
        heard = self.hear(waveforms, lengths)
        logits, embedding, attention = self.judge(self.read(heard.features, heard.frames), heard.frames)
        probabilities = torch.softmax(logits / self.temperature, dim=1)
        return (probabilities, embedding) if attention is None else (probabilities, embedding, attention)

    def hear(self, waveforms: Tensor, lengths: Tensor) -> Heard:
        """Return the features of clips."""
        waveforms, lengths, start = self.audio.cut(waveforms, lengths)
        if self.frontend.config.streams == ("waveform",):
            return Heard((waveforms * functional.frame_mask(lengths, waveforms.shape[1]))[:, None], lengths, start)
        frames = self.frontend.frame_lengths(lengths)
        odd = max(self.frontend.fft % 2, self.frontend.config.window % 2)
        most = (waveforms.shape[1] + self.frontend.fft) // self.frontend.config.hop + 1
        # Zeros at the end make every batch long enough for one frame, and change none that is a clip's own.
        waveforms = F.pad(waveforms, (0, self.frontend.fft + self.frontend.config.hop + odd))
        return Heard(self.frontend.take(waveforms, lengths, frames, most), frames, start)

    def read(self, features: Tensor, frames: Tensor) -> Tensor:
        """Return what the network's first layer reads of features, each clip normalised as the recipe has it."""
        if isinstance(self.network, Ragged):
            return self.network.normalise(features, frames)
        prepared: Tensor = self.preparation(features, frames)
        return prepared

    def judge(self, inputs: Tensor, frames: Tensor) -> tuple[Tensor, Tensor, Tensor | None]:
        """Return logits, before the temperature, embedding and attention for what `read` gives."""
        attention: Tensor | None
        if isinstance(self.network, Ragged):
            embedding, attention = self.network.embed(inputs, frames)
        else:
            embedding, attention = self.network.embed(inputs)
        return self.network.output(embedding), embedding, attention


class AudioPreparation(nn.Module):
    """`features.prepare.prepare` for a batch of clips, each by itself.

    A clip that is over before `config.offset`, which `load_prepared` refuses, is taken from its beginning.
    """

    def __init__(self, config: AudioConfig) -> None:
        super().__init__()
        self.config = config

    def forward(self, waveforms: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Return prepared clips (batch, samples or fewer), zero beyond their ends, and their lengths."""
        waveforms, lengths, _ = self.cut(waveforms, lengths)
        return waveforms * functional.frame_mask(lengths, waveforms.shape[1]), lengths

    def cut(self, waveforms: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return prepared clips, their lengths, and which sample of the clip each begins with, (batch,).

        What is beyond a clip's end is yet to be masked.
        """
        config, begin = self.config, torch.zeros_like(lengths)
        offset = int(config.offset * config.rate)
        if offset:
            start = torch.where(lengths > offset, offset, 0)
            waveforms, lengths, begin = _shifted(waveforms, start), lengths - start, begin + start
        if config.seconds is not None:
            most = int(config.seconds * config.rate)
            lengths = lengths.clamp(max=most)
            waveforms = F.pad(waveforms, (0, most))[:, :most]
        waveforms = waveforms * functional.frame_mask(lengths, waveforms.shape[1])
        if config.trim_db is not None:
            waveforms, lengths, start = _trimmed(waveforms, lengths, below_db=config.trim_db)
            begin = begin + start
        if config.normalise == "peak":
            own = functional.frame_mask(lengths, waveforms.shape[1])
            peak = (waveforms * own).abs().amax(1, keepdim=True)
            waveforms = waveforms / torch.where(peak >= torch.finfo(torch.float32).tiny, peak, 1.0)
        return waveforms, lengths, begin


def _shifted(waveforms: Tensor, start: Tensor) -> Tensor:
    """Return waveforms that begin `start` (batch,) samples later; what is beyond their end is to be masked."""
    samples = waveforms.shape[1]
    index = torch.arange(samples) + start[:, None]
    return waveforms.gather(1, index.clamp(max=samples - 1))


def _trimmed(waveforms: Tensor, lengths: Tensor, *, below_db: float) -> tuple[Tensor, Tensor, Tensor]:
    """Return what `features.prepare.trim` leaves of waveforms that are zero beyond their ends: it, lengths, starts.

    Its energies are float64, as there, so that a frame at the threshold falls on the same side. It begins with a whole
    block of samples, so blocks are moved, which takes less time than to move every sample by itself.
    """
    batch, samples = waveforms.shape
    count, before = samples // _HOP + 1, _FRAME // 2
    blocks = F.pad(waveforms, (before, _FRAME))[:, : (count + 3) * _HOP].reshape(batch, -1, _HOP)
    energy = blocks.double().square().sum(2)
    sums = sum((energy[:, step : step + count] for step in range(1, _FRAME // _HOP)), energy[:, :count])
    rms = (sums / _FRAME).sqrt().clamp(min=_LEAST_RMS)
    frame = torch.arange(count)
    rms = torch.where(frame <= lengths[:, None] // _HOP, rms, 0.0)  # frames are centred on samples up to the end
    loud = rms > rms.amax(1, keepdim=True) * 10.0 ** (-below_db / 20)
    first, last = torch.where(loud, frame, count).amin(1), torch.where(loud, frame + 1, 0).amax(1)
    index = (first[:, None] + frame).clamp(max=count - 1) + before // _HOP + torch.arange(batch)[:, None] * (count + 3)
    moved = blocks.flatten(0, 1).index_select(0, index.flatten()).reshape(batch, -1)[:, :samples]
    start = first * _HOP
    return moved, torch.minimum(last * _HOP, lengths) - start, start


class _Preparation(nn.Module):
    """`Preparation` for features (batch, channels, frames) that are zero beyond each clip's own frames."""

    mean: Tensor | None
    scale: Tensor | None

    def __init__(self, preparation: Preparation) -> None:
        super().__init__()
        self.layout, self.n_frames = preparation.features.layout, preparation.n_frames
        for name in ("mean", "scale"):
            value = getattr(preparation, name)
            if value is not None and self.layout == "frames":
                value = value[:, None]
            self.register_buffer(name, None if value is None else torch.from_numpy(value), persistent=False)

    def forward(self, features: Tensor, frames: Tensor) -> Tensor:
        """Return the network's input (batch, *input_shape)."""
        if self.layout == "means":
            return self._scaled(features.sum(2) / frames[:, None])
        features = F.pad(features, (0, self.n_frames))[..., : self.n_frames]
        if self.layout == "flat":
            return self._scaled(features.flatten(1))
        return self._scaled(features) * functional.frame_mask(frames, self.n_frames)[:, None]

    def _scaled(self, values: Tensor) -> Tensor:
        return values if self.mean is None or self.scale is None else (values - self.mean) / self.scale


class _ServedNetwork(Network):
    """A `Network` without data-dependent shapes: chunks of pads are computed too, and then taken as zero."""

    def _convolve(self, chunks: Tensor, real: Tensor) -> Tensor:
        maps: Tensor = self.convolution(chunks.flatten(0, 1).unsqueeze(1)).flatten(1)
        return maps.reshape(-1, chunks.shape[1], maps.shape[1]) * real[:, :, None]

    def _read(self, lstm: Any, steps: Tensor, counts: Tensor | None) -> Tensor:
        if counts is None or not torch.compiler.is_exporting():
            return super()._read(lstm, steps, counts)
        directions = ("", "_reverse") if lstm.bidirectional else ("",)

        def stacked(*names: str) -> Tensor:
            """Gates in ONNX's order, input, output, forget, cell, from torch's input, forget, cell, output."""
            each = [torch.cat([_gates(getattr(lstm, name + end)) for name in names]) for end in directions]
            return torch.stack(each)

        weights = (stacked("weight_ih_l0"), stacked("weight_hh_l0"), stacked("bias_ih_l0", "bias_hh_l0"))
        length, batch = steps.shape[1], steps.shape[0]
        read = torch.onnx.ops.symbolic(
            "LSTM",  # which takes how many steps count, as nn.LSTM does only of packed sequences
            (steps.transpose(0, 1), *weights, counts.to(torch.int32)),
            {"hidden_size": lstm.hidden_size, "direction": "bidirectional" if lstm.bidirectional else "forward"},
            dtype=steps.dtype,
            shape=(length, len(directions), batch, lstm.hidden_size),
        )
        outputs: Tensor = read.permute(2, 0, 1, 3).flatten(2)
        return outputs


def _gates(weights: Tensor) -> Tensor:
    entrance, forget, cell, out = weights.chunk(4)
    return torch.cat([entrance, out, forget, cell])
