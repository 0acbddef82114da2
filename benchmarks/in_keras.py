"""Train recipes of Keras programs here and in Keras: python benchmarks/in_keras.py RECIPE.yaml ... [--keras PYTHON]

Both sides get the same arrays: the training clips of the clean split, and the validation clips that tell what a
variant is worth. No test clip is looked at. `--keras` names the Python of an environment of its own
(`python -m venv keras && keras/bin/pip install tensorflow-cpu`); without it, emotone's side alone is trained.
One JSON per recipe, side and seed is written beside the recipe, and not made again while the recipe is the same.
"""

import argparse
import json
import subprocess
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from ideas import is_measured

from emotone import corpora, recipes
from emotone.cli.terminal import counting
from emotone.comparison.plan import RunSpec, fold_of, labels_of
from emotone.comparison.run import items_of
from emotone.corpora.base import Corpus
from emotone.corpora.fingerprint import sample_digests
from emotone.evaluation.record import Epoch
from emotone.files import write_text
from emotone.protocols import Fold, Sample
from emotone.recipes.schema import Recipe
from emotone.training import fit
from emotone.training.frames import frames_of
from emotone.training.preparation import Preparation


def split(recipe: Recipe, corpus: Corpus, digests: tuple[str, ...], seed: int) -> Fold:
    """Return the clean split with validation clips, those of a recipe that chooses no epoch too."""
    assert recipe.training is not None
    choosing = recipe.model_copy(update={"training": recipe.training.model_copy(update={"monitor": "validation"})})
    return fold_of(RunSpec(choosing, "clean", "paper", 0, 1, seed), corpus, digests)


def ours(recipe: Recipe, fold: Fold, frames: dict[Sample, Any], corpus: Corpus, seed: int) -> dict[str, Any]:
    """Train here."""
    labels, classes = labels_of(recipe, corpus)
    ends = [time.process_time()]
    with counting(recipe.id) as progress:

        def tell(epoch: Epoch, epochs: int) -> None:
            ends.append(time.process_time())
            progress(epoch.epoch, epochs)

        system = fit(recipe, fold, frames, labels, classes, seed=seed, device="cpu", on_epoch=tell)
    known = ("train_loss", "train_accuracy", "monitor_loss", "monitor_accuracy")
    return {
        "history": [{name: getattr(epoch, name) for name in known} for epoch in system.classifier.history_],
        "parameters": sum(each.numel() for each in system.classifier.network_.parameters()),
        "seconds_per_epoch": float(np.diff(ends)[1:].mean()),
    }


def theirs(
    python: str, recipe: Recipe, fold: Fold, frames: dict[Sample, Any], corpus: Corpus, seed: int
) -> dict[str, Any]:
    """Train in Keras."""
    labels, classes = labels_of(recipe, corpus)
    train, held = ([frames[sample] for sample in side] for side in (fold.train, fold.validation))
    prepare = Preparation.fit(train, recipe.features, recipe.scaler)
    y, y_monitor = (
        np.array([classes.index(labels[sample.clip]) for sample in side]) for side in (fold.train, fold.validation)
    )
    asked = {"recipe": recipe.model_dump(mode="json"), "classes": len(classes), "seed": seed}
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "asked.json").write_text(json.dumps(asked), encoding="utf-8")
        np.savez(Path(folder, "data.npz"), X=prepare(train), y=y, X_monitor=prepare(held), y_monitor=y_monitor)
        subprocess.run([python, str(Path(__file__).with_name("keras_side.py")), folder], check=True)
        return dict(json.loads(Path(folder, "found.json").read_text(encoding="utf-8")))


def main(paths: list[Path], seeds: int, keras: str | None) -> None:
    corpus = corpora.load("ravdess")
    digests = sample_digests(corpus.utterances)
    sides: dict[str, Callable[..., dict[str, Any]]] = {"emotone": ours}
    if keras:
        sides["keras"] = partial(theirs, keras)
    for path in paths:
        recipe = recipes.load(str(path))
        for seed in range(seeds):
            targets = {side: path.with_name(f"{path.stem}.{side}.seed{seed}.json") for side in sides}
            missing = [side for side, target in targets.items() if not is_measured(target, recipe)]
            if not missing:
                continue
            fold = split(recipe, corpus, digests, seed)
            samples = [*fold.train, *fold.validation]
            frames = dict(zip(samples, frames_of(recipe, items_of(samples, corpus)), strict=True))
            for side in missing:
                found = sides[side](recipe, fold, frames, corpus, seed)
                settings = recipe.model_dump(mode="json", exclude={"id", "title", "choices", "published"})
                told = {"settings": settings, "seed": seed, "clips": [len(fold.train), len(fold.validation)], **found}
                write_text(targets[side], json.dumps(told, indent=1) + "\n")
                print(targets[side], flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("recipes", nargs="+", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--keras", help="the Python of an environment that has Keras")
    given = parser.parse_args()
    main(given.recipes, given.seeds, given.keras)
