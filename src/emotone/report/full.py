"""What finished full runs say together, worked out from the runs themselves. No HTML here."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from statistics import mean

from emotone.errors import UsageError
from emotone.evaluation.across import Crossing, crossings
from emotone.evaluation.claims import Claim
from emotone.evaluation.pool import Pooled, pool_all
from emotone.evaluation.premium import Premium
from emotone.evaluation.record import read_records
from emotone.report.results import Result, Row, read_results
from emotone.report.view import Board, boards
from emotone.report.words import OWN

__all__ = ["BEYOND", "Full", "deepest", "on_all", "rank", "read_crossings", "read_full", "steps"]

UNHEARD = "luna5"
"""The protocol of unseen speakers under which full runs are set beside each other."""
BEYOND = "unseen corpora"
"""The last of the steps: the mean over corpora never heard, trained on one corpus alone."""
_STEPS = {"published": "as published", "clean": "clean split", UNHEARD: "unseen speakers"}


@dataclass(frozen=True)
class Full:
    """Full runs that a page opens with.

    Attributes:
        folder: where they lie.
        results: with the paper preset, of any corpora.
        crossings: on corpora never heard in training; empty where none ran.
        shipped: those of the system that comes with emotone, trained on all corpora that it is shipped with but the
            tested one.
    """

    folder: Path
    results: tuple[Result, ...]
    crossings: tuple[Crossing, ...]
    shipped: tuple[Crossing, ...] = ()

    @cached_property
    def board(self) -> Board:
        """The results on the corpus of people's voices that most ran on; all that is said is about it."""
        return max(boards(self.results), key=lambda board: (not board.synthetic, len(board.results)))

    @cached_property
    def beyond(self) -> list[Crossing]:
        """The crossings from the board's corpus alone."""
        return [each for each in self.crossings if each.trained == (self.board.corpus,)]

    @cached_property
    def of_many(self) -> list[Crossing]:
        """What the shipped system does on the corpora of `beyond`; empty where it did not run on all of them."""
        return on_all(self.shipped, {each.tested for each in self.beyond})

    @cached_property
    def told(self) -> dict[str, dict[str, float]]:
        """System -> step -> accuracy."""
        return steps([result.pooled for result in self.board.results], self.beyond)

    @cached_property
    def stairs(self) -> dict[str, dict[str, float]]:
        """The systems of at least two steps, the best on unseen speakers first, then the best on the clean split."""
        order = ("unseen speakers", "clean split", "as published")
        long = [(name, told) for name, told in self.told.items() if len(told) > 1]
        return dict(sorted(long, key=lambda item: [-item[1].get(step, 0) for step in order]))

    @cached_property
    def deepest(self) -> Premium | None:
        """See `deepest`."""
        return deepest(self.board.premiums)

    @cached_property
    def claims(self) -> dict[Claim, dict[str, str]]:
        """Claim -> protocol -> verdict, of the claims that a run is about."""
        found: dict[Claim, dict[str, str]] = {}
        for each in self.board.judgements:
            found.setdefault(each.claim, {})[each.protocol] = each.verdict
        return found

    @property
    def own(self) -> list[Result]:
        """The results of emotone's own systems, by protocol, the best first."""
        return [result for name in self.board.protocols for result in self.board.of(name) if result.row.paper == OWN]

    @property
    def own_beyond(self) -> dict[str, list[Crossing]]:
        """System of emotone's own -> that system on every corpus never heard, trained on the board's alone."""
        own = [each for each in self.beyond if each.system.startswith(f"{OWN}/")]
        return {name: [each for each in own if each.system == name] for name in dict.fromkeys(e.system for e in own)}

    def seeds(self, system: str, step: str) -> int:
        """Return how many seeds a system's step stands for; the fewest of several corpora."""
        if step == BEYOND:
            return min(each.seeds for each in self.beyond if each.system == system)
        rows = (result.row for result in self.board.results if result.row.system == system)
        return next(row.seeds for row in rows if _STEPS.get(row.protocol) == step)

    def twins(self, rows: Iterable[Row]) -> dict[tuple[str, str, str], Row]:
        """Return, for those of the rows that have one, (system, corpus, protocol) -> the same of full length."""
        asked = {(row.system, row.corpus, row.protocol) for row in rows}
        own = {(each.row.system, each.row.corpus, each.row.protocol): each.row for each in self.results}
        return {key: row for key, row in own.items() if key in asked}


def read_full(folder: Path) -> Full:
    """Read the full runs of a folder: in its `runs`, and in `cross/runs` and `shipped/runs` where there are some.

    Raises:
        UsageError: there are none.
    """
    records = [run for run in read_records(folder / "runs") if run.preset == "paper"]
    if not records:
        raise UsageError(
            f"{folder}: no full runs in {folder / 'runs'}; "
            "`emotone bench` and `emotone compare --preset paper` make some."
        )
    across, shipped = (tuple(read_crossings(folder / name)) for name in ("cross", "shipped"))
    return Full(folder, tuple(read_results(records)), across, shipped)


def read_crossings(folder: Path) -> list[Crossing]:
    """Return every system on every corpus that it has not heard, by system, trained on one corpus alone first."""
    records = [run for run in read_records(folder / "runs") if run.preset == "paper"]
    found = crossings(pool_all(records))
    return sorted(found, key=lambda each: (OWN in each.system, each.system, len(each.trained)))


def on_all(found: Iterable[Crossing], tested: Collection[str]) -> list[Crossing]:
    """Return those on the tested corpora that they have not heard; none where one of the corpora lacks."""
    own = [each for each in found if each.tested in tested and each.tested not in each.trained]
    return own if {each.tested for each in own} == set(tested) else []


def steps(pooled: Iterable[Pooled], beyond: Sequence[Crossing]) -> dict[str, dict[str, float]]:
    """Return system -> step -> accuracy, as a fraction of 1, of the steps that ran.

    Args:
        pooled: on one corpus, with one preset.
        beyond: those systems on corpora never heard, trained on that corpus alone.
    """
    told: dict[str, dict[str, float]] = {}
    for each in pooled:
        if each.first.protocol in _STEPS and not each.missing:
            told.setdefault(each.first.system, {})[_STEPS[each.first.protocol]] = each.metrics["accuracy"]
    for system in dict.fromkeys(each.system for each in beyond):
        share = mean(each.accuracy for each in beyond if each.system == system)
        told.setdefault(system, {})[BEYOND] = share
    return told


def deepest(found: Sequence[Premium]) -> Premium | None:
    """Return the deepest fall from published over clean to unseen speakers, of the systems that ran under all three."""
    return next((each for each in found if each.leak and each.unseen), None)


def rank(accuracies: Mapping[str, float]) -> tuple[dict[str, float], dict[str, float]]:
    """Return the papers' systems and emotone's own, each the best first.

    Where Whisper stands for a paper's wav2vec 2.0, the system is not the paper's, and is left out.
    """
    ranked = dict(sorted(accuracies.items(), key=lambda item: -item[1]))
    own = {name: share for name, share in ranked.items() if name.startswith(f"{OWN}/")}
    return {name: share for name, share in ranked.items() if name not in own and "whisper" not in name}, own
