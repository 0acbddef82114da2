"""Several devices train what one does, die together, and go on after that: here processes on a CPU, joined by gloo."""

import multiprocessing
from collections.abc import Callable
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from emotone import recipes
from emotone.errors import EmotoneError
from emotone.evaluation.record import Epoch
from emotone.models.config import NetworkConfig
from emotone.recipes.schema import Recipe
from emotone.training import FittedSystem, fit
from emotone.training.batches import batches_of
from emotone.training.classifier import NetworkClassifier

CLASSES = ("calm", "happy", "sad")
EPOCHS = 30
SAMPLES = 43
"""Five batches of eight, and one of three: two on a device and one on the other."""


def without_dropout(value: Any) -> Any:
    """A recipe's model in which nothing is drawn at random."""
    if isinstance(value, dict):
        none = {"dropout": [0.0] * len(value["channels"]) if "channels" in value else 0.0} if "dropout" in value else {}
        return {key: without_dropout(each) for key, each in value.items()} | none
    return [without_dropout(each) for each in value] if isinstance(value, list | tuple) else value


def steady(recipe: Recipe) -> Recipe:
    data = recipe.model_dump()
    return Recipe.parse(data | {"model": without_dropout(data["model"])}, where=recipe.id)


def drawn(samples: int, seed: int) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    random = np.random.default_rng(seed)
    y = random.integers(0, 3, samples)
    X = random.normal(size=(samples, 40)).astype(np.float32)
    X[:, :3] += np.eye(3, dtype=np.float32)[y]
    return X, y


def curve(history: Any) -> NDArray[np.float64]:
    return np.array([list(epoch.model_dump().values()) for epoch in history], np.float64)


def test_two_devices_killed_go_on_to_the_curve_of_one(small: Callable[..., Recipe], tmp_path: Path) -> None:
    """With batch normalisation, a plateau and a monitored set, which all devices must see alike."""
    plateau = {"factor": 0.5, "patience": 2, "floor": 0.0}
    recipe = steady(small("kakadiya/cnn", batch=8, learning_rate=0.002, patience=None, plateau=plateau))
    assert isinstance(recipe.model, NetworkConfig) and recipe.training
    network, training = recipe.model, recipe.training

    def train(**options: Any) -> NetworkClassifier:
        options = {"epochs": EPOCHS, "seed": 3, "device": "cpu"} | options
        return NetworkClassifier(network, training, 3, **options).fit(*drawn(SAMPLES, 0), *drawn(20, 1))

    def kill(epoch: Epoch, _: int) -> None:
        if epoch.epoch == 3:
            multiprocessing.active_children()[-1].kill()

    several = {"devices": 2, "checkpoint": tmp_path / "a.ckpt", "checkpoint_seconds": 0.0}
    with pytest.raises(EmotoneError, match="One of the 2 processes that train together was killed"):
        train(on_epoch=kill, **several)
    assert not multiprocessing.active_children()

    told: list[int] = []
    resumed, alone = train(on_epoch=lambda epoch, _: told.append(epoch.epoch), **several), train()
    assert 1 < told[0] < EPOCHS and told == list(range(told[0], EPOCHS + 1)), "each epoch once, none of them again"
    assert [path.name for path in tmp_path.iterdir()] == ["a.ckpt"]
    np.testing.assert_allclose(curve(resumed.history_), curve(alone.history_), rtol=2e-3)
    assert resumed.history_[-1].learning_rate < 0.002, "a plateau that does not bite tells nothing"
    assert resumed.best_epoch_ == alone.best_epoch_
    tested = drawn(30, 2)[0]
    np.testing.assert_allclose(resumed.predict_proba(tested), alone.predict_proba(tested), atol=2e-3)


@pytest.mark.parametrize("devices", [1, 2, 3, 4])
def test_devices_share_each_batch_and_weigh_as_it_does(devices: int) -> None:
    y, seed = np.arange(25), lambda: 7
    whole = [inputs.tolist() for inputs, _, _ in batches_of(torch.clone, y, 8, seed)]
    assert sorted(chain(*whole)) == list(range(25)) and len(whole[-1]) == 1
    loaders = [batches_of(torch.clone, y, 8, seed, rank=rank, devices=devices) for rank in range(devices)]
    assert {len(loader) for loader in loaders} == {4}
    for batch, parts in zip(whole, zip(*loaders, strict=True), strict=True):
        assert sorted(chain(*(inputs.tolist() for inputs, _, share in parts if share))) == sorted(batch)
        assert all(torch.equal(inputs, target) for inputs, target, _ in parts)
        mean = sum(share * float(inputs.double().mean()) for inputs, _, share in parts) / devices
        assert mean == pytest.approx(np.mean(batch)), "the mean of the devices' losses is that of the batch"


