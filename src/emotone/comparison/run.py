"""One run from beginning to end: split, features, fit, predict, score, record."""

import os
import platform
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from emotone.audit import leaks_of
from emotone.comparison.answers import Answers
from emotone.comparison.cross import dropped_of
from emotone.comparison.plan import RunSpec, fold_of, labels_of
from emotone.corpora.base import Corpus
from emotone.corpora.fingerprint import fingerprint
from emotone.evaluation import intervals, metrics
from emotone.evaluation.record import Adapted, Epoch, Predictions, RunRecord, Split
from emotone.features.extract import Item
from emotone.models.config import LayersConfig, NetworkConfig, OwnConfig
from emotone.protocols import Fold, Sample, meanings
from emotone.training import FittedSystem, fit
from emotone.training.frames import frames_of
from emotone.tuning import Start

__all__ = ["Setting", "items_of", "run"]

_PACKAGES = (
    "emotone",
    "torch",
    "lightning",
    "transformers",
    "scikit-learn",
    "numpy",
    "librosa",
    "audiomentations",
    "soxr",
    "soundfile",
)
_TIMED_CLIPS = 20
_DIGITS = 6  # of probabilities in the record


@dataclass(frozen=True)
class Setting:
    """What all runs of a comparison share."""

    corpus: Corpus
    digests: tuple[str, ...]
    """`sample_digests` of the corpus: what is trained and tested on, and which clips are one recording."""
    device: str = "auto"
    precision: str = "32"
    devices: int = 1
    """How many train a network together."""

    @cached_property
    def data_hash(self) -> str:
        """The corpus's identity."""
        return fingerprint(self.corpus.utterances, self.digests)


def items_of(samples: Sequence[Sample], corpus: Corpus) -> list[Item]:
    """Return what to extract for samples."""
    utterances = corpus.utterances
    return [(utterances[sample.clip].part, utterances[sample.clip].clip, sample.variant) for sample in samples]


def run(
    spec: RunSpec,
    setting: Setting,
    *,
    checkpoint: Path | None = None,
    on_epoch: Callable[[Epoch, int], None] | None = None,
    start: Start | None = None,
) -> tuple[RunRecord, FittedSystem]:
    """Train and test one system once; from the weights of `start`, where the recipe goes on from them."""
    recipe, corpus = spec.recipe, setting.corpus
    labels = labels_of(recipe, corpus)[0]
    fold = fold_of(spec, corpus, setting.digests)
    answers = Answers.of(recipe, corpus, fold)
    started = perf_counter()
    samples = sorted({*fold.train, *fold.validation, *fold.test})
    features = frames_of(recipe, items_of(samples, corpus), device=setting.device, workers=1)
    frames = dict(zip(samples, features, strict=True))
    featured = perf_counter()
    system = fit(
        recipe,
        fold,
        frames,
        labels,
        answers.learnt,
        corpora=[utterance.corpus for utterance in corpus.utterances],
        seed=spec.seed,
        epochs=spec.epochs,
        device=setting.device,
        devices=setting.devices,
        precision=setting.precision,
        checkpoint=checkpoint,
        on_epoch=on_epoch,
        start=start.system if start else None,
    )
    trained = perf_counter()
    tested = [frames[sample] for sample in fold.test]
    probabilities = answers.judge(system.predict_proba(tested))
    predicted_at = perf_counter()
    true, classes = answers.true, answers.classes
    predicted = [classes[index] for index in probabilities.argmax(1)]
    speakers = [corpus.utterances[sample.clip].speaker for sample in fold.test]
    clips = [corpus.utterances[sample.clip].clip for sample in fold.test]
    sizes = _sizes(system)
    record = RunRecord(
        system=recipe.id,
        title=recipe.title,
        corpus=corpus.info.name,
        synthetic=corpus.info.synthetic,
        protocol=spec.protocol,
        preset=spec.preset,
        fold=spec.fold,
        folds=spec.folds,
        seed=spec.seed,
        scheme=recipe.scheme,
        classes=classes,
        leaks=_leaks(fold, setting, start),
        published=recipe.published,
        metrics=metrics.summary(true, predicted, classes),
        intervals=intervals.bootstrap(true, predicted, intervals.clusters(speakers, clips), classes),
        per_class=metrics.per_class(true, predicted, classes),
        confusion=metrics.confusion(true, predicted, classes),
        predictions=_predictions(fold.test, corpus, true, predicted, probabilities),
        adapted=_adapted(system, tested, answers, speakers, clips),
        temperature=system.temperature if system.head else None,
        train_accuracy=_train_accuracy(system, fold, frames, labels),
        history=getattr(system.classifier, "history_", ()),
        best_epoch=getattr(system.classifier, "best_epoch_", None),
        split=_split(fold, corpus),
        dropped=dropped_of(recipe, corpus, fold),
        parameters=sizes[0],
        trainable_parameters=sizes[1],
        seconds={
            "features": round(featured - started, 3),
            "train": round(trained - featured, 3),
            "predict": round(predicted_at - trained, 3),
        },
        milliseconds_per_clip=_milliseconds(system, tested),
        device=_device(system, setting.devices),
        recipe=recipe.model_dump(mode="json"),
        versions=_versions(),
        commit=_commit(),
        data_hash=setting.data_hash,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    return record, system


def _leaks(fold: Fold, setting: Setting, start: Start | None) -> tuple[str, ...]:
    leaks, corpus = leaks_of(fold, setting.digests), setting.corpus
    tested = {corpus.utterances[sample.clip].speaker or "unknown" for sample in fold.test}
    if start is not None and start.heard(corpus.info.name) & tested:
        leaks += ("the weights that training goes on from have heard test speakers",)
    return leaks


def _predictions(
    test: Sequence[Sample],
    corpus: Corpus,
    true: Sequence[str],
    predicted: Sequence[str],
    probabilities: NDArray[np.float32],
) -> Predictions:
    utterances = [corpus.utterances[sample.clip] for sample in test]
    stated = ("clip", "emotion", "speaker", "gender", "intensity", "statement")
    return Predictions(
        variant=tuple(sample.variant for sample in test),
        true=tuple(true),
        predicted=tuple(predicted),
        probabilities=_rounded(probabilities),
        **{name: tuple(getattr(utterance, name) for utterance in utterances) for name in stated},
    )


def _adapted(
    system: FittedSystem,
    tested: Sequence[NDArray[np.float32]],
    answers: Answers,
    speakers: Sequence[str | None],
    clips: Sequence[str],
) -> Adapted | None:
    known = [speaker for speaker in speakers if speaker is not None]
    if system.head is None or len(known) < len(speakers):
        return None
    probabilities, true, classes = answers.judge(system.predict_adapted(tested, known)), answers.true, answers.classes
    predicted = [classes[index] for index in probabilities.argmax(1)]
    return Adapted(
        metrics=metrics.summary(true, predicted, classes),
        intervals=intervals.bootstrap(true, predicted, intervals.clusters(speakers, clips), classes),
        probabilities=_rounded(probabilities),
    )


def _rounded(probabilities: NDArray[np.float32]) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(round(float(p), _DIGITS) for p in row) for row in probabilities)


