"""A plan has every run once; what is refused is refused in words; only whole records of the same run are finished."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from emotone import recipes
from emotone.comparison.plan import RunSpec, check, finished, labels_of, plan
from emotone.comparison.run import Setting, run
from emotone.corpora.base import Corpus
from emotone.errors import CorpusError, ProtocolError, UsageError
from emotone.evaluation.record import read_records
from emotone.recipes.schema import Recipe


def spec_of(recipe: Recipe, **changes: Any) -> RunSpec:
    return replace(RunSpec(recipe, "clean", "quick", 0, 1, 0), **changes)


def test_a_run_for_every_system_protocol_fold_and_seed(corpus: Corpus, systems: dict[str, Recipe]) -> None:
    chosen = [systems["net"], systems["tree"]]
    specs = plan(chosen, corpus, protocols=["clean", "loso"], preset="paper", seeds=2)
    assert [(spec.recipe.id, spec.protocol, spec.fold, spec.seed) for spec in specs] == [
        (recipe.id, protocol, fold, seed)
        for recipe in chosen
        for protocol, folds in (("clean", 1), ("loso", 3))
        for fold in range(folds)
        for seed in range(2)
    ]
    assert {spec.folds for spec in specs if spec.protocol == "loso"} == {3}


def test_the_quick_preset_takes_the_first_fold_and_few_epochs(corpus: Corpus, systems: dict[str, Recipe]) -> None:
    quick = plan([systems["net"]], corpus, protocols=["loso"], preset="quick", seeds=1)
    paper = plan([systems["net"]], corpus, protocols=["loso"], preset="paper", seeds=1)
    assert [(spec.fold, spec.epochs) for spec in quick] == [(0, 3)]
    assert [(spec.fold, spec.epochs) for spec in paper] == [(0, 100), (1, 100), (2, 100)]
    assert plan([systems["tree"]], corpus, protocols=["clean"], preset="quick", seeds=1)[0].epochs is None


def test_what_is_asked_twice_runs_once(corpus: Corpus, systems: dict[str, Recipe]) -> None:
    specs = plan([systems["net"]] * 2, corpus, protocols=["clean", "clean"], preset="quick", seeds=1)
    assert len(specs) == 1


def test_every_run_has_its_own_file(corpus: Corpus, systems: dict[str, Recipe], tmp_path: Path) -> None:
    protocols = ["published", "clean", "loso"]
    specs = [
        spec
        for preset in ("quick", "paper")
        for spec in plan([systems["net"], systems["tree"]], corpus, protocols=protocols, preset=preset, seeds=2)
    ]
    paths = {spec.path(tmp_path) for spec in specs}
    assert len(paths) == len(specs)
    assert all(path.is_relative_to(tmp_path) for path in paths)


def test_what_cannot_run_is_refused_before_a_corpus_is_needed(systems: dict[str, Recipe]) -> None:
    def refusal(names: list[Recipe], protocol: str = "clean", preset: str = "paper") -> str:
        with pytest.raises(UsageError) as caught:
            check(names, protocols=[protocol], preset=preset)
        return str(caught.value)

    assert "'quik'. Valid: quick, paper" in refusal([], preset="quik")
    assert "'lose'. Valid: loso, " in refusal([], protocol="lose")
    slow = recipes.load("bhanbhro/cnn-lstm")
    assert "bhanbhro/cnn-lstm is too long for the quick preset; use --preset paper" in refusal([slow], preset="quick")
    twins = [systems["net"], systems["net"].model_copy(update={"title": "another"})]
    assert "Two recipes are called 'small/net'" in refusal(twins)


def test_pretrained_weights_are_found_before_a_run_is_planned(corpus: Corpus) -> None:
    with pytest.raises(UsageError, match="nguyen/wav2vec2 needs pretrained weights"):
        plan([recipes.load("nguyen/wav2vec2")], corpus, protocols=["clean"], preset="paper", seeds=1)


def test_a_corpus_that_a_protocol_cannot_split(corpus: Corpus, systems: dict[str, Recipe]) -> None:
    with pytest.raises(ProtocolError, match="luna5"):
        plan([systems["net"]], corpus, protocols=["luna5"], preset="paper", seeds=1)


def test_a_scheme_of_genders_needs_to_know_them(corpus: Corpus, systems: dict[str, Recipe]) -> None:
    assert labels_of(systems["frames"], corpus)[1][:2] == ("female_neutral", "female_happy")
    untold = replace(corpus, utterances=tuple(replace(clip, gender=None) for clip in corpus.utterances))
    with pytest.raises(
        CorpusError, match=r"small/frames tells genders apart, and 180 clip\(s\) of synthetic state none"
    ):
        labels_of(systems["frames"], untold)
    assert labels_of(systems["tree"], untold)[1][0] == "neutral"


def test_only_a_whole_record_of_this_recipe_on_this_data_is_finished(
    setting: Setting, systems: dict[str, Recipe], tmp_path: Path
) -> None:
    spec = spec_of(systems["tree"])
    assert not finished(spec, tmp_path, setting.data_hash)
    record, _ = run(spec, setting)
    path = spec.path(tmp_path)
    record.write(path)
    assert finished(spec, tmp_path, setting.data_hash)
    assert not finished(spec, tmp_path, "another corpus")
    assert not finished(spec_of(systems["tree"], seed=1), tmp_path, setting.data_hash)
    other = systems["tree"].model_copy(update={"features": systems["tree"].features.model_copy(update={"mfcc": 12})})
    assert not finished(spec_of(other), tmp_path, setting.data_hash)
    reworded = systems["tree"].model_copy(update={"title": "In other words", "choices": ("none",)})
    assert finished(spec_of(reworded), tmp_path, setting.data_hash), "a run is not made again for a comment"

    whole = path.read_text(encoding="utf-8")
    older = json.loads(whole)
    del older["recipe"]["audio"]["trim_db"], older["recipe"]["features"]["fmin"]
    path.write_text(json.dumps(older), encoding="utf-8")
    assert finished(spec, tmp_path, setting.data_hash), "a recipe that has a new key is still the same at its default"

    for broken in (whole[: len(whole) // 2], "", "[]", "{}", json.dumps(json.loads(whole) | {"confusion": "none"})):
        path.write_text(broken, encoding="utf-8")
        assert not finished(spec, tmp_path, setting.data_hash)
    path.write_bytes(b"\xff\xfe\xff")
    assert not finished(spec, tmp_path, setting.data_hash)


def test_what_a_kill_leaves_beside_the_records_is_not_read(
    setting: Setting, systems: dict[str, Recipe], tmp_path: Path
) -> None:
    spec = spec_of(systems["tree"])
    record, _ = run(spec, setting)
    record.write(spec.path(tmp_path))
    spec.path(tmp_path).with_name(".tree.json.0a1b.json").write_text('{"format": 1, "sys')
    assert read_records(tmp_path) == [record]
