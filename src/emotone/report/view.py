"""What the page says, worked out from the results: boards, systems, leaks. No HTML here."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from emotone.evaluation.claims import Judgement, judge
from emotone.evaluation.paired import Pair, pairs
from emotone.evaluation.premium import Premium, premiums
from emotone.evaluation.slices import Slice
from emotone.protocols import UNSEEN
from emotone.report.results import Result, Row, protocol_order
from emotone.report.words import OWN, anchor, corpus_title, count, listing, number

__all__ = ["Board", "Leak", "System", "boards", "leaks", "systems"]

MOST_CURVES = 5
"""How many systems a figure of curves can tell apart."""

SLICE_TITLES = {
    "gender": "By the speaker's gender",
    "intensity": "By intensity",
    "statement": "By statement",
    "emotion": "By emotion",
    "speaker": "By speaker",
}


@dataclass(frozen=True)
class System:
    """One system with its results, and where on the page it stands."""

    system: str
    title: str
    anchor: str
    results: tuple[Result, ...]

    @property
    def published(self) -> float | None:
        """The accuracy that the paper reports."""
        return self.results[0].row.published


@dataclass(frozen=True)
class Board:
    """All results on one corpus with one preset: what may be compared with each other.

    Attributes:
        systems: the best first, by the first protocol that each ran under.
        protocols: those that ran, the paper's own first.
        strictest: the protocol with the fewest leaks that at least half of the systems ran under.
    """

    corpus: str
    synthetic: bool
    preset: str
    systems: tuple[System, ...]
    protocols: tuple[str, ...]

    @property
    def results(self) -> list[Result]:
        """Every result of the board."""
        return [result for system in self.systems for result in system.results]

    @property
    def rows(self) -> list[Row]:
        """Every line of the table."""
        return [result.row for result in self.results]

    def of(self, protocol: str) -> list[Result]:
        """Return the results under a protocol, the best first."""
        found = [result for result in self.results if result.row.protocol == protocol]
        return sorted(found, key=lambda result: -result.row.accuracy)

    @property
    def strictest(self) -> str:
        """See the class."""
        enough = [name for name in self.protocols if 2 * len(self.of(name)) >= len(self.systems)]
        return (enough or list(self.protocols))[-1]

    @cached_property
    def premiums(self) -> list[Premium]:
        """What the leak and known speakers add to each system, the most first."""
        return premiums([result.pooled for result in self.results])

    @cached_property
    def judgements(self) -> list[Judgement]:
        """The papers' claims under each protocol, but those that no run of the board is about."""
        judged = judge([result.pooled for result in self.results])
        asked = {each.claim.text for each in judged if each.differences}
        return [each for each in judged if each.claim.text in asked]

    @cached_property
    def pairs(self) -> list[Pair]:
        """Every two systems under the strictest protocol."""
        return pairs([result.pooled for result in self.of(self.strictest)])

    @property
    def unseen(self) -> list[str]:
        """The protocols whose test speakers are never heard in training, the one that counts first."""
        return [name for name in UNSEEN if name in self.protocols]

    @property
    def confident(self) -> dict[str, list[Result]]:
        """Protocol of unseen speakers -> the results that say how sure they are, the best first."""
        found = {name: [result for result in self.of(name) if result.confidence] for name in self.unseen}
        return {name: results for name, results in found.items() if results}

    @property
    def curves(self) -> tuple[str, list[Result]] | None:
        """A protocol of unseen speakers and the systems whose risk is drawn: emotone's own, then the best others."""
        for protocol, results in self.confident.items():
            own_first = sorted(results, key=lambda result: result.row.paper != OWN)
            return protocol, own_first[:MOST_CURVES]
        return None

    @property
    def adapted(self) -> dict[str, list[Result]]:
        """Protocol -> the results that were adapted to the speakers too, the best first."""
        found = {name: [result for result in self.of(name) if result.adaptation] for name in self.protocols}
        return {name: results for name, results in found.items() if results}

    @property
    def title(self) -> str:
        """What tells this board from others."""
        return f"{corpus_title(self.corpus)}{' (synthetic)' if self.synthetic else ''}, {self.preset} preset"


@dataclass(frozen=True)
class Leak:
    """Something that a protocol lets through from test to training, and where."""

    mark: str
    text: str
    where: tuple[tuple[str, tuple[str, ...]], ...]
    """(protocol, its systems)."""


