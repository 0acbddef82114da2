"""The record of a run is true: every number in it follows from its predictions, and those from the system."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from emotone import recipes
from emotone.audit import leaks_of
from emotone.comparison.plan import RunSpec, folds_of, labels_of
from emotone.comparison.run import Setting, run
from emotone.comparison.sweep import checkpoint_path
from emotone.evaluation.record import RunRecord
from emotone.recipes.schema import Recipe

from .conftest import but_times


@pytest.mark.parametrize(("name", "protocol"), [("net", "published"), ("frames", "clean"), ("copies", "published")])
def test_a_record_says_what_was_done(setting: Setting, systems: dict[str, Recipe], name: str, protocol: str) -> None:
    recipe = systems[name]
    spec = RunSpec(recipe, protocol, "quick", 0, 1, 0)
    record, system = run(spec, setting)
    fold = folds_of(recipe, setting.corpus, protocol, 0, setting.digests)[0]
    labels, classes = labels_of(recipe, setting.corpus)
    clips = setting.corpus.utterances

    predictions = record.predictions
    assert predictions.clip == tuple(clips[sample.clip].clip for sample in fold.test)
    assert predictions.variant == tuple(sample.variant for sample in fold.test)
    assert predictions.true == tuple(labels[sample.clip] for sample in fold.test)
    assert predictions.speaker == tuple(clips[sample.clip].speaker for sample in fold.test)
    probabilities = np.array(predictions.probabilities)
    assert probabilities.shape == (len(fold.test), len(classes)) and record.classes == classes
    np.testing.assert_allclose(probabilities.sum(1), 1, atol=1e-4)
    assert predictions.predicted == tuple(classes[index] for index in probabilities.argmax(1))

    right = np.mean(np.array(predictions.true) == np.array(predictions.predicted))
    assert record.metrics["accuracy"] == pytest.approx(right)
    assert np.trace(record.confusion) == round(right * len(fold.test)) and np.sum(record.confusion) == len(fold.test)
    low, high = record.intervals["accuracy"]
    assert 0 <= low <= record.metrics["accuracy"] <= high <= 1
    assert (record.split.train, record.split.validation, record.split.test) == tuple(
        map(len, (fold.train, fold.validation, fold.test))
    )
    assert record.leaks == leaks_of(fold, setting.digests)
    assert record.recipe == recipe.model_dump(mode="json")
    assert (record.system, record.corpus, record.synthetic) == (recipe.id, "synthetic", True)
    assert (record.parameters is None) == (name == "copies")
    assert len(record.history) == (0 if name == "copies" else 3)
    assert record.best_epoch is None if name == "copies" else 1 <= (record.best_epoch or 0) <= 3
    assert set(record.seconds) == {"features", "train", "predict"} and record.milliseconds_per_clip > 0
    assert {"emotone", "torch", "python"} <= set(record.versions)

    of_files = system.predict_files(
        [clips[sample.clip].path for sample in fold.test[:3] if sample.variant == "original"]
    )
    expected = [
        row for row, variant in zip(probabilities[:3], predictions.variant, strict=False) if variant == "original"
    ]
    np.testing.assert_allclose(of_files, expected, atol=1e-5)


def test_the_parameters_of_emotones_own_network_are_counted(setting: Setting, tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text(
        "extends: emotone/base\nid: small/own\nmodel: {stem: 4, channels: [4], width: 8}\n"
        "training: {epochs: 1, refit: false}\n"
    )
    record, system = run(RunSpec(recipes.load(str(own)), "clean", "paper", 0, 1, 0), setting)
    counted = sum(each.numel() for each in system.classifier.network_.parameters())
    assert (record.parameters, record.trainable_parameters) == (counted, counted) and counted > 1000


@pytest.mark.parametrize("name", ["net", "copies"])
def test_the_same_run_gives_the_same_record(setting: Setting, systems: dict[str, Recipe], name: str) -> None:
    spec = RunSpec(systems[name], "clean", "quick", 0, 1, 4)
    one, two, other = (run(each, setting)[0] for each in (spec, spec, replace(spec, seed=5)))
    assert but_times(one) == but_times(two)
    assert one.predictions != other.predictions


def test_a_record_tells_in_what_precision_its_network_was_trained(setting: Setting, systems: dict[str, Recipe]) -> None:
    mixed = replace(setting, device="cpu", precision="bf16")
    for name, told in (("net", True), ("tree", False)):
        record, _ = run(RunSpec(systems[name], "clean", "quick", 0, 1, 0), mixed)
        assert ("bf16" in record.device) == told, record.device


def test_a_record_survives_its_file(setting: Setting, systems: dict[str, Recipe], tmp_path: Path) -> None:
    record, _ = run(RunSpec(systems["tree"], "clean", "quick", 0, 1, 0), setting)
    record.write(tmp_path / "a.json")
    record.write(tmp_path / "b.json")
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    assert RunRecord.model_validate_json((tmp_path / "a.json").read_text(encoding="utf-8")) == record


def test_a_state_of_training_is_found_by_the_same_training_only(
    setting: Setting, systems: dict[str, Recipe], tmp_path: Path
) -> None:
    spec = RunSpec(systems["net"], "loso", "paper", 0, 3, 0)
    other_recipe = systems["net"].model_copy(update={"scaler": "standard"})
    others = [
        (replace(spec, recipe=other_recipe), setting),
        (replace(spec, protocol="clean"), setting),
        (replace(spec, preset="quick"), setting),
        (replace(spec, fold=1), setting),
        (replace(spec, seed=1), setting),
        (spec, replace(setting, digests=("another", *setting.digests[1:]))),
        (spec, replace(setting, device="cuda")),
        (spec, replace(setting, precision="bf16")),
    ]
    paths = {checkpoint_path(each, where, tmp_path) for each, where in [(spec, setting), *others]}
    assert len(paths) == 1 + len(others)
    assert checkpoint_path(spec, setting, tmp_path) in paths
