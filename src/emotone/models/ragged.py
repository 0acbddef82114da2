"""What all networks have in common that read clips of any length."""

from abc import abstractmethod

from torch import Tensor, nn

from emotone.models.config import LayersConfig, OwnConfig

__all__ = ["Ragged"]


class Ragged(nn.Module):
    """Log-mels or waveforms of clips of any length in, one score (logit) a class out, by a last layer `output`.

    Attributes:
        config: the recipe's model. bands: mel bands of a frame; 1 for waveforms. output: the last layer.
    """

    config: OwnConfig | LayersConfig
    bands: int
    output: nn.Linear

    def forward(self, clips: tuple[Tensor, Tensor]) -> Tensor:
        """Return logits (batch, classes).

        Args:
            clips: log-mels in dB, (batch, bands, frames), or waveforms, (batch, 1, samples), and each clip's own
                frames or samples, (batch,).
        """
        frames, lengths = clips
        return self.score(self.normalise(frames, lengths), lengths)

    @abstractmethod
    def normalise(self, frames: Tensor, lengths: Tensor) -> Tensor:
        """Return what the first convolution reads; zero beyond each clip's end."""

    @abstractmethod
    def score(self, normalised: Tensor, lengths: Tensor) -> Tensor:
        """Return logits (batch, classes) for what `normalise` gives."""

    @abstractmethod
    def embed(self, normalised: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return what the output layer reads, (batch, width), and the attention over time, where there is one."""
