"""From recordings to frames: decode, prepare, augment, take features; from the cache where they were taken before."""

import hashlib
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import numpy.typing as npt
import torch
from joblib.externals.loky import get_reusable_executor

from emotone.audio import Part, open_recording
from emotone.augment import ORIGINAL, AugmentConfig, copies
from emotone.augment import augment as make_copy
from emotone.errors import unknown
from emotone.features import cache
from emotone.features.config import AudioConfig, FeatureConfig
from emotone.features.frontend import FrontEnd
from emotone.features.prepare import load_prepared

__all__ = ["Item", "extract", "take_features"]

Frames = npt.NDArray[np.float32]
Item = tuple[Path | Part, str, str]
"""A file or a part of one, its clip key (the clip's identity, which seeds its copies) and the variant wanted of it."""

_WORTH_PROCESSES = 64  # fewer copies are made sooner than processes start and import librosa


def extract(
    items: Sequence[Item],
    *,
    audio: AudioConfig,
    features: FeatureConfig,
    augment: AugmentConfig | None = None,
    workers: int | None = None,
    keep: Callable[[Frames], npt.NDArray[Any]] | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> list[npt.NDArray[Any]]:
    """Return the frames of every item, in their order, before `features.layout`.

    Recordings are worked on in threads, since decoding, resampling and torch leave Python's lock; copies in processes,
    since their making does not. Copies are made of the prepared clip: trimmed and normalised first.

    Args:
        items: (file, clip key, variant); variant `ORIGINAL` or one of `emotone.augment.copies(augment)`.
        audio: how recordings are prepared.
        features: what is taken from them.
        augment: how copies are made; needed where a variant is one.
        workers: how many threads or processes; None takes one per available core.
        keep: what of each item's frames to return, the rest of which is then not held; None keeps them as they are.
        on_progress: called with (items done, items in all) after each.

    Returns:
        float32 arrays of shape (channels, frames), or what `keep` makes of them.

    Raises:
        AudioError: a recording that cannot be used, by name.
        UsageError: an unknown variant.
        EmotoneError: the cache cannot be written.
    """
    _check_variants({variant for _, _, variant in items}, augment)
    workers = workers or joblib.cpu_count()
    job = _Job(audio, features, augment, cache.settings_digest(audio, features))
    # Made before the threads start: MKL's first cosines, taken by two at once, now and then end in another digit.
    _front_end(features, audio.rate)
    results: list[npt.NDArray[Any] | None] = [None] * len(items)
    done = 0

    def take(index: int, frames: Frames) -> None:
        nonlocal done
        results[index] = keep(frames) if keep else frames
        done += 1
        if on_progress is not None:
            on_progress(done, len(items))

    missing: list[tuple[int, str]] = []
    for index, (name, frames) in enumerate(_in_threads(job, items, workers)):
        if frames is None:
            missing.append((index, name))
        else:
            take(index, frames)
    processes = workers if len(missing) >= _WORTH_PROCESSES else 1
    parallel = joblib.Parallel(
        n_jobs=processes,
        return_as="generator",
        batch_size="auto",
        initializer=_end_with,
        initargs=(os.getpid(),),
    )
    made = parallel(joblib.delayed(job.compute)(items[index]) for index, _ in missing)
    for (index, name), frames in zip(missing, made, strict=True):
        cache.store(name, frames)
        take(index, frames)
    if processes > 1:
        get_reusable_executor().shutdown()  # idle, the processes would hold memory that training needs
    return [kept for kept in results if kept is not None]


def take_features(samples: npt.NDArray[np.float32], rate: int, config: FeatureConfig) -> Frames:
    """Return the frames of one clip, float32 of shape (channels, frames), of mono `samples` at `rate` Hz."""
    if config.streams == ("waveform",):
        return samples[None]
    with torch.inference_mode():
        frames, _ = _front_end(config, rate)(torch.from_numpy(np.ascontiguousarray(samples))[None])
    array: Frames = frames[0].numpy()
    return array


def _end_with(parent: int) -> None:
    """End this worker when the process that started it is gone; loky's own would wait for work for minutes."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _check_variants(variants: set[str], augment: AugmentConfig | None) -> None:
    valid = [ORIGINAL, *(copies(augment) if augment else [])]
    for variant in sorted(variants.difference(valid)):
        raise unknown("variant", variant, valid)


@lru_cache(maxsize=8)
def _front_end(config: FeatureConfig, rate: int) -> FrontEnd:
    return FrontEnd(config, rate)


def _in_threads(job: "_Job", items: Sequence[Item], workers: int) -> Iterator[tuple[str, Frames | None]]:
    """Yield every item's entry name and frames; None for a copy that has yet to be made."""
    threads = torch.get_num_threads()
    # One clip is too small to share among cores: every worker computes alone.
    with ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        try:
            yield from pool.map(job.fetch, items)
        finally:
            pool.shutdown(cancel_futures=True)
            torch.set_num_threads(threads)


@dataclass(frozen=True)
class _Job:
    """What the features of every item have in common."""

    audio: AudioConfig
    features: FeatureConfig
    augment: AugmentConfig | None
    settings: bytes

    def fetch(self, item: Item) -> tuple[str, Frames | None]:
        """Return an item's entry name and its frames; None for a copy that is not in the cache."""
        source, clip_key, variant = item
        made_by = None if variant == ORIGINAL else self.augment
        name = cache.key(_digest(source), self.settings, made_by, variant, clip_key)
        frames = cache.load(name)
        if frames is None and made_by is None:
            frames = self.compute(item)
            cache.store(name, frames)
        return name, frames

    def compute(self, item: Item) -> Frames:
        """Return an item's frames, made from its recording."""
        source, clip_key, variant = item
        samples = load_prepared(source, self.audio)
        if self.augment is not None and variant != ORIGINAL:
            samples = make_copy(samples, self.audio.rate, config=self.augment, variant=variant, clip_key=clip_key)
        return take_features(samples, self.audio.rate, self.features)


def _digest(source: Path | Part) -> bytes:
    """Return the digest of a file's bytes, and of the part of it that is meant."""
    part = source if isinstance(source, Part) else Part(source)
    _, file = open_recording(part.source)
    with file:
        digest = hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=20))
    if part != Part(part.source):
        digest.update(f"{part.start} {part.end} {part.channel}".encode())
    return digest.digest()
