"""How clips are split: as published, cleanly, by speakers never heard in training, and by corpus."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

import numpy as np
from numpy.typing import NDArray

from emotone.corpora.base import Utterance
from emotone.errors import ProtocolError, UsageError, unknown
from emotone.features.config import ORIGINAL, AugmentConfig
from emotone.recipes.schema import SplitConfig

__all__ = [
    "PROTOCOLS",
    "Fold",
    "Sample",
    "in_turn",
    "make_folds",
    "shared_labels",
    "two_corpora_needed",
    "untested_fold",
]

Indices = NDArray[np.intp]

LUNA5 = ((2, 5, 14, 15, 16), (3, 6, 7, 13, 18), (10, 11, 12, 19, 20), (8, 17, 21, 23, 24), (1, 4, 9, 22))
"""Test actors of Luna-Jimenez et al. (2021), doi:10.3390/s21227665."""
EMOBOX6 = ((1, 11, 20, 21), (4, 10, 12, 14), (8, 9, 19, 23), (3, 5, 7, 24), (2, 15, 16, 18), (6, 13, 17, 22))
"""Test actors of EmoBox (Ma et al., 2024), arXiv:2406.07162."""

PROTOCOLS = {
    "published": "as the paper did it, leaks included",
    "clean": "the paper's split sizes; copies of training clips only, epochs chosen on validation",
    "luna5": "five folds by speaker (Luna-Jimenez et al.)",
    "emobox6": "six folds by speaker (EmoBox)",
    "loso": "leave one speaker out",
    "cross": "trained on one corpus, tested on another",
}
"""The protocols and what they are, the paper's own first. `cross` is of two corpora, all others are of one."""

_CARVED = 0.1  # of all clips, for validation, where the paper has none
_VALIDATION_SPEAKERS = 4  # of about 19 training speakers; two women and two men where the corpus tells


@dataclass(frozen=True, slots=True, order=True)
class Sample:
    """A clip (its index among the utterances) or an augmented copy of it."""

    clip: int
    variant: str = ORIGINAL


@dataclass(frozen=True)
class Fold:
    """One split. No sample is in two sets; under a leaking protocol, kin of one clip may be.

    Attributes:
        index: which fold, from 0, of `of`.
        train: samples to fit on, copies included. validation, test: samples to choose on and to report.
        monitor: the set that chooses epochs: "validation", "test" (a leak) or "none".
    """

    index: int
    of: int
    train: tuple[Sample, ...]
    validation: tuple[Sample, ...]
    test: tuple[Sample, ...]
    monitor: str


def make_folds(
    protocol: str,
    utterances: Sequence[Utterance],
    labels: Sequence[str],
    *,
    split: SplitConfig,
    monitor: str | None,
    augment: AugmentConfig | None,
    variants: Sequence[str],
    seed: int,
    digests: Sequence[str] = (),
    tested: str | None = None,
) -> list[Fold]:
    """Split `utterances` (with one label each) under a protocol.

    Args:
        protocol: one of `PROTOCOLS`.
        utterances: the clips.
        labels: the class of each.
        split: the paper's own split, for `published` and `clean`.
        monitor: the set that the paper chooses epochs on; None for a model without epochs, which needs no validation
            set: its clips are trained on.
        augment: the recipe's augmentation.
        variants: the names of its copies of a clip.
        seed: of the random split.
        digests: one per clip, the same for clips that are one recording under two names, of which RAVDESS has a pair.
            `clean` and `cross` leave the twin of a tested clip out of training and validation. Empty where none are
            known.
        tested: the corpus that `cross` tests on, as the utterances name it; it trains on the others.

    Raises:
        UsageError: an unknown protocol, or `cross` without two corpora.
        ProtocolError: a corpus that the protocol cannot split.
    """
    if protocol not in PROTOCOLS:
        raise unknown("protocol", protocol, PROTOCOLS)
    if not utterances:
        raise ProtocolError(f"Protocol {protocol!r} has no clips to split.")
    if protocol == "cross" and tested is None:
        raise two_corpora_needed()
    task = _Task(
        protocol, utterances, np.asarray(labels), split, monitor, augment, tuple(variants), seed, tuple(digests), tested
    )
    folds = [_published(task)] if protocol == "published" else _unleaked(task)
    for fold in folds:
        _check(fold, task)
    return folds


