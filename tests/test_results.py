"""The committed results: numbers follow from predictions, verdicts from numbers, and no row is missing."""

import json
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from emotone import recipes
from emotone.comparison.bench import load_plan, specs_of, wanted_of
from emotone.comparison.cross import join
from emotone.comparison.plan import finished
from emotone.corpora import load
from emotone.corpora.fingerprint import fingerprint, sample_digests
from emotone.corpora.together import together
from emotone.evaluation import metrics
from emotone.evaluation.intervals import bootstrap, clusters
from emotone.evaluation.pool import pool_all
from emotone.evaluation.record import Adapted, RunRecord, read_records
from emotone.report.leaderboard import entries, read_leaderboard, write_leaderboard
from emotone.report.results import Result, read_results
from emotone.report.words import percent

Make = Callable[..., RunRecord]

RESULTS = Path(__file__).parents[1] / "results"
FOLDERS = (RESULTS, RESULTS / "copies", RESULTS / "cross")
RECORDS = {folder: read_records(folder / "runs") for folder in FOLDERS}
RUNS = [
    pytest.param(run, id=f"{run.system}-{run.protocol}-{run.fold}-{run.seed}")
    for runs in RECORDS.values()
    for run in runs
]


@cache
def results_of(folder: Path) -> list[Result]:
    return read_results(RECORDS[folder])


def consistent(run: RunRecord) -> list[str]:
    """Name every number of a run that its predictions, plain or adapted, do not give."""
    told = run.predictions
    groups = clusters(told.speaker, told.clip)
    chosen = tuple(run.classes[index] for index in np.argmax(told.probabilities, axis=1))
    ties = sum(one != other for one, other in zip(chosen, told.predicted, strict=True))
    checks = {
        "metrics": run.metrics == pytest.approx(metrics.summary(told.true, told.predicted, run.classes)),
        "confusion": run.confusion == metrics.confusion(told.true, told.predicted, run.classes),
        "per_class": all(
            run.per_class[label] == pytest.approx(values)
            for label, values in metrics.per_class(told.true, told.predicted, run.classes).items()
        ),
        "intervals": all(
            run.intervals[name] == pytest.approx(interval, abs=1e-9)
            for name, interval in bootstrap(told.true, told.predicted, groups, run.classes).items()
        ),
        "predicted": ties <= len(chosen) // 10 if run.recipe["model"]["kind"] == "knn" else ties == 0,
        "adapted": run.adapted is None or adapted_is_right(run, run.adapted),
        "split": run.split.test == len(told.true),
    }
    return [name for name, good in checks.items() if not good]


def adapted_is_right(run: RunRecord, adapted: Adapted) -> bool:
    told = run.predictions
    if len(adapted.probabilities) != len(told.true):
        return False
    named = [run.classes[index] for index in np.argmax(adapted.probabilities, axis=1)]
    again = bootstrap(told.true, named, clusters(told.speaker, told.clip), run.classes)
    return adapted.metrics == pytest.approx(metrics.summary(told.true, named, run.classes)) and all(
        adapted.intervals[name] == pytest.approx(interval, abs=1e-9) for name, interval in again.items()
    )


@pytest.mark.parametrize("run", RUNS)
def test_the_predictions_give_every_number_of_a_run(run: RunRecord) -> None:
    assert consistent(run) == []


def test_a_number_that_was_changed_by_hand_is_found() -> None:
    run = next(iter(RECORDS[RESULTS]))
    better = {name: value + 0.01 for name, value in run.metrics.items()}
    assert consistent(run.model_copy(update={"metrics": better})) == ["metrics"]
    told = run.predictions
    flattered = told.model_copy(update={"predicted": told.true})
    found = consistent(run.model_copy(update={"predictions": flattered}))
    assert {"metrics", "confusion", "per_class", "intervals", "predicted"} == set(found)


def test_an_adapted_number_that_its_probabilities_do_not_give_is_found(make_record: Make) -> None:
    run = make_record(adapted=0.7, recipe={"model": {"kind": "own"}})
    assert consistent(run) == []
    assert run.adapted is not None
    better = {name: value + 0.01 for name, value in run.adapted.metrics.items()}
    plain = {"probabilities": run.predictions.probabilities}
    for changes in ({"metrics": better}, plain, {"probabilities": run.adapted.probabilities[1:]}):
        assert consistent(run.model_copy(update={"adapted": run.adapted.model_copy(update=changes)})) == ["adapted"]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_the_leaderboard_is_that_of_the_runs(folder: Path, tmp_path: Path) -> None:
    benchmark = load_plan(folder)
    path = tmp_path / "leaderboard.json"
    write_leaderboard(path, entries(results_of(folder), wanted_of(benchmark, folder)))
    assert path.read_bytes() == (folder / "leaderboard.json").read_bytes(), "run `make bench`"


