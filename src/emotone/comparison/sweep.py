"""Many runs: features once, then runs side by side in processes; what is finished is kept, what was begun goes on."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any, Protocol

from emotone.comparison.plan import RunSpec, finished, fold_of
from emotone.comparison.run import Setting, items_of, run
from emotone.errors import EmotoneError, UsageError
from emotone.evaluation.record import Epoch, RunRecord
from emotone.protocols import Sample
from emotone.training.devices import end_with_parent
from emotone.training.frames import frames_of

__all__ = [
    "Failure", "Listener", "Sweep", "check_jobs", "checkpoint_path", "cores", "environment_of_workers",
    "extract_features", "sweep",
]  # fmt: skip

_CHECKPOINTS = ".checkpoints"
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")
_MEMORY_VARIABLES = ("MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_")


class Listener(Protocol):
    """Who is told how a sweep goes on, to show it."""

    def features(self, done: int, total: int) -> None:
        """`done` of `total` samples have their features."""

    def epoch(self, spec: RunSpec, epoch: int, epochs: int) -> None:
        """A run has trained `epoch` of at most `epochs`."""

    def finish(self, spec: RunSpec, record: RunRecord) -> None:
        """A run is done and written."""


@dataclass(frozen=True)
class Failure:
    """A run that could not be done, and why."""

    spec: RunSpec
    reason: str


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def extract_features(
    specs: Sequence[RunSpec], setting: Setting, on_progress: Callable[[int, int], None]
) -> list[Failure]:
    """Put the features of all samples of the runs into the cache, on all cores. Returns the runs that get none."""
    wanted: dict[Hashable, set[Sample]] = {}
    runs: dict[Hashable, list[RunSpec]] = {}
    for spec in specs:
        fold = fold_of(spec, setting.corpus, setting.digests)
        encoder = spec.recipe.model if spec.recipe.needs_weights else None
        key: Hashable = (spec.recipe.audio, spec.recipe.features, spec.recipe.augment, encoder)
        wanted.setdefault(key, set()).update(fold.train, fold.validation, fold.test)
        runs.setdefault(key, []).append(spec)
    total, before = sum(len(samples) for samples in wanted.values()), 0
    failures = []
    for key, samples in wanted.items():
        start = before
        try:
            frames_of(
                runs[key][0].recipe,
                items_of(sorted(samples), setting.corpus),
                device=setting.device,
                on_progress=lambda done, _, start=start: on_progress(start + done, total),  # type: ignore[misc]
            )
        except EmotoneError as error:  # a clip too short for this system may be long enough for the others
            failures += [Failure(spec, str(error)) for spec in runs[key]]
            on_progress(before + len(samples), total)
        before += len(samples)
    return failures


def check_jobs(jobs: int | None) -> None:
    """Refuse a number of processes that cannot be; None stands for one per core."""
    if jobs is not None and jobs < 1:
        raise UsageError(f"--jobs is {jobs}; it must be at least 1.")


class Sweep(Protocol):
    """What does runs: `sweep` below, or as it a cluster."""

    def __call__(
        self, specs: Sequence[RunSpec], setting: Setting, folder: Path, *, jobs: int | None, listener: Listener
    ) -> list[Failure]:
        """As `sweep`."""


def sweep(
    specs: Sequence[RunSpec], setting: Setting, folder: Path, *, jobs: int | None, listener: Listener
) -> list[Failure]:
    """Do all runs that are not finished, `jobs` at a time, one JSON each under `folder`.

    A run that fails is reported and the others go on. After a kill, the same call goes on from the last checkpoints.

    Args:
        specs: what to run.
        setting: what the runs share.
        folder: of all runs.
        jobs: processes at a time, each of which gets its share of the cores; None for one per core, or for each
            `setting.devices` of them.
        listener: told how it goes on.
    """
    check_jobs(jobs)
    pending = [spec for spec in specs if not finished(spec, folder, setting.data_hash)]
    if not pending:
        return []
    failures = extract_features(pending, setting, listener.features)
    failed = {failure.spec for failure in failures}
    ready = [spec for spec in pending if spec not in failed]
    # As many jobs as for all runs, though some be finished: the threads of a job touch the last digits of its result.
    at_a_time = min(jobs or max(1, cores() // setting.devices), len(specs))
    return failures + _in_processes(ready, setting, folder, at_a_time, listener)


def _one(spec: RunSpec, setting: Setting, folder: Path, on_epoch: Callable[[Epoch, int], None]) -> RunRecord:
    checkpoint = checkpoint_path(spec, setting, folder)
    record, _ = run(spec, setting, checkpoint=checkpoint, on_epoch=on_epoch)
    record.write(spec.path(folder))
    checkpoint.unlink(missing_ok=True)
    return record


def checkpoint_path(spec: RunSpec, setting: Setting, folder: Path) -> Path:
    """Name the state of a training by all that it depends on, so that no other training resumes from it."""
    state = f"{spec!r} {setting.data_hash} {setting.device} {setting.precision}"
    if setting.devices > 1:
        state += f" {setting.devices}"
    return folder / _CHECKPOINTS / f"{blake2b(state.encode(), digest_size=16).hexdigest()}.ckpt"


def _in_processes(
    specs: Sequence[RunSpec], setting: Setting, folder: Path, jobs: int, listener: Listener
) -> list[Failure]:
    context = multiprocessing.get_context("spawn")  # torch's threads do not survive a fork
    news = context.SimpleQueue()
    failures = []
    with _in_environment(environment_of_workers(max(1, cores() // jobs))), _told(news, specs, listener):
        pool = ProcessPoolExecutor(jobs, context, initializer=_enter, initargs=(setting, folder, news))
        try:
            futures: dict[Future[RunRecord], RunSpec] = {
                pool.submit(_work, index, spec): spec for index, spec in enumerate(specs)
            }
            # The pool watches the processes that there were when it last woke, and submitting wakes it before it starts
            # another: without one more, nobody would notice that the last one was killed.
            pool.submit(_do_nothing)
            for future in as_completed(futures):
                spec = futures[future]
                try:
                    record = future.result()
                except BrokenProcessPool:
                    raise
                except Exception as error:  # whatever stops one run does not stop the others
                    reason = str(error) if isinstance(error, EmotoneError) else f"{type(error).__name__}: {error}"
                    failures.append(Failure(spec, reason))
                else:
                    listener.finish(spec, record)
        except BaseException as error:
            for process in multiprocessing.active_children():
                process.kill()  # Lightning only takes note of being asked to terminate
            if isinstance(error, BrokenProcessPool):
                raise EmotoneError(
                    "A worker process was killed, most likely for want of memory. "
                    f"Finished runs are kept; go on with fewer than {jobs} --jobs."
                ) from None
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
    return failures


def environment_of_workers(threads: int) -> dict[str, str]:
    """Return what a process of runs reads when it loads: its share of the cores, and how to keep memory.

    glibc gives every large tensor back to the kernel at once, and taking it anew costs more than the arithmetic on
    it: keeping it makes training on a CPU two to three times as fast.
    """
    return dict.fromkeys(_THREAD_VARIABLES, str(threads)) | dict.fromkeys(_MEMORY_VARIABLES, str(2**33))


@contextmanager
def _in_environment(wanted: Mapping[str, str]) -> Iterator[None]:
    """Set variables for the processes that start now."""
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def _told(news: Any, specs: Sequence[RunSpec], listener: Listener) -> Iterator[None]:
    """Pass on what the workers tell of their epochs."""

    def listen() -> None:
        while (message := news.get()) is not None:
            index, epoch, epochs = message
            listener.epoch(specs[index], epoch, epochs)

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    yield
    news.put(None)  # not after an error: a worker that was killed may hold the queue's lock for ever
    thread.join(timeout=5)


_shared: dict[str, Any] = {}
"""What a worker was given when it started: pickled once, not once a run."""


def _enter(setting: Setting, folder: Path, news: Any) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the sweep's own process decides
    _shared.update(setting=setting, folder=folder, news=news)
    end_with_parent()


def _do_nothing() -> None:
    pass


def _work(index: int, spec: RunSpec) -> RunRecord:
    news = _shared["news"]
    return _one(
        spec, _shared["setting"], _shared["folder"], lambda epoch, epochs: news.put((index, epoch.epoch, epochs))
    )
