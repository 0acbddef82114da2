"""A pretrained encoder is fine-tuned, or read frozen, as its recipe says; stored, transformers' pipeline agrees."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from numpy.typing import NDArray

from emotone import recipes
from emotone.augment import ORIGINAL
from emotone.errors import EmotoneError, UsageError
from emotone.evaluation.record import Epoch
from emotone.protocols import Fold, Sample
from emotone.recipes.schema import Recipe
from emotone.storage import load_system, save_system
from emotone.training import FittedSystem, fit
from emotone.training.frames import frames_of

ENCODERS = ("wav2vec2", "wav2vec2-large", "hubert", "wavlm", "data2vec-audio", "whisper")
Make = Callable[..., Path]
CLASSES = ("calm", "happy", "sad")
FOREST = "kakadiya/wav2vec2-random-forest"
FAST = {"encoder_rate": 0.001, "layer_decay": 1.0, "warmup": 0.0, "accumulate": 1}


def recipe_of(encoder: Path, name: str = "nguyen/wav2vec2", **model: Any) -> Recipe:
    """A published system with another encoder, and other settings of its model."""
    data = recipes.load(name).model_dump()
    data["model"] |= {"encoder": str(encoder)} | model
    if data["model"]["frozen"] == "encoder":
        data["model"]["encoder_rate"] = None
        data["features"]["layout"] = "flat" if name == FOREST else "means"
    if data["training"]:
        data["training"] |= {"epochs": 3, "batch": 4, "learning_rate": 0.01, "best_by": "loss"}
    return Recipe.parse(data, where=name)


def sound(label: int, seconds: float, random: np.random.Generator) -> NDArray[np.float32]:
    """A clip whose class is easily heard: a hum, a hiss, or clicks."""
    noise = random.normal(size=int(16_000 * seconds))
    if label == 0:
        noise = np.sin(2 * np.pi * 200 * np.arange(len(noise)) / 16_000 + random.uniform(0, 6)) + 0.02 * noise
    elif label == 2:
        noise *= np.arange(len(noise)) % 2_000 < 40
    return (0.1 * noise).astype(np.float32)


class Task:
    """Sounds of three kinds as files, split into training, validation and test."""

    def __init__(self, folder: Path, *, per_class: int = 6) -> None:
        random = np.random.default_rng(0)
        self.labels = [CLASSES[clip % 3] for clip in range(3 * per_class)]
        self.paths = [folder / f"{clip}.wav" for clip in range(len(self.labels))]
        for clip, path in enumerate(self.paths):
            soundfile.write(path, sound(clip % 3, random.uniform(0.3, 0.6), random), 16_000, subtype="FLOAT")
        samples = tuple(map(Sample, range(len(self.labels))))
        self.fold = Fold(0, 1, samples[:-12], samples[-12:-6], samples[-6:], "validation")

    def frames(self, recipe: Recipe) -> dict[Sample, NDArray[np.float32]]:
        items = [(path, path.name, ORIGINAL) for path in self.paths]
        taken = frames_of(recipe, items, device="cpu", workers=1)
        return dict(zip(map(Sample, range(len(items))), taken, strict=True))

    def fit(self, recipe: Recipe, **options: Any) -> FittedSystem:
        fold = self.fold if recipe.training else replace(self.fold, monitor="none")
        options = {"seed": 0, "device": "cpu"} | options
        return fit(recipe, fold, self.frames(recipe), self.labels, CLASSES, **options)

    def predict(self, system: FittedSystem, samples: Sequence[Sample] | None = None) -> NDArray[np.float32]:
        frames = self.frames(system.recipe)
        return system.predict_proba([frames[sample] for sample in samples or self.fold.test])

    def accuracy(self, system: FittedSystem, samples: Sequence[Sample] | None = None) -> float:
        true = [CLASSES.index(self.labels[sample.clip]) for sample in samples or self.fold.test]
        return float(np.mean(self.predict(system, samples).argmax(1) == true))


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> Task:
    return Task(tmp_path_factory.mktemp("sounds"))


@pytest.fixture(scope="module")
def large_task(tmp_path_factory: pytest.TempPathFactory) -> Task:
    return Task(tmp_path_factory.mktemp("more-sounds"), per_class=14)


def weights(system: FittedSystem) -> dict[str, torch.Tensor]:
    return {name: value.detach() for name, value in system.classifier.encoder_.model.named_parameters()}


@pytest.mark.parametrize("name", ENCODERS)
def test_fine_tuning_changes_what_is_not_frozen(task: Task, encoders: dict[str, Path], name: str) -> None:
    recipe = recipe_of(encoders[name], frozen="features", **FAST)
    before = weights(task.fit(recipe, epochs=1, seed=3))
    torch.manual_seed(3)
    fresh = recipe_of(encoders[name], frozen="features", **FAST | {"encoder_rate": 1e-30})
    start = weights(task.fit(fresh, epochs=1, seed=3))  # whose encoder stands still
    frozen = (".conv1.", ".conv2.", "embed_positions") if name == "whisper" else (".feature_extractor.",)
    for key, value in before.items():
        if any(part in f".{key}" for part in frozen):
            assert torch.equal(value, start[key]), key
    layers = [key for key in before if ".layers.1." in key and key.endswith("weight")]
    assert layers and all(not torch.equal(before[key], start[key]) for key in layers)


@pytest.mark.parametrize(
    ("frozen", "name"),
    [("encoder", name) for name in ENCODERS] + [("features", name) for name in ENCODERS if name != "whisper"],
)  # Whisper's 30 s a clip take a minute to train whole; its steps are tested above
def test_a_small_task_is_learnt(large_task: Task, encoders: dict[str, Path], frozen: str, name: str) -> None:
    recipe = recipe_of(encoders[name], frozen=frozen, **FAST)
    system = large_task.fit(recipe, epochs=40 if frozen == "encoder" or name == "data2vec-audio" else 15)
    assert system.classes == CLASSES
    probabilities = large_task.predict(system)
    assert probabilities.dtype == np.float32 and probabilities.shape == (6, 3)
    np.testing.assert_allclose(probabilities.sum(1), 1, rtol=1e-5)
    assert large_task.accuracy(system, large_task.fold.train) >= 0.8
    assert large_task.accuracy(system) >= 0.6
    everything, trained = system.classifier.parameters_
    assert trained == 24 * 33 + 3 * 25 if frozen == "encoder" else 24 * 33 + 3 * 25 < trained < everything


@pytest.mark.parametrize("layout", ["flat", "means"])
def test_a_forest_learns_frozen_frames(large_task: Task, encoders: dict[str, Path], layout: str) -> None:
    data = recipe_of(encoders["wav2vec2"], FOREST).model_dump()
    data["features"]["layout"] = layout
    recipe = Recipe.parse(data, where="forest")
    system, frames = large_task.fit(recipe), large_task.frames(recipe)
    longest = max(frames[sample].shape[1] for sample in large_task.fold.train)
    assert system.preparation.n_frames == (1 if layout == "means" else longest)
    assert system.classifier.n_features_in_ == 32 * (1 if layout == "means" else longest)
    assert large_task.accuracy(system) >= 0.8


def test_a_frozen_encoder_reads_a_clip_once(
    task: Task, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_encoder: Make
) -> None:
    """Its frames come from the cache until its weights change."""
    import shutil

    monkeypatch.setenv("EMOTONE_CACHE", str(tmp_path / "cache"))
    recipe = recipe_of(make_encoder("hubert", tmp_path / "encoder"), FOREST)
    first = task.frames(recipe)
    entries = {path: path.stat().st_mtime_ns for path in (tmp_path / "cache").rglob("*.npy")}
    assert len(entries) == 2 * len(task.paths), "samples and frames"
    again = task.frames(recipe)
    assert all(np.array_equal(first[sample], again[sample]) for sample in first)
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "cache").rglob("*.npy")} == entries
    shutil.rmtree(tmp_path / "encoder")
    make_encoder("hubert", tmp_path / "encoder", seed=1)
    other = task.frames(recipe)
    assert not any(np.array_equal(first[sample], other[sample]) for sample in first)


class Kill(Exception):  # noqa: N818, it is no error
    pass


@pytest.mark.parametrize("name", ["wav2vec2", "whisper"])
@pytest.mark.parametrize("frozen", ["features", "encoder"])
def test_a_killed_training_goes_on_to_the_same_result(
    task: Task, encoders: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, frozen: str
) -> None:
    """With warm-up, accumulation, dropout and the masks that transformers draws from numpy."""
    from emotone.training import classifier

    class SaveAlways(classifier.SaveSometimes):
        def __init__(self, path: Path, seconds: float) -> None:
            super().__init__(path, 0.0)

    monkeypatch.setattr(classifier, "SaveSometimes", SaveAlways)
    settings = FAST | {"warmup": 0.7, "accumulate": 2, "layer_decay": 0.9}
    recipe, checkpoint = recipe_of(encoders[name], frozen=frozen, **settings), tmp_path / "a.ckpt"

    def kill(epoch: Epoch, _: int) -> None:
        if epoch.epoch == 2:
            raise Kill

    with pytest.raises(Kill):
        task.fit(recipe, checkpoint=checkpoint, on_epoch=kill)
    assert checkpoint.exists()
    np.random.seed(99)  # noqa: NPY002
    resumed = task.fit(recipe, checkpoint=checkpoint)
    np.random.seed(7)  # noqa: NPY002
    undisturbed = task.fit(recipe)
    assert resumed.classifier.history_ == undisturbed.classifier.history_
    assert np.array_equal(task.predict(resumed), task.predict(undisturbed))
    assert not np.array_equal(task.predict(task.fit(recipe, seed=1)), task.predict(undisturbed))


def test_the_rates_rise_in_the_warm_up_and_a_step_takes_several_batches(task: Task, encoders: dict[str, Path]) -> None:
    settings = FAST | {"warmup": 0.5, "accumulate": 2}
    recipe = recipe_of(encoders["wav2vec2"], frozen="encoder", **settings)
    batches = -(-len(task.fold.train) // 4)
    a_epoch, epochs = -(-batches // 2), 4
    history = task.fit(recipe, epochs=epochs).classifier.history_
    warm = round(0.5 * a_epoch * epochs)
    expected = [0.01 * min(1, epoch * a_epoch / warm) for epoch in range(1, epochs + 1)]
    assert [epoch.learning_rate for epoch in history] == pytest.approx(expected)
    assert expected[0] < 0.01 == expected[-1]


def test_accumulated_batches_are_one_step(task: Task, encoders: dict[str, Path]) -> None:
    """Two batches of 3 step as one of 6, in a head, which has no dropout."""

    def head(batch: int, accumulate: int) -> torch.Tensor:
        recipe = recipe_of(encoders["hubert"], frozen="encoder", **FAST | {"accumulate": accumulate})
        assert recipe.training
        training = recipe.training.model_copy(update={"batch": batch})
        system = task.fit(recipe.model_copy(update={"training": training}), epochs=1)
        return weights(system)["classifier.weight"]

    assert len(task.fold.train) == 6
    torch.testing.assert_close(head(3, 2), head(6, 1), atol=1e-6, rtol=1e-4)
    assert (head(3, 1) - head(6, 1)).abs().max() > 1e-4


@pytest.mark.parametrize("name", ["wav2vec2", "whisper"])
def test_bf16(task: Task, encoders: dict[str, Path], name: str) -> None:
    recipe = recipe_of(encoders[name], frozen="features", **FAST)
    mixed, exact = task.fit(recipe, epochs=1, precision="bf16"), task.fit(recipe, epochs=1)
    losses = [system.classifier.history_[0].train_loss for system in (mixed, exact)]
    assert losses[0] != losses[1] and losses[0] == pytest.approx(losses[1], rel=0.1)
    assert {value.dtype for value in weights(mixed).values()} == {torch.float32}


@pytest.mark.parametrize("name", ENCODERS)
def test_probabilities_do_not_depend_on_the_other_clips(task: Task, encoders: dict[str, Path], name: str) -> None:
    system = task.fit(recipe_of(encoders[name], frozen="features", **FAST), epochs=1)
    frames = list(task.frames(system.recipe).values())
    together = system.predict_proba(frames[:4])
    assert np.array_equal(together[2:3], system.predict_proba(frames[2:3]))


Stored = Callable[[str, str], tuple[FittedSystem, Path]]


@pytest.fixture
def stored(task: Task, encoders: dict[str, Path], tmp_path: Path) -> Stored:
    """Return a function that fits a system on an encoder and stores it: (the system, its folder)."""

    def make(name: str, frozen: str) -> tuple[FittedSystem, Path]:
        if frozen == "forest":
            recipe = recipe_of(encoders[name], FOREST)
        else:
            recipe = recipe_of(encoders[name], frozen=frozen, **FAST)
        system = task.fit(recipe, epochs=1)
        save_system(system, tmp_path / "system", licence="CC0", trained_on={"corpus": "sounds"})
        return system, tmp_path / "system"

    return make


@pytest.mark.parametrize("name", ENCODERS)
@pytest.mark.parametrize("frozen", ["features", "encoder"])
def test_transformers_pipeline_agrees(task: Task, stored: Stored, name: str, frozen: str) -> None:
    from transformers import pipeline

    system, folder = stored(name, frozen)
    classify = pipeline("audio-classification", model=str(folder), device="cpu")
    for path, own in zip(task.paths[:3], system.predict_files(task.paths[:3]), strict=True):
        samples, rate = soundfile.read(path, dtype="float32")
        answer = {each["label"]: each["score"] for each in classify({"raw": samples, "sampling_rate": rate})}
        assert answer == pytest.approx(dict(zip(CLASSES, own.tolist(), strict=True)), abs=1e-5)


@pytest.mark.parametrize("name", ["wav2vec2", "whisper"])
@pytest.mark.parametrize("frozen", ["features", "encoder", "forest"])
def test_a_loaded_system_gives_the_same_probabilities(task: Task, stored: Stored, name: str, frozen: str) -> None:
    system, folder = stored(name, frozen)
    loaded = load_system(folder)
    assert (loaded.recipe, loaded.classes) == (system.recipe, CLASSES)
    paths = task.paths[:4]
    np.testing.assert_allclose(loaded.predict_files(paths), system.predict_files(paths), atol=1e-6)
    names = {path.name for path in folder.iterdir()}
    assert "system.json" in names and not [name for name in names if name.endswith((".bin", ".pt", ".pkl"))]
    assert ("frozen-encoder" in names) == ("estimator.skops" in names) == (frozen == "forest")


def test_a_stored_system_needs_its_encoder_no_more(task: Task, tmp_path: Path, make_encoder: Make) -> None:
    import shutil

    for frozen in ("forest", "encoder", "features"):
        folder = make_encoder("hubert", tmp_path / "encoder")
        recipe = recipe_of(folder, FOREST) if frozen == "forest" else recipe_of(folder, frozen=frozen, **FAST)
        system = task.fit(recipe, epochs=1)
        expected = system.predict_files(task.paths[:2])
        save_system(system, tmp_path / "system", licence="CC0", trained_on={})
        shutil.rmtree(folder)
        np.testing.assert_allclose(load_system(tmp_path / "system").predict_files(task.paths[:2]), expected, atol=1e-6)


@pytest.mark.parametrize("frozen", ["features", "forest"])
def test_an_encoder_is_not_exported_to_onnx(stored: Stored, tmp_path: Path, frozen: str) -> None:
    from emotone.export import export

    _, folder = stored("hubert", frozen)
    with pytest.raises(EmotoneError, match="cannot be exported to ONNX: it is a pretrained encoder"):
        export(folder, tmp_path / "model.onnx")
    assert not (tmp_path / "model.onnx").exists()


def test_storing_another_system_over_one_leaves_nothing_of_it(task: Task, stored: Stored) -> None:
    _, folder = stored("hubert", "forest")
    stored("wav2vec2", "features")
    assert {path.name for path in folder.iterdir()} == {
        "config.json", "model.safetensors", "preprocessor_config.json", "system.json", "weights.safetensors",
    }  # fmt: skip
    stored("hubert", "forest")
    assert {path.name for path in folder.iterdir()} == {
        "estimator.skops", "frozen-encoder", "system.json", "weights.safetensors",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("frozen", "part"),
    [
        ("features", "model.safetensors"),
        ("features", "config.json"),
        ("encoder", "preprocessor_config.json"),
        ("forest", "frozen-encoder/model.safetensors"),
        ("forest", "estimator.skops"),
    ],
)
def test_missing_and_cut_parts_are_refused(task: Task, stored: Stored, frozen: str, part: str) -> None:
    _, folder = stored("hubert", frozen)
    content = (folder / part).read_bytes()
    for left in (content[: len(content) // 2], None):
        (folder / part).unlink()
        if left is not None:
            (folder / part).write_bytes(left)
        with pytest.raises(EmotoneError) as caught:
            load_system(folder).predict_files(task.paths[:1])
        assert str(folder) in str(caught.value)


def test_labels_that_do_not_fit_the_head_are_refused(stored: Stored) -> None:
    _, folder = stored("hubert", "features")
    about = json.loads((folder / "system.json").read_text(encoding="utf-8"))
    (folder / "system.json").write_text(json.dumps(about | {"labels": ["calm", "happy"]}))
    with pytest.raises(EmotoneError, match="another shape"):
        load_system(folder)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"model": {"classifier": "random-forest"}, "training": None}, "a random forest cannot train an encoder"),
        ({"model": {"frozen": "encoder"}}, "encoder_rate goes with an encoder that is not frozen"),
        ({"model": {"encoder_rate": None}}, "encoder_rate goes with an encoder that is not frozen"),
        ({"training": None}, "training goes with a network"),
        (
            {"features": {"streams": ["mfcc"]}},
            r"features.streams is \[waveform\] for a model of kind 'pretrained' or 'wav2vec2'",
        ),
        ({"features": {"streams": ["waveform", "mfcc"]}}, "'waveform' stands alone"),
        ({"features": {"layout": "means"}}, "features.layout 'means'"),
        ({"scaler": "standard"}, "takes no scaler"),
    ],
)
def test_a_recipe_that_contradicts_itself(encoders: dict[str, Path], change: dict[str, Any], words: str) -> None:
    data = recipe_of(encoders["hubert"], frozen="features", **FAST).model_dump()
    for key, value in change.items():
        data[key] = data[key] | value if isinstance(value, dict) else value
    with pytest.raises(UsageError, match=words):
        Recipe.parse(data, where="mine.yaml")


def test_real_speech(ravdess: Path, encoders: dict[str, Path], tmp_path: Path) -> None:
    """From recordings at 48 kHz to a stored system and back, fine-tuned and as a forest."""
    paths = sorted(ravdess.rglob("*.flac"))[:12] or sorted(ravdess.rglob("*.wav"))[:12]
    labels = [CLASSES[clip % 3] for clip in range(12)]
    samples = tuple(map(Sample, range(12)))
    items = [(path, path.name, ORIGINAL) for path in paths]
    for recipe in (
        recipe_of(encoders["wavlm"], frozen="features", **FAST),
        recipe_of(encoders["whisper"], FOREST),
    ):
        fold = Fold(0, 1, samples[:6], samples[6:9], samples[9:], "validation" if recipe.training else "none")
        frames = dict(zip(samples, frames_of(recipe, items, device="cpu", workers=1), strict=True))
        system = fit(recipe, fold, frames, labels, CLASSES, seed=0, epochs=1, device="cpu")
        save_system(system, tmp_path / recipe.id, licence="CC BY-NC-SA 4.0", trained_on={})
        loaded = load_system(tmp_path / recipe.id)
        np.testing.assert_allclose(loaded.predict_files(paths[:3]), system.predict_files(paths[:3]), atol=1e-6)
