"""A fitted system that is kept: that of one run, or one of all clips."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emotone.comparison.encoders import with_encoder
from emotone.comparison.plan import RunSpec, check, check_devices, labels_of, plan
from emotone.comparison.run import Setting, items_of, run
from emotone.comparison.sweep import checkpoint_path, extract_features
from emotone.comparison.watcher import Watcher
from emotone.corpora.base import Corpus
from emotone.corpora.fingerprint import sample_digests
from emotone.errors import UsageError
from emotone.evaluation.record import RunRecord
from emotone.files import make_folder
from emotone.protocols import Fold, untested_fold
from emotone.recipes.schema import Recipe
from emotone.storage import save_system
from emotone.training import FittedSystem, fit
from emotone.training.frames import encoder_folder, frames_of
from emotone.tuning import Start

__all__ = ["train_all", "train_one"]


def train_one(
    recipe: Recipe,
    load_corpus: Callable[[], Corpus],
    out: Path,
    watcher: Watcher,
    *,
    protocol: str,
    fold: int,
    seed: int,
    preset: str,
    device: str,
    precision: str,
    devices: int = 1,
    encoder: str | None = None,
    start: Start | None = None,
) -> RunRecord:
    """Train a recipe on one fold (from 1), write its record to `out/run.json` and the system beside it.

    A recipe that goes on from trained weights, as `Start.tuned` makes them, needs that `start`.
    Killed and run again, it goes on from its last checkpoint in `out`.
    """
    check([recipe], protocols=[protocol], preset=preset)
    recipe = _ready(recipe, out, seed, encoder, devices)
    corpus = load_corpus()
    specs = plan([recipe], corpus, protocols=[protocol], preset=preset, seeds=1)
    if not 1 <= fold <= len(specs):
        raise UsageError(f"--fold is {fold}; {protocol!r} with preset {preset!r} has folds 1 to {len(specs)}.")
    spec = replace(specs[fold - 1], seed=seed)
    with watcher.counting(f"Reading {corpus.info.name}") as progress:
        setting = Setting(corpus, sample_digests(corpus.utterances, on_progress=progress), device, precision, devices)
    checkpoint = checkpoint_path(spec, setting, out)
    with watcher.runs([spec]) as listener:
        extract_features([spec], setting, listener.features)
        record, system = run(
            spec,
            setting,
            checkpoint=checkpoint,
            on_epoch=lambda epoch, epochs: listener.epoch(spec, epoch.epoch, epochs),
            start=start,
        )
        listener.finish(spec, record)
    trained_on = {
        "corpus": corpus.info.name,
        "protocol": protocol,
        "fold": fold,
        "folds": spec.folds,
        "seed": seed,
        "speakers": list(record.split.train_speakers),
        "data_hash": record.data_hash,
    }
    _save(system, out, corpus, trained_on, start)
    record.write(out / "run.json")
    checkpoint.unlink(missing_ok=True)
    return record


def train_all(
    recipe: Recipe,
    load_corpus: Callable[[], Corpus],
    out: Path,
    watcher: Watcher,
    *,
    seed: int,
    device: str,
    precision: str,
    devices: int = 1,
    encoder: str | None = None,
    start: Start | None = None,
) -> Fold:
    """Train a recipe on every clip, for use, and write the system to `out`; return what stood where.

    A few speakers choose epoch and temperature; where the recipe is refitted, they are trained on after that. A
    recipe that goes on from trained weights needs that `start`, and is trained on every clip for a fixed number of
    epochs. Nothing is tested. Killed and run again, it goes on from its last checkpoint in `out`.
    """
    recipe = _ready(recipe, out, seed, encoder, devices)
    corpus = load_corpus()
    labels, classes = labels_of(recipe, corpus)
    fold = untested_fold(recipe, corpus.utterances, labels, seed=seed)
    samples = [*fold.train, *fold.validation]
    with watcher.counting(f"Reading {corpus.info.name}") as progress:
        setting = Setting(corpus, sample_digests(corpus.utterances, on_progress=progress), device, precision, devices)
    with watcher.counting("Features") as progress:
        frames = frames_of(recipe, items_of(samples, corpus), device=device, on_progress=progress)
    checkpoint = out / f".{checkpoint_path(RunSpec(recipe, 'all', 'paper', 0, 1, seed), setting, out).name}"
    with watcher.counting("Training") as progress:
        system = fit(
            recipe,
            fold,
            dict(zip(samples, frames, strict=True)),
            labels,
            classes,
            corpora=[utterance.corpus for utterance in corpus.utterances],
            seed=seed,
            device=device,
            devices=devices,
            precision=precision,
            checkpoint=checkpoint,
            on_epoch=lambda epoch, epochs: progress(epoch.epoch, epochs),
            start=start.system if start else None,
        )
    heard = samples if recipe.training is None or recipe.training.refit else fold.train
    speakers = sorted({corpus.utterances[sample.clip].speaker or "unknown" for sample in heard})
    trained_on = {
        "corpus": corpus.info.name,
        "clips": len(heard),
        "seed": seed,
        "speakers": speakers,
        "data_hash": setting.data_hash,
        "shortest": _shortest(recipe, frames),
    }
    (out / "run.json").unlink(missing_ok=True)  # of another system, which this one replaces
    _save(system, out, corpus, trained_on, start)
    checkpoint.unlink(missing_ok=True)
    return fold


def _shortest(recipe: Recipe, frames: Sequence[NDArray[np.float32]]) -> float:
    """Return the seconds of the shortest clip, as it was prepared."""
    shortest: int = min(clip.shape[1] for clip in frames)
    return round(shortest * recipe.features.step / recipe.audio.rate, 3)


def _save(system: FittedSystem, out: Path, corpus: Corpus, trained_on: dict[str, Any], start: Start | None) -> None:
    """Write a system under the terms of all that its weights were trained on."""
    licence = corpus.info.licence
    if start is not None:
        trained_on |= {"from": start.origin}
        if licence != start.info.licence:
            licence = f"{start.info.licence} (the weights it started from); {licence} ({corpus.info.name})"
    save_system(system, out, licence=licence, trained_on=trained_on)


def _ready(recipe: Recipe, out: Path, seed: int, encoder: str | None, devices: int) -> Recipe:
    """Return the recipe with its pretrained weights found, and make the folder for the system."""
    if not 0 <= seed < 2**32:
        raise UsageError(f"--seed is {seed}; it must be 0 to {2**32 - 1}.")
    check_devices([recipe], devices)
    recipe = with_encoder([recipe], encoder)[0]
    folder = encoder_folder(recipe)
    if folder is not None and out.exists() and out.samefile(folder):
        raise UsageError(f"--out {out}: the encoder lies there; name another folder.")
    make_folder(out)
    return recipe
