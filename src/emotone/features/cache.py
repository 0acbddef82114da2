"""Frames kept on disk by content: an entry is named by what the clip holds and how its features are taken."""

import hashlib
import io
import json
from pathlib import Path

import numpy as np
import numpy.typing as npt

from emotone.augment import AugmentConfig
from emotone.features.config import AudioConfig, FeatureConfig
from emotone.files import atomic_path, cache_folder, caching

__all__ = ["entry_path", "key", "load", "settings_digest", "store"]

Frames = npt.NDArray[np.float32]

_FORMAT = 1  # raise when the same configuration would give other frames
_CHECKSUM = 16  # bytes after the array, which numpy.load does not mind
_LATER = {"layout"}  # acts on frames after they were cached


def settings_digest(audio: AudioConfig, features: FeatureConfig) -> bytes:
    """Return the digest of every setting that the frames of a clip as recorded depend on."""
    settings = [_FORMAT, audio.model_dump(), features.model_dump(exclude=_LATER)]
    return hashlib.blake2b(json.dumps(settings, sort_keys=True).encode(), digest_size=20).digest()


def key(content: bytes, settings: bytes, augment: AugmentConfig | None, variant: str, clip_key: str) -> str:
    """Return the name of an entry, 40 hexadecimal digits.

    Args:
        content: digest of the recording's bytes.
        settings: see `settings_digest`.
        augment: how the copy was made; None for the clip as recorded, whose `variant` and `clip_key` do not count.
        variant: which copy.
        clip_key: the clip's identity, which seeds its copies.
    """
    copy = [augment.kind, augment.seed, variant, clip_key] if augment else []
    return hashlib.blake2b(content + settings + json.dumps(copy).encode(), digest_size=20).hexdigest()


def entry_path(name: str) -> Path:
    """Return where the entry `name` lies or would lie."""
    return cache_folder("features", name[:2], f"{name}.npy")


def load(name: str) -> Frames | None:
    """Return the entry's frames (channels, frames), or None if it is absent, cut or altered."""
    try:
        data = entry_path(name).read_bytes()
    except OSError:
        return None
    payload, checksum = data[:-_CHECKSUM], data[-_CHECKSUM:]
    if _checksum(payload) != checksum:
        return None
    try:
        frames: Frames = np.load(io.BytesIO(payload), allow_pickle=False)
    except Exception:  # numpy's reader of headers raises of many kinds, tokenize's among them
        return None
    return frames if frames.dtype == np.float32 and frames.ndim == 2 else None


def store(name: str, frames: Frames) -> None:
    """Keep `frames` under `name`: whole or not at all, whoever else writes the same entry."""
    buffer = io.BytesIO()
    np.save(buffer, frames, allow_pickle=False)
    target = entry_path(name)
    with caching(target), atomic_path(target) as temporary:
        temporary.write_bytes(buffer.getvalue() + _checksum(buffer.getvalue()))


def _checksum(payload: bytes) -> bytes:
    return hashlib.blake2b(payload, digest_size=_CHECKSUM).digest()
