"""What a frozen encoder's output learns of several corpora: not their rooms, and how little it knows elsewhere."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from emotone import recipes
from emotone.recipes.schema import Recipe
from emotone.training import FittedSystem, fit
from emotone.training.spread import Spread

CLASSES = ("calm", "happy", "sad")


@pytest.fixture
def probe(make_whisper: Callable[..., Path], tmp_path: Path) -> Recipe:
    data = recipes.load("emotone/probe").model_dump()
    encoder = str(make_whisper(tmp_path / "encoder"))
    data["model"] |= {"encoder": encoder, "weights": None, "width": 128, "layers": 2, "read": (1, 2)}
    return Recipe.parse(data, where="small")


def fitted(recipe: Recipe, task: Any, labels: list[str], corpora: list[str]) -> FittedSystem:
    return fit(recipe, task.fold, task.frames, labels, CLASSES, corpora=corpora, seed=0, device="cpu")


def test_every_corpus_has_mean_0_and_deviation_1_by_itself() -> None:
    random = np.random.default_rng(0)
    values = torch.from_numpy(random.normal(size=(40, 3)) * [1, 2, 3])
    values[:10] = values[:10] * 5 + 100
    corpora = ["a"] * 10 + ["b"] * 30
    weights = torch.from_numpy(random.uniform(0.5, 1.5, 40))

    spread = Spread.of(values, corpora, weights)
    for rows in (slice(0, 10), slice(10, 40)):
        own, weight = spread.standardised(values)[rows], weights[rows] / weights[rows].sum()
        torch.testing.assert_close(weight @ own, torch.zeros(3, dtype=torch.float64), atol=1e-9, rtol=0)
        torch.testing.assert_close(weight @ own.square(), torch.ones(3, dtype=torch.float64))
    assert spread.mean.min() > 40, "each corpus counts the same, however many clips it has"
    assert spread.deviation.max() < 15, "how far corpora lie apart is no deviation"


def test_what_parts_two_rooms_does_not_hide_what_parts_emotions(task_for: Callable[..., Any], probe: Recipe) -> None:
    """The rooms differ by what makes a voice calm or sad, and by more of it."""
    task = task_for(probe, per_class=40)
    corpora = [("studio", "hall")[clip // 3 % 2] for clip in range(120)]
    sadness = np.random.default_rng(1).normal(size=(80, 1))
    for sample, label in zip(list(task.frames), task.labels, strict=True):
        noise = task.frames[sample] - task.frames[sample].mean(axis=1, keepdims=True)
        room = {"studio": -4, "hall": 4}[corpora[sample.clip]] if sample not in task.fold.test else 0
        task.frames[sample] = (noise + (CLASSES.index(label) - 1 + room) * sadness).astype(np.float32)
    right = task.accuracy(fitted(probe, task, task.labels, corpora).predict_proba(task.tested))
    assert right > 0.7
    assert right > task.accuracy(fitted(probe, task, task.labels, ["one"] * 120).predict_proba(task.tested)) + 0.3


def test_where_corpora_contradict_each_other_it_is_not_sure(task_for: Callable[..., Any], probe: Recipe) -> None:
    task = task_for(probe, per_class=40)
    corpora = [("studio", "hall")[clip // 3 % 2] for clip in range(120)]
    turned = {"calm": "happy", "happy": "sad", "sad": "calm"}
    pairs = zip(task.labels, corpora, strict=True)
    contradicting = [turned[label] if corpus == "hall" else label for label, corpus in pairs]

    agreeing = fitted(probe, task, task.labels, corpora)
    assert agreeing.temperature < 2
    assert fitted(probe, task, contradicting, corpora).temperature > 5 * agreeing.temperature


def test_an_emotion_that_one_corpus_alone_has_tells_nothing_of_the_others(
    task_for: Callable[..., Any], probe: Recipe
) -> None:
    task = task_for(probe, per_class=40)
    corpora = [
        "hall" if label == "sad" else ("studio", "hall")[clip // 3 % 2] for clip, label in enumerate(task.labels)
    ]
    assert fitted(probe, task, task.labels, corpora).temperature < 2


def test_corpora_that_share_no_emotion_are_trained_on_all_the_same(task_for: Callable[..., Any], probe: Recipe) -> None:
    task = task_for(probe, per_class=40)
    corpora = ["hall" if label == "sad" else "studio" for label in task.labels]
    system = fitted(probe, task, task.labels, corpora)
    assert system.temperature < 2 and system.predict_proba(task.tested).shape == (len(task.tested), 3)
