"""Work for a worker that does what a hostile file might make a decoder do; in a file of its own, for processes."""

import json
import os
import pickle
import resource
import signal
import struct
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from emotone.config import Config
from emotone.service.wire import ANY, Message, receive, send
from emotone.service.workers import answer


class Number(Config):
    """What `Hostile` answers."""

    number: int


@dataclass(frozen=True)
class Hostile:
    """Work that does what a hostile file might make a decoder do."""

    def __call__(self, pipe: Connection) -> None:
        while True:
            wish = receive(pipe, ANY).body.decode()
            answer(pipe, lambda: Message.of(Number(number=self.fulfil(wish))))  # noqa: B023 called at once

    def fulfil(self, wish: str) -> int:
        match wish:
            case "crash":
                os.kill(os.getpid(), signal.SIGSEGV)
            case "hang":
                time.sleep(60)
            case "memory":
                return len(np.ones(1 << 30))
            case "fault":
                raise ZeroDivisionError
            case "core":
                return sum(map(abs, resource.getrlimit(resource.RLIMIT_CORE)))
        return os.getpid()


@dataclass(frozen=True)
class Taken:
    """Work that a file has taken over: it sends whatever the file wants sent, in `told`."""

    mark: Path
    """A file that is made where what it sends is run."""

    def __call__(self, pipe: Connection) -> None:
        while True:
            self.tell(pipe, receive(pipe, ANY).body.decode())

    def tell(self, pipe: Connection, wish: str) -> None:
        bomb = pickle.dumps(_Bomb(self.mark))
        ones = [{"channel": None, "duration": 1.0, "notes": [], "regions": 1}]
        table = np.array([[0, 16_000]])
        match wish:
            case "bomb":
                send(pipe, Message(bomb, bomb))
            case "bomb in the body":
                send(pipe, _heard(ones, bomb))
            case "garbage":
                send(pipe, Message(bytes(range(256)) * 40, bytes(99)))
            case "nothing":
                send(pipe, Message(b""))
            case "deep":
                send(pipe, Message(b"[" * 1_000_000))
            case "a head without end":
                _announce(pipe, 1 << 62)
            case "a body without end":
                pipe.send_bytes(_heard(ones).head)
                _announce(pipe, 1 << 62)
            case "a length below none":
                os.write(pipe.fileno(), struct.pack("!i", -7))
                pipe.send_bytes(b"")
            case "fewer regions than said":
                send(pipe, _heard(ones))
            case "more regions than said":
                send(pipe, _heard([ones[0] | {"regions": 1 << 70}], table.tobytes()))
            case "speech cut short":
                send(pipe, _heard(ones, table.tobytes() + bytes(4 * 15_999)))
            case "speech too long":
                send(pipe, _heard(ones, table.tobytes() + bytes(4 * 16_001)))
            case "no whole samples":
                send(pipe, _heard(ones, table.tobytes() + bytes(4 * 16_000 + 1)))
            case "not a number":
                send(pipe, _heard(ones, table.tobytes() + np.full(16_000, np.nan, np.float32).tobytes()))
            case "far too loud":
                send(pipe, _heard(ones, table.tobytes() + np.full(16_000, 1e30, np.float32).tobytes()))
            case "a region turned round":
                send(pipe, _heard(ones, np.array([[1, -(1 << 63)]]).tobytes()))
            case "a region beyond the end":
                send(pipe, _heard(ones, np.array([[1 << 62, (1 << 62) + 16_000]]).tobytes() + bytes(64_000)))
            case "regions that overlap":
                send(pipe, _heard([ones[0] | {"regions": 2}], np.tile(table, (2, 1)).tobytes() + bytes(128_000)))
            case "a recording of years":
                send(pipe, _heard([ones[0] | {"duration": 1e9}], table.tobytes() + bytes(64_000)))
            case "another channel":
                send(pipe, _heard([ones[0] | {"channel": 3}], table.tobytes() + bytes(64_000)))
            case "no channel":
                send(pipe, _heard([]))
            case "another type":
                send(pipe, Message(b'{"rate": 48000, "channels": 1, "notes": []}', bytes(400)))
            case "an unknown error":
                send(pipe, Message(b'{"error":"SystemExit","text":"0"}'))
            case "another rate":
                send(pipe, Message(b'{"rate": 48000, "channels": 1}', bytes(400)))
                send(pipe, Message(b'{"rate": 8000, "channels": 1}', bytes(400)))
            case "no channels":
                send(pipe, Message(b'{"rate": 48000, "channels": 0}', bytes(400)))
            case "sound without end":
                while True:
                    send(pipe, Message(b'{"rate": 48000, "channels": 1}', bytes(1 << 20)))


@dataclass(frozen=True)
class _Bomb:
    mark: Path

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return Path.touch, (self.mark,)


def _heard(ones: list[dict[str, object]], body: bytes = b"") -> Message:
    return Message(json.dumps({"heard": ones}).encode(), body)


def _announce(pipe: Connection, size: int) -> None:
    """Send the beginning of so many bytes."""
    os.write(pipe.fileno(), struct.pack("!iQ", -1, size) + bytes(1_000))
