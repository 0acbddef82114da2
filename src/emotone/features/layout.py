"""From frames of clips of any length to one array: means, frames padded to one length, or the same raveled."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from emotone.features.config import FeatureConfig

__all__ = ["channel_names", "feature_names", "frame_count", "layout"]

Frames = npt.NDArray[np.float32]


def frame_count(samples: int, config: FeatureConfig) -> int:
    """Return how many frames a clip of `samples` samples has.

    >>> frame_count(16_000, FeatureConfig(streams=("logmel",), hop=512))
    32
    """
    odd = max((config.fft or config.window) % 2, config.window % 2)
    return max(samples - odd, 0) // config.hop + 1


def layout(frames: Sequence[Frames], config: FeatureConfig, *, n_frames: int | None = None) -> Frames:
    """Bring clips into the array that `config.layout` names.

    Args:
        frames: one array (channels, frames) per clip, as `extract` gives them.
        config: the features' configuration.
        n_frames: frames of every row; shorter clips get zeros at their end, longer ones are cut there. None takes the
            longest clip's. Without meaning for `means`.

    Returns:
        float32 of shape (clips, channels) for `means`, (clips, channels, n_frames) for `frames`,
        (clips, channels * n_frames), channel after channel, for `flat`.
    """
    channels = len(frames[0]) if frames else len(channel_names(config))
    if config.layout == "means":
        return np.array([clip.mean(axis=1) for clip in frames], np.float32).reshape(len(frames), channels)
    if n_frames is None:
        n_frames = max((clip.shape[1] for clip in frames), default=0)
    array = np.zeros((len(frames), channels, n_frames), np.float32)
    for row, clip in zip(array, frames, strict=True):
        kept = min(clip.shape[1], n_frames)
        row[:, :kept] = clip[:, :kept]
    return array.reshape(len(frames), channels * n_frames) if config.layout == "flat" else array


def channel_names(config: FeatureConfig) -> list[str]:
    """Return the name of every channel of a frame, in order.

    >>> channel_names(FeatureConfig(streams=("zcr", "mfcc"), mfcc=2))
    ['zcr', 'mfcc_1', 'mfcc_2']
    """
    sizes = {"zcr": 0, "rms": 0, "waveform": 0, "logmel": config.mels}
    names: list[str] = []
    for stream in config.streams:
        size = sizes.get(stream, config.mfcc)
        names += [f"{stream}_{number}" for number in range(1, size + 1)] if size else [stream]
    return names


def feature_names(config: FeatureConfig, *, n_frames: int | None = None) -> list[str]:
    """Return the name of every value of one clip's row: channels, or channel @ frame, which needs `n_frames`.

    >>> feature_names(FeatureConfig(streams=("rms",), layout="flat"), n_frames=2)
    ['rms@0', 'rms@1']
    >>> feature_names(FeatureConfig(streams=("rms", "zcr"), layout="means"))
    ['rms', 'zcr']
    """
    channels = channel_names(config)
    if config.layout == "means":
        return channels
    return [f"{channel}@{frame}" for channel in channels for frame in range(n_frames or 0)]
