"""WebM as a browser's MediaRecorder sends it, decoded as it comes by a process of its own."""

from multiprocessing.connection import Connection

import numpy as np
from pydantic import Field

from emotone.audio import Samples
from emotone.audio.media import open_webm
from emotone.config import Config
from emotone.service.wire import ANY, Message, receive, send, understood
from emotone.service.workers import Worker, answer

__all__ = ["LiveDecoder", "decode_live"]

_BLOCK = 0.1  # seconds of a block
_SAMPLE = np.dtype("<f4")


class _Told(Config):
    """A block of sound, which the body is; or that all that was sent is decoded."""

    rate: int = Field(default=0, ge=0)
    """In Hz; 0 of no block."""
    channels: int = Field(default=0, ge=0, le=65_535)
    notes: tuple[str, ...] = ()
    """What is to be known of the recording, at its end."""


class LiveDecoder:
    """Decodes one stream. For one thread at a time.

    Args:
        worker: that runs `decode_live`.
        seconds: that decoding one message may take.
        most: bytes of sound that may come of one message.

    Attributes:
        rate: in Hz; None until there was sound.
        notes: what is to be known of the stream, at its end.
    """

    def __init__(self, worker: Worker, seconds: float, most: int) -> None:
        self._worker, self._seconds, self._most = worker, seconds, most
        self.rate: int | None = None
        self.notes: tuple[str, ...] = ()

    def feed(self, message: bytes) -> list[Samples]:
        """Take the next bytes, none for the end; return blocks (channels, samples).

        Raises:
            AudioError: no WebM, or damaged.
            DiedError: it takes too long or too much memory.
        """
        found = self._worker.ask(
            Message(b"", message),
            self._block,
            seconds=self._seconds,
            most=self._most,
            until=lambda block: block is None,
        )
        return [block for block in found if block is not None]

    def stop(self) -> None:
        """End the process."""
        self._worker.stop()

    def _block(self, message: Message) -> Samples | None:
        """Return the sound of a message; None of the one that says that there is no more."""
        told = understood(_Told, message)
        if not told.rate:
            self.notes = told.notes
            return None
        if self.rate not in (None, told.rate) or not message.body:
            raise ValueError("another rate, or a block of nothing")
        self.rate = told.rate
        return np.frombuffer(message.body, _SAMPLE).reshape(told.channels, -1)


def decode_live(pipe: Connection) -> None:
    """Be the process: decode what comes, tell when more is wanted."""
    incoming = _Incoming(pipe)

    def decode() -> Message:
        with open_webm(incoming) as media:
            for block in media.blocks(round(_BLOCK * media.rate)):
                told = _Told(rate=media.rate, channels=len(block))
                send(pipe, Message.of(told, block.astype(_SAMPLE, copy=False).tobytes()))
            return Message.of(_Told(notes=tuple(media.notes)))

    answer(pipe, decode)


class _Incoming:
    """The messages as one stream of bytes; whoever reads beyond them waits for the next."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe, self._left, self._asked = pipe, memoryview(b""), False
        self._ended = False

    def read(self, size: int) -> bytes:
        while not self._left and not self._ended:
            if self._asked:
                send(self._pipe, Message.of(_Told()))
            self._asked = True
            message = receive(self._pipe, ANY).body
            self._left, self._ended = memoryview(message), not message
        part, self._left = self._left[:size], self._left[size:]
        return bytes(part)
