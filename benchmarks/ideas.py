"""Measure ideas for emotone's own systems on validation speakers: python benchmarks/ideas.py [--seed N] RECIPE.yaml ...

The clips of luna5's first test speakers are not looked at. Of the others' clips, some speakers' choose the epoch and
tell what an idea is worth, as they come and as if recorded elsewhere; the rest train. The seed draws them, too.
One JSON per recipe and seed is written beside the recipe, and not made again while the recipe is the same.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from elsewhere import ELSEWHERE

from emotone import corpora, recipes
from emotone.augment import ORIGINAL
from emotone.cli.terminal import counting
from emotone.comparison.plan import labels_of
from emotone.corpora.base import Corpus, Utterance
from emotone.evaluation.intervals import bootstrap
from emotone.evaluation.metrics import summary
from emotone.files import write_text
from emotone.protocols import LUNA5, Fold, Sample, in_turn
from emotone.recipes.schema import Recipe
from emotone.training import FittedSystem, fit
from emotone.training.frames import frames_of

VALIDATION = 8  # speakers


def split(corpus: Corpus, seed: int) -> Fold:
    """Leave out the first fold's test speakers, and take women and men in turn for validation."""
    tested = {f"{actor:02d}" for actor in LUNA5[0]}
    genders: dict[str | None, str | None] = {
        clip.speaker: clip.gender for clip in corpus.utterances if clip.speaker not in tested
    }
    women, men = (sorted(str(each) for each in genders if genders[each] == name) for name in ("female", "male"))
    drawn = [speaker for each in (women, men) for speaker in np.random.default_rng(seed).permutation(each).tolist()]
    held = in_turn(drawn, genders)[:VALIDATION]
    known = [Sample(position) for position, clip in enumerate(corpus.utterances) if clip.speaker in genders]
    sides: tuple[list[Sample], list[Sample]] = ([], [])
    for sample in known:
        sides[corpus.utterances[sample.clip].speaker in held].append(sample)
    return Fold(0, 1, tuple(sides[0]), tuple(sides[1]), (), "validation")


def measure(recipe: Recipe, corpus: Corpus, seed: int) -> dict[str, object]:
    """Train on the one side and report the other."""
    fold = split(corpus, seed)
    labels, classes = labels_of(recipe, corpus)
    samples = [*fold.train, *fold.validation]
    clips = [corpus.utterances[sample.clip] for sample in samples]
    with counting("Features") as progress:
        frames = frames_of(recipe, [(clip.path, clip.clip, ORIGINAL) for clip in clips], on_progress=progress)
    start = time.monotonic()
    with counting(recipe.id) as progress:
        system = fit(
            recipe,
            fold,
            dict(zip(samples, frames, strict=True)),
            labels,
            classes,
            seed=seed,
            device="cpu",
            on_epoch=lambda epoch, epochs: progress(epoch.epoch, epochs),
        )
    seconds = time.monotonic() - start
    heard = frames[len(fold.train) :]
    true = [labels[sample.clip] for sample in fold.validation]
    speakers = [str(corpus.utterances[sample.clip].speaker) for sample in fold.validation]
    probabilities = system.predict_proba(heard)
    found = {"plain": probabilities, "adapted": system.predict_adapted(heard, speakers)}
    scores = {}
    for name, each in found.items():
        predicted = [classes[index] for index in each.argmax(axis=1)]
        low, high = bootstrap(true, predicted, speakers, classes)["uar"]
        scores[name] = {"uar": summary(true, predicted, classes)["uar"], "uar_low": low, "uar_high": high}
    own = probabilities[np.arange(len(true)), [classes.index(each) for each in true]]
    return {
        "settings": recipe.model_dump(mode="json", exclude={"id", "title"}),
        "seed": seed,
        "train_speakers": sorted({str(clip.speaker) for clip in clips[: len(fold.train)]}),
        "validation_speakers": sorted(set(speakers)),
        **scores,
        "elsewhere": _elsewhere(recipe, system, clips[len(fold.train) :], true, classes),
        "log_loss": float(-np.log(np.maximum(own, 1e-9)).mean()),
        "parameters": sum(each.numel() for each in system.classifier.network_.parameters()),
        "epochs": len(system.classifier.history_),
        "best_epoch": system.classifier.best_epoch_,
        "seconds": seconds,
    }


def _elsewhere(
    recipe: Recipe, system: FittedSystem, clips: Sequence[Utterance], true: Sequence[str], classes: Sequence[str]
) -> dict[str, float]:
    """Return the UAR of the same clips as if recorded elsewhere."""
    found = {}
    for name, record in ELSEWHERE.items():
        with tempfile.TemporaryDirectory() as folder:
            paths = [Path(folder, f"{number}.wav") for number in range(len(clips))]
            for number, (clip, path) in enumerate(zip(clips, paths, strict=True)):
                record(clip.path, path, np.random.default_rng(number))
            heard = frames_of(recipe, [(path, str(path), ORIGINAL) for path in paths])
        predicted = [classes[index] for index in system.predict_proba(heard).argmax(axis=1)]
        found[name] = summary(true, predicted, classes)["uar"]
    return found


def is_measured(path: Path, recipe: Recipe) -> bool:
    """Tell whether a file is there and was measured of this recipe, whatever words it had."""
    if not path.is_file():
        return False
    words = recipe.model_dump(include={"id", "title", "choices", "published"})
    return Recipe.parse(json.loads(path.read_text(encoding="utf-8"))["settings"] | words, where=path) == recipe


def main(paths: list[Path], seed: int) -> None:
    corpus = corpora.load("ravdess")
    for path in paths:
        recipe = recipes.load(str(path))
        if recipe.training is None:
            sys.exit(f"{path}: a {recipe.model.kind} is not trained in epochs.")
        # Trained anew on the validation speakers, it would tell nothing of them.
        alone = recipe.training.model_copy(update={"refit": False, "blend": False})
        recipe = recipe.model_copy(update={"training": alone})
        target = path.with_name(f"{path.stem}.seed{seed}.json" if seed else f"{path.stem}.json")
        if is_measured(target, recipe):
            continue
        write_text(target, json.dumps(measure(recipe, corpus, seed), indent=1) + "\n")
        print(target)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("recipes", nargs="+", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    main(given.recipes, given.seed)
