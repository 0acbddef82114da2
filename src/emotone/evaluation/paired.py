"""Is one result really better than another? Differences of accuracy, how sure they are, and tests of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from emotone.emotions import to_merged
from emotone.errors import UsageError
from emotone.evaluation.pool import Pooled
from emotone.evaluation.record import RunRecord

__all__ = ["Difference", "Outcomes", "Pair", "all_outcomes", "difference", "holm", "mcnemar", "outcomes", "pairs"]

RESAMPLES = 2000
LEVEL = 0.05
"""Below it, a Holm-corrected p says that a difference is real."""


@dataclass(frozen=True)
class Outcomes:
    """Which samples were recognised, and by whom they are spoken.

    Attributes:
        correct: shape (n,), of bool.
        speakers: the speaker of each; the clip where speakers are unknown.
    """

    correct: NDArray[np.bool_]
    speakers: tuple[str, ...]

    @classmethod
    def of(cls, correct: Iterable[bool], speakers: Iterable[str]) -> "Outcomes":
        """Build from any two sequences of equal length."""
        return cls(np.fromiter(correct, dtype=np.bool_), tuple(speakers))


@dataclass(frozen=True, slots=True)
class Difference:
    """The accuracy of one set of samples minus that of another, as a fraction of 1.

    Attributes:
        value: the difference.
        low, high: its 95 % interval, by bootstrap over speakers.
        p: of no difference: two-sided t test of the difference against its bootstrap standard error, with one degree
            of freedom less than speakers.
        clips: samples in the first and in the second set.
    """

    value: float
    low: float
    high: float
    p: float
    clips: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two systems on the samples that both were tested on.

    Attributes:
        first, second: ids of the systems; the first is the better one.
        difference: of accuracy, first minus second, over all seeds that both have.
        mcnemar: p of McNemar's exact test on the first common seed. It takes clips for independent.
        holm: the p of `difference`, Holm-corrected for all pairs compared with it.
        mcnemar_holm: the p of McNemar's test, likewise.
        merged: whether their classes differ, so that calm counts as neutral and gender is not judged.
    """

    first: str
    second: str
    difference: Difference
    mcnemar: float
    holm: float
    mcnemar_holm: float
    merged: bool

    @property
    def is_real(self) -> bool:
        """Whether the difference is more than chance, at 5 % over all pairs compared."""
        return self.holm < LEVEL


def difference(first: Outcomes, second: Outcomes, *, resamples: int = RESAMPLES, seed: int = 0) -> Difference:
    """Return how much better `first` was recognised than `second`.

    Speakers are drawn with replacement, and bring their samples to both sides: for two systems on the same clips this
    is the paired bootstrap, for two kinds of clips or two splits it keeps what the same speakers have in common.
    (Davison and Hinkley, Bootstrap Methods and their Application, 1997, 3.8.)

    Raises:
        UsageError: a side without samples.
    """
    if not len(first.speakers) or not len(second.speakers):
        raise UsageError("There is nothing to compare: one side has no samples.")
    speakers = sorted({*first.speakers, *second.speakers})
    hits, sizes = np.stack([_counts(side, speakers) for side in (first, second)], axis=1)
    value = float(np.subtract(*(hits.sum(1) / sizes.sum(1))))
    count = len(speakers)
    drawn = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), size=resamples)
    with np.errstate(invalid="ignore", divide="ignore"):  # a draw may leave one side without samples
        rates = (drawn @ hits.T) / (drawn @ sizes.T)
    values = rates[:, 0] - rates[:, 1]
    values = values[np.isfinite(values)]
    low, high = np.quantile(values, (0.025, 0.975))
    clips = (len(first.speakers), len(second.speakers))
    return Difference(value, float(low), float(high), _p(value, float(values.std(ddof=1)), count - 1), clips)


def _counts(side: Outcomes, speakers: Sequence[str]) -> NDArray[np.float64]:
    """Return hits and samples per speaker, shape (2, speakers)."""
    position = {speaker: index for index, speaker in enumerate(speakers)}
    where = np.array([position[speaker] for speaker in side.speakers])
    size = len(speakers)
    return np.stack([np.bincount(where, side.correct, size), np.bincount(where, minlength=size).astype(float)])


def _p(value: float, error: float, freedom: int) -> float:
    from scipy.stats import t

    if error == 0 or freedom < 1:
        return 1.0 if value == 0 or freedom < 1 else 0.0
    return float(2 * t.sf(abs(value) / error, freedom))


