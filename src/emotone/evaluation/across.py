"""How well systems do on corpora never heard in training: one figure for every system and tested corpus."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import mean

import numpy as np
from numpy.typing import NDArray

from emotone.evaluation.calibration import calibration_error
from emotone.evaluation.intervals import bootstrap, clusters
from emotone.evaluation.metrics import per_class, summary
from emotone.evaluation.pool import Pooled
from emotone.evaluation.record import RunRecord

__all__ = ["FEWEST_SPEAKERS", "Crossing", "Told", "crossings"]

FEWEST_SPEAKERS = 5
"""With fewer, an interval over speakers would say nothing of others, and none is given."""


@dataclass(frozen=True, slots=True)
class Told:
    """UAR on a tested corpus, as a fraction of 1: mean over seeds, 95 % interval by bootstrap over speakers, if any."""

    uar: float
    interval: tuple[float, float] | None


@dataclass(frozen=True)
class Crossing:
    """One system, trained without a corpus, on that corpus.

    Attributes:
        system: its id.
        trained: the corpora that it was trained on.
        tested: the corpus.
        seeds: how many ran.
        clips, speakers: of the corpus, that were tested.
        chance: the UAR of guessing among its classes.
        plain: as a recording comes.
        adapted: with speakers of eight clips or more known by their other, unlabelled clips; None where a run is not.
        accuracy: plain, mean over seeds.
        recall: class -> share of its clips that were named so, plain, all seeds together.
        calibration_error: of the plain probabilities, mean over seeds.
    """

    system: str
    trained: tuple[str, ...]
    tested: str
    seeds: int
    clips: int
    speakers: int
    chance: float
    plain: Told
    adapted: Told | None
    accuracy: float
    recall: dict[str, float]
    calibration_error: float


def crossings(pooled: Iterable[Pooled]) -> list[Crossing]:
    """Return every system on every corpus that it has not heard, for runs of the protocols that test on such."""
    found = []
    for each in pooled:
        for tested in dict.fromkeys(_corpus(clip) for run in each.runs for clip in run.predictions.clip):
            runs = [run for run in each.runs if any(_corpus(clip) == tested for clip in run.predictions.clip)]
            found.append(_crossing(runs, tested))
    return found


def _crossing(runs: Sequence[RunRecord], tested: str) -> Crossing:
    first = runs[0]
    parts = [_Part(run, tested) for run in runs]
    true, speakers, clips = ([label for part in parts for label in getattr(part, name)] for name in _COLUMNS)
    classes = [name for name in first.classes if name in set(true)]
    seeds = [run.seed for run, part in zip(runs, parts, strict=True) for _ in part.true]

    def told(predicted: Sequence[Sequence[str]]) -> Told:
        rates = [summary(part.true, named, first.classes)["uar"] for part, named in zip(parts, predicted, strict=True)]
        interval = None
        if None not in speakers and len(set(speakers)) >= FEWEST_SPEAKERS:
            flat, groups = [label for named in predicted for label in named], clusters(speakers, clips)
            interval = bootstrap(true, flat, groups, first.classes, metrics=("uar",), repeats=seeds)["uar"]
        return Told(mean(rates), interval)

    adapted = [part.adapted for part in parts if part.adapted is not None]
    named = [label for part in parts for label in part.predicted]
    recall = per_class(true, named, first.classes)
    return Crossing(
        system=first.system,
        trained=_trained(first, tested),
        tested=tested,
        seeds=len(runs),
        clips=len(parts[0].true),
        speakers=len(set(speakers)),
        chance=1 / len(classes),
        plain=told([part.predicted for part in parts]),
        adapted=told(adapted) if len(adapted) == len(parts) else None,
        accuracy=mean(part.right.mean() for part in parts),
        recall={name: recall[name]["recall"] for name in classes},
        calibration_error=mean(calibration_error(part.confidence, part.right) for part in parts),
    )


_COLUMNS = ("true", "speaker", "clip")


class _Part:
    """The predictions of a run that are of one corpus."""

    def __init__(self, run: RunRecord, corpus: str) -> None:
        told = run.predictions
        here = [place for place, clip in enumerate(told.clip) if _corpus(clip) == corpus]
        self.true = [told.true[place] for place in here]
        self.predicted = [told.predicted[place] for place in here]
        self.speaker = [told.speaker[place] for place in here]
        self.clip = [told.clip[place] for place in here]
        self.confidence: NDArray[np.floating] = np.array([max(told.probabilities[place]) for place in here])
        self.right = np.array([one == other for one, other in zip(self.true, self.predicted, strict=True)])
        self.adapted: list[str] | None = None
        if run.adapted is not None:
            best = np.argmax([run.adapted.probabilities[place] for place in here], axis=1)
            self.adapted = [run.classes[index] for index in best]


def _corpus(clip: str) -> str:
    """Return the corpus that a clip of joined corpora is named with."""
    return clip.split("/", 1)[0]


def _trained(run: RunRecord, tested: str) -> tuple[str, ...]:
    """Return the corpora that a run was trained on, from its name."""
    if run.protocol == "cross":
        return tuple(run.corpus.split("-to-")[0].split("+"))
    return tuple(name for name in run.corpus.split("+") if name != tested)
