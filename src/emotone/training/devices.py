"""A training on several devices: a process for each, which end together, and one of which tells how it goes."""

import multiprocessing
import os
import pickle
import signal
import tempfile
import threading
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from traceback import format_exc
from typing import Any

import torch
from torch import distributed

from emotone.errors import EmotoneError

__all__ = ["Tell", "end_with_parent", "on_devices"]

Tell = Callable[..., None]


def on_devices(devices: int, train: Callable[[Tell | None], Any], tell: Tell | None, *, on_gpu: bool) -> Any:
    """Call `train` in a process for each device, where `torch.distributed` joins them; return what the first returns.

    The processes begin anew: they run nothing of the program that asked for them, as Lightning's own launcher would,
    and share no memory with it. When one fails or is killed, or this process is, all end.

    Args:
        devices: how many.
        train: what to do there; pickled. In the first process it is given what passes its arguments on to `tell`, in
            the others None.
        tell: called in this process.
        on_gpu: the devices are GPUs, else CPU cores.

    Raises:
        EmotoneError: a process was killed.
        Exception: what `train` raised in the process that failed first.
    """
    context = multiprocessing.get_context("spawn")  # torch's threads do not survive a fork
    work = pickle.dumps(train)  # by value: what multiprocessing pickles would share the weights' memory
    processes: list[SpawnProcess] = []
    ends: list[Connection] = []
    with tempfile.TemporaryDirectory(prefix="emotone-") as folder:
        try:
            for rank in range(devices):
                here, there = context.Pipe()
                meeting = Path(folder, "meeting")
                threads = max(1, torch.get_num_threads() // devices)
                process = context.Process(target=_enter, args=(there, rank, devices, meeting, threads, on_gpu))
                process.start()
                processes.append(process)
                there.close()
                ends.append(here)
            for end in ends:  # all of them load torch meanwhile
                end.send_bytes(work)
            return _follow(ends, tell)
        except (EOFError, ConnectionError, _Failed) as error:
            raise _reason(error, processes) from None
        finally:
            for process in processes:
                process.kill()  # Lightning only takes note of being asked to terminate
                process.join()


class _Failed(Exception):  # noqa: N818, its argument is the error
    """What `train` raised in one of the processes."""


def _follow(ends: Sequence[Connection], tell: Tell | None) -> Any:
    """Pass on what is told until all processes are done."""
    waiting, result = list(ends), None
    while waiting:
        for end in wait(waiting):
            kind, content = pickle.loads(end.recv_bytes())  # type: ignore[union-attr]  # noqa: S301, of our own process
            if kind == "failed":
                raise _Failed(content)
            if kind == "told" and tell is not None:
                tell(*content)
            if kind == "done":
                waiting.remove(end)  # type: ignore[arg-type]
                result = content if end is ends[0] else result
    return result


def _reason(error: Exception, processes: Sequence[SpawnProcess]) -> BaseException:
    """Return why a training ended: when a process is killed, the others fail only for want of it."""
    ended = wait([process.sentinel for process in processes], timeout=1)
    for process in processes:
        if process.sentinel in ended:
            process.join(timeout=1)
    if any((process.exitcode or 0) < 0 for process in processes):
        return EmotoneError(
            f"One of the {len(processes)} processes that train together was killed, most likely for want of memory. "
            "The same command goes on from the last checkpoint."
        )
    if isinstance(error, _Failed):
        reason: BaseException = error.args[0]
        return reason
    return EmotoneError(f"One of the {len(processes)} processes that train together ended before it was done.")


def _enter(end: Connection, rank: int, devices: int, meeting: Path, threads: int, on_gpu: bool) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that asked for this one decides
    end_with_parent()
    os.environ |= {"LOCAL_RANK": str(rank), "NODE_RANK": "0"}  # so Lightning starts no processes of its own
    try:
        train = pickle.loads(end.recv_bytes())  # noqa: S301, of our own process
        torch.set_num_threads(threads)
        if on_gpu:
            torch.cuda.set_device(rank)
        # Through a file, for a port that is free now may be taken when the processes meet
        backend, where = "nccl" if on_gpu else "gloo", meeting.as_uri()
        distributed.init_process_group(backend, init_method=where, rank=rank, world_size=devices)
        result = train((lambda *told: _send(end, "told", told)) if rank == 0 else None)
        distributed.destroy_process_group()
        _send(end, "done", result if rank == 0 else None)
    except BaseException as error:
        error.add_note(format_exc())
        _send(end, "failed", error)
        raise SystemExit(1) from None


def _send(end: Connection, kind: str, content: Any) -> None:
    try:
        message = pickle.dumps((kind, content))
    except Exception:  # an error that holds what cannot be pickled
        message = pickle.dumps((kind, RuntimeError(f"{type(content).__name__}: {content}")))
    end.send_bytes(message)


def end_with_parent() -> None:
    """End this process when the one that started it is gone, killed for instance."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)
