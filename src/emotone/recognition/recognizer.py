"""Audio in, emotions over time out."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Self, TypedDict, Unpack, cast, overload

import numpy as np
import numpy.typing as npt

from emotone.audio import Part, Recording
from emotone.bundle.adaptation import Head, Moments
from emotone.bundle.hub import find
from emotone.errors import AudioError, EmotoneError, UsageError
from emotone.recognition.embedding import Embeddings
from emotone.recognition.result import Result
from emotone.recognition.sources import Audio, Several, are_several, open_audio
from emotone.recognition.speaker import Acquainted, Model
from emotone.recognition.stream import Settings, Stream, Track, answers
from emotone.recognition.windows import Window

__all__ = ["Audio", "Recognizer"]

_BLOCK = 1 << 20  # samples that are decoded at a time
_POOL = 64  # windows, of as many recordings as it takes, that are gathered before the network is asked
_HELD = 10_000_000  # samples of windows that are gathered at most: long ones overlap, and each has its own copy


class Options(TypedDict, total=False):
    """How recordings are listened to; see `Recognizer.each`."""

    rate: int | None
    channels_last: bool | None
    window: float | None
    hop: float | None
    min_confidence: float | None
    strict: bool


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

    @overload
    def __call__(self, source: Several, **options: Unpack[Options]) -> list[Result]: ...
    @overload
    def __call__(self, source: Audio, **options: Unpack[Options]) -> Result: ...
    @overload
    def __call__(self, source: list[object], **options: Unpack[Options]) -> list[Result]: ...
    def __call__(self, source: Audio | list[Any], **options: Unpack[Options]) -> Result | list[Result]:
        """Recognise one recording of any length, or several, given in a list.

        Args:
            source: a path, a file's bytes, an open binary file; samples: (array, rate) or (rate, array), a row of
                datasets {"array": ..., "sampling_rate": ...}, or an array or tensor with `rate`; `emotone.Part` of one
                of these. An array has the shape (samples,), (channels, samples), or (samples, channels) with
                `channels_last`; floats in [-1, 1], int16 or int32. A list of numbers is samples; any other is a list of
                recordings.
            options: those of `each`.

        Raises:
            AudioError: what cannot be read, as `emotone.audio.read` says.
            UsageError: an option out of range, what is no recording, an array without its rate.
        """
        if are_several(source):
            return self.batch(cast("list[Audio]", source), **options)
        return self.batch([cast(Audio, source)], **options)[0]

    def batch(self, sources: Iterable[Audio], **options: Unpack[Options]) -> list[Result]:
        """Recognise many recordings, in their order; options are those of `each`, errors as for one."""
        results = []
        for result in self.each(sources, **options):
            if isinstance(result, EmotoneError):
                raise result
            results.append(result)
        return results

    def each(
        self,
        sources: Iterable[Audio],
        *,
        rate: int | None = None,
        channels_last: bool | None = None,
        window: float | None = None,
        hop: float | None = None,
        min_confidence: float | None = None,
        strict: bool = False,
    ) -> Iterator[Result | EmotoneError]:
        """Yield, in their order, the result of each recording, or the error why there is none.

        The network is asked about several recordings at once. So results come in groups.

        Args:
            sources: as for one.
            rate: of arrays, in Hz.
            channels_last: whether an array's last axis is that of the channels; None takes (channels, samples) for
                granted where nothing speaks against it.
            window: seconds of speech that one answer is given for. [default: what the model is made for]
            hop: seconds between answers. [default: what the model is made for]
            min_confidence: below it an emotion is "uncertain"; None says so only of speech shorter than any that the
                model was trained on, or unlike it.
            strict: refuse a recording that is cut short; else its result's `notes` say how much is missing.
        """
        settings = Settings.of(self.model.info, window=window, hop=hop, min_confidence=min_confidence)
        pool: list[tuple[Track, Window]] = []
        waiting: deque[Track | EmotoneError] = deque()
        for source in sources:
            known = len(pool)
            try:
                with open_audio(source, rate=rate, channels_last=channels_last, strict=strict) as (recording, start):
                    track = Track(self.model.info, recording.rate, settings, live=False, start=start)
                    for windows in _cut(track, recording, settings, self.model.info.rate):
                        pool += [(track, window) for window in windows]
                        if _is_full(pool):
                            self._answer(pool)
                            known = 0
                waiting.append(track)
            except EmotoneError as error:
                del pool[known:]
                waiting.append(error)
            if _is_full(pool) or not pool:
                self._answer(pool)
                yield from _results(waiting)
        self._answer(pool)
        yield from _results(waiting)

    def channels(self, source: Audio, **options: Unpack[Options]) -> list[Result]:
        """Recognise each channel of one recording by itself, as a call has a speaker on each.

        Args:
            source: as for one recording.
            options: those of `each`.
        """
        part = source if isinstance(source, Part) else Part(source)
        if hasattr(part.source, "read"):
            part = replace(part, source=part.source.read())
        if part.channel is not None:
            return self.batch([part], **options)
        rate, last = options.get("rate"), options.get("channels_last")
        with open_audio(part, rate=rate, channels_last=last, strict=False) as (recording, _):
            count = recording.channels
        return self.batch([replace(part, channel=channel) for channel in range(count)], **options)

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
        self._check_head()
        own = Moments()
        for each in recordings:
            own.add(self.embed(each, rate=rate).vectors)
        if not own.count:
            raise AudioError("There is no speech in the recordings to adapt to.")
        return self.knowing(own)

    def knowing(self, vectors: npt.NDArray[np.float32] | Moments) -> Self:
        """Return the same as `adapt` for a speaker of whose speech `embed` has given `vectors`, (windows, width).

        Of many recordings their `emotone.bundle.adaptation.Moments` are enough.

        Raises:
            UsageError: a model that cannot adapt.
        """
        bundle = self.model.bundle if isinstance(self.model, Acquainted) else self.model
        return type(self)(Acquainted(bundle, self._check_head(), vectors))

    def embed(
        self,
        source: Audio,
        *,
        rate: int | None = None,
        channels_last: bool | None = None,
        window: float | None = None,
        hop: float | None = None,
    ) -> Embeddings:
        """Return what the model's last layer reads of each window of a recording's speech.

        It is the same for a recogniser that knows its speaker: what is taken out there is taken out after it.

        Args:
            source: as for one recording.
            rate, channels_last, window, hop: as `each` has them.

        Raises:
            AudioError, UsageError: as for one recording.
        """
        bundle = self.model.bundle if isinstance(self.model, Acquainted) else self.model
        settings = Settings.of(bundle.info, window=window, hop=hop)
        times: list[tuple[int, int]] = []
        vectors = [np.empty((0, bundle.width), np.float32)]
        with open_audio(source, rate=rate, channels_last=channels_last, strict=False) as (recording, start):
            track = Track(bundle.info, recording.rate, settings, live=False, start=start)
            for windows in _cut(track, recording, settings, bundle.info.rate):
                times += [(each.start, each.end) for each in windows]
                vectors += [answer.embedding[None] for answer in answers(bundle, windows)]
        begin, end = start + np.array(times, np.float64).reshape(-1, 2).T / bundle.info.rate
        return Embeddings(begin, end, np.concatenate(vectors))

    def stream(
        self,
        *,
        rate: int,
        channels_last: bool | None = None,
        window: float | None = None,
        hop: float | None = None,
        min_confidence: float | None = None,
    ) -> Stream:
        """Return a stream, which takes sound of `rate` Hz as it comes; options as for one recording.

        `channels_last=True` is for blocks of (samples, channels), as sounddevice and soundfile give them.
        """
        settings = Settings.of(self.model.info, window=window, hop=hop, min_confidence=min_confidence)
        return Stream(self.model, rate, settings, channels_last=channels_last)

    def _check_head(self) -> Head:
        """Return what the model adapts with, or refuse one that cannot."""
        head = self.model.info.head
        if head is None:
            raise UsageError(f"{self.model.info.name} cannot adapt to a speaker: its card has no head.")
        return head

    def _answer(self, pool: list[tuple[Track, Window]]) -> None:
        found = answers(self.model, [window for _, window in pool])
        for (track, window), answer in zip(pool, found, strict=True):
            track.add(window, answer)
        pool.clear()


def _cut(track: Track, recording: Recording, settings: Settings, rate: int) -> Iterator[list[Window]]:
    """Yield the windows of a recording as its blocks come, of which none makes more than `_HELD` samples of windows.

    `rate` is that of the windows.
    """
    seconds = _HELD / rate * settings.hop / settings.window
    step = max(1, min(_BLOCK, round(seconds * recording.rate)))
    for block in recording.blocks(step):
        for at in range(0, block.shape[1], step):
            yield track.push(block[:, at : at + step])
    yield track.close(recording.notes)


def _is_full(pool: list[tuple[Track, Window]]) -> bool:
    return len(pool) >= _POOL or sum(len(window.samples) for _, window in pool) >= _HELD


def _results(waiting: deque[Track | EmotoneError]) -> Iterator[Result | EmotoneError]:
    while waiting:
        each = waiting.popleft()
        yield each if isinstance(each, EmotoneError) else each.result()
