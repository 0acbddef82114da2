"""Where the training clips' embeddings lie: how far from them a recording is, and a known speaker's moved there."""

from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from emotone.config import Config

__all__ = ["Head", "Voice"]

Array = npt.NDArray[np.floating]

_LEAST = 1e-6  # of a deviation


class Voice(NamedTuple):
    """Where a speaker's embeddings lie.

    Attributes:
        centre, spread: their mean and deviation, as far as they are trusted, (width,).
    """

    centre: npt.NDArray[np.float64]
    spread: npt.NDArray[np.float64]


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
    reach: float | None = Field(default=None, gt=0)
    """The distance that 99 % of the clips of speakers not trained on stay within; None where there were none."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        width = len(self.mean)
        if len(self.deviation) != width or any(len(row) != width for row in self.weight):
            raise ValueError(f"mean, deviation and rows of weight must all have the width {width}")
        if len(self.bias) != len(self.weight):
            raise ValueError(f"{len(self.bias)} biases for {len(self.weight)} classes")
        return self

    def distances(self, embeddings: Array) -> npt.NDArray[np.float64]:
        """Return how far embeddings (clips, width) lie from the training clips': 1 for those themselves, on average.

        Each value is standardised by the training clips' mean and deviation; the distance is the root of the mean
        square: Mahalanobis's with a diagonal covariance, by the width.
        """
        return np.asarray(np.sqrt(np.mean(np.square(self._standardised(embeddings)), axis=1)))

    def are_far(self, embeddings: Array) -> npt.NDArray[np.bool_]:
        """Return which of the embeddings (clips, width) lie out of `reach`: the model has heard nothing like them."""
        if self.reach is None:
            return np.zeros(len(embeddings), bool)
        return self.distances(embeddings) > self.reach

    def voice(self, own: Array) -> Voice | None:
        """Return where a speaker's embeddings lie, `own` as `probabilities` has it; None where there are none."""
        if not len(own):
            return None
        share = len(own) / (len(own) + self.trust)
        centre = share * own.mean(axis=0) + (1 - share) * np.asarray(self.mean)
        spread = share * own.std(axis=0) + (1 - share) * np.asarray(self.deviation)
        return Voice(centre, np.maximum(spread, _LEAST))

    def moved(self, embeddings: Array, own: Array | Voice | None) -> npt.NDArray[np.float64]:
        """Return a speaker's embeddings (clips, width) put where the training speakers' lie; `own` as `probabilities`
        has it.
        """
        voice = self.voice(own) if isinstance(own, np.ndarray) else own
        if voice is None:
            return np.asarray(embeddings, np.float64)
        standardised = (embeddings - voice.centre) / voice.spread
        return np.asarray(standardised * np.asarray(self.deviation) + np.asarray(self.mean))

    def probabilities(
        self, embeddings: Array, own: Array | Voice | None, *, temperature: float = 1.0
    ) -> npt.NDArray[np.float32]:
        """Return calibrated probabilities (clips, classes) of a speaker's clips.

        Args:
            embeddings: of the clips to judge, (clips, width).
            own: of recordings of the same speaker, without labels, (recordings, width); the more kinds of emotion they
                have, the better. With few, the training speakers' distribution keeps its weight, see `trust`. Or what
                `voice` says of them.
            temperature: what the logits are divided by.
        """
        moved = self.moved(embeddings, own)
        logits = (moved @ np.asarray(self.weight).T + np.asarray(self.bias)) / temperature
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float32)

    def _standardised(self, embeddings: Array) -> Array:
        deviation = np.maximum(np.asarray(self.deviation), _LEAST)
        return np.asarray((embeddings - np.asarray(self.mean)) / deviation)
