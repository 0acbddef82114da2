"""Work for a worker that does what a hostile file might make a decoder do; in a file of its own, for processes."""

import os
import pickle
import resource
import signal
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection

import numpy as np

from emotone.service.workers import answer


@dataclass(frozen=True)
class Hostile:
    """Work that does what a hostile file might make a decoder do."""

    def __call__(self, pipe: Connection) -> None:
        while True:
            wish = pickle.loads(pipe.recv_bytes())
            answer(pipe, lambda: self.fulfil(wish))  # noqa: B023 called at once

    def fulfil(self, wish: str) -> object:
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
                return resource.getrlimit(resource.RLIMIT_CORE)
        return os.getpid()
