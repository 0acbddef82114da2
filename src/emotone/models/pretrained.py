"""Pretrained encoders of speech under the classification heads of transformers: waveforms in, one score a class out."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from emotone.errors import UsageError, unknown
from emotone.models import weights
from emotone.models.config import WAVEFORM_FAMILIES
from emotone.models.layers import within
from emotone.models.reading import check_rate, check_whole, quiet, reading

__all__ = ["FAMILIES", "Encoder", "FrozenEncoder"]

Array = NDArray[np.float32]

FAMILIES = (*WAVEFORM_FAMILIES, "whisper")
"""The architectures that may be asked for, as `model_type` in their `config.json`."""

_HEAD = ("projector.", "classifier.")
_SAMPLES_A_FRAME = 320  # 20 ms at 16 kHz, in every family


class Encoder(nn.Module):
    """An encoder with a linear head: projection, mean over time, one score a class, as transformers has it.

    Clips are padded to the longest of their batch. Where the encoder was trained with an attention mask (its feature
    extractor says so) pads are masked; where not, they are zeros that it sees. Whisper pads every clip to 30 s, but for
    `own_length`: there a clip's positions end with it, its mean is over its own frames, and pads are masked.

    Args:
        model: of `AutoModelForAudioClassification`.
        extractor: its feature extractor.
        own_length: of a Whisper, read every clip on its own length.

    Attributes:
        head: from mean frames (batch, hidden) to scores. rate: the sampling rate in Hz that is read.
    """

    def __init__(self, model: Any, extractor: Any, *, own_length: bool = False) -> None:
        super().__init__()
        self.model, self.extractor, self.own_length = model, extractor, own_length
        self.is_whisper = model.config.model_type == "whisper"
        self.head = nn.Sequential(model.projector, model.classifier)
        self.rate: int = extractor.sampling_rate
        if self.is_whisper:
            self.base.embed_positions.requires_grad_(False)  # sines, which transformers means to freeze too

    @classmethod
    def load(cls, folder: Path, *, classes: int = 2, with_head: bool = False, own_length: bool = False) -> Self:
        """Read an encoder as `save_pretrained` wrote it.

        Args:
            folder: where.
            classes: how many the head tells apart.
            with_head: read the head too; it is otherwise drawn anew from torch's generator.
            own_length: of a Whisper, read every clip on its own length.

        Raises:
            EmotoneError: a folder that transformers cannot read, or weights that are not all of the encoder's.
            UsageError: another architecture.
        """
        with reading(folder):
            from transformers import AutoConfig, AutoFeatureExtractor, AutoModelForAudioClassification

            family = AutoConfig.from_pretrained(folder, local_files_only=True).model_type
            if family not in FAMILIES:
                raise unknown("kind of encoder", family, FAMILIES, where=str(folder))
            if own_length and family != "whisper":
                raise UsageError(f"{folder}: model.own_length goes with a Whisper; this encoder is a {family}.")
            extractor = AutoFeatureExtractor.from_pretrained(folder, local_files_only=True)
            model, report = AutoModelForAudioClassification.from_pretrained(
                folder,
                num_labels=classes,
                use_weighted_layer_sum=False,
                ignore_mismatched_sizes=True,  # of the head of another task
                dtype=torch.float32,
                local_files_only=True,
                output_loading_info=True,
            )
        check_whole(folder, report, needed=lambda name: with_head or not name.startswith(_HEAD))
        if not with_head:
            model.projector.reset_parameters()
            model.classifier.reset_parameters()
        return cls(model, extractor, own_length=own_length)

    def check_rate(self, rate: int, folder: Path) -> None:
        """Refuse clips of another sampling rate than the encoder reads."""
        check_rate(folder, read=self.rate, given=rate)

    @property
    def base(self) -> Any:
        """The encoder without its head."""
        return self.model.encoder if self.is_whisper else self.model.base_model

    def inputs(self, clips: Sequence[Array]) -> dict[str, Tensor]:
        """Return the batch that `forward` takes, of clips of any lengths, each (1, samples) at `rate`.

        Each is normalised alone, where the extractor normalises, so that its values do not depend on its batch.
        """
        waveforms = [np.ravel(clip) for clip in clips]
        if self.own_length:
            read = [self._log_mels(waveform) for waveform in waveforms]
            lengths = torch.tensor([len(frames) for frames in read])
            padded = nn.utils.rnn.pad_sequence(read, batch_first=True)
            return {"input_features": padded.transpose(1, 2), "lengths": lengths}
        if self.is_whisper:
            return dict(self.extractor(waveforms, sampling_rate=self.rate, return_tensors="pt"))
        own = [self.extractor(waveform, sampling_rate=self.rate)["input_values"][0] for waveform in waveforms]
        together = self.extractor.pad(
            {"input_values": own},
            padding=True,
            return_attention_mask=self.extractor.return_attention_mask,
            return_tensors="pt",
        )
        return dict(together)

    def _log_mels(self, waveform: Array) -> Tensor:
        """Return a clip's log-mels as Whisper's extractor has them, (frames, bands), without pads."""
        short = max(0, self.extractor.n_fft - len(waveform))  # of its shortest spectrum
        given = np.pad(waveform, (0, short))
        found = self.extractor(given, sampling_rate=self.rate, padding="do_not_pad", return_tensors="pt")
        frames: Tensor = found["input_features"][0].T
        return frames

    def forward(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """Return scores (batch, classes)."""
        if self.own_length:
            frames, real = self._on_own_length(**inputs)
            means = (self.model.projector(frames) * real[:, :, None]).sum(1) / real.sum(1, keepdim=True)
            scores: Tensor = self.model.classifier(means)
            return scores
        logits: Tensor = self.model(**inputs).logits
        return logits

    def _on_own_length(self, input_features: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Return the last layer's frames, (batch, steps, hidden), and which of them are real, (batch, steps).

        It does what `WhisperEncoder.forward` does, which refuses any other length than 30 s.
        """
        heard = within(lengths, input_features.shape[2])
        frames = F.gelu(self.base.conv1(input_features)) * heard[:, None]
        frames = F.gelu(self.base.conv2(frames)).transpose(1, 2)
        real = heard[:, ::2]
        frames = frames + self.base.embed_positions.weight[: frames.shape[1]]
        frames = F.dropout(frames, self.base.dropout, self.training)
        unheard = torch.where(real, 0.0, -torch.inf)[:, None, None].to(frames.dtype)
        for layer in self.base.layers:
            frames = layer(frames, unheard.expand(-1, -1, frames.shape[1], -1))
        return self.base.layer_norm(frames), real

    def frames(self, clip: Array) -> Tensor:
        """Return the last layer's frames of one clip (1, samples), shape (frames, hidden), one for every 20 ms."""
        inputs = {name: value.to(self.model.device) for name, value in self.inputs([clip]).items()}
        if self.own_length:
            return self._on_own_length(**inputs)[0][0]
        frames: Tensor = self.base(**inputs).last_hidden_state[0]
        return frames

    def freeze(self, part: Literal["nothing", "features", "encoder"]) -> None:
        """Keep a part as it is in training: the convolutions under the transformer, or the whole encoder."""
        if part == "encoder":
            self.base.requires_grad_(False)
        elif part == "features" and self.is_whisper:
            self.base.conv1.requires_grad_(False)
            self.base.conv2.requires_grad_(False)
        elif part == "features":
            self.model.freeze_feature_encoder()

    def rates(self, *, head: float, top: float, decay: float) -> list[dict[str, Any]]:
        """Return an optimiser's groups with their learning rates, the head's first.

        Args:
            head: of the head.
            top: of the transformer's last layer.
            decay: what every layer has of the rate of the one above it. What lies under the first layer, and what
                belongs to none, learns as a layer under the first.
        """
        layers = self.base.layers if self.is_whisper else self.base.encoder.layers
        parts = [(head, list(self.head.parameters()))]
        parts += [(top * decay**above, list(layer.parameters())) for above, layer in enumerate(reversed(layers))]
        listed = {id(parameter) for _, parameters in parts for parameter in parameters}
        parts += [(top * decay ** len(layers), [own for own in self.parameters() if id(own) not in listed])]
        groups = [(rate, [own for own in parameters if own.requires_grad]) for rate, parameters in parts]
        return [{"params": own, "lr": rate} for rate, own in groups if own]

    def save(self, folder: Path, labels: Sequence[str] | None) -> None:
        """Write what `transformers.pipeline("audio-classification", model=folder)` reads; without labels, no head."""
        state = self.model.state_dict()
        if labels is None:
            state = {name: value for name, value in state.items() if not name.startswith(_HEAD)}
        else:
            self.model.config.id2label = dict(enumerate(labels))
            self.model.config.label2id = {label: index for index, label in enumerate(labels)}
        with quiet():
            self.model.save_pretrained(folder, state_dict=state)
            self.extractor.save_pretrained(folder)


