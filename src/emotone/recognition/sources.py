"""Whatever a recogniser may be given as a recording, opened."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from numbers import Number
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from emotone.audio import Part, Recording, Samples, Source, check_rate, from_array, open_part, part_of
from emotone.errors import AudioError, UsageError

__all__ = ["Audio", "Several", "are_several", "open_audio"]

Audio = Source | Part | npt.ArrayLike | tuple[npt.ArrayLike, int] | tuple[int, npt.ArrayLike] | Mapping[str, Any]
"""A path, a file's bytes, an open binary file; (array, rate) or (rate, array); a row of datasets,
{"array": ..., "sampling_rate": ...}; an array or tensor, with `rate=` beside it; or a part of any of these."""
Several = (
    list[str] | list[Path] | list[bytes] | list[BinaryIO] | list[Part] | list[npt.NDArray[Any]]
    | list[tuple[npt.NDArray[Any], int]] | list[tuple[int, npt.NDArray[Any]]] | list[dict[str, Any]]
)  # fmt: skip
"""Lists of recordings."""

_ALLOWED = (
    "a path, a file's bytes, an open binary file, emotone.Part, (array, rate), "
    '{"array": ..., "sampling_rate": ...}, or an array with rate='
)
_ARRAYS, _RATES = ("array", "raw"), ("sampling_rate", "rate")


def are_several(source: object) -> bool:
    """Tell whether several recordings are given: in a list, but for one of numbers, or as a tuple of paths."""
    if isinstance(source, list):
        return not source or not (isinstance(source[0], Number) or getattr(source[0], "ndim", None) == 0)
    return isinstance(source, tuple) and bool(source) and all(isinstance(each, str | Path) for each in source)


@contextmanager
def open_audio(
    source: Audio, *, rate: int | None, channels_last: bool | None, strict: bool
) -> Iterator[tuple[Recording, float]]:
    """Open a recording; give it and the second in it at which it begins.

    Args:
        source: see `Audio`.
        rate: of an array, in Hz.
        channels_last: of an array, as in `emotone.audio.from_array`.
        strict: refuse a recording that is cut short.

    Raises:
        AudioError: what cannot be read.
        UsageError: what is no recording at all; an array without its rate.
    """
    part = source if isinstance(source, Part) else Part(source)
    held = part.source
    if isinstance(held, Mapping):
        held, rate = _of_mapping(held, rate)
    if isinstance(held, str | Path | bytes | bytearray | memoryview) or hasattr(held, "read"):
        with open_part(replace(part, source=held), strict=strict) as recording:
            yield recording, part.start
        return
    array, own = _of_pair(held, rate)
    yield part_of(_Array(array, own, channels_last), part), part.start


def _of_mapping(given: Mapping[str, Any], rate: int | None) -> tuple[Any, int | None]:
    """Return what a row of datasets, or the input of a pipeline of transformers, holds."""
    for name in _ARRAYS:
        if given.get(name) is not None:
            return given[name], next((given[key] for key in _RATES if given.get(key) is not None), rate)
    for name in ("bytes", "path"):  # not decoded yet
        if given.get(name) is not None:
            return given[name], rate
    raise UsageError(f"A mapping with the keys {', '.join(map(repr, given)) or 'none'} is no recording; {_ALLOWED}.")


def _of_pair(source: Any, rate: Any) -> tuple[Any, int]:
    """Return an array and its rate, in whichever order they were given."""
    if isinstance(source, tuple) and len(source) == 2 and any(np.ndim(each) for each in source):
        rates = [_whole(each) for each in source]
        if (rates[0] is None) == (rates[1] is None):
            given = ", ".join("an array" if np.ndim(each) else repr(each) for each in source)
            raise UsageError(f"({given}) is given; of (array, rate) one must be a whole number, the rate in Hz.")
        source, rate = source[rates.index(None)], rates[rates.index(None) - 1]
    if hasattr(source, "detach"):  # a tensor, wherever it lies and whether or not it has a gradient
        source = source.detach().cpu()
        source = (source.float() if source.is_floating_point() else source).numpy()
    if not isinstance(source, Sequence) and not hasattr(source, "__array__"):
        raise UsageError(f"{type(source).__name__} is no recording; allowed: {_ALLOWED}.")
    if rate is None:
        raise UsageError("An array needs its rate: recognizer(array, rate=16000) or recognizer((array, 16000)).")
    own = _whole(rate)
    if own is None:
        raise UsageError(f"rate is {rate!r}; allowed is a whole number of Hz.")
    return source, own


def _whole(value: Any) -> int | None:
    """Return a number that counts Hz; None for what is no single whole number."""
    if isinstance(value, np.ndarray | np.generic) and value.ndim == 0:
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, int | float) or value % 1:
        return None
    return int(value)


class _Array:
    """An array as `emotone.audio.Recording`."""

    name = "array"

    def __init__(self, array: npt.ArrayLike, rate: int, channels_last: bool | None) -> None:
        check_rate(rate, self.name)
        self._samples = from_array(array, channels_last=channels_last)
        if not self._samples.size:
            raise AudioError(f"{self.name}: holds no samples")
        self.rate, self.channels = rate, len(self._samples)
        self.seconds = self._samples.shape[1] / rate
        self.notes: list[str] = []
        self._at = 0

    def blocks(self, frames: int) -> Iterator[Samples]:
        for at in range(self._at, self._samples.shape[1], frames):
            yield self._samples[:, at : at + frames]

    def seek(self, sample: int) -> int:
        self._at = sample if sample < self._samples.shape[1] else 0
        return self._at
