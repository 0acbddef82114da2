"""Audio in, emotions over time out."""

from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self, cast

import numpy as np
import numpy.typing as npt

from emotone.audio import Samples, Source, check_rate, from_array, open_blocks
from emotone.errors import AudioError, UsageError
from emotone.recognition.hub import find
from emotone.recognition.result import Result
from emotone.recognition.speaker import Acquainted, Model
from emotone.recognition.stream import Settings, Stream, Track, answers
from emotone.recognition.windows import Window

__all__ = ["Audio", "Recognizer"]

Audio = Source | npt.ArrayLike | tuple[npt.ArrayLike, int]
"""A path, a file's bytes, an open binary file, (array, rate); or an array, with `rate=` beside it."""

_BLOCK = 1 << 20  # samples that are decoded at a time
_POOL = 64  # windows, of as many recordings as it takes, that are gathered before the network is asked


class Recognizer:
    """Recognises emotions in recordings. One may be shared by threads.

    Args:
        model: a bundle, which `Recognizer.load` finds, or one that knows its speaker.
    """

    def __init__(self, model: Model) -> None:
        self.model = model

    @classmethod
    def load(cls, name: str | Path | None = None, *, threads: int | None = 1) -> Self:
        """Load a model.

        Args:
            name: a .onnx file that `emotone export` wrote; a repository org/name of the Hugging Face hub (extra `hub`),
                or a folder, which holds `emotone.onnx`; None for the model that comes with emotone.
            threads: how many one call of the network may use; None for every core.

        Raises:
            EmotoneError: no such model, or no model of emotone.
        """
        return cls(find(name, threads=threads))

    @property
    def labels(self) -> tuple[str, ...]:
        """The emotions that the model knows."""
        return self.model.info.labels

    def __call__(
        self,
        source: Audio,
        *,
        rate: int | None = None,
        window: float | None = None,
        hop: float | None = None,
        min_confidence: float = 0.0,
    ) -> Result:
        """Recognise one recording of any length.

        Args:
            source: a path, a file's bytes, an open binary file, or samples: (array, rate), or an array with `rate`.
                An array has the shape (samples,) or (channels, samples), floats in [-1, 1], int16 or int32.
            rate: of an array, in Hz.
            window: seconds of speech that one answer is given for. [default: what the model is made for]
            hop: seconds between answers. [default: what the model is made for]
            min_confidence: below it an emotion is "uncertain".

        Raises:
            AudioError: what cannot be read, as `emotone.audio.read` says.
            UsageError: an option out of range, an array without its rate.
        """
        return self.batch([source], rate=rate, window=window, hop=hop, min_confidence=min_confidence)[0]

    def batch(
        self,
        sources: Iterable[Audio],
        *,
        rate: int | None = None,
        window: float | None = None,
        hop: float | None = None,
        min_confidence: float = 0.0,
    ) -> list[Result]:
        """Recognise many recordings, in their order; options and errors as for one."""
        results = []
        for result in self.each(sources, rate=rate, window=window, hop=hop, min_confidence=min_confidence):
            if isinstance(result, AudioError):
                raise result
            results.append(result)
        return results

    def each(
        self,
        sources: Iterable[Audio],
        *,
        rate: int | None = None,
        window: float | None = None,
        hop: float | None = None,
        min_confidence: float = 0.0,
    ) -> Iterator[Result | AudioError]:
        """Yield, in their order, the result of each recording, or the error why there is none.

        The network is asked about several recordings at once. So results come in groups.
        """
        settings = Settings.of(self.model.info, window=window, hop=hop, min_confidence=min_confidence)
        pool: list[tuple[Track, Window]] = []
        waiting: deque[Track | AudioError] = deque()
        for source in sources:
            known = len(pool)
            try:
                with _open(source, rate) as (own_rate, blocks):
                    track = Track(self.model.info, own_rate, settings, live=False)
                    for windows in _cut(track, blocks):
                        pool += [(track, window) for window in windows]
                        if len(pool) >= _POOL:
                            self._answer(pool)
                            known = 0
                waiting.append(track)
            except AudioError as error:
                del pool[known:]
                waiting.append(error)
            if len(pool) >= _POOL or not pool:
                self._answer(pool)
                yield from _results(waiting)
        self._answer(pool)
        yield from _results(waiting)

    def adapt(self, recordings: Iterable[Audio], *, rate: int | None = None) -> Self:
        """Return a recogniser of one speaker's speech, who is known by recordings without labels.

        What tells one voice from another is taken out: a speaker's embeddings are put where those of the training
        speakers lie. It needs speech in different moods; the more, the better. This recogniser stays as it is.

        Args:
            recordings: of the speaker, as for one recording.
            rate: of arrays, in Hz.

        Raises:
            UsageError: a model that cannot adapt.
            AudioError: what cannot be read; recordings without speech.
        """
        bundle = self.model.bundle if isinstance(self.model, Acquainted) else self.model
        if bundle.info.head is None:
            raise UsageError(f"{bundle.info.name} cannot adapt to a speaker: its card has no head.")
        own: list[npt.NDArray[np.float32]] = []
        for source in recordings:
            with _open(source, rate) as (own_rate, blocks):
                track = Track(bundle.info, own_rate, Settings.of(bundle.info), live=False)
                for windows in _cut(track, blocks):
                    own += [answer.embedding for answer in answers(bundle, windows)]
        if not own:
            raise AudioError("There is no speech in the recordings to adapt to.")
        return type(self)(Acquainted(bundle, bundle.info.head, np.stack(own)))

    def stream(
        self,
        *,
        rate: int,
        window: float | None = None,
        hop: float | None = None,
        min_confidence: float = 0.0,
    ) -> Stream:
        """Return a stream, which takes sound of `rate` Hz as it comes; options as for one recording."""
        settings = Settings.of(self.model.info, window=window, hop=hop, min_confidence=min_confidence)
        return Stream(self.model, rate, settings)

    def _answer(self, pool: list[tuple[Track, Window]]) -> None:
        found = answers(self.model, [window for _, window in pool])
        for (track, window), answer in zip(pool, found, strict=True):
            track.add(window, answer.probabilities)
        pool.clear()


def _cut(track: Track, blocks: Iterable[Samples]) -> Iterator[list[Window]]:
    """Yield the windows of a recording as its blocks come."""
    for block in blocks:
        yield track.push(block)
    yield track.close()


def _results(waiting: deque[Track | AudioError]) -> Iterator[Result | AudioError]:
    while waiting:
        each = waiting.popleft()
        yield each if isinstance(each, AudioError) else each.result()


@contextmanager
def _open(source: Audio, rate: int | None) -> Iterator[tuple[int, Iterator[Samples]]]:
    """Open any source: its rate, and its samples by blocks (channels, samples)."""
    if isinstance(source, bytearray | memoryview):
        source = bytes(source)
    if isinstance(source, str | Path | bytes) or hasattr(source, "read"):
        with open_blocks(cast(Source, source)) as recording:
            yield recording.rate, recording.blocks(_BLOCK)
        return
    array, own_rate = source if isinstance(source, tuple) else (source, rate)
    if own_rate is None:
        raise UsageError("An array needs its rate: recognizer(array, rate=16000) or recognizer((array, 16000)).")
    check_rate(own_rate, "array")
    samples = from_array(array)
    if not samples.size:
        raise AudioError("array: holds no samples")
    yield own_rate, (samples[:, at : at + _BLOCK] for at in range(0, samples.shape[1], _BLOCK))
