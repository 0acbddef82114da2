"""What all requests share: the workers that decode, the network, the speakers who are known."""

import asyncio
import functools
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import NamedTuple, Self, TypeVar

import numpy as np

from emotone.bundle.hub import locate
from emotone.errors import AudioError, UsageError
from emotone.recognition.recognizer import Recognizer
from emotone.recognition.result import Result
from emotone.recognition.speaker import Acquainted, Model
from emotone.recognition.stream import Answer, Stream, Tally, answers
from emotone.recognition.stream import Settings as Asked
from emotone.service.access import Caller
from emotone.service.heard import Heard
from emotone.service.listening import Channels, Job, Listener
from emotone.service.live import LiveDecoder, decode_live
from emotone.service.problems import ProblemError
from emotone.service.room import Room
from emotone.service.settings import Settings
from emotone.service.shared import SharedBundle
from emotone.service.workers import Pool, Worker

__all__ = ["Engine"]

_T = TypeVar("_T")


class _Known(NamedTuple):
    """A speaker: whose they are, until when, and the model that knows them."""

    owner: str
    until: float
    model: Acquainted


class Engine:
    """Answers requests, as many as it has taken on.

    Args:
        settings: of the service.

    Attributes:
        model: the network that everybody asks.
        bodies: memory for uploads.
        at_work: requests that are worked on or wait for it.
        streams: that are open.
        draining: set once nothing new is taken.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.model = SharedBundle.load(locate(settings.model), threads=1)
        self._largest = round(4 * settings.duration * self.model.info.rate)  # bytes of a decoded recording
        self.bodies, self._sound = Room(settings.bodies), Room(max(settings.sound, settings.workers * self._largest))
        self.at_work = self.streams = 0
        self._speakers: dict[str, _Known] = {}

    async def __aenter__(self) -> Self:
        settings, info = self.settings, self.model.info
        slim = info.model_copy(update={"head": None, "recipe": {}, "trained_on": {}})
        self._listener = Listener(slim, settings.duration, settings.channels)
        self.draining = asyncio.Event()
        self.pool = Pool(
            self._listener,
            workers=settings.workers,
            memory=settings.decoder,
            seconds=settings.decoding,
            most=self._listener.largest,
        )
        self._threads = ThreadPoolExecutor(settings.waiting + settings.streams, "answering")
        self.model.start(settings.workers)
        return self

    async def __aexit__(self, *error: object) -> None:
        self.pool.stop()
        self._threads.shutdown()
        self.model.stop()

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Take a request on; `ProblemError` 503 where there are too many."""
        self._check_waiting()
        self.at_work += 1
        try:
            yield
        finally:
            self.at_work -= 1

    def check_room(self) -> None:
        """Refuse a request that would not be taken on: before its body is read."""
        if self.draining.is_set():
            raise ProblemError(503, "The service is stopping.", retry_after=5)
        self._check_waiting()

    def _check_waiting(self) -> None:
        if self.at_work >= self.settings.waiting:
            raise ProblemError(503, f"{self.at_work} requests are being worked on; try again.", retry_after=1)

    @contextmanager
    def open_stream(self) -> Iterator[None]:
        """Take a stream on; `ProblemError` 503 where there are too many."""
        if self.draining.is_set() or self.streams >= self.settings.streams:
            why = "The service is stopping" if self.draining.is_set() else f"{self.streams} streams are open"
            raise ProblemError(503, f"{why}; try again.", retry_after=5)
        self.streams += 1
        try:
            yield
        finally:
            self.streams -= 1

    def asked(self, *, window: float | None, hop: float | None, min_confidence: float | None) -> Asked:
        """Fill in how a recording is to be listened to; `UsageError` for what cannot be, or costs too much."""
        asked = Asked.of(self.model.info, window=window, hop=hop, min_confidence=min_confidence)
        if asked.window > self.settings.overlap * asked.hop:
            least = asked.window / self.settings.overlap
            raise UsageError(
                f"hop is {asked.hop:g} s; for a window of {asked.window:g} s it must be {least:g} s or more."
            )
        return asked

    async def recognize(
        self, body: bytes, channels: Channels, asked: Asked, model: Model
    ) -> list[tuple[int | None, Result]]:
        """Return (channel, result) of a recording, or of each of its channels."""
        return await self._hear(Job(body, channels, asked), lambda heard: _results(model, asked, heard))

    async def adapt(self, bodies: Sequence[bytes], caller: Caller) -> str:
        """Get to know a speaker; return the name for requests.

        Raises:
            UsageError: a model that cannot adapt.
            AudioError: what cannot be read; recordings without speech.
        """
        head = self.model.info.head
        if head is None:
            raise UsageError(f"{self.model.info.name} cannot adapt to a speaker: its card has no head.")
        asked, own = Asked.of(self.model.info), []
        for body in bodies:
            own += await self._hear(Job(body, None, asked), lambda heard: _embeddings(self.model, heard))
        if not own:
            raise AudioError("There is no speech in the recordings to adapt to.")
        self._forget()
        if len(self._speakers) >= self.settings.speakers:
            raise ProblemError(503, f"{len(self._speakers)} speakers are known; try again later.", retry_after=60)
        name, until = secrets.token_urlsafe(16), time.monotonic() + self.settings.acquaintance
        self._speakers[name] = _Known(caller.name, until, Acquainted(self.model, head, np.stack(own)))
        return name

    def model_for(self, speaker: str | None, caller: Caller) -> Model:
        """Return the model that a request is to be answered by; `UsageError` for a speaker who is not known."""
        if speaker is None:
            return self.model
        self._forget()
        known = self._speakers.get(speaker)
        if known is None or known.owner != caller.name:
            raise UsageError(f"speaker {speaker[:64]!r} is not known, or no longer; see /v1/adapt.")
        return known.model

    def stream(self, rate: int, asked: Asked, model: Model, *, channels_last: bool) -> Stream:
        """Return a stream of the library, whose network is the one that all share; `AudioError` for an odd rate."""
        return Recognizer(model).stream(
            rate=rate,
            channels_last=channels_last,
            window=asked.window,
            hop=asked.hop,
            min_confidence=asked.min_confidence,
        )

    def live_decoder(self) -> LiveDecoder:
        """Start a process that decodes one stream; blocks."""
        return LiveDecoder(Worker(decode_live, self.settings.decoder), self.settings.decoding, self.settings.sound)

    async def in_thread(self, function: Callable[..., _T], *arguments: object) -> _T:
        """Run what blocks."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, function, *arguments)

    async def _hear(self, job: Job, answer: Callable[[Heard], list[_T]]) -> list[_T]:
        """Decode a recording, and have what was heard of it answered."""
        with self._sound.share() as share:
            await self._sound.wait(share, self._largest)
            heard = await self.pool.run(self._listener.question(job), functools.partial(self._listener.heard, job))
            share.shrink(min(share.size, sum(each.size for each in heard)))
            return await self.in_thread(lambda: [found for each in heard for found in answer(each)])

    def _forget(self) -> None:
        now = time.monotonic()
        for name in [name for name, known in self._speakers.items() if known.until < now]:
            del self._speakers[name]


def _results(model: Model, asked: Asked, heard: Heard) -> list[tuple[int | None, Result]]:
    tally = Tally(model.info, asked)
    for window, answer in zip(heard.windows, answers(model, heard.windows), strict=True):
        tally.add(window, answer)
    return [(heard.channel, tally.result(heard.duration, heard.notes))]


def _embeddings(model: Model, heard: Heard) -> list[np.ndarray]:
    found: list[Answer] = answers(model, heard.windows)
    return [answer.embedding for answer in found]
