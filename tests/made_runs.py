"""Made-up runs with seeded random predictions in RAVDESS's layout: 24 actors, 60 clips each."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from emotone.emotions import EMOTIONS, get_scheme
from emotone.evaluation.intervals import bootstrap, clusters
from emotone.evaluation.metrics import confusion, per_class, summary
from emotone.evaluation.record import Adapted, Epoch, Predictions, Published, RunRecord, Split

ACTORS = tuple(f"{actor:02d}" for actor in range(1, 25))
FOLDS = {"published": 1, "clean": 1, "luna5": 5, "cross": 1}
SHARED = "the speakers of the test clips are also trained on"
COPIES = "augmented copies of test recordings are trained on"


def clips(actors: tuple[str, ...] = ACTORS) -> list[dict[str, str]]:
    """Every clip of the actors, as RAVDESS names them."""
    rows = []
    for actor in actors:
        for code, emotion in enumerate(EMOTIONS, start=1):
            for intensity, strength in enumerate(
                ("normal",) if emotion == "neutral" else ("normal", "strong"), start=1
            ):
                for statement in ("01", "02"):
                    for take in ("01", "02"):
                        name = f"03-01-{code:02d}-{intensity:02d}-{statement}-{take}-{actor}"
                        rows.append(
                            {
                                "clip": f"Actor_{actor}/{name}",
                                "emotion": emotion,
                                "speaker": actor,
                                "gender": "male" if int(actor) % 2 else "female",
                                "intensity": strength,
                                "statement": statement,
                            }
                        )
    return rows


def build_record(
    system: str = "kakadiya/cnn",
    protocol: str = "published",
    *,
    accuracy: float = 0.6,
    seed: int = 0,
    fold: int = 0,
    scheme: str = "ravdess8",
    preset: str = "paper",
    corpus: str = "ravdess",
    synthetic: bool = False,
    title: str = "A model",
    published: float | None = 0.64,
    epochs: int = 20,
    parameters: int | None = 100_000,
    leaks: tuple[str, ...] = (SHARED,),
    seconds: float = 60.0,
    test_clips: int = 288,
    monitored: str = "validation",
    rename: dict[str, str] | None = None,
    adapted: float | None = None,
    **changes: Any,
) -> RunRecord:
    """One run whose predictions are right with about the given probability, women and calm speech more often.

    `adapted`: the same of a run that is also adapted to its speakers.
    """
    random = np.random.default_rng([seed, fold, len(system), len(protocol), *system.encode()])
    rows = clips()
    if protocol == "luna5":
        rows = [row for row in rows if int(row["speaker"]) % 5 == fold]
    else:
        rows = [rows[i] for i in sorted(random.choice(len(rows), test_clips, replace=False))]
    to_label = get_scheme(scheme).to_label
    labels = [to_label(row["emotion"], row["gender"]) for row in rows]
    rename = rename or {}
    classes = tuple(rename.get(label, label) for label in get_scheme(scheme).classes(labels))
    true = [rename.get(label, label) for label in labels]
    predicted, probabilities = _guess(random, rows, true, classes, accuracy)
    groups = clusters([row["speaker"] for row in rows], [row["clip"] for row in rows])
    test_speakers = tuple(sorted({row["speaker"] for row in rows}))
    others = tuple(actor for actor in ACTORS if actor not in test_speakers) if protocol == "luna5" else ACTORS
    training = {} if epochs == 0 else {"monitor": monitored}
    return RunRecord(
        system=system,
        title=title,
        corpus=corpus,
        synthetic=synthetic,
        protocol=protocol,
        preset=preset,
        fold=fold,
        folds=FOLDS[protocol],
        seed=seed,
        scheme=scheme,
        classes=classes,
        leaks=leaks,
        published=Published(
            paper=system.split("/")[0], accuracy=published, parameters=parameters, epochs=epochs or None
        ),
        metrics=summary(true, predicted, classes),
        intervals=bootstrap(true, predicted, groups, classes),
        per_class=per_class(true, predicted, classes),
        confusion=confusion(true, predicted, classes),
        predictions=Predictions(
            **{name: tuple(row[name] for row in rows) for name in rows[0]},
            variant=("original",) * len(rows),
            true=tuple(true),
            predicted=tuple(predicted),
            probabilities=probabilities,
        ),
        adapted=None if adapted is None else _adapt(random, rows, true, classes, adapted, groups),
        train_accuracy=min(1.0, accuracy + 0.2),
        history=_history(random, epochs, accuracy),
        best_epoch=max(1, int(epochs * 0.8)) if epochs else None,
        split=Split(
            train=1440 - 2 * len(rows),
            validation=len(rows) if monitored == "validation" else 0,
            test=len(rows),
            train_speakers=others,
            validation_speakers=others[:4],
            test_speakers=test_speakers,
        ),
        parameters=parameters,
        trainable_parameters=parameters,
        seconds={"features": 21.5, "train": seconds, "predict": 0.4},
        milliseconds_per_clip=seconds / 50,
        device="cpu",
        recipe={"id": system, "training": training},
        versions={"python": "3.12.3", "emotone": "0.1.0", "torch": "2.13.0"},
        commit="0123456789abcdef0123456789abcdef01234567",
        data_hash="sha256:00ff00ff00ff00ff",
        created=f"2026-11-20T16:{10 + seed:02d}:00+00:00",
    ).model_copy(update=changes)


@pytest.fixture(scope="session")
def make_record() -> Callable[..., RunRecord]:
    """The builder of made-up runs."""
    return build_record


def _guess(
    random: np.random.Generator, rows: list[dict[str, str]], true: list[str], classes: tuple[str, ...], accuracy: float
) -> tuple[list[str], tuple[tuple[float, ...], ...]]:
    near = random.gamma(0.4, size=(len(classes), len(classes)))
    np.fill_diagonal(near, 0)
    near /= near.sum(axis=1, keepdims=True)
    ease = {emotion: 0.09 * np.cos(number) for number, emotion in enumerate(EMOTIONS)}
    predicted, probabilities = [], []
    for row, label in zip(rows, true, strict=True):
        chance = accuracy + (0.06 if row["gender"] == "female" else -0.06) + ease[row["emotion"]]
        expected = near[classes.index(label)] * (1 - chance)
        expected[classes.index(label)] = chance
        drawn = random.dirichlet(20 * np.clip(expected, 1e-3, None))
        pick = random.choice(len(classes), p=np.clip(expected, 0, None) / np.clip(expected, 0, None).sum())
        drawn[pick] = drawn.max() + 0.01
        predicted.append(classes[pick])
        probabilities.append(tuple(float(share) for share in drawn / drawn.sum()))
    return predicted, tuple(probabilities)


def _adapt(
    random: np.random.Generator,
    rows: list[dict[str, str]],
    true: list[str],
    classes: tuple[str, ...],
    accuracy: float,
    groups: tuple[str, ...],
) -> Adapted:
    predicted, probabilities = _guess(random, rows, true, classes, accuracy)
    return Adapted(
        metrics=summary(true, predicted, classes),
        intervals=bootstrap(true, predicted, groups, classes),
        probabilities=probabilities,
    )


def _history(random: np.random.Generator, epochs: int, accuracy: float) -> tuple[Epoch, ...]:
    history = []
    for epoch in range(1, epochs + 1):
        learned = 1 - np.exp(-3 * epoch / epochs)
        history.append(
            Epoch(
                epoch=epoch,
                train_loss=float(2.08 * (1 - 0.85 * learned) + 0.03 * random.normal()),
                train_accuracy=float(np.clip(0.13 + (min(1, accuracy + 0.2) - 0.13) * learned, 0, 1)),
                monitor_loss=float(2.1 * (1 - 0.5 * learned) + 0.2 * (epoch / epochs) ** 2 + 0.06 * random.normal()),
                monitor_accuracy=float(np.clip(0.13 + (accuracy - 0.13) * learned + 0.02 * random.normal(), 0, 1)),
                learning_rate=0.001,
            )
        )
    return tuple(history)
