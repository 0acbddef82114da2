"""Many runs at a time give what one at a time gives; what is done is kept, what fails stops nothing else."""

import multiprocessing
from pathlib import Path
from typing import Any

import pytest

from emotone import recipes
from emotone.comparison import sweep as module
from emotone.comparison.plan import RunSpec, plan
from emotone.comparison.run import Setting
from emotone.comparison.sweep import sweep
from emotone.corpora.base import Corpus
from emotone.errors import EmotoneError
from emotone.evaluation.record import RunRecord, read_records
from emotone.recipes.schema import Recipe

from .conftest import Heard, but_times


def specs_of(systems: dict[str, Recipe], corpus: Corpus, *names: str) -> list[RunSpec]:
    return plan([systems[name] for name in names], corpus, protocols=["clean"], preset="quick", seeds=1)


def times(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*.json")}


def test_jobs_do_not_change_results_and_what_is_done_is_kept(
    setting: Setting, systems: dict[str, Recipe], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "cores", lambda: 1)  # one thread a job, however many jobs
    specs = specs_of(systems, setting.corpus, "net", "tree")
    heard = Heard()
    records: dict[int, list[RunRecord]] = {}
    for jobs in (1, 2):
        assert sweep(specs, setting, tmp_path / str(jobs), jobs=jobs, listener=heard) == []
        records[jobs] = read_records(tmp_path / str(jobs))
    assert [record.system for record in records[1]] == ["small/net", "small/tree"]
    assert list(map(but_times, records[1])) == list(map(but_times, records[2]))
    assert {record.device for record in records[1]} == {"cpu (1 thread)"}
    assert sorted(heard.finished) == sorted(2 * [spec.name for spec in specs])
    assert heard.epochs == 2 * [("small/net", n, 3) for n in (1, 2, 3)]
    assert not multiprocessing.active_children()
    assert not any((tmp_path / "2" / ".checkpoints").glob("*"))

    before = times(tmp_path / "2")
    again = Heard()
    assert sweep(specs, setting, tmp_path / "2", jobs=2, listener=again) == []
    assert times(tmp_path / "2") == before and again.finished == []

    half = specs[1].path(tmp_path / "2")
    half.write_bytes(half.read_bytes()[:100])
    sweep(specs, setting, tmp_path / "2", jobs=2, listener=again)
    assert again.finished == [specs[1].name]
    assert list(map(but_times, read_records(tmp_path / "2"))) == list(map(but_times, records[2]))


def test_a_run_that_fails_is_reported_and_the_others_go_on(
    setting: Setting, systems: dict[str, Recipe], small: dict[str, Path], tmp_path: Path, heard: Heard
) -> None:
    crowded = tmp_path / "crowded.yaml"
    crowded.write_text(
        "extends: boucheta/knn\nid: small/crowded\naugment: null\nfeatures: {mfcc: 13}\nmodel: {neighbours: 5000}\n"
    )
    late = tmp_path / "late.yaml"
    late.write_text(f"{small['tree'].read_text()}\naudio: {{offset: 60}}\n".replace("small/tree", "small/late"))
    more = systems | {path.stem: recipes.load(str(path)) for path in (crowded, late)}
    specs = specs_of(more, setting.corpus, "late", "crowded", "tree")
    failures = sweep(specs, setting, tmp_path / "runs", jobs=2, listener=heard)
    reasons = {failure.spec.recipe.id: failure.reason for failure in failures}
    assert set(reasons) == {"small/late", "small/crowded"}
    assert "the first 60 s" in reasons["small/late"] and "03-01" in reasons["small/late"]
    assert "n_neighbors = 5000" in reasons["small/crowded"]
    assert [record.system for record in read_records(tmp_path / "runs")] == ["small/tree"]
    assert heard.done[-1][0] == heard.done[-1][1]


def test_a_worker_that_is_killed_ends_the_sweep_in_words(
    setting: Setting, systems: dict[str, Recipe], tmp_path: Path
) -> None:
    endless = {name: systems[name].model_copy(update={"quick_epochs": 100_000}) for name in ("net", "frames")}

    class Killer(Heard):
        def epoch(self, *told: Any) -> None:
            if not self.epochs:
                last = max(multiprocessing.active_children(), key=lambda process: process.pid or 0)
                last.kill()
            super().epoch(*told)

    with pytest.raises(EmotoneError, match=r"worker process was killed.*fewer than 2 --jobs"):
        sweep(specs_of(endless, setting.corpus, *endless), setting, tmp_path, jobs=2, listener=Killer())
    assert not multiprocessing.active_children()
    assert not read_records(tmp_path), "a run that was killed has left a record"
