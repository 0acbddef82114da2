"""Which recordings are near-identical: copies that were resampled, re-encoded, made noisy, stretched or pitched."""

import hashlib
import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from emotone.audio import Part
from emotone.audit.sound import Map, draw, smooth, squeeze
from emotone.files import cache_folder, caching, parse_json, write_text

__all__ = ["THRESHOLD", "Pair", "compare", "similar_pairs", "similarity"]

Array = npt.NDArray[np.float32]

THRESHOLD = 0.63
"""From this similarity on two recordings are near-identical; docs/audit.md has what it finds and what it mistakes."""

_VERSION = 1  # a new one where the same recordings would give other pairs
_FRAMES = 32  # of a coarse map
_COARSE = 4  # bins of a map that become one of a coarse map: a semitone
_PITCH = 4  # semitones, up and down, that are looked at
_SLIP = 1  # frames of a coarse map, either way
_CANDIDATES = 3  # per recording
_LEAST = 0.35  # coarse similarity of a candidate
_BLOCK = 512  # recordings at a time
_STRETCHES = np.arange(-0.08, 0.081, 0.02)  # around the ratio of the two lengths, which noise and cuts make inexact


@dataclass(frozen=True, slots=True)
class Pair:
    """Two recordings, by their place in the list, the first before the second, and how similar they are, up to 1."""

    first: int
    second: int
    similarity: float


def similar_pairs(
    parts: Sequence[Path | Part], digests: Sequence[str], *, on_progress: Callable[[int, int], None] | None = None
) -> list[Pair]:
    """Return the near-identical pairs among recordings.

    Every recording is compared with the three that are coarsely the most like it. The result is kept by content.

    Args:
        parts: the recordings, each of other samples.
        digests: of their samples, which the result is kept under.
        on_progress: called with (recordings read, recordings in all).

    Raises:
        AudioError: a recording that cannot be read.
    """
    content = json.dumps([_VERSION, THRESHOLD, *digests])
    memory = cache_folder("audit", f"{hashlib.blake2b(content.encode(), digest_size=16).hexdigest()}.json")
    known = _load(memory)
    if known is not None:
        return known
    maps: list[Map | None] = []
    with ThreadPoolExecutor() as pool:
        for one in pool.map(draw, parts):
            maps.append(one)
            if on_progress:
                on_progress(len(maps), len(parts))
    pairs = compare(maps)
    with caching(memory):
        write_text(memory, json.dumps([[pair.first, pair.second, pair.similarity] for pair in pairs]))
    return pairs


def compare(maps: Sequence[Map | None]) -> list[Pair]:
    """Return the near-identical pairs among recordings by their maps; one without is like no other."""
    heard = [place for place, one in enumerate(maps) if one is not None]
    drawn = [one for one in maps if one is not None]
    candidates = _candidates(drawn)
    with ThreadPoolExecutor() as pool:
        found = list(pool.map(lambda pair: similarity(drawn[pair[0]], drawn[pair[1]], semitones=pair[2]), candidates))
    return [
        Pair(heard[first], heard[second], round(value, 4))
        for (first, second, _), value in zip(candidates, found, strict=True)
        if value >= THRESHOLD
    ]


def similarity(one: Map, other: Map, *, semitones: int) -> float:
    """Return the correlation of two recordings' ridges where one lies best on the other, at most 1.

    The other is stretched to about the length of the one, moved in time, and moved in pitch by up to a semitone
    around `semitones`.
    """
    a, ratio = one.ridges, one.ridges.shape[1] / other.ridges.shape[1]
    best = -1.0
    for stretch in _STRETCHES:
        b = squeeze(other.ridges, max(1, round(other.ridges.shape[1] * (ratio + stretch))))
        size = 1 << (a.shape[1] + b.shape[1]).bit_length()
        spectra = np.fft.rfft(a, size), np.conj(np.fft.rfft(b, size))
        for bins in range((semitones - 1) * _COARSE, (semitones + 1) * _COARSE + 1):
            high, low = _moved(len(a), bins)
            overlap = np.fft.irfft(np.einsum("bf,bf->f", spectra[0][high], spectra[1][low]), size)
            norms = np.linalg.norm(a[high]) * np.linalg.norm(b[low])
            best = max(best, float(overlap.max() / norms)) if norms > 0 else best
    return best


def _candidates(maps: Sequence[Map]) -> list[tuple[int, int, int]]:
    """Return the pairs worth a closer look, each with how many semitones its first lies above its second."""
    if len(maps) < 2:
        return []
    coarse = np.stack([_coarse(one) for one in maps])
    chosen: dict[tuple[int, int], int] = {}
    for start in range(0, len(coarse), _BLOCK):
        block = coarse[start : start + _BLOCK]
        best = np.full((len(block), len(coarse)), -1.0, np.float32)
        pitch = np.zeros(best.shape, np.int8)
        for semitones in range(-_PITCH, _PITCH + 1):
            for slip in range(-_SLIP, _SLIP + 1):
                high, low = _moved(block.shape[1], semitones)
                late, early = _moved(_FRAMES, slip)
                correlation = _unit(block[:, high, late]) @ _unit(coarse[:, low, early]).T
                better = correlation > best
                best[better], pitch[better] = correlation[better], semitones
        rows = np.arange(len(block))
        best[rows, start + rows] = -1.0
        for row in rows:
            for column in np.argsort(best[row])[: -_CANDIDATES - 1 : -1]:
                if best[row, column] >= _LEAST:
                    first, second, up = start + int(row), int(column), int(pitch[row, column])
                    chosen[min(first, second), max(first, second)] = up if first < second else -up
    return [(first, second, up) for (first, second), up in sorted(chosen.items())]


def _coarse(one: Map) -> Array:
    """Return a map of semitones and a fixed number of frames, (semitones, frames)."""
    count = len(one.shape) // _COARSE
    semitones = one.shape[: count * _COARSE].reshape(count, _COARSE, -1).mean(axis=1)
    return squeeze(semitones - smooth(semitones, 7), _FRAMES)


def _moved(size: int, by: int) -> tuple[slice, slice]:
    """Return what of two axes of `size` lies on each other when the second is moved up by `by`."""
    return slice(max(0, by), size + min(0, by)), slice(max(0, -by), size + min(0, -by))


def _unit(maps: Array) -> Array:
    flat = maps.reshape(len(maps), -1)
    norms = np.linalg.norm(flat, axis=1, keepdims=True)
    unit: Array = flat / np.maximum(norms, np.finfo(np.float32).tiny)
    return unit


def _load(memory: Path) -> list[Pair] | None:
    try:
        return [Pair(*values) for values in parse_json(memory.read_text(encoding="utf-8"))]
    except (OSError, ValueError, TypeError):
        return None
