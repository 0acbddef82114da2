"""A network learns, stops, keeps its best epoch, and after a kill goes on to the very same result."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from emotone.errors import EmotoneError
from emotone.evaluation.record import Epoch
from emotone.models.config import NetworkConfig
from emotone.recipes.schema import Recipe
from emotone.training.classifier import NetworkClassifier, at_hand

Small = Callable[..., Recipe]
EPOCHS = 5
RECIPES = {
    # With dropout, batch normalisation, a plateau that bites and a monitored set; and with none of these.
    "kakadiya/cnn-lstm": {"batch": 8, "plateau": {"factor": 0.5, "patience": 1, "floor": 0.0}, "learning_rate": 0.02},
    "onah/lstm": {"batch": 8},
}


def data(recipe: Recipe, samples: int, seed: int = 0) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    """Noise that hides a class in its first values, little enough that validation goes up and down."""
    random = np.random.default_rng(seed)
    y = random.integers(0, 3, samples)
    shape = (40,) if recipe.features.layout == "means" else (6, 12)
    X = random.normal(size=(samples, *shape)).astype(np.float32)
    X[:, :3] += np.eye(3, dtype=np.float32)[y].reshape(samples, 3, *(1,) * (len(shape) - 1))
    return X, y


def classifier(recipe: Recipe, **options: Any) -> NetworkClassifier:
    assert isinstance(recipe.model, NetworkConfig) and recipe.training
    options = {"epochs": EPOCHS, "seed": 3, "device": "cpu", "checkpoint_seconds": 0.0} | options
    return NetworkClassifier(recipe.model, recipe.training, 3, **options)


def fit(recipe: Recipe, **options: Any) -> NetworkClassifier:
    monitored = data(recipe, 20, seed=1) if recipe.training and recipe.training.monitor != "none" else (None, None)
    return classifier(recipe, **options).fit(*data(recipe, 41), *monitored)


def predict(fitted: NetworkClassifier, recipe: Recipe) -> NDArray[np.float32]:
    return fitted.predict_proba(data(recipe, 30, seed=2)[0])


class Kill(Exception):  # noqa: N818, it is no error
    pass


@pytest.mark.parametrize("killed_after", range(1, EPOCHS + 1))
@pytest.mark.parametrize("name", RECIPES)
def test_a_killed_training_goes_on_to_the_same_result(
    small: Small, tmp_path: Path, name: str, killed_after: int
) -> None:
    recipe, checkpoint = small(name, **RECIPES[name]), tmp_path / "state" / "a.ckpt"

    def kill(epoch: Epoch, epochs: int) -> None:
        assert epochs == EPOCHS
        if epoch.epoch == killed_after:
            raise Kill

    with pytest.raises(Kill):
        fit(recipe, checkpoint=checkpoint, on_epoch=kill)
    assert checkpoint.exists() == (killed_after > 1), "the epoch that was killed is not saved, those before it are"
    seen: list[int] = []
    resumed = fit(recipe, checkpoint=checkpoint, on_epoch=lambda epoch, _: seen.append(epoch.epoch))
    assert seen == list(range(killed_after, EPOCHS + 1)), "only what was lost is trained again"

    undisturbed = fit(recipe)
    assert resumed.history_ == undisturbed.history_
    assert resumed.best_epoch_ == undisturbed.best_epoch_
    assert np.array_equal(predict(resumed, recipe), predict(undisturbed, recipe))


@pytest.mark.parametrize("name", RECIPES)
def test_killed_again_and_again(small: Small, tmp_path: Path, name: str) -> None:
    recipe, checkpoint = small(name, **RECIPES[name]), tmp_path / "a.ckpt"

    def kill_every_second(epoch: Epoch, _: int) -> None:
        seen.append(epoch.epoch)
        if len(seen) == 2:
            raise Kill

    for _ in range(20):
        seen: list[int] = []
        try:
            resumed = fit(recipe, checkpoint=checkpoint, on_epoch=kill_every_second)
            break
        except Kill:
            continue
    undisturbed = fit(recipe)
    assert resumed.history_ == undisturbed.history_
    assert np.array_equal(predict(resumed, recipe), predict(undisturbed, recipe))


@pytest.mark.parametrize("name", RECIPES)
def test_a_training_that_was_complete_is_not_trained_again(small: Small, tmp_path: Path, name: str) -> None:
    recipe, checkpoint = small(name, **RECIPES[name]), tmp_path / "a.ckpt"
    first = fit(recipe, checkpoint=checkpoint)
    seen: list[int] = []
    second = fit(recipe, checkpoint=checkpoint, on_epoch=lambda epoch, _: seen.append(epoch.epoch))
    assert seen == []
    assert second.history_ == first.history_
    assert np.array_equal(predict(second, recipe), predict(first, recipe))


def test_an_early_stop_is_not_forgotten_by_a_kill(small: Small, tmp_path: Path) -> None:
    recipe = small("kakadiya/cnn", batch=8, patience=1, learning_rate=0.05)
    undisturbed = fit(recipe, epochs=60, checkpoint=tmp_path / "a.ckpt")
    assert len(undisturbed.history_) < 60
    seen: list[int] = []
    resumed = fit(recipe, epochs=60, checkpoint=tmp_path / "a.ckpt", on_epoch=lambda epoch, _: seen.append(epoch.epoch))
    assert seen == []
    assert np.array_equal(predict(resumed, recipe), predict(undisturbed, recipe))


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 half a checkpoint", b"no checkpoint at all"])
def test_a_broken_checkpoint_is_trained_over(small: Small, tmp_path: Path, content: bytes) -> None:
    recipe, checkpoint = small("onah/lstm", **RECIPES["onah/lstm"]), tmp_path / "a.ckpt"
    checkpoint.write_bytes(content)
    seen: list[int] = []
    fitted = fit(recipe, checkpoint=checkpoint, on_epoch=lambda epoch, _: seen.append(epoch.epoch))
    assert seen == list(range(1, EPOCHS + 1))
    assert np.array_equal(predict(fitted, recipe), predict(fit(recipe), recipe))


def test_saving_the_state_changes_nothing(small: Small, tmp_path: Path) -> None:
    recipe = small("kakadiya/cnn-lstm", **RECIPES["kakadiya/cnn-lstm"])
    assert np.array_equal(predict(fit(recipe, checkpoint=tmp_path / "a.ckpt"), recipe), predict(fit(recipe), recipe))
    assert [path.name for path in tmp_path.iterdir()] == ["a.ckpt"]


def test_the_state_is_saved_now_and_then(small: Small, tmp_path: Path) -> None:
    fit(small("onah/lstm"), checkpoint=tmp_path / "a.ckpt", checkpoint_seconds=600)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("best_by", ["loss", "accuracy"])
def test_the_best_epochs_weights_are_kept(small: Small, best_by: str) -> None:
    recipe = small("kakadiya/cnn", batch=4, learning_rate=0.05, best_by=best_by, patience=None)
    fitted = fit(recipe, epochs=12)
    history = fitted.history_
    assert [epoch.epoch for epoch in history] == list(range(1, 13))
    if best_by == "loss":
        best = min(history, key=lambda epoch: epoch.monitor_loss or 9)
    else:
        best = max(history, key=lambda epoch: epoch.monitor_accuracy or 0)  # the first of equals
    assert fitted.best_epoch_ == best.epoch < 12, "a task whose last epoch is best tells nothing"
    X, y = data(recipe, 20, seed=1)
    probabilities = fitted.predict_proba(X)
    assert np.mean(probabilities.argmax(1) == y) == pytest.approx(best.monitor_accuracy)
    only_so_far = fit(recipe, epochs=best.epoch)
    assert np.array_equal(predict(only_so_far, recipe), predict(fitted, recipe))


def test_a_training_that_diverges_says_so(small: Small) -> None:
    recipe = small("onah/lstm")
    assert recipe.training
    wild = recipe.model_copy(update={"training": recipe.training.model_copy(update={"learning_rate": 1e38})})
    with pytest.raises(EmotoneError, match=r"diverged: in epoch \d+ the loss is (nan|inf)\. .*learning_rate is 1e\+38"):
        fit(wild)


def test_without_a_monitored_set_the_last_epoch_counts(small: Small) -> None:
    fitted = fit(small("onah/lstm", **RECIPES["onah/lstm"]))
    assert fitted.best_epoch_ == EPOCHS
    assert all(epoch.monitor_loss is None and epoch.monitor_accuracy is None for epoch in fitted.history_)


def test_early_stopping_counts_epochs_without_a_lower_loss(small: Small) -> None:
    recipe = small("kakadiya/cnn", batch=4, learning_rate=0.05, patience=3, plateau=None)
    fitted = fit(recipe, epochs=100)
    losses = [epoch.monitor_loss or 9 for epoch in fitted.history_]
    best = losses.index(min(losses)) + 1
    assert len(losses) == best + 3 < 100
    assert fitted.best_epoch_ == best


def test_the_plateau_schedule_is_kerass(small: Small) -> None:
    """Keras: halve once the loss has not fallen by 1e-4 for `patience` epochs, and count from there anew."""
    plateau = {"factor": 0.5, "patience": 2, "floor": 0.004}
    recipe = small("kakadiya/cnn", batch=4, learning_rate=0.05, patience=None, plateau=plateau)
    history = fit(recipe, epochs=20).history_
    rate, best, waited, expected = 0.05, np.inf, 0, []
    for epoch in history:
        expected.append(rate)
        assert epoch.monitor_loss is not None
        if epoch.monitor_loss < best - 1e-4:
            best, waited = epoch.monitor_loss, 0
        else:
            waited += 1
        if waited >= 2:
            rate, waited = max(rate * 0.5, 0.004), 0
    assert [epoch.learning_rate for epoch in history] == pytest.approx(expected)
    assert expected[-1] < 0.05


def test_the_recorded_training_loss_is_the_mean_over_samples(small: Small) -> None:
    """With a rate of almost nothing and no dropout, it is the loss of the network as it stands, over all samples."""
    recipe = small("onah/lstm", batch=7, learning_rate=1e-12)
    fitted = fit(recipe, epochs=1)
    X, y = data(recipe, 41)
    probabilities = fitted.predict_proba(X)
    assert fitted.history_[0].train_loss == pytest.approx(np.mean((probabilities - np.eye(3)[y]) ** 2), rel=1e-4)
    assert fitted.history_[0].train_accuracy == pytest.approx(np.mean(probabilities.argmax(1) == y))


def test_the_seed_decides_weights_batches_and_dropout(small: Small) -> None:
    recipe = small("kakadiya/cnn-lstm", **RECIPES["kakadiya/cnn-lstm"])
    one, same, other = (predict(fit(recipe, seed=seed), recipe) for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


@pytest.mark.parametrize("name", RECIPES)
def test_bf16_trains_on_the_cpu(small: Small, name: str) -> None:
    if name == "onah/lstm" and not torch.ops.mkldnn._is_mkldnn_bf16_supported():
        pytest.skip("oneDNN has no LSTM in bf16 on this processor")
    recipe = small(name, **RECIPES[name])
    fitted, exact = fit(recipe, precision="bf16"), fit(recipe)
    probabilities = predict(fitted, recipe)
    assert probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities.sum(1), 1, rtol=1e-5)
    assert np.abs(probabilities - predict(exact, recipe)).max() > 0, "nothing was computed in bf16"
    assert fitted.history_[-1].train_loss == pytest.approx(exact.history_[-1].train_loss, rel=0.2)
    assert {value.dtype.itemsize for value in fitted.network_.parameters()} == {4}


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("name", [*RECIPES, "bhanbhro/cnn-bilstm-attention"])
def test_a_gpu_trains_on_samples_that_lie_on_it(small: Small, name: str) -> None:
    recipe = small(name, batch=8)
    fitted, on_cpu = fit(recipe, device="cuda"), fit(recipe)
    assert at_hand(data(recipe, 5)[0], torch.device("cuda")).is_cuda
    assert fitted.device_.startswith("cuda")
    assert fitted.history_[0].train_loss == pytest.approx(on_cpu.history_[0].train_loss, rel=0.2)
    np.testing.assert_allclose(predict(fitted, recipe).sum(1), 1, rtol=1e-5)


def test_probabilities_of_many_samples_are_those_of_each(small: Small) -> None:
    recipe = small("kakadiya/cnn", batch=8)
    fitted = fit(recipe, epochs=1)
    X, _ = data(recipe, 600)
    together = fitted.predict_proba(X)
    assert together.shape == (600, 3) and list(fitted.classes_) == [0, 1, 2]
    np.testing.assert_allclose(together[[0, 299, 599]], fitted.predict_proba(X[[0, 299, 599]]), atol=1e-6)
