"""`/v1/stream`: sound in, frame by frame; emotions out, hop by hop."""

import asyncio
import contextlib
from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from fastapi import WebSocket, WebSocketDisconnect
from pydantic import Field, ValidationError

from emotone.config import Config
from emotone.errors import EmotoneError
from emotone.recognition.result import Update
from emotone.recognition.speaker import Model
from emotone.recognition.stream import Stream
from emotone.service.access import SUBPROTOCOL, Access, Caller
from emotone.service.engine import Engine
from emotone.service.live import LiveDecoder
from emotone.service.metrics import Metrics
from emotone.service.problems import ProblemError, problem_of
from emotone.service.workers import DiedError

__all__ = ["Start", "serve_stream"]

_PIECE = 0.25  # seconds of sound that are answered at a time at most: what is heard is told four times a second
_LEAST = 0.02  # and at least: a browser's messages may be shorter
_CODES = {401: 1008, 403: 1008, 413: 1009, 503: 1013, 500: 1011}  # else 1008


class Start(Config):
    """The first message of a stream."""

    type: Literal["start"]
    format: Literal["s16le", "f32le", "webm"]
    rate: int | None = None
    """In Hz; not of webm."""
    channels: int = Field(default=1, ge=1, le=8)
    """Which are interleaved; not of webm."""
    window: float | None = None
    hop: float | None = None
    min_confidence: float | None = None
    speaker: str | None = None
    attention: bool = False


class _LeftError(Exception):
    """The client is gone, or does not take what it is sent."""


async def serve_stream(socket: WebSocket, engine: Engine, access: Access, metrics: Metrics) -> None:
    """Serve one stream from its first message to its close."""
    offered = socket.scope.get("subprotocols", [])
    chosen = next((each for each in offered if each.startswith(SUBPROTOCOL)), None)
    await socket.accept(subprotocol=chosen)
    client = _Client(socket, engine)
    try:
        try:
            access.check_origin(socket.headers)
            caller = access.caller(socket.headers, subprotocols=offered)
            caller.take()
            with engine.open_stream():
                await _Session(client, engine, caller, metrics).run()
        except ProblemError as problem:
            await client.refuse(problem)
        except EmotoneError as error:
            await client.refuse(problem_of(error))
        except DiedError as death:
            why = "took too long" if death.late else "ended the program that does it"
            await client.refuse(ProblemError(422, f"The stream cannot be decoded: it {why}."))
        except (_LeftError, WebSocketDisconnect):
            raise
        except Exception:
            await client.refuse(ProblemError(500, "The service failed; its operator's log says why."))
            raise
    except (_LeftError, WebSocketDisconnect):
        return


