"""How well systems do on corpora never heard in training: one figure for every system and tested corpus."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from emotone.evaluation.adapted import adaptation
from emotone.evaluation.confidence import Confidence, confidence_of
from emotone.evaluation.pool import Pooled, pool
from emotone.evaluation.record import Adapted, Predictions, RunRecord
from emotone.protocols import ACROSS

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
    """One system, trained without a corpus, on that corpus; or, by folds of its speakers, with it.

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
        confidence: how sure the plain answers were, and whether they were right, all seeds together.
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
    confidence: Confidence


def crossings(pooled: Iterable[Pooled]) -> list[Crossing]:
    """Return every system on every corpus that it has not heard, for runs of the protocols that test on such."""
    found = []
    for each in pooled:
        for tested in dict.fromkeys(_corpus(clip) for run in each.runs for clip in run.predictions.clip):
            parts = [_part(run, tested) for run in each.runs]
            found.append(_crossing(pool([part for part in parts if part.predictions.clip]), tested))
    return found


def _crossing(pooled: Pooled, tested: str) -> Crossing:
    adapted, confidence = adaptation(pooled), confidence_of(pooled)
    assert confidence is not None
    recall = {name: told["recall"] for name, told in pooled.per_class.items() if told["support"]}
    return Crossing(
        system=pooled.first.system,
        trained=_trained(pooled.first, tested),
        tested=tested,
        seeds=len(pooled.seeds),
        clips=len(pooled.first.predictions.clip),
        speakers=len(set(pooled.predictions.speaker)),
        chance=1 / len(recall),
        plain=_told(pooled),
        adapted=_told(adapted.pooled) if adapted else None,
        accuracy=pooled.metrics["accuracy"],
        recall=recall,
        confidence=confidence,
    )


def _told(pooled: Pooled) -> Told:
    speakers = set(pooled.predictions.speaker)
    interval = None if None in speakers or len(speakers) < FEWEST_SPEAKERS else pooled.intervals["uar"]
    return Told(pooled.metrics["uar"], interval)


def _part(run: RunRecord, corpus: str) -> RunRecord:
    """Return what a run says of the clips of one corpus, its predictions alone."""
    here = [place for place, clip in enumerate(run.predictions.clip) if _corpus(clip) == corpus]

    def kept(columns: Predictions | Adapted, *names: str) -> dict[str, Any]:
        return {name: tuple(getattr(columns, name)[place] for place in here) for name in names}

    changes: dict[str, Any] = {
        "predictions": run.predictions.model_copy(update=kept(run.predictions, *Predictions.model_fields))
    }
    if run.adapted is not None:
        changes["adapted"] = run.adapted.model_copy(update=kept(run.adapted, "probabilities"))
    return run.model_copy(update=changes)


def _corpus(clip: str) -> str:
    """Return the corpus that a clip of joined corpora is named with."""
    return clip.split("/", 1)[0]


def _trained(run: RunRecord, tested: str) -> tuple[str, ...]:
    """Return the corpora that a run was trained on, from its name."""
    corpora = tuple(run.corpus.split("-to-")[0].split("+"))
    return tuple(name for name in corpora if name != tested) if run.protocol in ACROSS else corpora
