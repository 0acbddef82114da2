"""Small recipes and a small task: noise whose mean tells the class, in the shape of a recipe's features."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from emotone import recipes
from emotone.features.layout import channel_names
from emotone.models.encoder_layers import EncoderLayers
from emotone.protocols import Fold, Sample
from emotone.recipes.schema import Recipe
from emotone.training import FittedSystem, fit

CLASSES = ("calm", "happy", "sad")
Frames = dict[Sample, NDArray[np.float32]]


def shrunk(name: str, **training: Any) -> Recipe:
    """A published system with few units in every layer, and other settings of training."""
    data = recipes.load(name).model_dump()
    model = data["model"]
    if model.get("convolution"):
        model["convolution"]["channels"] = [4] * len(model["convolution"]["channels"])
    if model.get("recurrent"):
        model["recurrent"]["units"] = [5] * len(model["recurrent"]["units"])
    for layer in model.get("dense", ()):
        layer["units"] = 6
    if data["training"]:
        data["training"] |= training
    return Recipe.parse(data, where=name)


class Task:
    """Clips of a class, split into training, validation and test."""

    def __init__(self, recipe: Recipe, *, per_class: int = 12, distance: float = 1.5, seed: int = 0) -> None:
        random = np.random.default_rng(seed)
        channels = len(channel_names(recipe.features))
        centres = distance * random.normal(size=(len(CLASSES), channels, 1))
        self.labels = [CLASSES[clip % 3] for clip in range(3 * per_class)]
        self.frames: Frames = {
            Sample(clip): (centres[clip % 3] + random.normal(size=(channels, random.integers(8, 14)))).astype(
                np.float32
            )
            for clip in range(3 * per_class)
        }
        samples = tuple(self.frames)
        half, rest = len(samples) // 2, len(samples) * 3 // 4
        monitor = recipe.training.monitor if recipe.training else "none"
        self.fold = Fold(0, 1, samples[:half], samples[half:rest], samples[rest:], monitor)

    def accuracy(self, probabilities: NDArray[np.float32]) -> float:
        true = [CLASSES.index(self.labels[sample.clip]) for sample in self.fold.test]
        return float(np.mean(probabilities.argmax(1) == true))

    @property
    def tested(self) -> list[NDArray[np.float32]]:
        return [self.frames[sample] for sample in self.fold.test]


def fitted(recipe: Recipe, task: Task, **options: Any) -> FittedSystem:
    """A recipe fitted to a task, with seed 0 on the CPU unless `options` say otherwise."""
    return fit(recipe, task.fold, task.frames, task.labels, CLASSES, **{"seed": 0, "device": "cpu"} | options)


def clips_through(network: type[EncoderLayers], monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many clips go through a network's layers from now on, batch by batch: a list that grows."""
    counts: list[int] = []
    own = network.statistics
    monkeypatch.setattr(network, "statistics", lambda *each: counts.append(len(each[1])) or own(*each))
    return counts


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def small() -> Callable[..., Recipe]:
    return shrunk


@pytest.fixture(scope="session")
def task_for() -> Callable[..., Task]:
    return Task
