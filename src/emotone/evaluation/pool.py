"""Several runs of one system as one result: folds pooled, seeds averaged."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from emotone.emotions import get_scheme
from emotone.errors import UsageError
from emotone.evaluation.intervals import bootstrap, clusters
from emotone.evaluation.metrics import confusion, per_class, summary
from emotone.evaluation.record import Predictions, RunRecord

__all__ = ["Pooled", "pool", "pool_all"]


@dataclass(frozen=True)
class Pooled:
    """The runs of one system on one corpus, under one protocol and preset.

    Attributes:
        runs: sorted by fold and seed.
        classes: the classes of all runs, in the scheme's order.
        seeds: the seeds that ran.
        missing: how many runs of folds x seeds are not there.
        metrics: per seed on the test samples of all folds together, then the mean over seeds.
        seed_metrics: seed -> its metrics.
        intervals: 95 % by bootstrap over speakers; a drawn speaker brings its samples of all runs.
        per_class: class -> precision, recall, f1, support, over the test samples of all runs.
        confusion: rows true, columns predicted, summed over all runs.
        predictions: every test sample of all runs, one run after the other.
    """

    runs: tuple[RunRecord, ...]
    classes: tuple[str, ...]
    seeds: tuple[int, ...]
    missing: int
    metrics: dict[str, float]
    seed_metrics: dict[int, dict[str, float]]
    intervals: dict[str, tuple[float, float]]
    per_class: dict[str, dict[str, float]]
    confusion: tuple[tuple[int, ...], ...]
    predictions: Predictions

    @property
    def first(self) -> RunRecord:
        """The first run, for what all runs share: system, title, corpus, protocol, preset, published result."""
        return self.runs[0]


def pool_all(records: Iterable[RunRecord]) -> list[Pooled]:
    """Pool all runs that belong together, sorted by system, corpus, protocol and preset."""
    groups: dict[tuple[str, str, str, str], list[RunRecord]] = {}
    for run in records:
        groups.setdefault(_key(run), []).append(run)
    return [pool(groups[key]) for key in sorted(groups)]


def pool(records: Sequence[RunRecord]) -> Pooled:
    """Pool the runs of one system on one corpus, under one protocol and preset.

    Of two runs of the same fold and seed the later one counts.

    Raises:
        UsageError: no runs, or runs of different systems, corpora, protocols or presets.
    """
    keys = {_key(run) for run in records}
    if len(keys) != 1:
        raise UsageError(f"Only runs of one system, corpus, protocol and preset make one result, not {sorted(keys)}.")
    latest = {(run.fold, run.seed): run for run in sorted(records, key=lambda run: run.created)}
    runs = tuple(latest[key] for key in sorted(latest))
    seeds = tuple(sorted({run.seed for run in runs}))
    classes = get_scheme(runs[0].scheme).classes(label for run in runs for label in run.classes)
    predictions = _join([run.predictions for run in runs])
    repeats = [run.seed for run in runs for _ in run.predictions.true]
    seed_metrics = {seed: _summary([run for run in runs if run.seed == seed], classes) for seed in seeds}
    return Pooled(
        runs=runs,
        classes=classes,
        seeds=seeds,
        missing=runs[0].folds * len(seeds) - len(runs),
        metrics={
            metric: sum(metrics[metric] for metrics in seed_metrics.values()) / len(seeds)
            for metric in seed_metrics[seeds[0]]
        },
        seed_metrics=seed_metrics,
        intervals=bootstrap(
            predictions.true,
            predictions.predicted,
            clusters(predictions.speaker, predictions.clip),
            classes,
            repeats=repeats,
        ),
        per_class=per_class(predictions.true, predictions.predicted, classes),
        confusion=confusion(predictions.true, predictions.predicted, classes),
        predictions=predictions,
    )


def _key(run: RunRecord) -> tuple[str, str, str, str]:
    return run.system, run.corpus, run.protocol, run.preset


def _summary(runs: Sequence[RunRecord], classes: Sequence[str]) -> dict[str, float]:
    true = [label for run in runs for label in run.predictions.true]
    predicted = [label for run in runs for label in run.predictions.predicted]
    return summary(true, predicted, classes)


def _join(parts: Sequence[Predictions]) -> Predictions:
    """Put the columns of several predictions behind each other, without probabilities: runs may differ in classes."""
    columns = (name for name in Predictions.model_fields if name != "probabilities")
    joined = {name: tuple(value for part in parts for value in getattr(part, name)) for name in columns}
    return Predictions(**joined, probabilities=())
