"""What a recipe may say about a model. Light to import: no torch, no scikit-learn."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from emotone.config import Config

__all__ = [
    "WAVEFORM_FAMILIES",
    "Architecture",
    "ConvolutionConfig",
    "DecisionTreeConfig",
    "DenseConfig",
    "EncoderConfig",
    "KnnConfig",
    "LayersConfig",
    "ModelConfig",
    "NetworkConfig",
    "OwnConfig",
    "PretrainedConfig",
    "RecurrentConfig",
    "Wav2Vec2Config",
    "WhisperConfig",
]

WAVEFORM_FAMILIES = ("wav2vec2", "hubert", "wavlm", "data2vec-audio")
"""Architectures of encoders that read waveforms, as `model_type` in their `config.json`."""

Rate = Annotated[float, Field(ge=0, lt=1)]
Size = Annotated[int, Field(gt=0)]


class ConvolutionConfig(Config):
    """A stack of blocks [convolution, normalisation, activation, max pooling, dropout], stride 1; one entry a block."""

    channels: tuple[Size, ...] = Field(min_length=1)
    kernel: tuple[Size, ...]
    pool: tuple[Size, ...]
    """Pooling size and stride. A map smaller than the pool is pooled whole (ceil mode)."""
    dropout: tuple[Rate, ...]
    activation: Literal["relu", "elu"] = "relu"
    norm: Literal["none", "before", "after"] = "none"
    """Batch normalisation before or after the activation."""
    padding: Literal["same", "valid"] = "same"

    @model_validator(mode="before")
    @classmethod
    def _spread(cls, data: Any) -> Any:
        """Let one number stand for the same number in every block."""
        blocks = data.get("channels") if isinstance(data, dict) else None
        if not isinstance(blocks, list | tuple):
            return data
        single = {key: data.get(key) for key in ("kernel", "pool", "dropout") if isinstance(data.get(key), int | float)}
        return data | {key: [value] * len(blocks) for key, value in single.items()}

    @model_validator(mode="after")
    def _check(self) -> Self:
        for key in ("kernel", "pool", "dropout"):
            if len(getattr(self, key)) != len(self.channels):
                raise ValueError(f"{key} has {len(getattr(self, key))} entries for {len(self.channels)} blocks")
        return self


class RecurrentConfig(Config):
    """LSTM layers, one after another."""

    units: tuple[Size, ...] = Field(min_length=1)
    bidirectional: bool = False


class DenseConfig(Config):
    """A hidden dense layer with ReLU."""

    units: int = Field(gt=0)
    dropout: Rate = 0.0


class NetworkConfig(Config):
    """A network: convolution blocks, LSTM layers, pooling over time, dense layers, one output a class.

    Every network of the five papers is one of these; what it leaves out it does not have.
    """

    kind: Literal["network"] = "network"
    reads: Literal["vector", "sequence", "image", "chunks"]
    """How the features enter. `vector`: (F,) as one channel of length F. `sequence`: (C, T) as C channels over time.
    `image`: (C, T) as one 2-D map. `chunks`: (C, T) cut over time into maps of `chunk_frames`, all through the same
    2-D convolutions (time-distributed); frames of zeros at its end are pads, and chunks of pads alone do not count."""
    chunk_frames: int | None = Field(default=None, gt=0)
    chunk_hop: int | None = Field(default=None, gt=0)
    convolution: ConvolutionConfig | None = None
    recurrent: RecurrentConfig | None = None
    pooling: Literal["flatten", "average", "last", "attention"]
    """From a sequence to one vector: all steps, their mean, the last step, or additive attention."""
    dense: tuple[DenseConfig, ...] = ()
    framework: Literal["keras", "torch"]
    """Whose defaults hold for what the paper does not state: initial weights, batch normalisation, Adam's epsilon."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.reads == "chunks") != (self.chunk_frames is not None and self.chunk_hop is not None):
            raise ValueError("chunk_frames and chunk_hop go with reads 'chunks', and only with it")
        if self.reads in ("image", "chunks") and self.convolution is None:
            raise ValueError(f"reads {self.reads!r} needs a convolution")
        return self


class OwnConfig(Config):
    """emotone's own network: residual 2-D convolutions over log-mels, 1-D ones over time, attentive pooling."""

    kind: Literal["own"] = "own"
    stem: Size
    """Channels of the first convolution, 5 x 5, which halves both axes."""
    channels: tuple[Size, ...] = Field(min_length=1)
    """Of each stage; every stage halves both axes."""
    blocks: Size = 1
    """Residual blocks a stage."""
    width: Size
    """Channels over time, once the bands are joined."""
    mixers: int = Field(default=2, ge=0)
    """Residual convolutions over time, each with twice the dilation of the one before."""
    squeeze: bool = True
    """Whether every block weights its channels by what the whole clip has (squeeze and excitation)."""
    dropout: Rate = 0.0
    """Before the mixers and before the output."""
    normalise: Literal["clip", "bands", "level"] = "clip"
    """What a clip's log-mels lose before the first convolution: their mean over all bands, or that of each band, and
    their deviation becomes 1; `level` keeps how loud a clip is: -50 dB becomes 0, 20 dB become 1."""
    functionals: bool = False
    """Whether the output also reads statistics over time of what the first convolution reads. Their weights are
    fitted after the training, as a logistic regression of its own: the scores of both add up."""


class DecisionTreeConfig(Config):
    """CART, Gini impurity, unlimited depth."""

    kind: Literal["decision-tree"] = "decision-tree"