def untested_fold(
    utterances: Sequence[Utterance],
    labels: Sequence[str],
    *,
    split: SplitConfig,
    monitor: str | None,
    augment: AugmentConfig | None,
    variants: Sequence[str],
    seed: int,
) -> Fold:
    """Return all clips for training and validation: for a model to use, of whose worth other folds have to tell.

    Validation are a few speakers, or a tenth of the clips where their speakers are unknown or only one. Arguments
    and errors are those of `make_folds`.
    """
    task = _Task("all", utterances, np.asarray(labels), split, monitor, augment, tuple(variants), seed, (), None)
    everything = np.arange(len(utterances))
    train, validation = (everything, everything[:0]) if monitor is None else _carved(everything, task)
    fold = _from_clips(0, 1, (train, validation, everything[:0]), "validation" if monitor else "none", task)
    _check(fold, task)
    return fold


def two_corpora_needed() -> UsageError:
    """Return the error for `cross` on a single corpus."""
    return UsageError(
        "Protocol 'cross' trains on one corpus and tests on another; it is asked for by naming the two: "
        "emotone compare SYSTEM --train ravdess --test savee."
    )


def shared_labels(utterances: Sequence[Utterance], labels: Sequence[str], tested: str) -> set[str]:
    """Return the classes that the corpus `tested` and the others both have; fewer than two are a `ProtocolError`."""
    sides: tuple[set[str], set[str]] = (set(), set())
    for utterance, label in zip(utterances, labels, strict=True):
        sides[utterance.corpus == tested].add(label)
    if len(sides[0] & sides[1]) < 2:
        seen, asked = (", ".join(sorted(side)) or "none" for side in sides)
        raise ProtocolError(
            f"Protocol 'cross' needs at least two classes that both corpora have. Trained on: {seen}. "
            f"Tested on ({tested}): {asked}."
        )
    return sides[0] & sides[1]


@dataclass(frozen=True)
class _Task:
    protocol: str
    utterances: Sequence[Utterance]
    labels: NDArray[np.str_]
    split: SplitConfig
    monitor: str | None
    augment: AugmentConfig | None
    variants: tuple[str, ...]
    seed: int
    digests: tuple[str, ...]
    tested: str | None

    @property
    def classes(self) -> set[str]:
        """The classes that are trained and tested on."""
        labels: list[str] = self.labels.tolist()
        return set(labels) if self.tested is None else shared_labels(self.utterances, labels, self.tested)


def _published(task: _Task) -> Fold:
    monitor, augment = task.monitor or "none", task.augment
    if augment is not None and augment.placement == "before_split":
        units = [Sample(clip, variant) for clip in range(len(task.labels)) for variant in (ORIGINAL, *task.variants)]
        parts = _fractions([unit.clip for unit in units], task, task.split)
        train, validation, test = (tuple(units[index] for index in part) for part in parts)
        if task.monitor is None:
            train, validation = train + validation, ()
        return Fold(0, 1, train, validation, test, monitor)
    parts = _fractions(range(len(task.labels)), task, task.split)
    fold = _from_clips(0, 1, parts, monitor, task)
    if augment is not None and augment.placement == "all_into_train":
        held_out = {sample.clip for sample in fold.validation + fold.test}
        copies = tuple(Sample(clip, variant) for clip in sorted(held_out) for variant in task.variants)
        fold = replace(fold, train=fold.train + copies)
    return fold


def _unleaked(task: _Task) -> list[Fold]:
    monitor = "none" if task.monitor is None else "validation"
    if task.protocol == "clean":
        carve = monitor == "validation" and not task.split.validation
        parts = _fractions(range(len(task.labels)), task, _with_validation(task.split) if carve else task.split)
        return [_from_clips(0, 1, _without_twins(parts, task.digests), monitor, task)]
    if task.protocol == "cross":
        return [_from_clips(0, 1, _by_corpus(task), monitor, task)]
    groups = _test_speakers(task)
    return [
        _from_clips(number, len(groups), _by_speaker(group, number, task), monitor, task)
        for number, group in enumerate(groups)
    ]


def _without_twins(parts: Sequence[Indices], digests: Sequence[str]) -> Sequence[Indices]:
    """Leave out of training and validation what is tested under another name."""
    if not digests:
        return parts
    train, validation, test = parts
    tested = {digests[clip] for clip in test}
    unheard = np.asarray([digest not in tested for digest in digests])
    return train[unheard[train]], validation[unheard[validation]], test


