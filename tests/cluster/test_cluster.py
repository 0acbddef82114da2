"""A real Ray cluster with two machines that work: what local gives, though processes and a machine are killed."""

import os
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from emotone.cluster.runs import sweep_by
from emotone.comparison.plan import plan
from emotone.comparison.run import Setting
from emotone.comparison.sweep import sweep
from emotone.corpora.base import Corpus
from emotone.corpora.fingerprint import sample_digests
from emotone.evaluation.record import read_records

from ..comparison.conftest import Heard, but_times
from .rows import like, rows_of

pytestmark = [pytest.mark.soak, pytest.mark.timeout(1800)]


@pytest.fixture
def cluster() -> Iterator[Any]:
    """A head that does no work, and two machines of one CPU each."""
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    cluster.workers = [cluster.add_node(num_cpus=1) for _ in range(2)]
    yield cluster
    cluster.shutdown()


def processes(words: str) -> list[int]:
    """The processes whose command line holds words."""
    found = []
    for each in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if words in each.read_bytes().replace(b"\0", b" ").decode(errors="replace"):
                found.append(int(each.parent.name))
        except OSError:
            continue
    return found


def when(happens: Callable[[], bool], then: Callable[[], None]) -> threading.Thread:
    def wait() -> None:
        end = time.monotonic() + 600
        while not happens() and time.monotonic() < end:
            time.sleep(0.2)
        then()

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    return thread


@pytest.mark.parametrize("victim", ["process", "machine"])
def test_recordings_are_answered_once_though_workers_are_killed(
    emotone: Callable[..., Any], cluster: Any, bundle: Path, clips: list[Path], tmp_path: Path, victim: str
) -> None:
    calls = tmp_path / "calls"
    calls.mkdir()
    for at in range(600):
        shutil.copy(clips[at % len(clips)], calls / f"{at:04}{clips[0].suffix}")
    for at in (17, 300):
        (calls / f"{at:04}.wav").write_bytes(os.urandom(5000))
    assert emotone("predict", calls, "--model", bundle, "--out", tmp_path / "local.parquet").code == 1

    killed: list[int] = []

    def kill() -> None:
        if victim == "machine":
            cluster.remove_node(cluster.workers[0], allow_graceful=False)
            killed.append(0)
            return
        killed.append(processes("ray::MapWorker")[0])
        os.kill(killed[0], signal.SIGKILL)

    listening = when(lambda: len(processes("ray::MapWorker")) == 2, lambda: (time.sleep(2), kill())[1])
    out = tmp_path / "wide"
    done = emotone("predict", calls, "--model", bundle, "--out", out, "--engine", "ray", "--address", cluster.address)
    listening.join(1)
    assert killed, "nobody was killed"
    assert done.code == 1
    assert rows_of(out) == like(rows_of(tmp_path / "local.parquet"))


@pytest.mark.parametrize("victim", [None, "process", "machine"])
def test_runs_are_those_of_local_though_workers_are_killed(
    cluster: Any, corpus: Corpus, systems: dict[str, Any], tmp_path: Path, victim: str | None
) -> None:
    setting = Setting(corpus, sample_digests(corpus.utterances), "cpu")
    longer = [systems["net"].model_copy(update={"quick_epochs": 30}), systems["tree"], systems["copies"]]
    specs = plan(longer, corpus, protocols=["clean"], preset="quick", seeds=2)
    assert sweep(specs, setting, tmp_path / "local", jobs=2, listener=Heard()) == []

    class Killer(Heard):
        def epoch(self, *told: Any) -> None:
            if victim and not self.epochs:
                if victim == "machine":
                    cluster.remove_node(cluster.workers[0], allow_graceful=False)
                else:
                    os.kill(processes("ray::_work")[0], signal.SIGKILL)
            super().epoch(*told)

    heard = Killer()
    assert sweep_by(cluster.address)(specs, setting, tmp_path / "wide", jobs=2, listener=heard) == []
    assert sorted(heard.finished) == sorted(spec.name for spec in specs)
    local, wide = (read_records(tmp_path / name) for name in ("local", "wide"))
    assert list(map(but_times, wide)) == list(map(but_times, local))
    assert not any((tmp_path / "wide" / ".checkpoints").glob("*"))
    again = Heard()
    assert sweep_by(cluster.address)(specs, setting, tmp_path / "wide", jobs=2, listener=again) == []
    assert again.finished == []
