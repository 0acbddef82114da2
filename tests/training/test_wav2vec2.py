"""The first layers of encoders of waveforms as systems: they learn, are stored, exported, fine-tuned and streamed."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from numpy.typing import NDArray

from emotone import recipes
from emotone.bundle import Bundle
from emotone.comparison.encoders import with_encoder
from emotone.errors import EmotoneError, RecipeError
from emotone.export import export
from emotone.export.graph import WEIGHTS
from emotone.export.int8 import shrink
from emotone.export.unbundle import system_of
from emotone.recipes.schema import Recipe
from emotone.storage import load_system, save_system
from emotone.training import FittedSystem
from emotone.tuning import Start

from ..small_tasks import clips_through, fitted

EXPORTED = ("wav2vec2-large", "hubert-base", "wavlm-base")
"""One of each family that is asked for, of the normalisations of both sizes; what each makes of a clip is tested beside
transformers, in tests/models.
"""
Frames = NDArray[np.float32]


def sound(label: int, samples: int, seed: int) -> Frames:
    """A clip of a class, which is a tone in noise, (1, samples)."""
    random = np.random.default_rng(seed)
    time = np.arange(samples) / 16_000
    tone = np.sin(2 * np.pi * (150 + 200 * label) * time)
    return (0.1 * tone + 0.03 * random.normal(size=samples)).astype(np.float32)[None]


@pytest.fixture(scope="module")
def small(make_encoder: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Recipe]:
    root = tmp_path_factory.mktemp("encoders")

    def make(name: str = "hubert-base", *, tuned: bool = False, layers: int = 2, **training: Any) -> Recipe:
        folder = root / name
        if not folder.is_dir():
            make_encoder(name, folder)
        data = recipes.load("emotone/large" if tuned else "emotone/probe").model_dump()
        data["model"] |= {"layers": layers, "read": tuple(range(1, layers + 1))}
        data["training"] |= {"refit": False, "blend": False, "batch": 6, "learning_rate": 0.001} | training
        return with_encoder([Recipe.parse(data, where="small")], str(folder))[0]

    return make


@pytest.fixture
def task_of(task_for: Callable[..., Any]) -> Callable[..., Any]:
    def make(recipe: Recipe, *, longest: int = 6_000, **options: Any) -> Any:
        task, random = task_for(recipe, **options), np.random.default_rng(0)
        for sample in task.frames:
            task.frames[sample] = sound(sample.clip % 3, int(random.integers(3_000, longest)), sample.clip)
        return task

    return make


@pytest.mark.parametrize("tuned", [False, True])
def test_a_small_task_is_learnt(task_of: Callable[..., Any], small: Callable[..., Recipe], tuned: bool) -> None:
    recipe = small(tuned=tuned, epochs=3)
    task = task_of(recipe)
    system = fitted(recipe, task)
    assert task.accuracy(system.predict_proba(task.tested)) >= 0.8
    alone = np.concatenate([system.predict_proba([clip]) for clip in task.tested])
    np.testing.assert_allclose(system.predict_proba(task.tested), alone, atol=1e-4)
    adapted = system.predict_adapted(task.tested, ["x"] * len(task.tested))
    np.testing.assert_allclose(adapted.sum(1), 1, rtol=1e-5)
    far = sound(0, 5_000, 0) + 3 * np.random.default_rng(0).normal(size=(1, 5_000)).astype(np.float32)
    assert system.head is not None and system.head.reach is not None
    assert system.head.are_far(system.classifier.embed([far])).all()


def test_the_probe_leaves_the_encoder_as_it_is_and_tuning_changes_its_layers_alone(
    task_of: Callable[..., Any], small: Callable[..., Recipe]
) -> None:
    task = task_of(small())
    frozen, tuned = (
        fitted(small("wavlm", tuned=each, epochs=2), task).classifier.network_.state_dict() for each in (False, True)
    )
    changed = {name for name in frozen if not torch.equal(frozen[name], tuned[name])}
    trained = {name for name in frozen if name.startswith(("model.encoder.layers.", "output."))}
    assert changed <= trained and all(f"model.encoder.layers.{layer}." in " ".join(changed) for layer in (0, 1))
    assert "model.encoder.layers.0.attention.rel_attn_embed.weight" in changed


def test_frozen_statistics_come_from_the_cache(
    task_of: Callable[..., Any], small: Callable[..., Recipe], monkeypatch: pytest.MonkeyPatch
) -> None:
    from emotone.models.wav2vec2 import Wav2Vec2Layers

    task = task_of(small(), seed=7)
    first = fitted(small(), task).classifier.network_
    asked = clips_through(Wav2Vec2Layers, monkeypatch)
    again = fitted(small(), task).classifier.network_
    assert torch.equal(first.output.weight, again.output.weight)
    assert not asked, "nothing goes through the layers again"
    fitted(small("data2vec-audio"), task)
    assert asked, "another encoder's are other statistics"


@dataclass
class Stored:
    """A tuned system, clips, and where it is stored and exported."""

    system: FittedSystem
    clips: list[Frames]
    run: Path
    whole: Path


@pytest.fixture(params=EXPORTED, scope="module")
def stored(
    request: pytest.FixtureRequest,
    small: Callable[..., Recipe],
    task_for: Callable[..., Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> Stored:
    torch.set_num_threads(1)
    recipe, folder = small(request.param, tuned=True, epochs=1), tmp_path_factory.mktemp("stored")
    task = task_for(recipe, per_class=6)
    for sample in task.frames:
        task.frames[sample] = sound(sample.clip % 3, 4_000, sample.clip)
    task.frames[task.fold.train[0]] = sound(0, 16_000 * 13, 0)  # longer than any number of frames that is plausible
    system = fitted(recipe, task)
    save_system(system, folder / "run", licence="CC0", trained_on={"corpus": "noise", "speakers": ["01"]})
    export(folder / "run", folder / "whole.onnx")
    clips = [sound(label, samples, 100) for label, samples in ((0, 24_000), (1, 9_001), (2, 300), (0, 16_000))]
    return Stored(system, clips, folder / "run", folder / "whole.onnx")


def batch_of(clips: list[Frames]) -> tuple[Frames, NDArray[np.int64]]:
    lengths = np.array([clip.shape[1] for clip in clips])
    batch = np.full((len(clips), lengths.max() + 500), 0.5, np.float32)
    for row, clip in zip(batch, clips, strict=True):
        row[: clip.shape[1]] = clip
    return batch, lengths


def test_stored_and_exported_it_answers_the_same_without_the_encoder(stored: Stored) -> None:
    expected = stored.system.predict_proba(stored.clips)
    np.testing.assert_allclose(load_system(stored.run).predict_proba(stored.clips), expected, atol=1e-6)
    bundle = Bundle.load(stored.whole)
    alone = np.concatenate([bundle.run(clip).probabilities for clip in stored.clips])
    np.testing.assert_allclose(alone[:2], _trimmed(stored, stored.clips[:2]), atol=1e-3)
    np.testing.assert_allclose(bundle.run(*batch_of(stored.clips)).probabilities, alone, atol=1e-4)
    assert bundle.info.window == 13.0 and bundle.info.head is not None and bundle.info.head.reach is not None
    held = {name.removeprefix(WEIGHTS) for name in _stored_names(stored.whole) if name.startswith(WEIGHTS)}
    assert held == set(stored.system.classifier.network_.state_dict()), "no layer above, no head of another task"
    again = system_of(stored.whole)
    np.testing.assert_allclose(again.predict_proba(stored.clips), expected, atol=1e-6)


def _trimmed(stored: Stored, clips: list[Frames]) -> Frames:
    """What the system says of clips as they are heard from files: without the silence around them."""
    from emotone.features.prepare import prepare

    audio = stored.system.recipe.audio
    return stored.system.predict_proba([prepare(clip[0], audio)[None] for clip in clips])


def _stored_names(path: Path) -> list[str]:
    return [tensor.name for tensor in onnx.load(path).graph.initializer]


def test_as_int8_it_answers_alike_and_no_clip_hears_the_others(stored: Stored, tmp_path: Path) -> None:
    model = onnx.load(stored.whole)
    shrink(model, weights=WEIGHTS)  # as `export` does, without exporting it anew
    onnx.save(model, tmp_path / "int8.onnx")
    whole, int8 = (Bundle.load(path) for path in (stored.whole, tmp_path / "int8.onnx"))
    batch, lengths = batch_of(stored.clips)
    together, expected = int8.run(batch, lengths), whole.run(batch, lengths)
    ours, theirs = (np.log(answers.probabilities.astype(float) + 1e-30) for answers in (together, expected))
    np.testing.assert_allclose(ours, theirs, atol=0.15 * np.ptp(theirs))
    for clip, probabilities in zip(stored.clips, together.probabilities, strict=True):
        np.testing.assert_allclose(int8.run(clip).probabilities[0], probabilities, atol=1e-3)


def test_it_is_fine_tuned_from_a_bundle_without_the_encoder(
    stored: Stored, task_of: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("EMOTONE_DATA", str(tmp_path))
    start = Start.read(stored.whole)
    gentle = start.tuned()
    training = gentle.training.model_copy(update={"epochs": 1}) if gentle.training else None
    model = gentle.model.model_copy(update={"encoder": "no/where"})
    gentle = gentle.model_copy(update={"model": model, "training": training})
    task = task_of(gentle, seed=1)
    assert task.accuracy(fitted(gentle, task, start=start.system).predict_proba(task.tested)) >= 0.8


def test_a_stored_architecture_of_another_size_takes_no_memory(stored: Stored) -> None:
    path = stored.run / "system.json"
    content = path.read_text()
    about = json.loads(content)
    about["recipe"]["model"]["architecture"]["intermediate_size"] = 10**10
    path.write_text(json.dumps(about))
    try:
        with pytest.raises(EmotoneError, match="the weights are not those of a network as its recipe describes it"):
            load_system(stored.run)
    finally:
        path.write_text(content)


def test_what_is_of_log_mels_is_no_part_of_such_a_recipe(small: Callable[..., Recipe]) -> None:
    recipe = small(tuned=True)
    assert recipe.features.streams == ("waveform",) and recipe.training and recipe.training.regulariser
    kept = recipe.training.regulariser.distortion.model_dump(exclude_defaults=True)
    assert kept == {"share": 0.7, "stretch": 0.2, "gain": 4, "tilt": 5, "noise": 15, "mask_frames": 30 * 160}
    assert "neither mask_bands, scale, shift" in recipe.choices[0] and "layers 1, 2 of " in recipe.title
    data = recipe.model_dump()
    data["training"]["regulariser"]["distortion"]["low_pass"] = 3.0
    with pytest.raises(RecipeError, match=r"distortion\.low_pass is of log-mels; waveforms take share, crop"):
        Recipe.parse(data, where="a recipe")
    with pytest.raises(RecipeError, match=r"features\.streams is \[waveform\] for a model of kind"):
        Recipe.parse(recipe.model_dump() | {"features": {"streams": ["logmel"], "layout": "ragged"}}, where="a recipe")
