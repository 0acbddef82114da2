"""Several runs of one system become one result, and nothing is mixed that does not belong together."""

from typing import Any

import pytest

from emotone.errors import UsageError
from emotone.evaluation.pool import pool, pool_all
from emotone.evaluation.record import Predictions, Published, RunRecord, Split


def run(right: int, wrong: int, *, fold: int = 0, folds: int = 1, seed: int = 0, **changes: Any) -> RunRecord:
    """A run with so many clips recognised and so many not, its speakers named after the fold."""
    total = right + wrong
    speakers = tuple(f"{fold}-{number % 2}" for number in range(total))
    return RunRecord(
        system="paper/system", title="A system", corpus="corpus", synthetic=False, protocol="luna5", preset="quick",
        fold=fold, folds=folds, seed=seed, scheme="ravdess8", classes=("happy", "sad"), leaks=(),
        published=Published(paper="paper"), metrics={}, intervals={}, per_class={}, confusion=(),
        predictions=Predictions(
            clip=tuple(f"{fold}/{number}" for number in range(total)), variant=("original",) * total,
            true=("happy",) * total, predicted=("happy",) * right + ("sad",) * wrong, probabilities=(),
            emotion=("happy",) * total, speaker=speakers, gender=(None,) * total, intensity=(None,) * total,
            statement=(None,) * total,
        ),
        train_accuracy=1.0,
        split=Split(train=9, validation=0, test=total, train_speakers=(), validation_speakers=(), test_speakers=()),
        seconds={"features": 1, "train": 1, "predict": 1}, milliseconds_per_clip=1, device="cpu", recipe={},
        versions={}, commit="", data_hash="", created="2026-11-20T10:00:00+00:00",
    ).model_copy(update=changes)  # fmt: skip


def test_folds_are_pooled_by_clip_and_seeds_averaged() -> None:
    records = [
        run(9, 1, fold=0, folds=2, seed=0),
        run(5, 25, fold=1, folds=2, seed=0),
        run(10, 0, fold=0, folds=2, seed=1),
        run(20, 10, fold=1, folds=2, seed=1),
    ]
    pooled = pool(records)
    assert pooled.metrics["accuracy"] == pytest.approx(((9 + 5) / 40 + (10 + 20) / 40) / 2)
    assert pooled.seed_metrics[0]["accuracy"] == pytest.approx(14 / 40)
    assert pooled.confusion == ((44, 36), (0, 0))
    assert pooled.seeds == (0, 1)
    assert pooled.missing == 0
    low, high = pooled.intervals["accuracy"]
    assert low < pooled.metrics["accuracy"] < high


def test_missing_runs_are_counted() -> None:
    assert pool([run(1, 1, fold=0, folds=5, seed=0), run(1, 1, fold=3, folds=5, seed=1)]).missing == 8


def test_a_run_done_again_counts_once_and_the_later_one() -> None:
    later = run(3, 1, created="2026-11-20T11:00:00+00:00")
    assert pool([later, run(1, 3)]).metrics["accuracy"] == 0.75


def test_what_does_not_belong_together_is_not_mixed() -> None:
    records = [run(1, 1), run(2, 0, preset="paper"), run(0, 2, corpus="other"), run(1, 0, protocol="clean")]
    assert [(p.first.corpus, p.first.protocol, p.first.preset) for p in pool_all(records)] == [
        ("corpus", "clean", "quick"),
        ("corpus", "luna5", "paper"),
        ("corpus", "luna5", "quick"),
        ("other", "luna5", "quick"),
    ]
    with pytest.raises(UsageError, match="one system, corpus, protocol and preset"):
        pool(records)
