"""A speaker known by recordings without labels: embeddings moved to where those of the training speakers lie."""

from typing import Self

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from emotone.config import Config

__all__ = ["Head"]

Array = npt.NDArray[np.floating]

_LEAST = 1e-6  # of a deviation


class Head(Config):
    """A network's output layer, and how the embeddings that it was trained on are distributed.

    An unheard speaker's embeddings lie elsewhere than those of the training speakers. Standardised by the speaker's own
    mean and deviation and brought to the training speakers', they are judged as those would be, as a call centre can
    that knows who calls; openSMILE features gain as much (z-normalisation by speaker; Schuller et al., 2010).
    """

    weight: tuple[tuple[float, ...], ...] = Field(min_length=1)
    """(classes, width)."""
    bias: tuple[float, ...]
    """(classes,)."""
    mean: tuple[float, ...]
    """Of the training clips' embeddings, (width,)."""
    deviation: tuple[float, ...]
    """Of the training clips' embeddings, (width,)."""
    trust: float = Field(default=5.0, gt=0)
    """How many recordings of a speaker count as much as what is known of the training speakers."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        width = len(self.mean)
        if len(self.deviation) != width or any(len(row) != width for row in self.weight):
            raise ValueError(f"mean, deviation and rows of weight must all have the width {width}")
        if len(self.bias) != len(self.weight):
            raise ValueError(f"{len(self.bias)} biases for {len(self.weight)} classes")
        return self

    def probabilities(self, embeddings: Array, own: Array, *, temperature: float = 1.0) -> npt.NDArray[np.float32]:
        """Return calibrated probabilities (clips, classes) of a speaker's clips.

        Args:
            embeddings: of the clips to judge, (clips, width).
            own: of recordings of the same speaker, without labels, (recordings, width); the more kinds of emotion they
                have, the better. With few, the training speakers' distribution keeps its weight, see `trust`.
            temperature: what the logits are divided by.
        """
        mean, deviation = np.asarray(self.mean), np.asarray(self.deviation)
        centre, spread = mean, deviation
        if len(own):
            share = len(own) / (len(own) + self.trust)
            centre = share * own.mean(axis=0) + (1 - share) * mean
            spread = share * own.std(axis=0) + (1 - share) * deviation
        moved = (embeddings - centre) / np.maximum(spread, _LEAST) * deviation + mean
        logits = (moved @ np.asarray(self.weight).T + np.asarray(self.bias)) / temperature
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float32)
