"""The front end: waveforms in, frame-wise features out, as a torch module that runs batched on CPU or GPU."""

from typing import Literal

import torch
from torch import Tensor, nn

from emotone.errors import UsageError
from emotone.features import functional
from emotone.features.config import FeatureConfig

__all__ = ["FrontEnd"]


class FrontEnd(nn.Module):
    """Takes the streams of a `FeatureConfig` from waveforms, as librosa 0.11 with its defaults would.

    Clips of different lengths go in one batch, each padded at its end: the frames of a clip are those that the clip
    alone would give. Frame t is centred on sample t * hop. ZCR and RMS use frames of `config.window` samples, the
    spectral streams frames of `config.fft`.

    Args:
        config: what to take; `layout` has no part here.
        rate: sampling rate of the waveforms in Hz.

    Raises:
        UsageError: mel bands beyond half the rate, or without width.

    Shape:
        - waveforms: (batch, samples), float; lengths: (batch,) samples of each clip; None where all are whole
        - output: features (batch, channels, frames), zero beyond a clip's frames; frame lengths (batch,)
    """

    window: Tensor
    mel: Tensor
    mfcc_mel: Tensor
    dct: Tensor

    def __init__(self, config: FeatureConfig, rate: int) -> None:
        super().__init__()
        self.config = config
        self.rate = rate
        self.fft = config.fft or config.window
        fmax = config.fmax or rate / 2
        if not config.fmin < fmax <= rate / 2:
            raise UsageError(f"Mel bands from {config.fmin:g} to {fmax:g} Hz do not fit a rate of {rate} Hz")

        def filters(mels: int) -> Tensor:
            return functional.mel_filters(rate, self.fft, mels, fmin=config.fmin, fmax=fmax, htk=config.htk)

        window = torch.hann_window(config.window, dtype=torch.float64).float()
        self.register_buffer("window", window, persistent=False)
        self.register_buffer("mel", filters(config.mels), persistent=False)
        self.register_buffer("mfcc_mel", filters(config.mfcc_mels), persistent=False)
        self.register_buffer("dct", functional.dct_matrix(config.mfcc, config.mfcc_mels), persistent=False)

    def frame_lengths(self, lengths: Tensor) -> Tensor:
        """Return how many frames clips of `lengths` samples have."""
        odd = max(self.fft % 2, self.config.window % 2)
        return (lengths - odd).clamp(min=0) // self.config.hop + 1

    def forward(self, waveforms: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return features (batch, channels, frames) and each clip's number of frames."""
        if lengths is None:
            lengths = torch.full((len(waveforms),), waveforms.shape[-1], device=waveforms.device)
        frames = self.frame_lengths(lengths)
        return self.take(waveforms, lengths, frames, int(frames.max())), frames

    def take(self, waveforms: Tensor, lengths: Tensor, frames: Tensor, most: int) -> Tensor:
        """Return features (batch, channels, most) of clips of `frames` frames, none of which has more than `most`."""
        waveforms = waveforms * functional.frame_mask(lengths, waveforms.shape[-1])
        streams = self._streams(waveforms, lengths, frames)
        parts = [streams[name][..., :most] for name in self.config.streams]
        if self.config.normalise == "clip":
            parts = [functional.standardise(part, frames) for part in parts]
        return torch.cat(parts, dim=1) * functional.frame_mask(frames, most)[:, None]

    def filters(self, name: Literal["mel", "mfcc_mel"]) -> Tensor:
        """Return the filters of a stream, (bands, bins)."""
        filters: Tensor = getattr(self, name)
        return filters

    def power(self, waveforms: Tensor) -> Tensor:
        """Return the power spectra that the filters read, (batch, bins, frames or one more)."""
        return functional.power_spectrogram(waveforms, self.window, fft=self.fft, hop=self.config.hop)

    def _streams(self, waveforms: Tensor, lengths: Tensor, frames: Tensor) -> dict[str, Tensor]:
        """Return the wanted streams by name, each (batch, channels, frames or one more)."""
        config, wanted, streams = self.config, set(self.config.streams), {}
        if "zcr" in wanted:
            streams["zcr"] = functional.zero_crossing_rate(waveforms, lengths, window=config.window, hop=config.hop)
        if "rms" in wanted:
            streams["rms"] = functional.rms(waveforms, window=config.window, hop=config.hop)
        cepstral = wanted & {"mfcc", "delta", "delta2"}
        if cepstral or "logmel" in wanted:
            power = self.power(waveforms)
        if "logmel" in wanted:
            reference_max = config.reference == "max"
            streams["logmel"] = functional.power_to_db(self.filters("mel") @ power, frames, reference_max=reference_max)
        if cepstral:
            streams["mfcc"] = self.dct @ functional.power_to_db(self.filters("mfcc_mel") @ power, frames)
        if "delta" in wanted:
            streams["delta"] = functional.deltas(streams["mfcc"], frames, order=1)
        if "delta2" in wanted:
            streams["delta2"] = functional.deltas(streams["mfcc"], frames, order=2)
        return streams
