"""A system's features as a table: one row per clip, with its labels, as CSV or Parquet."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from emotone.corpora.base import Utterance
from emotone.errors import EmotoneError, UsageError, unknown
from emotone.features.config import ORIGINAL, AudioConfig, FeatureConfig
from emotone.features.extract import extract
from emotone.features.layout import feature_names, layout
from emotone.files import atomic_path

__all__ = ["write_table"]

_LABELS = ("clip", "corpus", "emotion", "speaker", "gender", "intensity", "statement", "repetition", "language")
_TIMES = ("start", "end")  # in seconds, where not all utterances are whole files


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
    if out.suffix not in (".csv", ".parquet"):
        raise unknown("table format", out.suffix, (".csv", ".parquet"), where=str(out))
    if "waveform" in features.streams:
        raise UsageError(f"{out}: this system reads waveforms, which make no table; choose one with features.")
    import pyarrow as pa
    from pyarrow import csv, parquet

    items = [(utterance.part, utterance.clip, ORIGINAL) for utterance in utterances]
    frames = extract(items, audio=audio, features=features, on_progress=on_progress)
    flat = features if features.layout == "means" else features.model_copy(update={"layout": "flat"})
    values = layout(frames, flat)
    names = feature_names(flat, n_frames=max(clip.shape[1] for clip in frames))
    stretches = any(utterance.start or utterance.end is not None for utterance in utterances)
    labels = (*_LABELS, *(_TIMES if stretches else ()))
    columns = {name: pa.array([getattr(utterance, name) for utterance in utterances]) for name in labels}
    columns |= {name: pa.array(np.ascontiguousarray(column)) for name, column in zip(names, values.T, strict=True)}
    try:
        with atomic_path(out) as temporary:
            (csv.write_csv if out.suffix == ".csv" else parquet.write_table)(pa.table(columns), temporary)
    except OSError as error:
        raise EmotoneError(f"{out}: cannot be written: {error.strerror or error}") from None
    return len(utterances), len(names)
