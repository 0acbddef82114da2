"""What a report shows of each system: its runs pooled, summed up as one row, and sliced."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from statistics import mean

from emotone.evaluation.adapted import Adaptation, adaptation
from emotone.evaluation.confidence import Confidence, confidence_of
from emotone.evaluation.pool import Pooled, pool_all
from emotone.evaluation.record import RunRecord
from emotone.evaluation.slices import Slice, slices
from emotone.protocols import UNSEEN

__all__ = ["Result", "Row", "protocol_order", "read_results", "sort_key"]


@dataclass(frozen=True, slots=True)
class Row:
    """One system under one protocol: its runs as one line. Rates are fractions of 1.

    Attributes:
        published: the accuracy that the paper reports, None where it reports none.
        accuracy, uar, macro_f1, weighted_f1: folds pooled, seeds averaged.
        low, high: 95 % interval of the accuracy, by bootstrap over speakers; likewise of UAR and weighted F1.
        difference: accuracy minus published.
        calibration_error: the expected one, seeds averaged; None where a run has no probabilities.
        chance: the accuracy of always naming the most frequent class of the test set.
        seeds: how many ran. seed_low, seed_high: the accuracy of the worst and the best of them.
        folds: how many the protocol has. missing: how many runs of folds x seeds are not there.
        epochs: trained per run, on average. kept: whose weights were kept. None for models without epochs.
        train_seconds: per run, on average. milliseconds_per_clip: of prediction.
        leaks: what this protocol leaks, in plain words.
    """

    system: str
    title: str
    paper: str
    corpus: str
    synthetic: bool
    protocol: str
    preset: str
    classes: int
    published: float | None
    accuracy: float
    low: float
    high: float
    difference: float | None
    uar: float
    uar_low: float
    uar_high: float
    macro_f1: float
    weighted_f1: float
    weighted_f1_low: float
    weighted_f1_high: float
    train_accuracy: float
    calibration_error: float | None
    chance: float
    seeds: int
    seed_low: float
    seed_high: float
    folds: int
    missing: int
    epochs: float | None
    kept: float | None
    parameters: int | None
    train_seconds: float
    milliseconds_per_clip: float
    device: str
    leaks: tuple[str, ...]


@dataclass(frozen=True)
class Result:
    """One system under one protocol: its runs, and what follows from them, worked out when first asked for."""

    pooled: Pooled

    @cached_property
    def row(self) -> Row:
        """Its line in the table."""
        return _row(self.pooled, self.confidence)

    @cached_property
    def slices(self) -> tuple[Slice, ...]:
        """How it does on parts of the test clips."""
        return tuple(slices(self.pooled.predictions, self.pooled.classes))

    @cached_property
    def confidence(self) -> Confidence | None:
        """How sure its answers were; None where a run has no probabilities."""
        return confidence_of(self.pooled)

    @cached_property
    def adaptation(self) -> Adaptation | None:
        """The same, adapted to the speakers; None where a run is not."""
        return adaptation(self.pooled)


def read_results(records: Iterable[RunRecord]) -> list[Result]:
    """Pool the runs, sorted as `sort_key` says."""
    return sorted(map(Result, pool_all(records)), key=lambda result: sort_key(result.row))


def sort_key(row: Row) -> tuple[object, ...]:
    """Real corpora first, then by corpus, the paper preset first, then by protocol, then the best accuracy first."""
    return (row.synthetic, row.corpus, row.preset != "paper", row.preset, protocol_order(row.protocol), -row.accuracy)


def protocol_order(protocol: str) -> tuple[int, str]:
    """The paper's own protocol first, then clean, then unseen speakers, then any other."""
    known = ("published", "clean", *UNSEEN)
    return known.index(protocol) if protocol in known else len(known), protocol


def _row(pooled: Pooled, confidence: Confidence | None) -> Row:
    first, metrics = pooled.first, pooled.metrics
    accuracies = [seed["accuracy"] for seed in pooled.seed_metrics.values()]
    published = first.published.accuracy
    supports = [values["support"] for values in pooled.per_class.values()]
    epochs = [len(run.history) for run in pooled.runs if run.history]
    kept = [run.best_epoch for run in pooled.runs if run.best_epoch is not None]
    low, high = pooled.intervals["accuracy"]
    uar_low, uar_high = pooled.intervals["uar"]
    weighted_f1_low, weighted_f1_high = pooled.intervals["weighted_f1"]
    return Row(
        system=first.system,
        title=first.title,
        paper=first.published.paper,
        corpus=first.corpus,
        synthetic=first.synthetic,
        protocol=first.protocol,
        preset=first.preset,
        classes=len(pooled.classes),
        published=published,
        accuracy=metrics["accuracy"],
        low=low,
        high=high,
        difference=None if published is None else metrics["accuracy"] - published,
        uar=metrics["uar"],
        uar_low=uar_low,
        uar_high=uar_high,
        macro_f1=metrics["macro_f1"],
        weighted_f1=metrics["weighted_f1"],
        weighted_f1_low=weighted_f1_low,
        weighted_f1_high=weighted_f1_high,
        train_accuracy=mean(run.train_accuracy for run in pooled.runs),
        calibration_error=confidence.error if confidence else None,
        chance=max(supports) / sum(supports),
        seeds=len(pooled.seeds),
        seed_low=min(accuracies),
        seed_high=max(accuracies),
        folds=first.folds,
        missing=pooled.missing,
        epochs=mean(epochs) if epochs else None,
        kept=mean(kept) if kept else None,
        parameters=first.parameters,
        train_seconds=mean(run.seconds["train"] for run in pooled.runs),
        milliseconds_per_clip=mean(run.milliseconds_per_clip for run in pooled.runs),
        device=", ".join(sorted({run.device for run in pooled.runs})),
        leaks=tuple(dict.fromkeys(leak for run in pooled.runs for leak in run.leaks)),
    )
