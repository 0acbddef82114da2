"""From frames of clips to the array a model reads; what it learns (length, scale) it learns from training samples."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray

from emotone.features.config import FeatureConfig
from emotone.features.layout import layout

__all__ = ["Preparation"]

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Preparation:
    """Standardise, bring to one length, lay out.

    Attributes:
        features: the recipe's features.
        n_frames: the length in frames that every clip is padded or cut to: the longest training clip's.
        mean: what is subtracted, (channels,) for frames, one per value for vectors; None without scaler.
        scale: what is divided by after that, of the same shape.
    """

    features: FeatureConfig
    n_frames: int
    mean: Array | None = None
    scale: Array | None = None

    @classmethod
    def fit(cls, frames: Sequence[Array], features: FeatureConfig, scaler: Literal["none", "standard"]) -> Self:
        """Learn from training samples, each (channels, frames)."""
        n_frames = max(clip.shape[1] for clip in frames)
        if scaler == "none":
            return cls(features, n_frames)
        if features.layout == "frames":
            values = np.concatenate(frames, axis=1).T
        else:
            values = layout(frames, features, n_frames=n_frames)
        mean, deviation = values.mean(0, dtype=np.float64), values.std(0, dtype=np.float64)
        scale = np.where(deviation > 0, deviation, 1.0)  # a constant value becomes zero, as in scikit-learn
        return cls(features, n_frames, mean.astype(np.float32), scale.astype(np.float32))

    def over(self, other: Self) -> Self:
        """Return this for samples that `other` was learnt from, as the network that this belongs to reads them."""
        fixed = self.features.layout in ("frames", "flat")  # else the length is only told, not read
        return self if fixed else replace(self, n_frames=other.n_frames)

    def __call__(self, frames: Sequence[Array]) -> Array | list[Array]:
        """Return the model's input, (samples, ...). Pads of frames stay zero, which is their mean.

        What is ragged stays as it is, and so do waveforms: their networks pad them batch by batch.
        """
        are_waveforms = self.features.streams == ("waveform",) and self.features.layout == "frames"
        if self.features.layout == "ragged" or are_waveforms:
            return list(frames)
        if self.mean is None or self.scale is None:
            return layout(frames, self.features, n_frames=self.n_frames)
        if self.features.layout == "frames":
            scaled = [(clip - self.mean[:, None]) / self.scale[:, None] for clip in frames]
            return layout(scaled, self.features, n_frames=self.n_frames)
        values = layout(frames, self.features, n_frames=self.n_frames)
        values -= self.mean
        values /= self.scale
        return values