def _from_clips(index: int, of: int, parts: Sequence[Indices], monitor: str, task: _Task) -> Fold:
    """Make a fold of three sets of clips; only training clips get copies."""
    train, validation, test = parts
    if task.monitor is None:
        train, validation = np.concatenate([train, validation]), validation[:0]
    kept = (ORIGINAL,) if task.augment is None or task.augment.keep_original else ()
    return Fold(
        index,
        of,
        tuple(Sample(int(clip), variant) for clip in train for variant in (*kept, *task.variants)),
        tuple(Sample(int(clip)) for clip in validation),
        tuple(Sample(int(clip)) for clip in test),
        monitor,
    )


def _with_validation(split: SplitConfig) -> SplitConfig:
    return split.model_copy(update={"train": split.train - _CARVED, "validation": _CARVED})


def _fractions(clips: Sequence[int], task: _Task, split: SplitConfig) -> tuple[Indices, Indices, Indices]:
    """Split units (the clip of each given) into train, validation and test, stratified by class."""
    labels = task.labels[np.asarray(clips)]
    need = 3 if split.validation else 2
    few = {label: count for label, count in sorted(Counter(labels.tolist()).items()) if count < need}
    if few:
        label, count = next(iter(few.items()))
        raise ProtocolError(
            f"Class {label!r} has {count} clip(s): protocol {task.protocol!r} needs at least {need} a class."
        )
    if split.order == "temporal":
        return _temporal(clips, labels, task, split)
    from sklearn.model_selection import train_test_split

    units = np.arange(len(labels))

    def taken(share: float, of: NDArray[np.intp]) -> float | int:
        """Return the share, or where that is less than a clip of every class, as many clips."""
        classes = len(set(labels.tolist()))
        return share if share * len(of) >= classes else classes

    try:
        size = taken(split.test, units)
        rest, test = train_test_split(units, test_size=size, stratify=labels, random_state=task.seed)
        if not split.validation:
            return rest, units[:0], test
        size = taken(split.validation / (split.train + split.validation), rest)
        train, validation = train_test_split(rest, test_size=size, stratify=labels[rest], random_state=task.seed)
    except ValueError as error:  # scikit-learn names what is too small
        raise ProtocolError(f"Protocol {task.protocol!r} cannot split {len(labels)} clips: {error}") from None
    return train, validation, test


def _temporal(
    clips: Sequence[int], labels: NDArray[np.str_], task: _Task, split: SplitConfig
) -> tuple[Indices, Indices, Indices]:
    """Per class, first repetitions first; within a repetition no order is stated, so it is drawn."""
    repetitions = [task.utterances[clip].repetition for clip in clips]
    if None in repetitions:
        clip = task.utterances[clips[repetitions.index(None)]].clip
        raise ProtocolError(f"Protocol {task.protocol!r} orders clips by repetition, and clip {clip!r} states none.")
    order = np.lexsort((np.random.default_rng(task.seed).permutation(len(clips)), np.asarray(repetitions)))
    parts: tuple[list[int], list[int], list[int]] = ([], [], [])
    for label in sorted(set(labels.tolist())):
        own = [int(unit) for unit in order if labels[unit] == label]
        tested = max(1, round(split.test * len(own)))
        validated = max(1, round(split.validation * len(own))) if split.validation else 0
        first = len(own) - tested - validated
        for part, units in zip(
            parts, (own[:first], own[first : first + validated], own[first + validated :]), strict=True
        ):
            part.extend(units)
    return np.asarray(parts[0], dtype=np.intp), np.asarray(parts[1], dtype=np.intp), np.asarray(parts[2], dtype=np.intp)


def _test_speakers(task: _Task) -> list[tuple[str, ...]]:
    speakers = {utterance.speaker for utterance in task.utterances}
    if None in speakers:
        clip = next(utterance.clip for utterance in task.utterances if utterance.speaker is None)
        raise ProtocolError(f"Protocol {task.protocol!r} needs every clip's speaker, and clip {clip!r} states none.")
    found = sorted(str(speaker) for speaker in speakers)
    need = 2 if task.monitor is None else 3
    if len(found) < need:
        raise ProtocolError(
            f"Protocol {task.protocol!r} holds speakers out and needs at least {need}; "
            f"the corpus has {len(found)}: {', '.join(found)}."
        )
    if task.protocol == "loso":
        return [(speaker,) for speaker in found]
    groups = LUNA5 if task.protocol == "luna5" else EMOBOX6
    wanted = {f"{actor:02d}" for group in groups for actor in group}
    if wanted != set(found):
        raise ProtocolError(
            f"Protocol {task.protocol!r} is defined on RAVDESS's actors 01 to 24; "
            f"the corpus has {len(found)} speakers: {', '.join(found[:8])}{', ...' if len(found) > 8 else ''}. "
            "For other corpora use 'loso'."
        )
    return [tuple(f"{actor:02d}" for actor in group) for group in groups]