def _train_accuracy(
    system: FittedSystem, fold: Fold, frames: dict[Sample, NDArray[np.float32]], labels: Sequence[str]
) -> float:
    probabilities = system.predict_proba([frames[sample] for sample in fold.train])
    predicted = [system.classes[index] for index in probabilities.argmax(1)]
    right = [label in meanings(labels[sample.clip]) for label, sample in zip(predicted, fold.train, strict=True)]
    return float(np.mean(right))


def _split(fold: Fold, corpus: Corpus) -> Split:
    def speakers(samples: Sequence[Sample]) -> tuple[str, ...]:
        return tuple(sorted({corpus.utterances[sample.clip].speaker or "unknown" for sample in samples}))

    return Split(
        train=len(fold.train),
        validation=len(fold.validation),
        test=len(fold.test),
        train_speakers=speakers(fold.train),
        validation_speakers=speakers(fold.validation),
        test_speakers=speakers(fold.test),
    )


def _sizes(system: FittedSystem) -> tuple[int | None, int | None]:
    """Return (all, trainable) parameters; of the papers' own networks as Keras counts, which is what they print."""
    if isinstance(system.recipe.model, NetworkConfig):
        from emotone.models.describe import keras_parameters

        return keras_parameters(system.classifier.network_)
    if isinstance(system.recipe.model, OwnConfig | LayersConfig):
        count = sum(parameter.numel() for parameter in system.classifier.network_.parameters())
        return count, count
    sizes: tuple[int | None, int | None] = getattr(system.classifier, "parameters_", (None, None))
    return sizes


def _milliseconds(system: FittedSystem, tested: Sequence[NDArray[np.float32]]) -> float:
    """Return the median milliseconds of one clip through preparation and model, its features being there."""
    seconds = []
    for clip in tested[:_TIMED_CLIPS]:
        started = perf_counter()
        system.predict_proba([clip])
        seconds.append(perf_counter() - started)
    return round(1000 * median(seconds), 3)


def _device(system: FittedSystem, devices: int) -> str:
    device, threads = getattr(system.classifier, "device_", "cpu"), os.environ.get("OMP_NUM_THREADS")
    notes = []
    if device != "cpu":
        import torch

        notes.append(torch.cuda.get_device_name())
    elif threads:
        notes.append(f"{threads} thread{'s' if threads != '1' else ''}")
    if getattr(system.classifier, "precision", "32") == "bf16":
        notes.append("bf16")
    if devices > 1:
        notes.append(f"trained on {devices}")
    return f"{device} ({', '.join(notes)})" if notes else device


@cache
def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


@cache
def _commit() -> str:
    """Return the last commit that changed the package; its version where it was not installed from a checkout."""
    package = str(Path(__file__).parents[1])
    try:
        done = subprocess.run(
            ["git", "-C", package, "log", "-1", "--format=%h", "--abbrev=12", "--", "."],
            capture_output=True,
            text=True,
            check=True,
            timeout=10,
        )
    except (OSError, subprocess.SubprocessError):
        return version("emotone")
    return done.stdout.strip() or version("emotone")
