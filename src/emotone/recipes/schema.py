"""The schema of a recipe: everything that makes one published system, and nothing that is not in its YAML file."""

from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from emotone.augment import AugmentConfig
from emotone.config import Config
from emotone.emotions import SCHEMES
from emotone.errors import nearest_first
from emotone.features.config import AudioConfig, FeatureConfig
from emotone.models.config import EncoderConfig, LayersConfig, ModelConfig

__all__ = [
    "OF_WAVEFORMS",
    "DistortionConfig",
    "Plateau",
    "Published",
    "Recipe",
    "RegulariserConfig",
    "SplitConfig",
    "TrainingConfig",
]

_RAGGED = "'own', 'whisper' or 'wav2vec2'"
"""The kinds of model that read clips of any length."""


class Published(Config):
    """What the paper reports for the system. Rates are fractions of 1."""

    paper: str
    accuracy: float | None = None
    weighted_f1: float | None = None
    train_accuracy: float | None = None
    parameters: int | None = None
    trainable_parameters: int | None = None
    epochs: int | None = None
    note: str | None = None


class SplitConfig(Config):
    """The paper's own split, as fractions of all clips, stratified by class."""

    order: Literal["random", "temporal"] = "random"
    """`temporal`: per class, first repetitions before second ones, so that the test set is recorded last."""
    train: float = Field(gt=0, lt=1)
    validation: float = Field(default=0.0, ge=0, lt=1)
    test: float = Field(gt=0, lt=1)

    @model_validator(mode="after")
    def _check(self) -> Self:
        if abs(self.train + self.validation + self.test - 1) > 1e-6:
            raise ValueError(f"train {self.train} + validation {self.validation} + test {self.test} is not 1")
        return self


class Plateau(Config):
    """Multiply the learning rate by `factor` when the monitored loss has not fallen for `patience` epochs."""

    factor: float = Field(gt=0, lt=1)
    patience: int = Field(gt=0)
    floor: float = Field(default=0.0, ge=0)


class DistortionConfig(Config):
    """What every training clip's log-mels go through, drawn anew in every epoch; at 0, nothing. Of waveforms, whose
    frames are samples, only `OF_WAVEFORMS`."""

    share: float = Field(default=1.0, ge=0, le=1)
    """The probability of each of the following, for each clip."""
    stretch: float = Field(default=0.0, ge=0, lt=1)
    """Another tempo: at most this share slower or faster."""
    shift: float = Field(default=0.0, ge=0)
    """Another voice: all bands moved at most this many up or down."""
    scale: float = Field(default=0.0, ge=0, lt=1)
    """Another vocal tract: the bands' distances at most this share smaller or larger."""
    gain: float = Field(default=0.0, ge=0)
    """Another distance: at most this many dB louder or softer."""
    tilt: float = Field(default=0.0, ge=0)
    """Another microphone: a line over the bands with at most this many dB at its ends."""
    style: float = Field(default=0.0, ge=0)
    """Another timbre: each band's mean and deviation over time are mixed with those of another clip of the batch, by a
    share from Beta(style, style) (Freq-MixStyle: Schmid et al., 2022)."""
    noise: float = Field(default=0.0, ge=0)
    """Another room: a floor of noise at least this many dB below the clip's loudest, at most 30 dB more."""
    low_pass: float = Field(default=0.0, ge=0)
    """Another line, a telephone's for instance: at most so many of the highest bands hear nothing."""
    mask_bands: int = Field(default=0, ge=0)
    """Two stripes of at most so many neighbouring bands are replaced by the clip's mean (SpecAugment)."""
    mask_frames: int = Field(default=0, ge=0)
    """Two stripes of at most so many neighbouring frames are replaced by the clip's mean."""
    crop: float | None = Field(default=None, gt=0)
    """Seconds that are kept of a longer clip, from a random place; None keeps all."""


OF_WAVEFORMS = ("share", "crop", "stretch", "gain", "tilt", "noise", "mask_frames")
"""The distortions that waveforms take."""


class RegulariserConfig(Config):
    """What keeps emotone's own network from learning its training speakers by heart."""

    weight_decay: float = Field(default=0.0, ge=0)
    """AdamW's, on everything but biases and normalisation."""
    label_smoothing: float = Field(default=0.0, ge=0, lt=1)
    mixup: float = Field(default=0.0, ge=0)
    """Every clip of a batch is mixed with another, by a share from Beta(mixup, mixup) (Zhang et al., 2018); 0: none."""
    average: float = Field(default=0.0, ge=0, lt=1)
    """The weights that are kept move by 1 - average towards the trained ones in every step; 0 keeps the trained."""
    distortion: DistortionConfig = DistortionConfig()