def boards(results: Sequence[Result]) -> list[Board]:
    """Tell apart what may not be compared: corpora and presets."""
    keys = list(dict.fromkeys((result.row.corpus, result.row.synthetic, result.row.preset) for result in results))
    found = []
    for corpus, synthetic, preset in keys:
        here = [result for result in results if (result.row.corpus, result.row.preset) == (corpus, preset)]
        protocols = sorted({result.row.protocol for result in here}, key=protocol_order)
        found.append(Board(corpus, synthetic, preset, tuple(systems(here)), tuple(protocols)))
    return found


def systems(results: Sequence[Result]) -> list[System]:
    """Gather the results by system, in the order in which the systems first appear."""
    names = dict.fromkeys(result.row.system for result in results)
    gathered = {name: tuple(result for result in results if result.row.system == name) for name in names}
    return [System(name, own[0].row.title, "system-" + anchor(name), own) for name, own in gathered.items()]


def leaks(results: Sequence[Result]) -> list[Leak]:
    """Number the leaks, each with the protocols and systems that have it."""
    texts = dict.fromkeys(leak for result in results for leak in result.row.leaks)
    found = []
    for order, text in enumerate(texts, start=1):
        having = [result.row for result in results if text in result.row.leaks]
        protocols = sorted({row.protocol for row in having}, key=protocol_order)
        where = tuple(
            (protocol, tuple(dict.fromkeys(row.system for row in having if row.protocol == protocol)))
            for protocol in protocols
        )
        found.append(Leak(f"L{order}", text, where))
    return found


def speakers(results: Sequence[Result]) -> set[str]:
    """Return every speaker that was trained or tested on, "ravdess/01", as those of joined corpora are named."""
    found: set[str] = set()
    for result in results:
        for run in result.pooled.runs:
            names = (*run.split.train_speakers, *run.split.validation_speakers, *run.split.test_speakers)
            joined = "-to-" in run.corpus or "+" in run.corpus
            found.update(name.replace(":", "/", 1) if joined else f"{run.corpus}/{name}" for name in names)
    return found


def shared_speakers(results: Sequence[Result]) -> list[str]:
    """Return the protocols under which a speaker was both trained and tested on, in their order."""
    shared = {
        run.protocol
        for result in results
        for run in result.pooled.runs
        if set(run.split.train_speakers).intersection(run.split.test_speakers)
    }
    return sorted(shared, key=protocol_order)


def seeds_said(rows: Sequence[Row]) -> str:
    """Say how many seeds the results have.

    One seed says nothing of luck, so the page names it everywhere.
    """
    counts = sorted({row.seeds for row in rows})
    return count(counts[0], "seed") if len(counts) == 1 else f"{number(counts[0])} to {number(counts[-1])} seeds"


def slice_values(result: Result, name: str) -> dict[str, Slice]:
    """Return value -> slice, of one kind of slice."""
    return {part.value: part for part in result.slices if part.slice == name}


def extremes(result: Result) -> tuple[str, str] | None:
    """Return the emotion that is recognised best and the one that is recognised worst."""
    emotions = sorted(slice_values(result, "emotion").values(), key=lambda part: -part.accuracy)
    return (emotions[0].value, emotions[-1].value) if len(emotions) > 1 else None


def against(pairs: Sequence[Pair], one: str, other: str) -> tuple[float, Pair] | None:
    """Return by how much `one` is better than `other`, as a fraction of 1, and their pair; None if not compared."""
    for pair in pairs:
        if {pair.first, pair.second} == {one, other}:
            return (1 if pair.first == one else -1) * pair.difference.value, pair
    return None


def shared_columns(results: Sequence[Result]) -> list[tuple[str, list[str]]]:
    """Return the columns of the overview of slices: (slice, values) of gender, intensity and emotion."""
    columns = []
    for name in ("gender", "intensity", "emotion"):
        values = list(dict.fromkeys(value for result in results for value in slice_values(result, name)))
        if len(values) > 1:
            columns.append((name, values))
    return columns


def said_systems(names: Sequence[str], total: int) -> str:
    """Name systems, or say that it is all of them."""
    return f"all {total} systems" if len(names) == total > 3 else listing(names)