class KnnConfig(Config):
    """K nearest neighbours, Euclidean."""

    kind: Literal["knn"] = "knn"
    neighbours: int = Field(gt=0)


class EncoderConfig(Config):
    """What begins with a pretrained encoder of speech."""

    encoder: str
    """A model hub's name or a local folder."""
    weights: str | None = None
    """The digest of the encoder's weights, noted when it is found: a run is of these."""


class LayersConfig(EncoderConfig):
    """The first layers of an encoder, as they are or trained on; a linear output reads statistics of their frames over
    time."""

    kind: Literal["whisper", "wav2vec2"]
    layers: Size
    """How many of the encoder's layers are run."""
    read: tuple[Size, ...] = Field(min_length=1)
    """Whose frames' mean and deviation over time the output reads; the first layer is 1."""
    prior_scale: float = Field(default=1.0, gt=0, le=1)
    """What the output's regression expects of its weights before it hears a clip: how large those of a layer are beside
    those of the layer above it, and those of deviations beside those of means. 1: all alike."""
    encoder_rate: float | None = Field(default=None, gt=0)
    """The learning rate of the last layer; None leaves the encoder as it is. That of the output is the recipe's."""
    layer_decay: float = Field(default=1.0, gt=0, le=1)
    """What every layer has of the learning rate of the one above it. What lies below the layers is left as it is."""
    dropout: Rate = 0.0
    """Before the output."""

    @model_validator(mode="after")
    def _check_read(self) -> Self:
        if max(self.read) > self.layers:
            raise ValueError(f"read names layer {max(self.read)} of {self.layers}")
        return self


class WhisperConfig(LayersConfig):
    """The first layers of a Whisper encoder over log-mels."""

    kind: Literal["whisper"] = "whisper"
    width: Size = 512
    """Values of a frame, as the encoder has them."""
    normalise: Literal["none", "peak"] = "none"
    """`peak`: how loud a clip was recorded does not count; the loudest value of its log-mels becomes 10 dB."""
    floor: float = Field(default=80.0, gt=0, le=80)
    """Log-mels are cut this many dB below a clip's loudest value: what lies lower tells the room and the recorder, not
    the speaker. The features are cut at 80 dB, as Whisper's are."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.width % 64:
            raise ValueError(f"width is {self.width}; Whisper's heads are 64 wide each")
        return self


class Architecture(Config):
    """What the files of an encoder of waveforms say of it, by transformers' names."""

    model_type: Literal[WAVEFORM_FAMILIES]  # type: ignore[valid-type]
    sampling_rate: Size
    """Hz."""
    do_normalize: bool
    """Whether every clip is brought to mean 0 and variance 1."""
    num_hidden_layers: Size
    hidden_size: Size
    num_attention_heads: Size
    intermediate_size: Size
    hidden_act: str
    layer_norm_eps: float = Field(gt=0)
    feat_extract_norm: Literal["group", "layer"] | None = None
    feat_extract_activation: str
    conv_dim: tuple[Size, ...] = Field(min_length=1)
    conv_kernel: tuple[Size, ...]
    conv_stride: tuple[Size, ...]
    conv_bias: bool
    num_conv_pos_embeddings: Size
    num_conv_pos_embedding_groups: Size
    conv_pos_kernel_size: Size | None = None
    do_stable_layer_norm: bool | None = None
    feat_proj_layer_norm: bool | None = None
    num_buckets: Size | None = None
    max_bucket_distance: Size | None = None


class Wav2Vec2Config(LayersConfig):
    """The first layers of a wav2vec 2.0, HuBERT, WavLM or data2vec-audio over waveforms."""

    kind: Literal["wav2vec2"] = "wav2vec2"
    architecture: Architecture | None = None
    """Noted when the encoder is found, as its weights are."""


class PretrainedConfig(EncoderConfig):
    """A pretrained encoder of speech with a classifier on top: fine-tuned together, or the encoder as it is."""

    kind: Literal["pretrained"] = "pretrained"
    classifier: Literal["linear", "random-forest"]
    """`linear`: projection, mean over time, output, as transformers has it. `random-forest`: scikit-learn's."""
    frozen: Literal["nothing", "features", "encoder"]
    """What training leaves as it is: nothing, the convolutions under the transformer, or all but the classifier."""
    encoder_rate: float | None = Field(default=None, gt=0)
    """The learning rate of the transformer's last layer; that of the head is the recipe's."""
    layer_decay: float = Field(default=1.0, gt=0, le=1)
    """What every layer has of the learning rate of the one above it."""
    warmup: Rate = 0.0
    """The share of all steps in which the learning rates rise from 0."""
    accumulate: int = Field(default=1, gt=0)
    """Batches whose gradients make one step."""
    own_length: bool = False
    """Of a Whisper: read each clip on its own length, the positions cut behind its end, not padded to 30 s."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.classifier == "random-forest" and self.frozen != "encoder":
            raise ValueError("a random forest cannot train an encoder; it needs frozen 'encoder'")
        if (self.encoder_rate is None) != (self.frozen == "encoder"):
            raise ValueError("encoder_rate goes with an encoder that is not frozen, and only with it")
        return self


ModelConfig = Annotated[
    NetworkConfig | OwnConfig | DecisionTreeConfig | KnnConfig | PretrainedConfig | WhisperConfig | Wav2Vec2Config,
    Field(discriminator="kind"),
]