class _Client:
    """The other end."""

    def __init__(self, socket: WebSocket, engine: Engine) -> None:
        self._socket, self._engine = socket, engine

    async def receive(self) -> str | bytes | None:
        """Return the next message; None once the service stops. `ProblemError` where none comes."""
        settings = self._engine.settings
        if self._engine.draining.is_set():
            return None
        message = asyncio.ensure_future(self._socket.receive())
        stop = asyncio.ensure_future(self._engine.draining.wait())
        try:
            await asyncio.wait({message, stop}, timeout=settings.idle, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stop.cancel()
            if not message.done():
                message.cancel()
        if not message.done() or message.cancelled():
            if self._engine.draining.is_set():
                return None
            raise ProblemError(408, f"No message came for {settings.idle:g} s.")
        told = message.result()
        if told["type"] == "websocket.disconnect":
            raise _LeftError
        found: str | bytes | None = told.get("bytes")
        found = told.get("text", "") if found is None else found
        assert found is not None
        if len(found) > settings.frame:
            raise ProblemError(413, f"The message has {len(found):,} bytes; allowed are {settings.frame:,}.")
        return found

    async def send(self, message: dict[str, Any]) -> None:
        """Send a message; who does not take it is left."""
        try:
            await asyncio.wait_for(self._socket.send_json(message), self._engine.settings.stalled)
        except (TimeoutError, RuntimeError):  # RuntimeError: it was closed meanwhile
            raise _LeftError from None

    async def refuse(self, problem: ProblemError) -> None:
        """Say why, and close."""
        wait = problem.headers.get("Retry-After")
        await self.send({**problem.to_dict(), "type": "error", **({} if wait is None else {"retry_after": int(wait)})})
        await self.close(_CODES.get(problem.status, 1008))

    async def close(self, code: int) -> None:
        with contextlib.suppress(RuntimeError):
            await self._socket.close(code)


class _Session:
    """A stream that is open."""

    def __init__(self, client: _Client, engine: Engine, caller: Caller, metrics: Metrics) -> None:
        self._client, self._engine, self._caller, self._metrics = client, engine, caller, metrics
        self._number = 0

    async def run(self) -> None:
        first = await self._client.receive()
        if first is None:
            raise ProblemError(503, "The service is stopping.", retry_after=5)
        self._start = start = _started(first)
        engine, info = self._engine, self._engine.model.info
        model: Model = engine.model_for(start.speaker, self._caller)
        self._asked = asked = engine.asked(window=start.window, hop=start.hop, min_confidence=start.min_confidence)
        if start.format == "webm":
            sound: _Sound = await engine.in_thread(lambda: _WebM(engine.live_decoder()))
        else:
            if start.rate is None:
                raise ProblemError(422, "rate is missing: a format without a head needs it, in Hz.")
            sound = _PCM(start.format, start.rate, start.channels)
        try:
            stream = None if start.rate is None or start.format == "webm" else self._stream(start.rate, model)
            about = {"model": info.name, "labels": info.labels, "window": asked.window, "hop": asked.hop}
            await self._client.send({"type": "ready", **about, "rate": info.rate})
            taken = 0
            while True:
                message = await self._client.receive()
                if isinstance(message, str) and _kind(message) == "ping":
                    await self._client.send({"type": "pong"})
                    continue
                data = message if isinstance(message, bytes) else b""
                if message == b"":  # which would be the end
                    continue
                for block in await engine.in_thread(sound.take, data):
                    stream = stream or self._stream(sound.rate, model)
                    taken += len(block)
                    await self._hear(stream, block, taken / sound.rate)
                if not data:
                    break
            stream = stream or self._stream(sound.rate or info.rate, model)
            result = await engine.in_thread(stream.finish)
            for update in stream.closing:
                await self._tell(update)
            self._metrics.sound.labels("stream").inc(result.duration)
            told = result.to_dict()
            told["notes"] = [*told["notes"], *sound.notes]
            await self._client.send({"type": "summary", "result": told})
            await self._client.close(1012 if message is None else 1000)
        finally:
            await asyncio.shield(engine.in_thread(sound.stop))

    def _stream(self, rate: int, model: Model) -> Stream:
        return self._engine.stream(rate, self._asked, model, channels_last=True)

    async def _hear(self, stream: Stream, block: npt.NDArray[Any], until: float) -> None:
        if until > self._engine.settings.stream:
            raise ProblemError(413, f"The stream is longer than {self._engine.settings.stream:g} s.")
        for update in await self._engine.in_thread(stream.feed, block):
            await self._tell(update)
        await self._send({"type": "heard", "until": round(until, 4), "speech": stream.speaking})

    async def _tell(self, update: Update) -> None:
        self._metrics.updates.inc()
        attention = update.attention if self._start.attention else None
        await self._send({"type": "update", **update.to_dict(), "attention": attention})

    async def _send(self, message: dict[str, Any]) -> None:
        await self._client.send({"type": message["type"], "seq": self._number, **message})
        self._number += 1


def _started(message: str | bytes) -> Start:
    if isinstance(message, bytes):
        raise ProblemError(400, 'The first message is to be text: {"type": "start", "format": "s16le", "rate": 48000}.')
    try:
        return Start.model_validate_json(message)
    except ValidationError as error:
        told = [f"{'.'.join(map(str, each['loc'])) or 'message'}: {each['msg']}" for each in error.errors()]
        raise ProblemError(422, f"The first message is no start: {'; '.join(told)}.") from None


class _Text(Config):
    """Every text message but the first."""

    type: Literal["end", "ping"]


def _kind(message: str) -> Literal["end", "ping"]:
    try:
        return _Text.model_validate_json(message).type
    except ValidationError:
        raise ProblemError(400, 'A text message is to be {"type": "end"} or {"type": "ping"}.') from None


class _Sound:
    """What turns messages into blocks (samples, channels) of at most `_PIECE` seconds."""

    rate: int
    notes: tuple[str, ...] = ()

    def take(self, data: bytes) -> list[npt.NDArray[Any]]:
        """Take a message, b"" for the end."""
        raise NotImplementedError

    def stop(self) -> None:
        """Let go."""


class _PCM(_Sound):
    def __init__(self, form: Literal["s16le", "f32le"], rate: int, channels: int) -> None:
        self.rate, self._channels = rate, channels
        self._type = np.dtype("<i2" if form == "s16le" else "<f4")
        self._rest = b""

    def take(self, data: bytes) -> list[npt.NDArray[Any]]:
        ended, data = not data, self._rest + data
        step = self._type.itemsize * self._channels
        whole = len(data) // step * step
        if whole < _LEAST * self.rate * step and not ended:
            self._rest = data
            return []
        self._rest = data[whole:]
        samples = np.frombuffer(data[:whole], self._type).reshape(-1, self._channels)
        return list(_pieces(samples, self.rate))


class _WebM(_Sound):
    def __init__(self, decoder: LiveDecoder) -> None:
        self.rate, self._decoder = 0, decoder

    def take(self, data: bytes) -> list[npt.NDArray[Any]]:
        blocks = self._decoder.feed(data)
        self.rate, self.notes = self._decoder.rate or 0, self._decoder.notes
        return [piece for block in blocks for piece in _pieces(block.T, self.rate)]

    def stop(self) -> None:
        self._decoder.stop()


def _pieces(samples: npt.NDArray[Any], rate: int) -> Iterator[npt.NDArray[Any]]:
    step = max(1, round(_PIECE * rate))
    for at in range(0, len(samples), step):
        yield samples[at : at + step]
