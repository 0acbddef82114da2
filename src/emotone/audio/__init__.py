"""Decode, mono, resample: float32 in [-1, 1]. The one gate for bad audio."""

from emotone.audio.blocks import Recording, open_blocks
from emotone.audio.gate import MAX_SECONDS, from_array, load, read, resample, to_mono
from emotone.audio.source import MAX_RATE, MIN_RATE, Samples, Source, check_rate, name_of, open_recording

__all__ = [
    "MAX_RATE",
    "MAX_SECONDS",
    "MIN_RATE",
    "Recording",
    "Samples",
    "Source",
    "check_rate",
    "from_array",
    "load",
    "name_of",
    "open_blocks",
    "open_recording",
    "read",
    "resample",
    "to_mono",
]
