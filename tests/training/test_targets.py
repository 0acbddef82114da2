"""Clips of several corpora: every corpus weighs the same, and in it every label; a label may mean several classes."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from emotone import recipes
from emotone.protocols import Fold, Sample
from emotone.training import fit
from emotone.training.targets import Targets

CLASSES = ("neutral", "calm", "sad")
LABELS = ["neutral", "calm", "sad", "sad", *["neutral|calm"] * 6, *["sad"] * 2]
CORPORA = ["one"] * 4 + ["other"] * 8
SAMPLES = [Sample(clip) for clip in range(12)]
FOLD = Fold(0, 1, tuple(SAMPLES[:10]), tuple(SAMPLES[10:]), (), "validation")


def test_every_corpus_weighs_the_same_and_in_it_every_label() -> None:
    weights = Targets(FOLD, CLASSES, LABELS, CORPORA, vague=True).weights(SAMPLES)
    assert weights is not None and weights.mean() == pytest.approx(1)
    assert weights[:4].sum() == pytest.approx(weights[4:].sum())
    assert weights[0] == pytest.approx(weights[1]) == pytest.approx(weights[2:4].sum())
    assert weights[4:10].sum() == pytest.approx(weights[10:].sum())
    assert Targets(FOLD, CLASSES, LABELS, ["one"] * 12, vague=True).weights(SAMPLES) is None
    even = Targets(FOLD, CLASSES, LABELS, ["one"] * 12, vague=True, even=True).weights(SAMPLES)
    assert even is not None and even.mean() == pytest.approx(1)
    assert (
        even[0]
        == pytest.approx(even[1])
        == pytest.approx(even[4:10].sum())
        == pytest.approx(even[[2, 3, 10, 11]].sum())
    )


def test_a_label_that_may_mean_several_is_a_row_of_its_own_or_counts_as_the_first() -> None:
    vague = Targets(FOLD, CLASSES, LABELS, CORPORA, vague=True)
    assert vague.indices(SAMPLES).tolist() == [0, 1, 2, 2, *[3] * 6, 2, 2]
    assert vague.meant is not None and vague.meant.astype(int).tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0]]
    plain = Targets(FOLD, CLASSES, LABELS, CORPORA, vague=False)
    assert plain.indices(SAMPLES).tolist() == [0, 1, 2, 2, *[0] * 6, 2, 2] and plain.meant is None
    unknown = Targets(
        FOLD, ("neutral", "sad"), ["neutral|calm" if each == "calm" else each for each in LABELS], CORPORA, vague=True
    )
    assert unknown.meant is None, "where nobody tells calm, neutral is what it is"


def test_two_corpora_are_learnt_though_one_has_ten_times_the_clips(task_for: Callable[..., Any]) -> None:
    recipe = recipes.load("emotone/tiny")
    task = task_for(recipe, distance=1.0, per_class=24)
    names = {"calm": "neutral|calm", "happy": "happy", "sad": "sad"}
    corpora = ["one" if clip % 8 < 3 else "other" for clip in range(len(task.labels))]
    labels = [names[label] if own == "other" else label for label, own in zip(task.labels, corpora, strict=True)]
    system = fit(
        recipe,
        task.fold,
        task.frames,
        labels,
        ("calm", "happy", "sad"),
        corpora=corpora,
        seed=0,
        epochs=3,
        device="cpu",
    )
    drawn = recipe.training.balanced  # type: ignore[union-attr]
    assert system.classifier.drawn == drawn and len(system.classifier.history_) == 3
    assert task.accuracy(system.predict_proba(task.tested)) >= 0.8
    assert system.head is not None and np.isfinite(system.head.mean).all()


def test_a_corpus_alone_is_drawn_as_often_as_it_has_clips_though_others_are_tested(
    task_for: Callable[..., Any],
) -> None:
    recipe = recipes.load("emotone/tiny")
    even = recipe.model_copy(update={"training": recipe.training.model_copy(update={"even": True})})  # type: ignore[union-attr]
    task = task_for(even, distance=1.0)
    tested = {sample.clip for sample in task.fold.test}
    corpora = ["other" if clip in tested else "one" for clip in range(len(task.labels))]
    classes = tuple(sorted(set(task.labels)))
    system = fit(even, task.fold, task.frames, task.labels, classes, corpora=corpora, seed=0, epochs=1, device="cpu")
    assert system.classifier.drawn == len(task.fold.train) + len(task.fold.validation)
