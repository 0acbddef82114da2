"""Which recordings are near-identical: copies that were resampled, re-encoded, made noisy, stretched or pitched."""

import hashlib
import json
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import IO

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
_BLOCK, _COLUMNS = 512, 4096  # recordings at a time, and the others that they are compared with
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
    pairs = compare(_drawn(parts, on_progress))
    with caching(memory):
        write_text(memory, json.dumps([[pair.first, pair.second, pair.similarity] for pair in pairs]))
    return pairs


def _drawn(parts: Sequence[Path | Part], on_progress: Callable[[int, int], None] | None) -> Iterator[Map | None]:
    with ThreadPoolExecutor() as pool:
        for done, one in enumerate(pool.map(draw, parts), start=1):
            yield one
            if on_progress:
                on_progress(done, len(parts))


def compare(maps: Iterable[Map | None]) -> list[Pair]:
    """Return the near-identical pairs among recordings by their maps; one without is like no other."""
    heard: list[int] = []
    coarse: list[Array] = []
    with tempfile.TemporaryFile() as file:
        shelf = _Shelf(file)
        for place, one in enumerate(maps):
            if one is not None:
                heard.append(place)
                coarse.append(_coarse(one))
                shelf.add(one.ridges)
        candidates = _candidates(coarse)

        def alike(pair: tuple[int, int, int]) -> float:
            return similarity(shelf[pair[0]], shelf[pair[1]], semitones=pair[2])

        with ThreadPoolExecutor() as pool:
            found = list(pool.map(alike, candidates))
    return [
        Pair(heard[first], heard[second], round(value, 4))
        for (first, second, _), value in zip(candidates, found, strict=True)
        if value >= THRESHOLD
    ]


class _Shelf:
    """Ridges in a file: those of a hundred thousand recordings are more than memory holds."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._places: list[tuple[int, tuple[int, ...]]] = []

    def add(self, ridges: Array) -> None:
        self._places.append((self._file.tell(), ridges.shape))
        self._file.write(np.ascontiguousarray(ridges, np.float32).tobytes())
        self._file.flush()

    def __getitem__(self, place: int) -> Array:
        offset, shape = self._places[place]
        return np.memmap(self._file, np.float32, "r", offset, shape)


def similarity(one: Array, other: Array, *, semitones: int) -> float:
    """Return the correlation of two recordings' ridges where one lies best on the other, at most 1.

    The other is stretched to about the length of the one, moved in time, and moved in pitch by up to a semitone
    around `semitones`.
    """
    a, ratio = one, one.shape[1] / other.shape[1]
    best = -1.0
    for stretch in _STRETCHES:
        b = squeeze(other, max(1, round(other.shape[1] * (ratio + stretch))))
        size = 1 << (a.shape[1] + b.shape[1]).bit_length()
        spectra = np.fft.rfft(a, size), np.conj(np.fft.rfft(b, size))
        for bins in range((semitones - 1) * _COARSE, (semitones + 1) * _COARSE + 1):
            high, low = _moved(len(a), bins)
            overlap = np.fft.irfft(np.einsum("bf,bf->f", spectra[0][high], spectra[1][low]), size)
            norms = np.linalg.norm(a[high]) * np.linalg.norm(b[low])
            best = max(best, float(overlap.max() / norms)) if norms > 0 else best
    return best


def _candidates(maps: Sequence[Array]) -> list[tuple[int, int, int]]:
    """Return the pairs worth a closer look, each with how many semitones its first lies above its second."""
    if len(maps) < 2:
        return []
    coarse, count = np.stack(maps), min(_CANDIDATES, len(maps))
    chosen: dict[tuple[int, int], int] = {}
    for start in range(0, len(coarse), _BLOCK):
        block = coarse[start : start + _BLOCK]
        best = np.full((len(block), len(coarse)), -1.0, np.float32)
        pitch = np.zeros(best.shape, np.int8)
        for semitones, slip in product(range(-_PITCH, _PITCH + 1), range(-_SLIP, _SLIP + 1)):
            high, low = _moved(block.shape[1], semitones)
            late, early = _moved(_FRAMES, slip)
            moved = _unit(block[:, high, late])
            for at in range(0, len(coarse), _COLUMNS):
                part = slice(at, at + _COLUMNS)
                correlation = moved @ _unit(coarse[part, low, early]).T
                better = correlation > best[:, part]
                best[:, part][better], pitch[:, part][better] = correlation[better], semitones
        rows = np.arange(len(block))
        best[rows, start + rows] = -1.0
        for row in rows:
            for column in np.argpartition(best[row], -count)[-count:]:
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