def _by_speaker(group: Sequence[str], number: int, task: _Task) -> tuple[Indices, Indices, Indices]:
    """Hold out `group`, and as validation a few of the others: women and men in turn, drawn by seed and fold."""
    speakers = np.asarray([utterance.speaker for utterance in task.utterances])
    held = _validation_speakers(sorted(set(speakers.tolist()) - set(group)), number, task)
    test, validation = np.isin(speakers, group), np.isin(speakers, held)
    return np.flatnonzero(~test & ~validation), np.flatnonzero(validation), np.flatnonzero(test)


def _validation_speakers(others: Sequence[str], number: int, task: _Task) -> list[str]:
    genders = {utterance.speaker: utterance.gender for utterance in task.utterances}
    drawn = [others[index] for index in np.random.default_rng((task.seed, number)).permutation(len(others))]
    return in_turn(drawn, genders)[: min(_VALIDATION_SPEAKERS, max(1, len(others) // 5))]


def in_turn(speakers: Sequence[str], genders: Mapping[str | None, str | None]) -> list[str]:
    """Return speakers with women and others in turn, each in the order given."""
    women = [speaker for speaker in speakers if genders[speaker] == "female"]
    rest = [speaker for speaker in speakers if genders[speaker] != "female"]
    return [speaker for pair in zip_longest(women, rest) for speaker in pair if speaker is not None]


def _by_corpus(task: _Task) -> tuple[Indices, Indices, Indices]:
    """Test on one corpus; train on the others but for a few speakers, or a tenth of the clips where none is known."""
    tested = np.asarray([utterance.corpus == task.tested for utterance in task.utterances])
    known = np.isin(task.labels, sorted(task.classes))
    sides = (np.flatnonzero(known & ~tested), np.flatnonzero(known & tested))
    pool, nobody, test = _without_twins((sides[0], sides[0][:0], sides[1]), task.digests)
    if not pool.size:
        raise ProtocolError("Protocol 'cross' has nothing to train on: every training clip is also a test clip.")
    if task.monitor is None:
        return pool, nobody, test
    return *_carved(pool, task), test


def _carved(pool: Indices, task: _Task) -> tuple[Indices, Indices]:
    """Take validation out of a pool of clips: a few speakers, or a tenth of the clips where any speaker is unknown."""
    speakers = [task.utterances[clip].speaker for clip in pool]
    named = sorted({speaker for speaker in speakers if speaker is not None})
    if None in speakers or len(named) < 2:
        carved = SplitConfig(train=1 - _CARVED, test=_CARVED)
        train, _, validation = _fractions(pool.tolist(), task, carved)
        return pool[train], pool[validation]
    held = np.isin(np.asarray(speakers), _validation_speakers(named, 0, task))
    return pool[~held], pool[held]


def _check(fold: Fold, task: _Task) -> None:
    """Raise where a set lacks a class. A single speaker under test may lack one: leave-one-out is judged pooled."""
    labels, classes = task.labels.tolist(), task.classes
    wanted = {"training": (fold.train, classes)}
    if task.protocol not in ("loso", "all"):
        # A class of men cannot be tested where all test speakers are women, as in EmoBox.
        genders = {task.utterances[sample.clip].gender for sample in fold.test}
        possible = {label for label, clip in zip(labels, task.utterances, strict=True) if clip.gender in genders}
        wanted["test"] = (fold.test, possible & classes)
    for name, (samples, needed) in wanted.items():
        missing = needed.difference(labels[sample.clip] for sample in samples)
        if missing:
            raise ProtocolError(
                f"Fold {fold.index + 1} of {fold.of} of protocol {task.protocol!r} has no {name} clip of "
                f"{', '.join(sorted(missing))}."
            )
