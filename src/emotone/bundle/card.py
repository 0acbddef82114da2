"""The card of a bundle: the model's labels, rate, calibration, origin, figures and limits, as JSON in its metadata."""

from typing import Any, Self

from pydantic import Field, model_validator

from emotone.bundle.adaptation import Head
from emotone.config import Config

__all__ = ["FORMAT", "KEY", "BundleInfo", "Metric"]

FORMAT = 1
"""Of the card and the graph's inputs and outputs; another number is another, unknown format."""
KEY = "emotone"
"""The key of the ONNX metadata under which the card stands as JSON."""


class Metric(Config):
    """A measured figure with its 95 % interval, as fractions of 1, and what it was measured under."""

    value: float
    low: float | None = None
    high: float | None = None
    protocol: str


class BundleInfo(Config):
    """The card that travels with the weights."""

    format: int = FORMAT
    name: str
    """Id of the system."""
    version: str
    """Of the emotone that wrote the file."""
    labels: tuple[str, ...] = Field(min_length=1)
    """In the order of the probabilities."""
    rate: int = Field(ge=1_000, le=768_000)
    """Sampling rate of the waveforms in Hz: one that recordings may have."""
    window: float = Field(gt=0)
    """Seconds of speech that one answer is meant for."""
    hop: float = Field(gt=0)
    """Seconds between the answers over a longer recording."""
    shortest: float | None = Field(default=None, gt=0)
    """Seconds of the shortest clip that it was trained on, without the silence around it."""
    temperature: float = Field(gt=0)
    """What the logits are divided by before the softmax; it is in the graph already."""
    head: Head | None = None
    """How to judge the clips of a known speaker, for a model that can adapt."""
    parameters: int | None = None
    """How many the network has."""
    frames: int | None = None
    """How many every clip is padded or cut to; None for a network that reads clips of any length."""
    licence: str
    trained_on: dict[str, Any]
    """Corpus, protocol, fold, seed, clips, speakers and whatever else tells where the weights come from."""
    metrics: dict[str, Metric] = Field(default_factory=dict)
    intended_use: str
    limits: str
    recipe: dict[str, Any]

    @model_validator(mode="after")
    def _check(self) -> Self:
        if len(set(self.labels)) < len(self.labels):
            raise ValueError(f"labels occur twice: {', '.join(self.labels)}")
        return self
