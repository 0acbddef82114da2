"""A system's features as a table: one row per clip, with its labels."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from emotone.augment import ORIGINAL
from emotone.corpora.base import Utterance
from emotone.corpora.rows import check_table, write_rows
from emotone.errors import UsageError
from emotone.features.config import AudioConfig, FeatureConfig
from emotone.features.extract import extract
from emotone.features.layout import feature_names, layout

__all__ = ["write_table"]


def write_table(
    audio: AudioConfig,
    features: FeatureConfig,
    utterances: Sequence[Utterance],
    out: Path,
    *,
    on_progress: Callable[[int, int], None] | None = None,
) -> tuple[int, int]:
    """Write labels and features of all utterances to `out`, whole or not at all; return (clips, features).

    Frames become one row, channel after channel, padded to the longest clip with zeros; a column is then named
    channel@frame. Values are as extracted, before any scaler.

    Raises:
        UsageError: a suffix that is neither .csv nor .parquet; a system that reads waveforms.
        AudioError: a recording that cannot be used.
    """
    check_table(out)
    if "waveform" in features.streams:
        raise UsageError(f"{out}: this system reads waveforms, which make no table; choose one with features.")
    items = [(utterance.part, utterance.clip, ORIGINAL) for utterance in utterances]
    keep = _mean if features.layout == "means" else None
    frames = extract(items, audio=audio, features=features, keep=keep, on_progress=on_progress)
    flat = features if features.layout == "means" else features.model_copy(update={"layout": "flat"})
    values = layout(frames, flat)
    names = feature_names(flat, n_frames=max(clip.shape[1] for clip in frames))
    write_rows(utterances, dict(zip(names, values.T, strict=True)), out)
    return len(utterances), len(names)


def _mean(frames: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return frames (channels, frames) as one, their mean: of a large corpus, all frames are more than memory holds."""
    mean: npt.NDArray[np.float32] = frames.mean(axis=1, keepdims=True)
    return mean
