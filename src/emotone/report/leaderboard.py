"""The leaderboard as data: every system under every protocol, run or not, beside what its paper reports."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from emotone.evaluation.adapted import Adaptation
from emotone.evaluation.record import Published
from emotone.files import write_text
from emotone.report.results import Result

__all__ = [
    "TOLERANCE",
    "Adapted",
    "Entry",
    "Range",
    "Wanted",
    "entries",
    "read_leaderboard",
    "verdict",
    "write_leaderboard",
]

TOLERANCE = 0.03
"""How far a measured accuracy may lie from the published one and still reproduce it, as a fraction of 1."""

_DIGITS = 6  # more than are shown: rounded twice, a rate may be a digit off


@dataclass(frozen=True, slots=True)
class Wanted:
    """A system under a protocol that is to be listed, run or not.

    Attributes:
        system, title, published: of its recipe.
        corpus: its name, as runs have it.
        protocol: one of `emotone.protocols.PROTOCOLS`.
        why: why it is not run; empty where nothing but time stands against it.
        command: what runs it.
    """

    system: str
    title: str
    published: Published
    corpus: str
    protocol: str
    why: str
    command: str


@dataclass(frozen=True, slots=True)
class Range:
    """A rate as a fraction of 1, with its 95 % interval by bootstrap over speakers."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Adapted:
    """What a system reaches once other, unlabelled clips of each speaker are known. It is no plain result."""

    accuracy: Range
    uar: Range


@dataclass(frozen=True, slots=True)
class Entry:
    """One system under one protocol.

    Attributes:
        runs: how many are there, missing: how many of folds times seeds are not.
        clips: how many test samples the runs have together.
        published: the accuracy that the paper reports for its own protocol.
        verdict: see `verdict`.
        calibration_error: the expected one, as a fraction of 1; None where a run has no probabilities.
        adapted: None where a run is not adapted to the speakers.
        why, command: why it was not run, and what would run it.
        leaks: what the protocol leaks.
        seconds: of training a run, on average, on `device`.
    """

    system: str
    title: str
    paper: str
    corpus: str
    protocol: str
    verdict: str
    published: float | None
    accuracy: Range | None = None
    uar: Range | None = None
    weighted_f1: Range | None = None
    train_accuracy: float | None = None
    calibration_error: float | None = None
    adapted: Adapted | None = None
    runs: int = 0
    missing: int = 0
    seeds: int = 0
    clips: int = 0
    leaks: tuple[str, ...] = ()
    parameters: int | None = None
    seconds: float | None = None
    device: str | None = None
    why: str = ""
    command: str = ""


def verdict(published: float | None, measured: Range | None) -> str:
    """Set a measured accuracy beside the published one.

    Returns:
        "reproduced": the published value lies in the interval, or within 3 points of the mean. "exceeded" or "below":
        it does not. "no published figure" where the paper gives none, "not run" where there is no run.

    >>> verdict(0.64, Range(0.58, 0.55, 0.61)), verdict(0.64, Range(0.62, 0.61, 0.63))
    ('below', 'reproduced')
    """
    if measured is None:
        return "not run"
    if published is None:
        return "no published figure"
    if measured.low <= published <= measured.high or abs(measured.mean - published) <= TOLERANCE + 1e-9:
        return "reproduced"
    return "exceeded" if measured.mean > published else "below"


def entries(results: Sequence[Result], wanted: Sequence[Wanted]) -> list[Entry]:
    """Return an entry for everything wanted, in that order.

    Args:
        results: of the runs; only those with the paper preset count.
        wanted: what to list.
    """
    counting = [each for each in results if each.row.preset == "paper"]
    found = {(each.row.system, each.row.corpus, each.row.protocol): each for each in counting}
    return [_entry(each, found.get((each.system, each.corpus, each.protocol))) for each in wanted]


def _entry(wanted: Wanted, result: Result | None) -> Entry:
    # What the recipe says now: a run need not be made again to correct what its paper reports.
    published = wanted.published.accuracy
    listed = Entry(
        system=wanted.system,
        title=wanted.title,
        paper=wanted.published.paper,
        corpus=wanted.corpus,
        protocol=wanted.protocol,
        verdict=verdict(published, None),
        published=published,
    )
    if result is None:
        return replace(listed, why=wanted.why, command=wanted.command)
    row, pooled = result.row, result.pooled
    accuracy = _range(row.accuracy, row.low, row.high)
    return replace(
        listed,
        verdict=verdict(published, accuracy),
        accuracy=accuracy,
        uar=_range(row.uar, row.uar_low, row.uar_high),
        weighted_f1=_range(row.weighted_f1, row.weighted_f1_low, row.weighted_f1_high),
        train_accuracy=round(row.train_accuracy, _DIGITS),
        calibration_error=None if row.calibration_error is None else round(row.calibration_error, _DIGITS),
        adapted=_adapted(result.adaptation),
        runs=len(pooled.runs),
        missing=row.missing,
        seeds=row.seeds,
        clips=len(pooled.predictions.true),
        leaks=row.leaks,
        parameters=row.parameters,
        seconds=round(row.train_seconds, 1),
        device=row.device,
    )


def _adapted(found: Adaptation | None) -> Adapted | None:
    if found is None:
        return None
    metrics, intervals = found.pooled.metrics, found.pooled.intervals
    return Adapted(**{name: _range(metrics[name], *intervals[name]) for name in ("accuracy", "uar")})


def _range(mean: float, low: float, high: float) -> Range:
    return Range(*(round(value, _DIGITS) for value in (mean, low, high)))


def write_leaderboard(path: Path, found: Sequence[Entry]) -> None:
    """Write the entries as JSON, whole or not at all; the same runs give the same bytes."""
    rows: list[dict[str, Any]] = [asdict(entry) for entry in found]
    write_text(path, json.dumps(rows, indent=1, ensure_ascii=False) + "\n")


def read_leaderboard(path: Path) -> list[Entry]:
    """Read what `write_leaderboard` wrote."""
    return [_parse(row) for row in json.loads(path.read_text(encoding="utf-8"))]


def _parse(row: dict[str, Any]) -> Entry:
    rates = {name: Range(**row[name]) if row[name] else None for name in ("accuracy", "uar", "weighted_f1")}
    adapted = row["adapted"] and Adapted(**{name: Range(**rate) for name, rate in row["adapted"].items()})
    return Entry(**row | rates | {"adapted": adapted, "leaks": tuple(row["leaks"])})
