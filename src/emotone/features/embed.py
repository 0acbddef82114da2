"""Frames of a frozen encoder, kept on disk by content: an entry is named by a clip's samples and the encoder."""

import hashlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

import joblib
import numpy as np
import numpy.typing as npt
import torch

from emotone.features import cache

__all__ = ["Encoder", "embed"]

Frames = npt.NDArray[np.float32]


class Encoder(Protocol):
    """What makes frames of a clip's samples."""

    identity: bytes
    """All that the frames depend on but the clip."""

    def load(self) -> Callable[[Frames], Frames]:
        """Return the function from (1, samples) to (channels, frames), called in several threads."""


def embed(
    clips: Sequence[Frames],
    encoder: Encoder,
    *,
    workers: int | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> list[Frames]:
    """Return the encoder's frames of every clip, in their order; it is loaded only if a clip has none in the cache.

    Every clip goes through the encoder alone, so that its frames depend on no other.

    Args:
        clips: samples, each (1, samples).
        encoder: what makes the frames.
        workers: how many threads; None takes one per available core.
        on_progress: called with (clips done, clips in all) after each.

    Returns:
        float32 arrays of shape (channels, frames).
    """
    names = [_name(clip, encoder.identity) for clip in clips]
    cached = {name: cache.load(name) for name in names}
    results = {name: frames for name, frames in cached.items() if frames is not None}
    missing = {name: clip for name, clip in zip(names, clips, strict=True) if name not in results}
    done = len(clips) - len(missing)
    if on_progress is not None and done:
        on_progress(done, len(clips))
    if missing:
        take, threads = encoder.load(), torch.get_num_threads()
        # One clip is too small to share among cores: every worker computes alone.
        with ThreadPoolExecutor(workers or joblib.cpu_count(), "embed", torch.set_num_threads, (1,)) as pool:
            try:
                for name, frames in zip(missing, pool.map(take, missing.values()), strict=True):
                    cache.store(name, frames)
                    results[name] = frames
                    done += 1
                    if on_progress is not None:
                        on_progress(done, len(clips))
            finally:
                pool.shutdown(cancel_futures=True)
                torch.set_num_threads(threads)
    return [results[name] for name in names]


def _name(clip: Frames, identity: bytes) -> str:
    content = hashlib.blake2b(np.ascontiguousarray(clip).data, digest_size=20).digest()
    return hashlib.blake2b(content + identity, digest_size=20).hexdigest()
