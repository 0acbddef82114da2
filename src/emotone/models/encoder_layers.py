"""The first layers of a pretrained encoder on a clip's own length, and a linear output on what their frames are over
time."""

from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from emotone.errors import EmotoneError
from emotone.models.config import LayersConfig
from emotone.models.ragged import Ragged

__all__ = ["LEAST_VARIANCE", "EncoderLayers", "Weights", "over_time"]

LEAST_VARIANCE = 1e-6
"""What is added to a variance over time before its root is taken."""


class Weights(NamedTuple):
    """What is read of an encoder's files.

    Attributes:
        state: the weights, float32, by their names in the network.
        digest: of them, the same however the files hold them, 40 hexadecimal digits.
    """

    state: dict[str, Tensor]
    digest: str


class EncoderLayers(Ragged):
    """What a recording is taken as in, one score (logit) a class out.

    A clip ends where it ends: its scores depend neither on the other clips of its batch nor on what it is padded with.

    Attributes:
        mean, deviation: by which the statistics are standardised, (width,).
        width: how many values the output reads.
    """

    config: LayersConfig
    mean: Tensor
    deviation: Tensor

    def add_output(self, hidden: int, classes: int) -> None:
        """Make the output, once the layers are made: what is drawn at random is drawn in this order."""
        self.dropout = nn.Dropout(self.config.dropout)
        self.width = 2 * hidden * len(self.config.read)
        self.register_buffer("mean", torch.zeros(self.width))
        self.register_buffer("deviation", torch.ones(self.width))
        self.output = nn.Linear(self.width, classes)

    @property
    @abstractmethod
    def trained(self) -> Sequence[nn.Module]:
        """The layers, the first first: all of the encoder that may be trained on."""

    @property
    @abstractmethod
    def hears(self) -> str:
        """How recordings are taken in: what statistics depend on beside weights, layers and the clip."""

    @abstractmethod
    def statistics(self, normalised: Tensor, lengths: Tensor) -> Tensor:
        """Return mean and deviation over time of the frames of each layer that is read, (batch, width)."""

    @abstractmethod
    def weights_in(self, folder: Path) -> Weights:
        """Return the weights of the encoder in a folder, as many as this network has.

        Raises:
            UsageError: an encoder of another kind or size than the recipe's.
            EmotoneError: files that are missing or broken.
        """

    def score(self, normalised: Tensor, lengths: Tensor) -> Tensor:
        """Return logits (batch, classes) for what `normalise` gives."""
        logits: Tensor = self.output(self.dropout(self.embed(normalised, lengths)[0]))
        return logits

    def embed(self, normalised: Tensor, lengths: Tensor) -> tuple[Tensor, None]:
        """Return what the output layer reads, (batch, width): the standardised statistics. There is no attention."""
        return (self.statistics(normalised, lengths) - self.mean) / self.deviation, None

    def prior_scale(self) -> Tensor:
        """Return how large the weight of each statistic is expected to be beside the largest, (width,)."""
        last, scale, read = max(self.config.read), self.config.prior_scale, self.config.read
        each = [scale ** (last - layer + deviations) for layer in read for deviations in (0, 1)]
        return torch.tensor(each).repeat_interleave(self.width // len(each))

    @torch.no_grad()
    def standardise(self, mean: Tensor, deviation: Tensor) -> None:
        """Standardise statistics by these, (width,), from now on."""
        self.mean.copy_(mean)
        self.deviation.copy_(deviation)

    def load_encoder(self, folder: Path) -> None:
        """Take over the weights of a pretrained encoder.

        Raises:
            UsageError: an encoder of another kind or size than the recipe's.
            EmotoneError: files that are broken, or other weights than the recipe names.
        """
        state, found = self.weights_in(folder)
        if self.config.weights not in (None, found):
            raise EmotoneError(
                f"{folder}: holds the weights {found}, the recipe is of {self.config.weights}. Name the folder with "
                "--encoder to use them all the same."
            )
        try:
            _, unexpected = self.load_state_dict(state, strict=False)
        except RuntimeError as error:
            reason = str(error).strip().splitlines()[-1].strip()
            raise EmotoneError(f"{folder}: weights of other shapes than its config.json says: {reason}") from None
        assert not unexpected


def over_time(real: Tensor, frames: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean and deviation, (batch, width) each, of the frames (batch, steps, width) that are real."""
    weights = real[:, :, None] / real.sum(1)[:, None, None]
    mean = (frames * weights).sum(1)
    variance = ((frames - mean[:, None]).square() * weights).sum(1)
    return mean, (variance + LEAST_VARIANCE).sqrt()
