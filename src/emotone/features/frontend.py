"""The front end: waveforms in, frame-wise features out, as a torch module that runs batched on CPU or GPU."""

from typing import Literal

import torch
from torch import Tensor, nn

from emotone.errors import UsageError
from emotone.features import functional
from emotone.features.config import FeatureConfig
from emotone.features.layout import frame_count

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
    delta_weights: Tensor

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
        self._reach = {"mel": functional.filter_reach(self.mel), "mfcc_mel": functional.filter_reach(self.mfcc_mel)}
        self.register_buffer("dct", functional.dct_matrix(config.mfcc, config.mfcc_mels), persistent=False)
        self.register_buffer("delta_weights", functional.delta_weights(), persistent=False)

    def frame_lengths(self, lengths: Tensor) -> Tensor:
        """Return how many frames clips of `lengths` samples have."""
        odd = max(self.fft % 2, self.config.window % 2)
        return (lengths - odd).clamp(min=0) // self.config.hop + 1

    def forward(self, waveforms: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return features (batch, channels, frames) and each clip's number of frames."""
        if lengths is None:
            most = frame_count(waveforms.shape[-1], self.config)
            frames = torch.full((len(waveforms),), most, device=waveforms.device)
        else:
            frames = self.frame_lengths(lengths)
            most = int(frames.max())
        return self.take(waveforms, lengths, frames, most), frames

    def take(self, waveforms: Tensor, lengths: Tensor | None, frames: Tensor, most: int) -> Tensor:
        """Return features (batch, channels, most) of clips of `frames` frames, none of which has more than `most`.

        `lengths` is None where all are whole.
        """
        if lengths is not None:
            waveforms = waveforms * functional.frame_mask(lengths, waveforms.shape[-1])
        streams = self._streams(waveforms, lengths, frames, most)
        parts = [streams[name] for name in self.config.streams]
        if self.config.normalise == "clip":
            parts = [functional.standardise(part, frames) for part in parts]
        features = torch.cat(parts, dim=1)
        return features if lengths is None else features * functional.frame_mask(frames, most)[:, None]

    def power(self, waveforms: Tensor) -> Tensor:
        """Return the power spectra that the filters read, (batch, bins, frames or one more)."""
        return functional.power_spectrogram(waveforms, self.window, fft=self.fft, hop=self.config.hop)

    def bands(self, name: Literal["mel", "mfcc_mel"], power: Tensor) -> Tensor:
        """Return the power (batch, bands, frames) that filters pass of spectra (batch, bins, frames)."""
        return functional.passed(power, getattr(self, name), self._reach[name])

    def _streams(self, waveforms: Tensor, lengths: Tensor | None, frames: Tensor, most: int) -> dict[str, Tensor]:
        """Return the wanted streams by name, each (batch, channels, most)."""
        config, wanted, streams = self.config, set(self.config.streams), {}
        own = None if lengths is None else frames
        if "zcr" in wanted:
            rate = functional.zero_crossing_rate(waveforms, lengths, window=config.window, hop=config.hop)
            streams["zcr"] = rate[..., :most]
        if "rms" in wanted:
            streams["rms"] = functional.rms(waveforms, window=config.window, hop=config.hop)[..., :most]
        cepstral = wanted & {"mfcc", "delta", "delta2"}
        if cepstral or "logmel" in wanted:
            power = self.power(waveforms)[..., :most]
        if "logmel" in wanted:
            reference_max = config.reference == "max"
            streams["logmel"] = functional.power_to_db(self.bands("mel", power), own, reference_max=reference_max)
        if cepstral:
            streams["mfcc"] = self.dct @ functional.power_to_db(self.bands("mfcc_mel", power), own)
        if wanted & {"delta", "delta2"}:
            differences = functional.deltas(streams["mfcc"], frames, self.delta_weights)
            streams["delta"], streams["delta2"] = differences.unbind(1)
        return streams
