"""A training that goes on from a system's weights: what it takes over, what stays, how gentle it is."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emotone import recipes
from emotone.errors import UsageError
from emotone.export import export
from emotone.recipes.schema import Recipe
from emotone.storage import save_system
from emotone.training import FittedSystem, fit
from emotone.tuning import Start

CLASSES = ("calm", "happy", "sad")


def own(**model: Any) -> Recipe:
    data = recipes.load("emotone/base").model_dump()
    data["model"] |= {"stem": 4, "channels": (4, 6), "width": 8, "mixers": 1, "dropout": 0.1, **model}
    data["training"] |= {"epochs": 3, "batch": 6, "refit": False}
    data["training"]["regulariser"] |= {"distortion": {}}
    return Recipe.parse(data, where="small")


def still(recipe: Recipe, **settings: Any) -> Recipe:
    """The recipe with steps too small to move a weight."""
    assert recipe.training is not None
    changes = {"learning_rate": 1e-12, "start": "x", "keep_statistics": True} | settings
    return recipe.model_copy(update={"training": recipe.training.model_copy(update=changes)})


def weights(system: FittedSystem) -> dict[str, Any]:
    return {name: value.numpy() for name, value in system.classifier.network_.state_dict().items()}


@pytest.mark.parametrize("name", ["own", "functionals", "kakadiya/cnn", "onah/cnn"])
def test_all_weights_are_taken_over_and_the_output_rows_of_known_labels(
    task_for: Callable[..., Any], small: Callable[..., Recipe], name: str
) -> None:
    recipe = own(functionals=name == "functionals") if "/" not in name else small(name, epochs=2)
    task = task_for(recipe)
    start = replace(fit(recipe, task.fold, task.frames, task.labels, CLASSES, seed=0, device="cpu"), temperature=1.7)

    tuned = fit(still(recipe), task.fold, task.frames, task.labels, CLASSES, seed=1, device="cpu", start=start)
    for part, value in weights(start).items():
        np.testing.assert_allclose(weights(tuned)[part], value, atol=1e-6, err_msg=part)
    assert tuned.preparation.mean is start.preparation.mean

    alone = replace(task.fold, monitor="none", validation=())
    labels, classes = [{"calm": "bored"}.get(label, label) for label in task.labels], ("sad", "happy", "bored")
    other = fit(still(recipe), alone, task.frames, labels, classes, seed=1, device="cpu", start=start)
    before, after = weights(start), weights(other)
    for part in ("output.weight", "output.bias"):
        np.testing.assert_allclose(after[part][:2], before[part][[2, 1]], atol=1e-6)
        assert np.abs(after[part][2] - before[part]).max() > 1e-3
    assert other.temperature == (1.0 if "/" in name else 1.7)


def test_without_its_start_it_is_refused(task_for: Callable[..., Any]) -> None:
    task = task_for(own())
    with pytest.raises(UsageError, match=r"goes on from other weights .*--from"):
        fit(still(own()), task.fold, task.frames, task.labels, CLASSES, seed=0, device="cpu")


def test_training_is_gentle_and_a_second_tuning_no_gentler(task_for: Callable[..., Any], tmp_path: Path) -> None:
    recipe = own()
    task = task_for(recipe)
    system = fit(recipe, task.fold, task.frames, task.labels, CLASSES, seed=0, device="cpu")

    save_system(system, tmp_path / "run", licence="CC0", trained_on={"corpus": "a", "speakers": ["01"]})
    export(tmp_path / "run", tmp_path / "a.onnx")
    start = Start.read(tmp_path / "a.onnx")
    once = start.tuned().training
    assert recipe.training and once and once.regulariser
    assert (once.learning_rate, once.epochs, once.batch) == (0.0009, 3, 6) and once.regulariser.average == 0.9
    tuned = fit(start.tuned(), task.fold, task.frames, task.labels, CLASSES, seed=0, device="cpu", start=start.system)
    for part, value in weights(system).items():
        if "running" in part:
            np.testing.assert_allclose(weights(tuned)[part], value, atol=1e-6, err_msg=part)
    twice = replace(start, system=tuned, digest="another").tuned().training
    assert twice == once.model_copy(update={"start": "another"}) and start.digest != "another"
    assert (start.heard("a"), start.heard("b")) == ({"01"}, set())
    assert start.heard("a+b") == {"a:01"}
    several = start.info.model_copy(update={"trained_on": {"corpus": "a+c", "speakers": ["a:01", "c:01", "c:02"]}})
    of_several = replace(start, info=several)
    assert [of_several.heard(name) for name in ("a", "c", "b", "c+b")] == [
        {"01"},
        {"01", "02"},
        set(),
        {"c:01", "c:02"},
    ]
