"""Decode, mono, resample: float32 in [-1, 1]. The one gate for bad audio."""

from emotone.audio.blocks import Recording, open_blocks
from emotone.audio.channels import CANCELLED, Mixer, to_mono
from emotone.audio.folder import AUDIO_SUFFIXES, Folder, list_folder
from emotone.audio.gate import MAX_SECONDS, from_array, load, read, resample
from emotone.audio.part import Part, open_part, part_of
from emotone.audio.source import MAX_RATE, MIN_RATE, Samples, Source, check_rate, name_of, open_recording

__all__ = [
    "AUDIO_SUFFIXES",
    "CANCELLED",
    "MAX_RATE",
    "MAX_SECONDS",
    "MIN_RATE",
    "Folder",
    "Mixer",
    "Part",
    "Recording",
    "Samples",
    "Source",
    "check_rate",
    "from_array",
    "list_folder",
    "load",
    "name_of",
    "open_blocks",
    "open_part",
    "open_recording",
    "part_of",
    "read",
    "resample",
    "to_mono",
]
