"""What the papers claim, each claim as a test of the runs: confirmed, refuted, undecided."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from emotone.evaluation.paired import Difference, Outcomes, difference, outcomes
from emotone.evaluation.pool import Pooled

__all__ = ["CLAIMS", "Claim", "Contrast", "Judgement", "Part", "judge"]


@dataclass(frozen=True)
class Part:
    """A system's test samples, all or those with one value: ("gender", "female")."""

    system: str
    only: tuple[str, str] | None = None

    def __str__(self) -> str:
        return self.system if self.only is None else f"{self.system}, {self.only[1]}"


@dataclass(frozen=True)
class Contrast:
    """The claim that one part is recognised better than another."""

    better: Part
    worse: Part


@dataclass(frozen=True)
class Claim:
    """What a paper says, as contrasts that must all hold."""

    paper: str
    text: str
    contrasts: tuple[Contrast, ...]


@dataclass(frozen=True)
class Judgement:
    """A claim beside what was measured under one protocol.

    Attributes:
        verdict: "confirmed": every contrast's 95 % interval lies above 0. "refuted": some contrast's lies below.
            "undecided": neither. "not run": a system of it has no runs.
        differences: one per contrast, better minus worse; empty where it was not run.
    """

    claim: Claim
    protocol: str
    verdict: str
    differences: tuple[Difference, ...]


def _beats(better: str, *worse: str) -> tuple[Contrast, ...]:
    return tuple(Contrast(Part(better), Part(system)) for system in worse)


def _within(system: str, slice_: str, better: str, worse: str) -> tuple[Contrast, ...]:
    return (Contrast(Part(system, (slice_, better)), Part(system, (slice_, worse))),)


CLAIMS = (
    Claim("nguyen", "augmentation hurts at 10 epochs", _beats("nguyen/cnn-lstm", "nguyen/cnn-lstm-augmented")),
    Claim(
        "nguyen",
        "women are recognised better than men",
        _within("nguyen/cnn-lstm", "gender", "female", "male"),
    ),
    Claim(
        "nguyen",
        "strong intensity is slightly worse than normal",
        _within("nguyen/cnn-lstm", "intensity", "normal", "strong"),
    ),
    Claim("nguyen", "the LSTM-CNN beats both its parts", _beats("nguyen/cnn-lstm", "nguyen/cnn", "nguyen/lstm")),
    Claim(
        "kakadiya", "the CNN-LSTM beats both its parts", _beats("kakadiya/cnn-lstm", "kakadiya/cnn", "kakadiya/lstm")
    ),
    Claim("onah", "the CNN beats the CNN and LSTM in conjunction", _beats("onah/cnn", "onah/cnn-lstm")),
    Claim(
        "boucheta",
        "the CNN beats nearest neighbours and the decision tree",
        _beats("boucheta/cnn", "boucheta/knn", "boucheta/decision-tree"),
    ),
    Claim("bhanbhro", "attention beats plain", _beats("bhanbhro/cnn-bilstm-attention", "bhanbhro/cnn-lstm")),
    Claim(
        "bhanbhro",
        "the attention model beats itself without the LSTM, and with a one-way one",
        _beats(
            "bhanbhro/cnn-bilstm-attention",
            "bhanbhro/ablation-no-lstm",
            "bhanbhro/ablation-no-bidirectional",
        ),
    ),
)
"""The claims that can be put to a test with these systems."""


def judge(pooled: Sequence[Pooled], claims: Sequence[Claim] = CLAIMS) -> list[Judgement]:
    """Judge every claim under every protocol that ran.

    Intervals are not corrected for the number of claims.

    Args:
        pooled: on one corpus, with one preset, under any protocols.
        claims: which.
    """
    judged = []
    for claim in claims:
        for protocol in dict.fromkeys(each.first.protocol for each in pooled):
            own = {each.first.system: each for each in pooled if each.first.protocol == protocol}
            judged.append(_judge(claim, protocol, own))
    return judged


def _judge(claim: Claim, protocol: str, own: dict[str, Pooled]) -> Judgement:
    sides = [(_take(own, contrast.better), _take(own, contrast.worse)) for contrast in claim.contrasts]
    gaps = [difference(better, worse) for better, worse in sides if better and worse]
    if len(gaps) < len(sides):
        return Judgement(claim, protocol, "not run", ())
    if any(gap.high < 0 for gap in gaps):
        verdict = "refuted"
    else:
        verdict = "confirmed" if all(gap.low > 0 for gap in gaps) else "undecided"
    return Judgement(claim, protocol, verdict, tuple(gaps))


def _take(own: dict[str, Pooled], part: Part) -> Outcomes | None:
    """Return the outcomes of a part over all its runs; None where there are none."""
    if part.system not in own:
        return None
    correct, speakers = [], []
    for run in own[part.system].runs:
        found = outcomes(run)
        stated = getattr(run.predictions, part.only[0]) if part.only else None
        for index, (right, speaker) in enumerate(zip(found.correct, found.speakers, strict=True)):
            if stated is None or stated[index] == (part.only or ("", ""))[1]:
                correct.append(bool(right))
                speakers.append(speaker)
    return Outcomes(np.array(correct, dtype=np.bool_), tuple(speakers)) if speakers else None