def own(**regulariser: Any) -> Recipe:
    data = recipes.load("emotone/base").model_dump()
    data["model"] |= {"stem": 4, "channels": (4, 6), "width": 8, "mixers": 1, "dropout": 0.0}
    data["training"] |= {"epochs": 4, "batch": 5, "learning_rate": 0.02, "refit": True}
    data["training"]["regulariser"] |= {"average": 0.5} | regulariser
    return Recipe.parse(data, where="own")


def both(recipe: Recipe, task: Any) -> tuple[FittedSystem, FittedSystem]:
    """Fit on one device and on two."""
    given = recipe, task.fold, task.frames, task.labels, CLASSES
    one, two = (fit(*given, seed=0, device="cpu", devices=devices) for devices in (1, 2))
    return one, two


@pytest.mark.soak
@pytest.mark.parametrize("name", ["onah/cnn-lstm", "bhanbhro/cnn-bilstm-attention", "emotone/base"])
def test_every_kind_of_network_trained_from_nothing_has_the_same_curve(
    small: Callable[..., Recipe], task_for: Callable[..., Any], name: str
) -> None:
    """Of the clips of one length: the batch statistics of `emotone/base` know how far a device pads its own."""
    is_own = name == "emotone/base"
    recipe = own(mixup=0.0, distortion={}) if is_own else steady(small(name, batch=5, epochs=4))
    task = task_for(recipe)
    task.frames = {sample: clip[:, :8] for sample, clip in task.frames.items()}
    one, two = both(recipe, task)
    np.testing.assert_allclose(curve(two.classifier.history_)[:, :4], curve(one.classifier.history_)[:, :4], rtol=1e-3)
    np.testing.assert_allclose(two.predict_proba(task.tested), one.predict_proba(task.tested), atol=1e-3)
    assert two.temperature == pytest.approx(one.temperature, rel=1e-3)


@pytest.mark.soak
def test_a_training_that_diverges_says_so(small: Callable[..., Recipe], task_for: Callable[..., Any]) -> None:
    recipe = small("onah/lstm", learning_rate=1e38)
    task = task_for(recipe)
    with pytest.raises(EmotoneError, match=r"diverged: in epoch \d+ the loss is (nan|inf)\. .*learning_rate is 1e\+38"):
        fit(recipe, task.fold, task.frames, task.labels, CLASSES, seed=0, device="cpu", devices=2)


@pytest.mark.soak
def test_what_is_drawn_within_batches_is_drawn_on_each_device(task_for: Callable[..., Any]) -> None:
    recipe = own(mixup=0.2, distortion={"stretch": 0.1, "tilt": 0.1})
    task = task_for(recipe, distance=1.0, per_class=24)
    for system in both(recipe, task):
        assert task.accuracy(system.predict_proba(task.tested)) >= 0.8


@pytest.mark.soak
def test_an_encoder_is_fine_tuned_on_two_devices(encoders: dict[str, Path]) -> None:
    random = np.random.default_rng(0)
    data = recipes.load("nguyen/wav2vec2").model_dump()
    data["model"] |= {"encoder": str(encoders["hubert"]), "encoder_rate": 0.001, "warmup": 0.0, "accumulate": 2}
    data["training"] |= {"epochs": 3, "batch": 4, "learning_rate": 0.01}
    recipe = Recipe.parse(data, where="small")
    from emotone.models.pretrained import Encoder
    from emotone.training.encoder import EncoderClassifier

    assert recipe.training and recipe.model.kind == "pretrained"
    X, y = [random.normal(size=(1, 8_000)).astype(np.float32) for _ in range(13)], np.arange(13) % 3
    options: dict[str, Any] = {"folder": encoders["hubert"], "rate": 16_000, "seed": 0, "device": "cpu"}
    fitted = EncoderClassifier(recipe.model, recipe.training, 3, devices=2, **options).fit(X, y, X[:5], y[:5])
    assert [epoch.epoch for epoch in fitted.history_] == [1, 2, 3]
    before = Encoder.load(encoders["hubert"]).base.state_dict()
    after = fitted.encoder_.base.state_dict()
    assert any(not torch.equal(after[name], value) for name, value in before.items())


@pytest.mark.soak
def test_the_layers_of_a_whisper_are_tuned_on_two_devices(
    make_whisper: Callable[..., Path], task_for: Callable[..., Any], tmp_path: Path
) -> None:
    data = recipes.load("emotone/large").model_dump()
    data["model"] |= {"encoder": str(make_whisper(tmp_path)), "weights": None, "width": 128, "layers": 2}
    data["model"] |= {"read": (1, 2), "encoder_rate": 0.001, "dropout": 0.0}
    data["training"] |= {"epochs": 3, "batch": 5, "learning_rate": 0.001}
    data["training"]["regulariser"] |= {"average": 0.5, "mixup": 0.0, "distortion": {}}
    recipe = Recipe.parse(data, where="small")
    one, two = both(recipe, task_for(recipe, distance=6.0))
    np.testing.assert_allclose(curve(two.classifier.history_)[:, :4], curve(one.classifier.history_)[:, :4], rtol=1e-2)
