"""A Whisper's first layers as systems: the frozen probe and the tuned one learn, are stored, resumed and exported."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch

from emotone import recipes
from emotone.audio import load
from emotone.augment import ORIGINAL
from emotone.bundle import Bundle
from emotone.errors import RecipeError
from emotone.export import export
from emotone.export.graph import WEIGHTS
from emotone.export.int8 import shrink
from emotone.models.config import WhisperConfig
from emotone.models.whisper_weights import digest, read_weights
from emotone.recipes.schema import Recipe
from emotone.storage import load_system, save_system
from emotone.training import FittedSystem
from emotone.training.frames import frames_of
from emotone.tuning import Start

from ..small_tasks import clips_through, fitted


@pytest.fixture(scope="module")
def encoder(make_whisper: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_whisper(tmp_path_factory.mktemp("encoder"))


@pytest.fixture(scope="module")
def small(encoder: Path) -> Callable[..., Recipe]:
    def make(*, tuned: bool = False, weights: bool = True, **training: Any) -> Recipe:
        data = recipes.load("emotone/probe").model_dump()
        data["model"] |= {"encoder": str(encoder), "weights": None, "width": 128, "layers": 2, "read": (1, 2)}
        if weights:
            config = WhisperConfig.parse(data["model"] | {"weights": None}, where="small")
            data["model"]["weights"] = digest(read_weights(encoder, config, bands=80))
        data["training"] |= {"refit": False, "batch": 6, "learning_rate": 0.001} | training
        if tuned:
            data["model"] |= {"encoder_rate": 0.001, "layer_decay": 0.5, "dropout": 0.1}
            data["training"]["regulariser"] |= {"average": 0.5, "label_smoothing": 0.1}
        return Recipe.parse(data, where="small")

    return make


@pytest.mark.parametrize("tuned", [False, True])
def test_a_small_task_is_learnt(task_for: Callable[..., Any], small: Callable[..., Recipe], tuned: bool) -> None:
    recipe = small(tuned=tuned, epochs=4)
    task = task_for(recipe, distance=6.0, per_class=24)
    system = fitted(recipe, task)
    assert task.accuracy(system.predict_proba(task.tested)) >= 0.8
    alone = np.concatenate([system.predict_proba([clip]) for clip in task.tested])
    np.testing.assert_allclose(system.predict_proba(task.tested), alone, atol=1e-4)
    adapted = system.predict_adapted(task.tested, ["x"] * len(task.tested))
    np.testing.assert_allclose(adapted.sum(1), 1, rtol=1e-5)


def test_the_probe_leaves_the_encoder_as_it_is_and_tuning_changes_its_layers_alone(
    task_for: Callable[..., Any], small: Callable[..., Recipe]
) -> None:
    task = task_for(small(), distance=6.0)
    frozen, tuned = (
        fitted(small(tuned=each, epochs=2), task).classifier.network_.state_dict() for each in (False, True)
    )
    same = {name for name in frozen if torch.equal(frozen[name], tuned[name])}
    assert same == {"conv1.weight", "conv1.bias", "conv2.weight", "conv2.bias", "mean", "deviation"}


def test_frozen_statistics_come_from_the_cache(
    task_for: Callable[..., Any], small: Callable[..., Recipe], monkeypatch: pytest.MonkeyPatch
) -> None:
    from emotone.models.whisper import WhisperLayers

    task = task_for(small(), seed=7)
    first = fitted(small(), task).classifier.network_
    asked = clips_through(WhisperLayers, monkeypatch)
    again = fitted(small(), task).classifier.network_
    assert torch.equal(first.output.weight, again.output.weight)
    assert not asked, "nothing goes through the layers again"
    other = fitted(small(weights=False), task).classifier.network_
    torch.testing.assert_close(other.output.weight, first.output.weight, atol=1e-4, rtol=1e-3)


def test_clips_go_through_trained_layers_once_for_all_that_is_asked_of_them(
    task_for: Callable[..., Any], small: Callable[..., Recipe], monkeypatch: pytest.MonkeyPatch
) -> None:
    from emotone.models.whisper import WhisperLayers

    task = task_for(small(), seed=8)
    system = fitted(small(tuned=True, epochs=1), task)
    tested = [task.frames[sample].copy() for sample in task.fold.test]
    asked = clips_through(WhisperLayers, monkeypatch)
    plain, adapted = system.predict_proba(tested), system.predict_adapted(tested, ["one"] * len(tested))
    assert sum(asked) == len(tested)
    other = [clip.copy() for clip in tested]
    np.testing.assert_allclose(system.predict_adapted(other, ["one"] * len(other)), adapted, atol=1e-6)
    np.testing.assert_allclose(system.predict_proba(tested), plain, atol=1e-6)


def test_a_tuning_that_was_killed_goes_on_to_the_same_result(
    task_for: Callable[..., Any], small: Callable[..., Recipe], tmp_path: Path
) -> None:
    recipe, checkpoint = small(tuned=True, epochs=3), tmp_path / "a.ckpt"
    task = task_for(recipe)

    class Kill(Exception):  # noqa: N818, it is no error
        pass

    def kill(epoch: Any, epochs: int) -> None:
        if epoch.epoch == 2:
            raise Kill

    monkey = pytest.MonkeyPatch()
    monkey.setattr("emotone.training.module.monotonic", iter(range(0, 10**6, 100)).__next__)  # save after every epoch
    with pytest.raises(Kill), monkey.context():
        fitted(recipe, task, checkpoint=checkpoint, on_epoch=kill)
    resumed, undisturbed = fitted(recipe, task, checkpoint=checkpoint), fitted(recipe, task)
    monkey.undo()
    assert resumed.classifier.history_ == undisturbed.classifier.history_
    assert np.array_equal(resumed.predict_proba(task.tested), undisturbed.predict_proba(task.tested))


@dataclass
class Stored:
    """A tuned system, recordings, and where it is stored and exported."""

    system: FittedSystem
    clips: list[Path]
    run: Path
    whole: Path


@pytest.fixture(scope="module")
def stored(
    small: Callable[..., Recipe],
    task_for: Callable[..., Any],
    synthetic: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Stored:
    torch.set_num_threads(1)
    recipe, folder = small(tuned=True, epochs=1), tmp_path_factory.mktemp("stored")
    clips = sorted((synthetic / "synthetic").rglob("*.wav"))[::20]
    frames = frames_of(recipe, [(clip, clip.stem, ORIGINAL) for clip in clips])
    task = task_for(recipe)
    task.frames = {sample: frames[at % len(frames)] for at, sample in enumerate(task.frames)}
    system = fitted(recipe, task)
    save_system(system, folder / "run", licence="CC0", trained_on={"corpus": "noise", "speakers": ["01"]})
    export(folder / "run", folder / "whole.onnx")
    return Stored(system, clips, folder / "run", folder / "whole.onnx")


def test_stored_and_exported_it_answers_the_same_without_the_encoder(stored: Stored) -> None:
    expected = stored.system.predict_files(stored.clips)
    np.testing.assert_allclose(load_system(stored.run).predict_files(stored.clips), expected, atol=1e-6)
    bundle = Bundle.load(stored.whole)
    for clip, wanted in zip(stored.clips, expected, strict=True):
        answer = bundle.run(load(clip, rate=16_000)[0][None]).probabilities[0]
        np.testing.assert_allclose(answer, wanted, atol=1e-3)
    assert bundle.info.head is not None and bundle.info.recipe["id"] == "emotone/probe"


def test_as_int8_it_is_a_fourth_as_large_answers_alike_and_no_clip_hears_the_others(
    stored: Stored, tmp_path: Path
) -> None:
    model = onnx.load(stored.whole)
    shrink(model, weights=WEIGHTS)  # as `export` does, without exporting it anew
    onnx.save(model, tmp_path / "int8.onnx")
    whole, int8 = (Bundle.load(path) for path in (stored.whole, tmp_path / "int8.onnx"))
    random = np.random.default_rng(0)
    clips = (random.normal(size=(4, 24_000)) * np.geomspace(0.001, 0.3, 4)[:, None]).astype(np.float32)
    clips[:, 8_000:16_000] *= 20  # frames far unlike in size, each of which has a scale of its own
    lengths = np.array([24_000, 20_000, 9_000, 24_000])
    together, expected = int8.run(clips, lengths), whole.run(clips, lengths)
    ours, theirs = (np.log(answers.probabilities.astype(float) + 1e-30) for answers in (together, expected))
    np.testing.assert_allclose(ours, theirs, atol=0.05 * np.ptp(theirs))  # a clip between two emotions may tip over
    for clip, length, probabilities in zip(clips, lengths, together.probabilities, strict=True):
        alone = int8.run(clip[None, :length]).probabilities[0]
        np.testing.assert_allclose(alone, probabilities, atol=1e-3)
    smaller = stored.whole.stat().st_size / (tmp_path / "int8.onnx").stat().st_size
    assert smaller > 2.5, "the front end and the card stay as they are"


@pytest.mark.parametrize("tuned", [False, True])
def test_it_is_fine_tuned_from_a_bundle_without_the_encoder(
    small: Callable[..., Recipe],
    task_for: Callable[..., Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    tuned: bool,
) -> None:
    recipe = small(tuned=tuned, epochs=4)
    old = fitted(recipe, task_for(recipe, distance=6.0, per_class=24))
    save_system(old, tmp_path / "run", licence="CC0", trained_on={})
    export(tmp_path / "run", tmp_path / "old.onnx", int8=True)
    start = Start.read(tmp_path / "old.onnx")
    monkeypatch.setenv("EMOTONE_DATA", str(tmp_path))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    gentle = start.tuned()
    gentle = gentle.model_copy(update={"model": gentle.model.model_copy(update={"encoder": "no/where"})})
    task = task_for(gentle, distance=6.0, per_class=24, seed=1)  # other voices
    before = task.accuracy(start.system.predict_proba(task.tested))
    new = fitted(gentle, task, start=start.system)
    assert task.accuracy(new.predict_proba(task.tested)) >= max(0.8, before + 0.1)
    same = torch.equal(*(each.classifier.network_.layers[1].up.weight for each in (start.system, new)))
    assert same != tuned, "a probe's layers stay as they are"


def test_a_blend_is_the_mean_of_both_trainings_with_a_regression_of_its_own(
    task_for: Callable[..., Any], small: Callable[..., Recipe]
) -> None:
    recipe = small(tuned=True, epochs=2, refit=True, blend=True)
    task = task_for(recipe, distance=6.0)
    first = fitted(small(tuned=True, epochs=2), task)
    second = fitted(small(tuned=True, epochs=2, refit=True), task)
    blend = fitted(recipe, task)
    assert blend.temperature == first.temperature == second.temperature
    states = [each.classifier.network_.state_dict() for each in (first, second, blend)]
    for name, found in states[2].items():
        if name.startswith("layers"):
            torch.testing.assert_close(found, (states[0][name] + states[1][name]) / 2)
    assert not torch.equal(states[2]["output.weight"], (states[0]["output.weight"] + states[1]["output.weight"]) / 2)
    assert task.accuracy(blend.predict_proba(task.tested)) >= 0.8


@pytest.mark.parametrize(("system", "training"), [("emotone/base", {}), ("emotone/probe", {"refit": False})])
def test_a_blend_needs_two_trainings_of_layers(system: str, training: dict[str, Any]) -> None:
    data = recipes.load(system).model_dump()
    data["training"] |= {"blend": True} | training
    with pytest.raises(RecipeError, match=r"training\.blend goes with training\.refit and a model of kind 'whisper'"):
        Recipe.parse(data, where="a recipe")
