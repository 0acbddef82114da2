"""A corpus's identity: a digest of its clips' names, labels and decoded samples, the same for WAV and FLAC copies."""

import hashlib
import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from emotone.audio import read
from emotone.corpora.base import Utterance
from emotone.corpora.times import clip_times
from emotone.files import cache_folder, caching, parse_json, write_text

__all__ = ["fingerprint", "sample_digests"]

_STATED = ("clip", "emotion", "speaker", "gender", "intensity", "statement", "repetition")  # what splits and scores use


def fingerprint(utterances: Sequence[Utterance], digests: Sequence[str]) -> str:
    """Return 32 hexadecimal digits for clips and the `sample_digests` of them."""
    whole = hashlib.blake2b(digest_size=16)
    for utterance, of_samples in zip(utterances, digests, strict=True):
        whole.update(json.dumps([*(getattr(utterance, name) for name in _STATED), of_samples]).encode())
    return whole.hexdigest()


def sample_digests(
    utterances: Sequence[Utterance], *, on_progress: Callable[[int, int], None] | None = None
) -> tuple[str, ...]:
    """Return a digest of each recording's decoded samples and rate, which all its lossless copies share.

    Files are decoded once; later only their bytes are read.
    """
    memory = cache_folder("fingerprints.json")
    known = _load(memory)
    before = len(known)
    digests = []
    with ThreadPoolExecutor() as pool:
        for of_file, of_samples in pool.map(lambda utterance: _digest(utterance, known), utterances):
            known[of_file] = of_samples
            digests.append(of_samples)
            if on_progress:
                on_progress(len(digests), len(utterances))
    if len(known) > before:
        with caching(memory):
            write_text(memory, json.dumps(known))
    return tuple(digests)


def _digest(utterance: Utterance, known: dict[str, str]) -> tuple[str, str]:
    """Return a digest of a file's bytes, with what of it is meant, and that of its samples."""
    path = utterance.path
    if not path.is_file():
        read(path)  # which says what is wrong with it
    of_file = hashlib.blake2b(path.read_bytes(), digest_size=16).hexdigest()
    of_file += clip_times(utterance.start, utterance.end)
    of_file += "" if utterance.channel is None else f" channel {utterance.channel}"
    if of_file in known:
        return of_file, known[of_file]
    samples, rate = read(utterance.part)
    of_samples = hashlib.blake2b(np.ascontiguousarray(samples).tobytes(), digest_size=16, key=str(rate).encode())
    return of_file, of_samples.hexdigest()


def _load(memory: Path) -> dict[str, str]:
    try:
        known = parse_json(memory.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}
