"""Processes that do what a hostile file could turn against the service: each with a memory limit, each replaceable.

pebble and concurrent.futures have one queue for all workers: who dies while it holds the queue's lock, or is killed
while it waits, ends the pool. Here every worker has a pipe of its own, and its death is nobody else's.
"""

import asyncio
import contextlib
import functools
import multiprocessing
import signal
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TypeVar

from emotone.errors import AudioError, EmotoneError
from emotone.service.wire import Message, failure, receive, send

__all__ = ["DiedError", "Pool", "Worker", "answer"]

# Not by fork: the service has threads. The server that forks instead has none, and has loaded what workers need.
_CONTEXT = multiprocessing.get_context("spawn" if sys.platform == "win32" else "forkserver")
_PRELOADED = ["emotone.service.listening", "emotone.service.live", "av"]

_START = 60.0  # seconds that a process may take to begin
_READY = b"ready"

T = TypeVar("T")


class DiedError(Exception):
    """A worker ended before it answered, or answered what cannot be.

    Attributes:
        late: whether because it was too slow.
    """

    def __init__(self, *, late: bool) -> None:
        super().__init__()
        self.late = late


class Worker:
    """A process that answers one message at a time.

    Args:
        work: what it runs: takes the pipe's end, and serves it until EOFError.
        memory: bytes that it may need beside what it has at its start.

    Attributes:
        pid: of the process.
    """

    def __init__(self, work: Callable[[Connection], None], memory: int) -> None:
        if sys.platform != "win32":
            _CONTEXT.set_forkserver_preload(_PRELOADED)
        self._pipe, theirs = _CONTEXT.Pipe()
        self._process = _CONTEXT.Process(target=_serve, args=(theirs, work, memory), daemon=True)  # type: ignore[attr-defined]
        self._process.start()
        self.pid, self._ready = int(self._process.pid), False
        theirs.close()

    def ask(
        self,
        message: Message,
        read: Callable[[Message], T],
        *,
        seconds: float,
        most: int,
        until: Callable[[T], bool] = lambda answer: True,
    ) -> list[T]:
        """Send a message; return the answers up to the one that `until` accepts. Blocks; for one thread at a time.

        Args:
            message: for the process.
            read: takes what the process answers; raises the `EmotoneError` that it is, or `ValueError` where it is
                nothing that could be answered.
            seconds: that it may take.
            most: bytes that the answers may have together.
            until: says whether an answer is the last one.

        Raises:
            DiedError: the process ended, or was killed: for it took too long, or answered what cannot be.
            EmotoneError: that it answered.
        """
        self._wait_until_ready()
        late = threading.Event()

        def end() -> None:
            late.set()
            with contextlib.suppress(ValueError):  # it has ended by itself
                self._process.kill()

        timer = threading.Timer(seconds, end)
        timer.start()
        answers: list[T] = []
        try:
            send(self._pipe, message)
            while not answers or not until(answers[-1]):
                told = receive(self._pipe, most)
                most -= len(told.head) + len(told.body)
                answers.append(read(told))
        except (EOFError, OSError, ValueError):
            self.stop()
            raise DiedError(late=late.is_set()) from None
        finally:
            timer.cancel()
        return answers

    def _wait_until_ready(self) -> None:
        """Wait for a process that has just begun: its start is not the message's time."""
        if self._ready:
            return
        try:
            self._ready = self._pipe.poll(_START) and self._pipe.recv_bytes() == _READY
        except (EOFError, OSError):
            self._ready = False
        if not self._ready:
            self.stop()
            raise DiedError(late=False)

    def stop(self) -> None:
        """End the process at once."""
        if not self._pipe.closed:
            self._process.kill()  # before the pipe is closed, of which PyAV would complain
            self._process.join()
            self._process.close()
            self._pipe.close()


class Pool:
    """Workers for jobs that do not depend on each other.

    Args:
        work: as for `Worker`.
        workers: how many.
        memory: bytes for each.
        seconds: that a job may take.
        most: bytes that its answer may have.
    """

    def __init__(
        self, work: Callable[[Connection], None], *, workers: int, memory: int, seconds: float, most: int
    ) -> None:
        self._work, self._memory, self._seconds, self._most = work, memory, seconds, most
        self._threads = ThreadPoolExecutor(workers, "decoding")
        self._free: asyncio.Queue[Worker | None] = asyncio.Queue()
        self._workers: set[Worker] = set()
        self._stopped = False
        for _ in range(workers):
            self._free.put_nowait(self._begun())

    @property
    def pids(self) -> list[int]:
        """Of the workers that are alive."""
        return [each.pid for each in self._workers]

    async def run(self, job: Message, read: Callable[[Message], T]) -> T:
        """Return a worker's answer to a job; `read` as for `Worker.ask`.

        Raises:
            EmotoneError: that it answered.
            AudioError: the job took too long, or ended two workers.
        """
        worker = await self._free.get()
        try:
            for _ in range(2):  # once more, as it may have been killed for what it did before, or by somebody
                worker = worker or await self._in_thread(self._begun)
                assert worker
                ask = functools.partial(worker.ask, job, read, seconds=self._seconds, most=self._most)
                try:
                    return (await self._in_thread(ask))[0]
                except DiedError as death:
                    self._workers.discard(worker)
                    worker = None
                    if death.late:
                        raise AudioError(f"audio: takes longer than {self._seconds:g} s to decode") from None
            raise AudioError("audio: cannot be decoded: it ends the program that tries")
        finally:
            self._free.put_nowait(worker)

    def stop(self) -> None:
        """End the workers."""
        self._stopped = True
        for worker in self._workers:
            worker.stop()
        self._workers.clear()
        self._threads.shutdown()

    def _begun(self) -> Worker:
        if self._stopped:
            raise AudioError("audio: was not decoded: the service has stopped")
        worker = Worker(self._work, self._memory)
        self._workers.add(worker)
        return worker

    async def _in_thread(self, function: Callable[[], T]) -> T:
        """Run in a thread to its end: who is cancelled meanwhile waits, since the worker is busy all the same."""
        future = asyncio.get_running_loop().run_in_executor(self._threads, function)
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            with contextlib.suppress(Exception):
                await future
            raise


def _serve(pipe: Connection, work: Callable[[Connection], None], memory: int) -> None:
    """Be a worker."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of a terminal, which means the service: it ends its workers
    _limit(memory)
    with contextlib.suppress(EOFError, OSError):  # the service is gone
        pipe.send_bytes(_READY)
        work(pipe)


def _limit(memory: int) -> None:
    try:
        import resource
    except ImportError:  # Windows has none
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core would be a caller's sound on the disk
    statistics = Path("/proc/self/statm")
    if statistics.exists():
        used = int(statistics.read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + memory, used + memory))


def answer(pipe: Connection, what: Callable[[], Message]) -> None:
    """Send what a function gives, or an error that a caller can be told."""
    try:
        found = what()
    except EmotoneError as error:
        found = failure(error)
    except MemoryError:
        found = failure(AudioError("audio: needs more memory to decode than is allowed"))
    except (EOFError, BrokenPipeError):
        raise
    except Exception as error:
        found = failure(AudioError(f"audio: cannot be decoded ({type(error).__name__})"))
    send(pipe, found)