def test_the_leaderboard_rounds_only_when_it_is_shown() -> None:
    """Rounded to four digits first, 65.949 per cent were shown as 66.0."""
    rows = {(each.row.system, each.row.protocol): each.row for each in results_of(RESULTS)}
    for entry in read_leaderboard(RESULTS / "leaderboard.json"):
        for rate in ("accuracy", "uar") if entry.accuracy else ():
            shown, real = getattr(entry, rate).mean, getattr(rows[entry.system, entry.protocol], rate)
            assert percent(shown) == percent(real), f"{entry.system} {entry.protocol}"


def test_no_verdict_contradicts_its_numbers() -> None:
    for row in json.loads((RESULTS / "leaderboard.json").read_text(encoding="utf-8")):
        published, measured = row["published"], row["accuracy"]
        where = f"{row['system']} {row['protocol']}"
        if measured is None:
            assert row["verdict"] == "not run" and row["runs"] == 0 and row["command"].startswith("emotone "), where
            continue
        assert row["runs"] > 0 and measured["low"] <= measured["mean"] <= measured["high"], where
        if published is None:
            assert row["verdict"] == "no published figure", where
        elif measured["low"] <= published <= measured["high"] or abs(published - measured["mean"]) <= 0.03:
            assert row["verdict"] == "reproduced", where
        else:
            assert row["verdict"] == ("exceeded" if measured["mean"] > published else "below"), where


def test_every_system_is_listed_under_the_protocols_that_it_is_to_run_under() -> None:
    listed = {(entry.system, entry.protocol) for entry in read_leaderboard(RESULTS / "leaderboard.json")}
    for name in recipes.names():
        ablation = "ablation" in recipes.load(name).title
        protocols = ("published", "clean") if ablation else ("published", "clean", "luna5", "emobox6")
        if name.startswith("emotone/"):
            protocols = ("luna5", "emobox6")
        assert {(name, protocol) for protocol in protocols} <= listed, name


def test_a_system_that_needs_weights_says_so_with_its_command() -> None:
    heavy = [name for name in recipes.names() if "wav2vec2" in name and recipes.load(name).needs_weights]
    rows = [entry for entry in read_leaderboard(RESULTS / "leaderboard.json") if entry.system in heavy]
    assert heavy and rows
    for entry in rows:
        assert entry.why == "needs pretrained weights"
        assert f"emotone compare {entry.system} --protocol {entry.protocol}" in entry.command
        assert "--encoder facebook/wav2vec2-base" in entry.command


@pytest.mark.parametrize("protocol", ["clean", "luna5", "emobox6"])
def test_runs_under_the_other_protocols_leak_nothing(protocol: str) -> None:
    assert {run.leaks for run in RECORDS[RESULTS] if run.protocol == protocol} <= {()}


def test_the_runs_are_of_todays_recipes_and_of_this_corpus(ravdess: Path) -> None:
    """Otherwise `make bench` would make them again."""
    corpus = load("ravdess", data=ravdess)
    data_hash = fingerprint(corpus.utterances, sample_digests(corpus.utterances))
    for folder in FOLDERS[:2]:
        specs = specs_of(load_plan(folder), folder, corpus)
        missing = [spec.name for spec in specs if not finished(spec, folder / "runs" / corpus.info.name, data_hash)]
        assert specs and not missing


def test_the_runs_across_corpora_are_of_todays_recipes(ravdess: Path) -> None:
    """Whether the corpora are the same too, `make bench` tells: hearing all of them takes minutes."""
    folder, data = RESULTS / "cross", ravdess.parent
    if absent := [name for name in ("emodb", "nemo", "urdu", "tess") if not (data / name).is_dir()]:
        pytest.skip(f"no {', '.join(absent)} beside {ravdess}")
    benchmark = load_plan(folder)
    for several, test in dict.fromkeys(map(benchmark.corpora_of, benchmark.runs)):
        found = together([load(name, data=data / name) for name in several.split(",")]) if "," in several else None
        corpus = found or load(several, data=data / several)
        if test:
            corpus = join(corpus, [load(name, data=data / name) for name in test])
        (data_hash,) = {run.data_hash for run in RECORDS[folder] if run.corpus == corpus.info.name}
        specs = specs_of(benchmark, folder, corpus, (several, test))
        missing = [spec.name for spec in specs if not finished(spec, folder / "runs" / corpus.info.name, data_hash)]
        assert specs and not missing


def systems_of(runs: Sequence[RunRecord]) -> set[str]:
    return {each.first.system for each in pool_all(runs)}


def test_the_experiment_of_the_copies_tests_the_same_recordings_before_and_after() -> None:
    runs = RECORDS[RESULTS / "copies"]
    for name in sorted(system.removesuffix("-before-split") for system in systems_of(runs) if "before" in system):
        for seed in range(5):
            before, after = (
                next(run for run in runs if run.system == f"{name}-{when}-split" and run.seed == seed)
                for when in ("before", "after")
            )
            assert before.predictions.clip == after.predictions.clip
            assert set(before.predictions.variant) == {"original"}
            assert before.leaks and not after.leaks
            assert before.split.train - after.split.train == 4 * after.split.test, "four copies of every tested clip"