class FrozenEncoder:
    """An encoder that only reads: what `features.embed` asks for the frames of clips.

    Args:
        folder: of the encoder.
        rate: sampling rate of the clips in Hz.
        mean: give the mean over all frames as the only one.
        device: "auto", "cpu" or "cuda".
        own_length: of a Whisper, read every clip on its own length.

    Raises:
        EmotoneError: a folder without an encoder.
    """

    def __init__(self, folder: Path, *, rate: int, mean: bool, device: str = "auto", own_length: bool = False) -> None:
        self.folder, self.rate, self.mean, self.own_length = folder, rate, mean, own_length
        self.device = "cuda" if device == "cuda" or (device == "auto" and torch.cuda.is_available()) else "cpu"
        kind = f"{'mean' if mean else 'frames'}{' own length' if own_length else ''}"
        self.identity = f"{weights.digest(folder)} {kind} {self.device}".encode()
        """What a clip's frames depend on; the device, for its arithmetic differs in the last digits."""

    def load(self) -> Callable[[Array], Array]:
        """Return the function from a clip (1, samples) to its frames (hidden, frames), to be called in any thread."""
        encoder = Encoder.load(self.folder, own_length=self.own_length)
        encoder.check_rate(self.rate, self.folder)
        encoder.to(self.device).eval()

        def take(clip: Array) -> Array:
            with torch.inference_mode():
                frames = encoder.frames(clip)
                if self.mean:
                    frames = frames.mean(0, keepdim=True)
                elif encoder.is_whisper and not self.own_length:  # the rest is the pad to 30 s
                    frames = frames[: -(-clip.shape[-1] // _SAMPLES_A_FRAME)]
                return np.ascontiguousarray(frames.T.float().cpu().numpy())

        return take
