"""WebM as a browser's MediaRecorder sends it, decoded as it comes by a process of its own."""

import pickle
from multiprocessing.connection import Connection
from typing import NamedTuple

from emotone.audio import Samples
from emotone.audio.media import open_webm
from emotone.service.workers import Worker, answer

__all__ = ["LiveDecoder", "decode_live"]

_BLOCK = 0.1  # seconds of a block


class _Opened(NamedTuple):
    rate: int


class _Done(NamedTuple):
    """All that was sent is decoded; at the end with what is to be known of the recording."""

    notes: tuple[str, ...] = ()


class LiveDecoder:
    """Decodes one stream. For one thread at a time.

    Args:
        worker: that runs `decode_live`.
        seconds: that decoding one message may take.

    Attributes:
        rate: in Hz; None until the stream's head has come.
        notes: what is to be known of it, at its end.
    """

    def __init__(self, worker: Worker, seconds: float) -> None:
        self._worker, self._seconds = worker, seconds
        self.rate: int | None = None
        self.notes: tuple[str, ...] = ()

    def feed(self, message: bytes) -> list[Samples]:
        """Take the next bytes, none for the end; return blocks (channels, samples).

        Raises:
            AudioError: no WebM, or damaged.
            DiedError: it takes too long or too much memory.
        """
        blocks: list[Samples] = []
        for each in self._worker.ask(message, seconds=self._seconds, until=lambda told: isinstance(told, _Done)):
            match each:
                case _Opened(rate):
                    self.rate = rate
                case _Done(notes):
                    self.notes = notes
                case _:
                    blocks.append(each)
        return blocks

    def stop(self) -> None:
        """End the process."""
        self._worker.stop()


def decode_live(pipe: Connection) -> None:
    """Be the process: decode what comes, tell when more is wanted."""
    incoming = _Incoming(pipe)

    def decode() -> _Done:
        with open_webm(incoming) as media:
            _send(pipe, _Opened(media.rate))
            for block in media.blocks(round(_BLOCK * media.rate)):
                _send(pipe, block)
            return _Done(tuple(media.notes))

    answer(pipe, decode)


class _Incoming:
    """The messages as one stream of bytes; whoever reads beyond them waits for the next."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe, self._left, self._asked = pipe, memoryview(b""), False
        self._ended = False

    def read(self, size: int) -> bytes:
        while not self._left and not self._ended:
            if self._asked:
                _send(self._pipe, _Done())
            self._asked = True
            message: bytes = pickle.loads(self._pipe.recv_bytes())  # noqa: S301 of the service
            self._left, self._ended = memoryview(message), not message
        part, self._left = self._left[:size], self._left[size:]
        return bytes(part)


def _send(pipe: Connection, what: object) -> None:
    pipe.send_bytes(pickle.dumps(what, pickle.HIGHEST_PROTOCOL))
