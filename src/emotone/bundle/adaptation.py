"""Where the training clips' embeddings lie: how far from them a recording is, and a known speaker's moved there."""

from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from emotone.config import Config

__all__ = ["Head", "Moments", "Voice"]

Array = npt.NDArray[np.floating]

_LEAST = 1e-6  # of a deviation


class Moments:
    """Mean and deviation of embeddings that come in parts, none of which is kept (Chan, Golub and LeVeque, 1983).

    Args:
        embeddings: the first of them, (any number, width).

    Attributes:
        count: how many there were.
        mean: of them, (width,); empty where there were none.
    """

    def __init__(self, embeddings: Array | None = None) -> None:
        self.count, self.mean = 0, np.zeros(0)
        self._squares = self.mean  # of the distances from the mean, summed up
        if embeddings is not None:
            self.add(embeddings)

    def add(self, embeddings: Array) -> None:
        """Take further embeddings, (any number, width)."""
        if not len(embeddings):
            return
        mean = embeddings.mean(axis=0, dtype=np.float64)
        squares = np.square(embeddings - mean).sum(axis=0)
        before, self.count = self.count, self.count + len(embeddings)
        if not before:
            self.mean, self._squares = mean, squares
            return
        apart, share = mean - self.mean, len(embeddings) / self.count
        self.mean = self.mean + share * apart
        self._squares = self._squares + squares + before * share * np.square(apart)

    @property
    def deviation(self) -> npt.NDArray[np.float64]:
        """Their standard deviation, (width,)."""
        return np.asarray(np.sqrt(self._squares / self.count))


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

    def voice(self, own: Array | Moments) -> Voice | None:
        """Return where a speaker's embeddings lie, `own` as `probabilities` has it; None where there are none."""
        known = own if isinstance(own, Moments) else Moments(own)
        if not known.count:
            return None
        share = known.count / (known.count + self.trust)
        centre = share * known.mean + (1 - share) * np.asarray(self.mean)
        spread = share * known.deviation + (1 - share) * np.asarray(self.deviation)
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
