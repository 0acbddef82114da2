"""What leaks in a split: every check, and the findings it makes."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeVar

from emotone.audit.same import Sounds
from emotone.audit.split import Item, Split
from emotone.corpora.base import Utterance
from emotone.corpora.speakers import near_names

__all__ = ["Case", "Finding", "find"]

Severity = Literal["leak", "note"]
Key = TypeVar("Key")


@dataclass(frozen=True, slots=True)
class Case:
    """One test clip (or speaker) and what of it was seen before the test.

    Attributes:
        fold: in which fold, from 1.
        test: what is tested on.
        seen: its counterpart among what the system was fitted or chosen on.
        side: where that stands: "train", "validation", or "no set" where it is left out.
        similarity: of near-identical audio, up to 1.
    """

    fold: int
    test: str
    seen: str
    side: str
    similarity: float | None = None


@dataclass(frozen=True)
class Finding:
    """Something found.

    Attributes:
        kind: a short name for machines.
        severity: "leak": the test result cannot be trusted for what the split promises. "note": to be known.
        text: what it is, in plain words.
        count: how many `unit`s are concerned, of how many.
        unit: what is counted.
        cases: each of them, where there is something to name.
    """

    kind: str
    severity: Severity
    text: str
    count: int
    of: int
    unit: str
    cases: tuple[Case, ...] = ()


def find(
    splits: Sequence[Split], utterances: Sequence[Utterance], sounds: Sounds, *, unseen_speakers: bool
) -> list[Finding]:
    """Return what is found in the folds of one split, leaks first.

    Args:
        splits: the folds.
        utterances: the clips that their items refer to.
        sounds: which of them sound the same.
        unseen_speakers: whether test speakers are promised to be unseen; speakers on both sides are then a leak.
    """
    merged: dict[str, Finding] = {}
    for split in splits:
        for finding in _of_one(split, utterances, sounds, unseen_speakers):
            before = merged.get(finding.kind)
            merged[finding.kind] = finding if before is None else _sum(before, finding)
    found = [finding for finding in merged.values() if finding.count]
    return sorted(found, key=lambda finding: finding.severity != "leak")


def _sum(one: Finding, other: Finding) -> Finding:
    return replace(one, count=one.count + other.count, of=one.of + other.of, cases=one.cases + other.cases)


def _of_one(split: Split, utterances: Sequence[Utterance], sounds: Sounds, unseen_speakers: bool) -> Iterable[Finding]:
    yield _kin(split)
    yield from _alike(split, utterances, sounds)
    yield _in_two_corpora(split, utterances, sounds)
    yield _chosen_on_test(split)
    yield from _speakers(split, utterances, unseen_speakers)
    yield _shared(
        split,
        "statements",
        "test clips say a sentence that is also trained on",
        lambda item: utterances[item.clip].statement,
    )
    yield _repetitions(split, utterances)
    text = "test clips are stretches of recordings of which another stretch was seen"
    yield _shared(split, "recordings", text, lambda item: _stretched(utterances[item.clip]))
    yield from _near_speakers(split, utterances, sounds.voices)
    unchosen = split.monitor is None and not any(item.side == "validation" for item in split.items)
    yield Finding(
        "no-validation",
        "note",
        "there are no validation clips: epochs or settings can have been chosen on test clips only",
        int(unchosen),
        1,
        "folds",
    )


def _kin(split: Split) -> Finding:
    seen = _first(split.seen, lambda item: item.origin)
    cases = tuple(
        Case(split.fold, item.name, seen[item.origin].name, seen[item.origin].side)
        for item in split.test
        if item.origin in seen
    )
    text = "copies of the same recordings stand on both sides"
    return Finding("kin", "leak", text, len(cases), len(split.test), "test clips", cases)


def _alike(split: Split, utterances: Sequence[Utterance], sounds: Sounds) -> Iterable[Finding]:
    """Compare recordings, not copies: those of one recording are kin already."""
    tested = _first(split.test, lambda item: item.clip)
    seen = _first(split.seen, lambda item: item.clip)
    identical, near = [], []
    for clip, item in tested.items():
        others = [seen[other] for other in sounds.group(clip) if other in seen and seen[other].origin != item.origin]
        if not others:
            continue
        closest = max(others, key=lambda other: sounds.similarity(clip, other.clip) or 0.0)
        case = Case(split.fold, utterances[clip].clip, utterances[closest.clip].clip, closest.side)
        if sounds.identical(clip, closest.clip):
            identical.append(case)
        else:
            near.append(replace(case, similarity=sounds.similarity(clip, closest.clip)))
    for kind, text, cases in (
        ("identical", "identical audio stands on both sides", identical),
        ("near-identical", "near-identical audio stands on both sides", near),
    ):
        yield Finding(kind, "leak", text, len(cases), len(tested), "test clips", tuple(cases))


def _in_two_corpora(split: Split, utterances: Sequence[Utterance], sounds: Sounds) -> Finding:
    """Name test clips of joined corpora whose copy in another corpus the protocol leaves out."""
    tested, seen = ({item.clip for item in side} for side in (split.test, split.seen))
    cases = []
    for clip in sorted(tested):
        own = utterances[clip].corpus
        others = [at for at in sounds.group(clip) if utterances[at].corpus != own and at not in seen | tested]
        if others:
            alike = sounds.similarity(clip, others[0])
            cases.append(Case(split.fold, utterances[clip].clip, utterances[others[0]].clip, "no set", alike))
    text = "test clips lie in another corpus too; what lies there is left out of training"
    return Finding("two-corpora", "note", text, len(cases), len(tested), "test clips", tuple(cases))


def _chosen_on_test(split: Split) -> Finding:
    text = "epochs and learning rate are chosen on the test set"
    return Finding("chosen-on-test", "leak", text, int(split.monitor == "test"), 1, "folds")


def _speakers(split: Split, utterances: Sequence[Utterance], unseen_speakers: bool) -> Iterable[Finding]:
    def speaker(item: Item) -> str | None:
        return utterances[item.clip].speaker

    seen, tested = _first(split.seen, speaker), _first(split.test, speaker)
    cases = tuple(
        Case(split.fold, f"speaker {who}", seen[who].name, seen[who].side) for who in sorted(tested) if who in seen
    )
    severity: Severity = "leak" if unseen_speakers else "note"
    text = "speakers stand on both sides" + ("" if unseen_speakers else ": the result is speaker-dependent")
    yield Finding("speakers", severity, text, len(cases), len(tested), "test speakers", cases)
    nameless = [item for item in split.items if speaker(item) is None]
    text = "clips state no speaker, so shared speakers cannot all be found"
    yield Finding("unknown-speakers", "note", text, len(nameless), len(split.items), "clips")


def _stretched(utterance: Utterance) -> str | None:
    """Return the file of an utterance that is a stretch of it."""
    return str(utterance.path) if utterance.start or utterance.end is not None else None


def _near_speakers(
    split: Split, utterances: Sequence[Utterance], voices: Iterable[tuple[str, str]]
) -> Iterable[Finding]:
    """Name the speakers who are called, or sound, nearly as another on the other side."""
    tested, seen = ({utterances[item.clip].speaker for item in side} - {None} for side in (split.test, split.seen))
    names = near_names(str(name) for name in tested | seen)
    for kind, pairs, text in (
        ("near-names", names, "speakers on both sides have nearly the same name: are they one?"),
        ("near-voices", voices, "speakers on both sides sound as one speaker does: are they one?"),
    ):
        across = [
            (one, other) if one in tested else (other, one)
            for one, other in pairs
            if (one in tested and other in seen) or (other in tested and one in seen)
        ]
        cases = tuple(Case(split.fold, f"speaker {one!r}", f"speaker {other!r}", "train") for one, other in across)
        yield Finding(kind, "note", text, len(cases), len(tested), "test speakers", cases)


def _repetitions(split: Split, utterances: Sequence[Utterance]) -> Finding:
    """Another take by the same speaker of the same sentence, emotion and intensity."""

    def spoken(item: Item) -> tuple[str, ...] | None:
        one = utterances[item.clip]
        if one.speaker is None or one.statement is None or one.repetition is None:
            return None
        return one.speaker, one.statement, one.emotion, one.intensity or ""

    text = "test clips have another take by the same speaker in training"
    return _shared(split, "repetitions", text, spoken)


def _shared(split: Split, kind: str, text: str, key: Callable[[Item], str | tuple[str, ...] | None]) -> Finding:
    """Note the test clips that have a `key` in common with another recording that was seen."""
    seen: dict[object, dict[str, Item]] = {}
    for item in split.seen:
        if (own := key(item)) is not None:
            seen.setdefault(own, {}).setdefault(item.origin, item)
    cases = []
    for item in split.test:
        others = (other for origin, other in seen.get(key(item), {}).items() if origin != item.origin)
        if (other := next(others, None)) is not None:
            cases.append(Case(split.fold, item.name, other.name, other.side))
    return Finding(kind, "note", text, len(cases), len(split.test), "test clips", tuple(cases))


def _first(items: Iterable[Item], key: Callable[[Item], Key | None]) -> dict[Key, Item]:
    """Return the first item of each key; None is no key."""
    firsts: dict[Key, Item] = {}
    for item in items:
        if (own := key(item)) is not None:
            firsts.setdefault(own, item)
    return firsts
