"""A recipe fitted on a fold: it learns the fold's training samples, and looks at no other but the set that is named."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from emotone.errors import DownloadError
from emotone.evaluation.record import Epoch
from emotone.recipes.schema import Recipe
from emotone.training import fit

CLASSES = ("calm", "happy", "sad")
TASKS = {
    "kakadiya/cnn": {"batch": 4, "epochs": 80, "learning_rate": 0.02, "patience": None, "plateau": None},
    "onah/lstm": {"batch": 6, "epochs": 25, "learning_rate": 0.02},
    "boucheta/cnn": {"batch": 6, "epochs": 25},
    "bhanbhro/cnn-bilstm-attention": {"batch": 6, "epochs": 30, "learning_rate": 0.003},
    "boucheta/decision-tree": {},
    "boucheta/knn": {},
}


@pytest.mark.parametrize("name", TASKS)
def test_a_small_task_is_learnt(small: Callable[..., Recipe], task_for: Callable[..., Any], name: str) -> None:
    recipe = small(name, **TASKS[name])
    task = task_for(recipe, distance=3.0, per_class=36 if name.startswith("bhanbhro") else 12)  # six blocks want more
    system = fit(recipe, task.fold, task.frames, task.labels, CLASSES, seed=0, device="cpu")
    probabilities = system.predict_proba(task.tested)
    assert system.classes == CLASSES
    assert probabilities.shape == (len(task.tested), 3) and probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities.sum(1), 1, rtol=1e-5)
    assert task.accuracy(probabilities) >= 0.75


@pytest.mark.parametrize("name", ["boucheta/knn", "boucheta/cnn", "onah/lstm"])
def test_only_training_samples_are_fitted_on(
    small: Callable[..., Recipe], task_for: Callable[..., Any], name: str
) -> None:
    recipe = small(name, **({"batch": 6, "epochs": 2} if "knn" not in name else {}))
    task = task_for(recipe)
    fold = replace(task.fold, monitor="none")
    first = fit(recipe, fold, task.frames, task.labels, CLASSES, seed=0, device="cpu")
    before = first.predict_proba(task.tested)
    tested = task.tested
    for sample in fold.validation + fold.test:  # others, longer and louder
        task.frames[sample] = np.tile(100 * task.frames[sample] + 7, (1, 2))
    second = fit(recipe, fold, task.frames, task.labels, CLASSES, seed=0, device="cpu")
    assert second.preparation.n_frames == first.preparation.n_frames
    assert np.array_equal(second.preparation.mean, first.preparation.mean)
    assert np.array_equal(second.predict_proba(tested), before)


def test_the_fold_names_the_set_that_chooses_epochs(small: Callable[..., Recipe], task_for: Callable[..., Any]) -> None:
    recipe = small("kakadiya/cnn", batch=6, epochs=3)
    task = task_for(recipe)
    size = {"validation": len(task.fold.validation), "test": len(task.fold.test), "none": 0}
    task.fold = replace(task.fold, validation=task.fold.validation[:4])
    size["validation"] = 4
    seen: dict[str, list[Epoch]] = {}
    for monitor in size:
        seen[monitor] = []
        fold = replace(task.fold, monitor=monitor)
        fit(
            recipe, fold, task.frames, task.labels, CLASSES, seed=0, device="cpu",
            on_epoch=lambda epoch, _, own=seen[monitor]: own.append(epoch),
        )  # fmt: skip
    for monitor, samples in size.items():
        for epoch in seen[monitor]:
            if samples:
                assert epoch.monitor_accuracy is not None
                right = epoch.monitor_accuracy * samples
                assert right == pytest.approx(round(right))
            else:
                assert epoch.monitor_accuracy is None
    assert [e.monitor_loss for e in seen["test"]] != [e.monitor_loss for e in seen["validation"]]
    assert len({tuple(epoch.train_loss for epoch in epochs[:1]) for epochs in seen.values()}) == 1


def test_fewer_epochs_than_the_recipes(small: Callable[..., Recipe], task_for: Callable[..., Any]) -> None:
    recipe = small("onah/lstm", batch=6)
    task = task_for(recipe)
    system = fit(recipe, task.fold, task.frames, task.labels, CLASSES, seed=0, epochs=2, device="cpu")
    assert len(system.classifier.history_) == 2


def test_an_encoder_that_cannot_be_had_is_refused_in_words(task_for: Callable[..., Any]) -> None:
    from emotone import recipes

    recipe = recipes.load("nguyen/wav2vec2")
    model = recipe.model.model_copy(update={"encoder": "emotone-tests/no-such-encoder"})
    recipe = recipe.model_copy(update={"model": model})
    task = task_for(recipe)
    with pytest.raises(DownloadError, match="--encoder FOLDER"):
        fit(recipe, task.fold, task.frames, task.labels, CLASSES, seed=0)
