"""How audio is prepared and which features are taken: the part of a recipe that a cache entry depends on."""

from typing import Literal, Self

from pydantic import Field, model_validator

from emotone.config import Config

__all__ = ["AudioConfig", "FeatureConfig", "Stream"]

Stream = Literal["logmel", "mfcc", "delta", "delta2", "zcr", "rms", "waveform"]


class AudioConfig(Config):
    """How a recording is brought into one shape before features are taken."""

    rate: int = Field(gt=0, le=192_000)
    """Sampling rate in Hz after resampling."""
    offset: float = Field(default=0.0, ge=0)
    """Where to begin, in seconds (librosa.load)."""
    seconds: float | None = Field(default=None, gt=0)
    """How much to take from there; None takes the rest. A shorter recording gives what it has."""
    trim_db: float | None = Field(default=None, gt=0)
    """Cut leading and trailing silence more than this many dB below the peak (librosa.effects.trim); None keeps it."""
    normalise: Literal["none", "peak"] = "none"
    """`peak` divides by the largest absolute sample (librosa.util.normalize)."""


class FeatureConfig(Config):
    """Frame-wise features and the array they become. Frames are centred, zero-padded at the ends, as in librosa."""

    streams: tuple[Stream, ...] = Field(min_length=1)
    """What is taken from every frame, stacked as channels in this order. `waveform`, alone, is the samples themselves,
    for a pretrained encoder; `layout` is then that of a frozen encoder's frames."""
    window: int = Field(default=2048, gt=0)
    """Frame and Hann window length in samples. Also the FFT length unless `fft` says otherwise."""
    fft: int | None = Field(default=None, gt=0)
    hop: int = Field(default=512, gt=0)
    """Samples between frames."""
    mels: int = Field(default=128, gt=0)
    """Mel bands of the `logmel` stream."""
    mfcc_mels: int = Field(default=128, gt=0)
    """Mel bands under the `mfcc` stream."""
    mfcc: int = Field(default=40, gt=0)
    """Coefficients of `mfcc`, `delta` and `delta2`."""
    htk: bool = False
    """The HTK mel formula, 2595 log10(1 + f/700), without area normalisation changes; False is Slaney's."""
    fmin: float = Field(default=0.0, ge=0)
    fmax: float | None = Field(default=None, gt=0)
    """Upper edge of the mel bands in Hz; None is half the rate."""
    reference: Literal["one", "max"] = "one"
    """What 0 dB is in `logmel`: power 1, or the clip's largest value. `mfcc` always uses 1, as librosa.feature.mfcc."""
    layout: Literal["frames", "flat", "means", "ragged"] = "frames"
    """`frames`: (channels, frames), all of one length. `flat`: the same, raveled to one vector. `means`: (channels,),
    means over time. `ragged`: (channels, frames), every clip as long as it is."""
    normalise: Literal["none", "clip"] = "none"
    """`clip` standardises every clip by the mean and deviation of its own valid frames, per channel group (stream)."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.fft is not None and self.fft < self.window:
            raise ValueError(f"fft {self.fft} is shorter than the window {self.window}")
        if "waveform" in self.streams and (len(self.streams) > 1 or self.normalise != "none"):
            raise ValueError("the stream 'waveform' stands alone, with normalise 'none'")
        if self.mfcc > self.mfcc_mels:
            raise ValueError(f"{self.mfcc} mfcc cannot come of {self.mfcc_mels} mfcc_mels")
        if self.layout == "means" and self.normalise == "clip":
            raise ValueError("normalise 'clip' makes every mean zero; layout 'means' needs normalise 'none'")
        return self

    @property
    def step(self) -> int:
        """How many samples a frame is after the one before it: `hop`, and of a waveform 1."""
        return 1 if "waveform" in self.streams else self.hop