def mcnemar(first: Sequence[bool], second: Sequence[bool]) -> float:
    """Return p of McNemar's exact test: of the samples that just one of two systems got right, half each?

    >>> round(mcnemar([True] * 9 + [False], [False] * 9 + [True]), 4)
    0.0215
    """
    from scipy.stats import binomtest

    alone = sum(one and not other for one, other in zip(first, second, strict=True))
    other_alone = sum(other and not one for one, other in zip(first, second, strict=True))
    if alone + other_alone == 0:
        return 1.0
    return float(binomtest(alone, alone + other_alone).pvalue)


def holm(ps: Sequence[float]) -> list[float]:
    """Return p values corrected for their number, so that among all true nulls one falls below 5 % in one case of 20.

    (Holm, A simple sequentially rejective multiple test procedure, 1979.)

    >>> [round(p, 2) for p in holm([0.01, 0.04, 0.03])]
    [0.03, 0.06, 0.06]
    """
    corrected, largest = [1.0] * len(ps), 0.0
    for rank, index in enumerate(sorted(range(len(ps)), key=lambda index: ps[index])):
        largest = max(largest, min(1.0, ps[index] * (len(ps) - rank)))
        corrected[index] = largest
    return corrected


def pairs(pooled: Sequence[Pooled]) -> list[Pair]:
    """Compare every two systems that were tested on the same samples, Holm-corrected; the surest first.

    Args:
        pooled: systems under one protocol, on one corpus, with one preset. Two of them are compared if at least half
            of the samples of either were tested in both.
    """
    found = []
    for one, other in combinations(pooled, 2):
        seeds = [seed for seed in one.seeds if seed in other.seeds]
        merged = one.first.scheme != other.first.scheme
        shared = _shared(one, other, seeds, merged)
        if shared is None:
            continue
        known, speakers, right, of_other = shared
        gap = difference(Outcomes.of(right, speakers), Outcomes.of(of_other, speakers))
        begun = [index for index, seed in enumerate(known) if seed == seeds[0]]
        exact = mcnemar([right[index] for index in begun], [of_other[index] for index in begun])
        names = (one.first.system, other.first.system)
        if gap.value < 0:
            names = names[::-1]
            gap = Difference(-gap.value, -gap.high, -gap.low, gap.p, gap.clips)
        found.append(Pair(*names, gap, exact, 1.0, 1.0, merged))
    by_bootstrap, by_mcnemar = holm([pair.difference.p for pair in found]), holm([pair.mcnemar for pair in found])
    corrected = [
        Pair(pair.first, pair.second, pair.difference, pair.mcnemar, p, exact, pair.merged)
        for pair, p, exact in zip(found, by_bootstrap, by_mcnemar, strict=True)
    ]
    return sorted(corrected, key=lambda pair: (pair.holm, pair.difference.p, pair.first, pair.second))


_Samples = dict[tuple[int, int, str, str], tuple[bool, str]]


def _shared(
    one: Pooled, other: Pooled, seeds: Sequence[int], merged: bool
) -> tuple[list[int], list[str], list[bool], list[bool]] | None:
    """Return seed, speaker and both outcomes of the samples tested in both; None where those are too few."""
    mine, theirs = _samples(one.runs, seeds, merged), _samples(other.runs, seeds, merged)
    both = sorted(mine.keys() & theirs.keys())
    if not both or 2 * len(both) < max(len(mine), len(theirs)):
        return None
    speakers = [mine[key][1] for key in both]
    return [key[0] for key in both], speakers, [mine[key][0] for key in both], [theirs[key][0] for key in both]


def _samples(runs: Iterable[RunRecord], seeds: Sequence[int], merged: bool) -> _Samples:
    found: _Samples = {}
    for run in runs:
        if run.seed in seeds:
            own = outcomes(run, merged=merged)
            keys = zip(run.predictions.clip, run.predictions.variant, strict=True)
            for (clip, variant), right, speaker in zip(keys, own.correct.tolist(), own.speakers, strict=True):
                found[run.seed, run.fold, clip, variant] = (right, speaker)
    return found


def outcomes(run: RunRecord, *, merged: bool = False) -> Outcomes:
    """Return which test samples of a run were recognised.

    Args:
        run: any.
        merged: judge the emotion alone, calm as neutral, whatever the classes of the run.
    """
    told = run.predictions
    true, predicted = told.true, told.predicted
    if merged:
        true, predicted = tuple(map(to_merged, true)), tuple(map(to_merged, predicted))
    known = None not in told.speaker
    speakers = tuple(str(speaker) for speaker in told.speaker) if known else told.clip
    return Outcomes.of((one == other for one, other in zip(true, predicted, strict=True)), speakers)


def all_outcomes(pooled: Pooled) -> Outcomes:
    """Return the outcomes of all runs of a system, one run after the other."""
    parts = [outcomes(run) for run in pooled.runs]
    speakers = tuple(speaker for part in parts for speaker in part.speakers)
    return Outcomes(np.concatenate([part.correct for part in parts]), speakers)