class TrainingConfig(Config):
    """How a network is trained: Adam, mini-batches, one loss."""

    epochs: int = Field(gt=0)
    batch: int = Field(gt=0)
    learning_rate: float = Field(default=0.001, gt=0)
    loss: Literal["cross_entropy", "focal", "mse"] = "cross_entropy"
    """`focal`: alpha (1 - p)^gamma cross-entropy. `mse`: mean squared error of the softmax against one-hot."""
    focal_alpha: float = 0.25
    focal_gamma: float = 2.0
    monitor: Literal["validation", "test", "none"]
    """The set that chooses epochs under `published`. `test` is a leak. The other protocols choose on validation."""
    best_by: Literal["loss", "accuracy"] = "loss"
    """What the kept epoch is best in, where a set is monitored."""
    patience: int | None = Field(default=None, gt=0)
    """Stop after this many epochs in which the monitored loss has not fallen; None trains all epochs."""
    refit: bool = False
    """Once validation has chosen the epoch and the temperature, train anew for so many epochs, on validation too."""
    blend: bool = False
    """The layers that are kept are the mean of both trainings of a `refit` (model soup: Wortsman et al., 2022)."""
    plateau: Plateau | None = None
    regulariser: RegulariserConfig | None = None
    """For emotone's own network, which is trained by AdamW with a one-cycle learning rate (Smith, 2018)."""
    balanced: int = Field(default=2400, gt=0)
    """Where several corpora are trained on, every corpus weighs the same, and in it every label: an epoch draws so many
    clips, most often of what is rare. A corpus alone is taken as it is, every clip once an epoch."""
    even: bool = False
    """Every label of a corpus alone weighs the same, too: an epoch draws as many clips as there are, by weight."""
    start: str | None = None
    """The digest of the weights that training goes on from, noted by `emotone train --from`; None: fresh ones."""
    keep_statistics: bool = False
    """Batch normalisation uses and keeps the statistics that it starts with; with few clips, better than theirs."""


class Recipe(Config):
    """One published system."""

    id: str = Field(pattern=r"^\w[\w.-]*(/\w[\w.-]*)*$")
    """`paper/system`. Runs are filed under it."""
    title: str
    scheme: str
    audio: AudioConfig
    features: FeatureConfig
    scaler: Literal["none", "standard"] = "none"
    """`standard`: zero mean and unit variance per feature (per channel for frames), fit on the training samples."""
    augment: AugmentConfig | None = None
    split: SplitConfig
    model: ModelConfig
    training: TrainingConfig | None = None
    quick_epochs: int | None = Field(default=None, gt=0)
    """Epochs under the quick preset; None for a network leaves it out of that preset, as too long."""
    published: Published
    choices: tuple[str, ...] = ()
    """What was decided here because the paper is silent or contradicts itself."""

    @field_validator("scheme")
    @classmethod
    def _check_scheme(cls, name: str) -> str:
        if name not in SCHEMES:
            raise ValueError(f"unknown label scheme {name!r}. Valid: {', '.join(nearest_first(name, SCHEMES))}")
        return name

    @model_validator(mode="after")
    def _check(self) -> Self:
        pretrained = self.model if self.model.kind == "pretrained" else None
        is_layers, reads_waveforms = isinstance(self.model, LayersConfig), self.model.kind in ("pretrained", "wav2vec2")
        is_own = is_layers or self.model.kind == "own"
        is_linear = pretrained is not None and pretrained.classifier == "linear"
        is_trained = self.model.kind == "network" or is_own or is_linear
        if is_trained != (self.training is not None):
            raise ValueError("training goes with a network, and only with it")
        if is_own != (self.training is not None and self.training.regulariser is not None):
            raise ValueError(f"training.regulariser goes with a model of kind {_RAGGED}, and only with it")
        if is_own != (self.features.layout == "ragged"):
            raise ValueError(f"features.layout is 'ragged' for a model of kind {_RAGGED}, and only for it")
        if is_own and ((not reads_waveforms and self.features.streams != ("logmel",)) or self.scaler != "none"):
            raise ValueError(
                f"a model of kind {self.model.kind!r} reads features.streams [logmel], and takes no scaler"
            )
        if self.training and self.training.blend and not (self.training.refit and is_layers):
            raise ValueError(
                "training.blend goes with training.refit and a model of kind 'whisper' or 'wav2vec2', and only with "
                "them"
            )
        if self.training and self.training.monitor == "validation" and not self.split.validation:
            raise ValueError("training.monitor is 'validation', but split.validation is 0")
        if reads_waveforms != ("waveform" in self.features.streams):
            raise ValueError(
                "features.streams is [waveform] for a model of kind 'pretrained' or 'wav2vec2', and only for it"
            )
        if pretrained is not None and self.scaler != "none":
            raise ValueError("a pretrained encoder takes no scaler")
        if self.model.kind == "wav2vec2" and self.training and self.training.regulariser:
            asked = self.training.regulariser.distortion.model_dump(exclude_defaults=True, exclude=set(OF_WAVEFORMS))
            if asked:
                raise ValueError(
                    f"training.regulariser.distortion.{next(iter(asked))} is of log-mels; waveforms take "
                    f"{', '.join(OF_WAVEFORMS)}"
                )
        reads = self.model.reads if self.model.kind == "network" else "vector"
        if is_own or (pretrained is not None and pretrained.frozen != "encoder"):
            reads = "sequence"
        if (reads == "vector") != (self.features.layout in ("flat", "means")):
            raise ValueError(
                f"the model reads {reads!r}, which is not what features.layout {self.features.layout!r} gives"
            )
        return self

    @property
    def is_quick(self) -> bool:
        """Whether the quick preset has the system."""
        return self.training is None or self.quick_epochs is not None

    @property
    def learns_by_gradient(self) -> bool:
        """Whether a network is trained, batch by batch; no tree, neighbours, nor regression on a frozen encoder."""
        is_probe = isinstance(self.model, LayersConfig) and self.model.encoder_rate is None
        return self.training is not None and not is_probe

    @property
    def begins_with_encoder(self) -> bool:
        """Whether training begins with a pretrained encoder; not where it goes on from weights that hold its layers."""
        return isinstance(self.model, EncoderConfig) and not (self.training and self.training.start)

    @property
    def needs_weights(self) -> bool:
        """Whether the system reads a pretrained encoder through transformers."""
        return self.model.kind == "pretrained"
