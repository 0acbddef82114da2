"""The runs of a comparison on a cluster, each a task of Ray with its share of the CPUs and GPUs."""

from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from emotone.cluster.join import joined
from emotone.comparison.plan import RunSpec, finished
from emotone.comparison.run import Setting, run
from emotone.comparison.sweep import (
    Failure,
    Listener,
    check_jobs,
    checkpoint_path,
    environment_of_workers,
    extract_features,
)
from emotone.errors import EmotoneError, UsageError
from emotone.evaluation.record import Epoch, RunRecord

__all__ = ["sweep_by"]

_TRIES = 3  # of a run whose process is killed, beside the first
_LOOK = 0.5  # seconds between looks at the epochs


def sweep_by(address: str | None) -> Callable[..., list[Failure]]:
    """Return what stands in for `comparison.sweep.sweep`, on the cluster at an address, or on this machine by Ray."""

    def sweep(
        specs: Sequence[RunSpec], setting: Setting, folder: Path, *, jobs: int | None, listener: Listener
    ) -> list[Failure]:
        check_jobs(jobs)
        pending = [spec for spec in specs if not finished(spec, folder, setting.data_hash)]
        if not pending:
            return []
        folder = folder.resolve()
        folder.mkdir(parents=True, exist_ok=True)
        with joined(address):
            failures = []
            if address is None:  # the cache of this machine is of no use to others
                failures = extract_features(pending, setting, listener.features)
            failed = {failure.spec for failure in failures}
            ready = [spec for spec in pending if spec not in failed]
            return failures + _run(ready, setting, folder, _Shares(setting.device, jobs, len(specs)), listener)

    return sweep


class _Shares:
    """How many runs go on at a time, and what of the cluster each gets.

    Raises:
        UsageError: a GPU is asked for and the cluster has none.
    """

    def __init__(self, device: str, jobs: int | None, runs: int) -> None:
        import ray

        nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
        cpus, gpus = (sum(int(node.get(kind, 0)) for node in nodes) for kind in ("CPU", "GPU"))
        if device == "cuda" and not gpus:
            raise UsageError("--device cuda: no machine of the cluster has a GPU. Use auto or cpu.")
        on_gpu = device != "cpu" and gpus > 0
        self.at_a_time = max(1, min(jobs or (gpus if on_gpu else cpus), runs))
        most = max(int(node.get("CPU", 0)) for node in nodes)
        self.threads = max(1, min(cpus // self.at_a_time, most))
        self.gpus = min(1.0, gpus / self.at_a_time) if on_gpu else 0.0


def _run(
    specs: Sequence[RunSpec], setting: Setting, folder: Path, shares: _Shares, listener: Listener
) -> list[Failure]:
    import ray
    from ray.exceptions import RayError, RayTaskError
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=True)
    news = ray.remote(_News).options(num_cpus=0, scheduling_strategy=here).remote()
    shared = ray.put(setting)
    work = ray.remote(_work).options(
        num_cpus=shares.threads,
        num_gpus=shares.gpus,
        max_retries=_TRIES,
        runtime_env={"env_vars": environment_of_workers(shares.threads)},
    )
    waiting, busy, failures = deque(enumerate(specs)), dict[Any, RunSpec](), []
    while waiting or busy:
        while waiting and len(busy) < shares.at_a_time:
            index, spec = waiting.popleft()
            busy[work.remote(index, spec, shared, folder, news)] = spec
        done, _ = ray.wait(list(busy), timeout=_LOOK)
        for index, epoch, epochs in ray.get(news.read.remote()):
            listener.epoch(specs[index], epoch, epochs)
        for each in done:
            spec = busy.pop(each)
            try:
                record: RunRecord = ray.get(each)
            except RayTaskError as error:  # whatever stops one run does not stop the others
                cause = error.cause
                known = isinstance(cause, EmotoneError)
                failures.append(Failure(spec, str(cause) if known else f"{type(cause).__name__}: {cause}"))
            except RayError:
                failures.append(
                    Failure(spec, f"its process was killed {_TRIES + 1} times, most likely for want of memory")
                )
            else:
                record.write(spec.path(folder))
                checkpoint_path(spec, setting, folder).unlink(missing_ok=True)
                listener.finish(spec, record)
    return failures


def _work(index: int, spec: RunSpec, setting: Setting, folder: Path, news: Any) -> RunRecord:
    """Do a run; it goes on from its last checkpoint where the comparison's folder is on a disk that machines share."""
    checkpoint = checkpoint_path(spec, setting, folder) if folder.is_dir() else None

    def on_epoch(epoch: Epoch, epochs: int) -> None:
        news.tell.remote(index, epoch.epoch, epochs)

    return run(spec, setting, checkpoint=checkpoint, on_epoch=on_epoch)[0]


class _News:
    """Keeps what the runs tell of their epochs until it is read."""

    def __init__(self) -> None:
        self._told: list[tuple[int, int, int]] = []

    def tell(self, *what: int) -> None:
        self._told.append(what)  # type: ignore[arg-type]

    def read(self) -> list[tuple[int, int, int]]:
        told, self._told = self._told, []
        return told
