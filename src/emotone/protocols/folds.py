"""The folds of every protocol."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from emotone.augment import ORIGINAL
from emotone.corpora.base import Utterance
from emotone.errors import ProtocolError, unknown
from emotone.protocols.fractions import fractions
from emotone.protocols.labels import asked, classes_of
from emotone.protocols.speakers import by_speaker, tested_groups, validation_speakers
from emotone.protocols.task import Indices, Sample, Task, two_corpora_needed
from emotone.recipes.schema import Recipe, SplitConfig

__all__ = ["ACROSS", "PROTOCOLS", "UNSEEN", "Fold", "each_fold", "make_folds", "untested_fold"]

PROTOCOLS = {
    "published": "as the paper did it, leaks included",
    "clean": "the paper's split sizes; copies of training clips only, epochs chosen on validation",
    "luna5": "five folds by speaker (Luna-Jimenez et al.)",
    "emobox6": "six folds by speaker (EmoBox)",
    "loso": "leave one speaker out",
    "cross": "trained on some corpora, tested on others",
    "leave-one-corpus-out": "each of several corpora tested by what was trained on the others",
}
"""The protocols and what they are, the paper's own first."""
ACROSS = ("cross", "leave-one-corpus-out")
"""Those that test on corpora never heard in training."""

UNSEEN = ("luna5", "emobox6", "loso", *ACROSS)
"""Those whose test speakers are never heard in training, in the order in which one is chosen."""

_CARVED = 0.1  # of all clips, for validation, where the paper has none


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
    recipe: Recipe,
    protocol: str,
    utterances: Sequence[Utterance],
    labels: Sequence[str],
    *,
    seed: int,
    digests: Sequence[str] = (),
    tested: Sequence[str] = (),
) -> list[Fold]:
    """Split clips under a protocol, for a recipe; arguments and errors are those of `each_fold`."""
    return list(each_fold(recipe, protocol, utterances, labels, seed=seed, digests=digests, tested=tested))


def each_fold(
    recipe: Recipe,
    protocol: str,
    utterances: Sequence[Utterance],
    labels: Sequence[str],
    *,
    seed: int,
    digests: Sequence[str] = (),
    tested: Sequence[str] = (),
    only: int | None = None,
) -> Iterator[Fold]:
    """Yield the folds of a protocol, one by one: those of a thousand speakers are more than memory holds.

    Args:
        recipe: how large the parts are for `published` and `clean`, which copies are made of a clip, and whether
            epochs are chosen: what chooses none needs no validation, and trains on those clips too.
        protocol: one of `PROTOCOLS`.
        utterances: the clips.
        labels: of each; of joined corpora as `comparable` gives them.
        seed: of the random split.
        digests: one per clip, the same for clips that are one recording under two names, of which RAVDESS has a pair.
            `clean` and those across corpora leave the twin of a tested clip out of training and validation. Empty
            where none are known.
        tested: the corpora that `cross` tests on, as the utterances name them; it trains on the others.
        only: make this fold alone, from 0; None makes all.

    Raises:
        UsageError: an unknown protocol, or `cross` without corpora to test.
        ProtocolError: a corpus that the protocol cannot split.
    """
    if protocol not in PROTOCOLS:
        raise unknown("protocol", protocol, PROTOCOLS)
    if not utterances:
        raise ProtocolError(f"Protocol {protocol!r} has no clips to split.")
    if protocol == "cross" and not tested:
        raise two_corpora_needed()
    task = Task(recipe, protocol, utterances, np.asarray(labels), seed, tuple(digests), tuple(tested))
    makers = [partial(_published, task)] if protocol == "published" else _unleaked(task)
    for make in makers if only is None else [makers[only]]:
        fold = make()
        _check(fold, task)
        yield fold


def untested_fold(recipe: Recipe, utterances: Sequence[Utterance], labels: Sequence[str], *, seed: int) -> Fold:
    """Return all clips for training and validation: for a model to use, of whose worth other folds have to tell.

    Validation are a few speakers, or a tenth of the clips where their speakers are unknown or only one. Arguments
    and errors are those of `make_folds`.
    """
    task = Task(recipe, "all", utterances, np.asarray(labels), seed)
    everything = np.arange(len(utterances))
    train, validation = (everything, everything[:0]) if task.monitor is None else _carved(everything, task)
    monitor = "none" if task.monitor is None else "validation"
    fold = _from_clips(0, 1, (train, validation, everything[:0]), monitor, task)
    _check(fold, task)
    return fold


def _published(task: Task) -> Fold:
    monitor, augment = task.monitor or "none", task.recipe.augment
    if augment is not None and augment.placement == "before_split":
        units = [Sample(clip, variant) for clip in range(len(task.labels)) for variant in (ORIGINAL, *task.variants)]
        parts = fractions([unit.clip for unit in units], task, task.recipe.split)
        train, validation, test = (tuple(units[index] for index in part) for part in parts)
        if task.monitor is None:
            train, validation = train + validation, ()
        return Fold(0, 1, train, validation, test, monitor)
    parts = fractions(range(len(task.labels)), task, task.recipe.split)
    fold = _from_clips(0, 1, parts, monitor, task)
    if augment is not None and augment.placement == "all_into_train":
        held_out = {sample.clip for sample in fold.validation + fold.test}
        copies = tuple(Sample(clip, variant) for clip in sorted(held_out) for variant in task.variants)
        fold = replace(fold, train=fold.train + copies)
    return fold


def _unleaked(task: Task) -> list[Callable[[], Fold]]:
    """Return what makes each fold."""
    monitor = "none" if task.monitor is None else "validation"
    if task.protocol == "clean":
        carve = monitor == "validation" and not task.recipe.split.validation
        parts = fractions(
            range(len(task.labels)), task, _with_validation(task.recipe.split) if carve else task.recipe.split
        )
        return [partial(_from_clips, 0, 1, _without_twins(parts, task.digests), monitor, task)]
    if task.protocol == "cross":
        return [partial(_from_clips, 0, 1, _by_corpus(task.tested, task), monitor, task)]
    if task.protocol == "leave-one-corpus-out":
        if len(task.corpora) < 2:
            raise ProtocolError(
                f"Protocol {task.protocol!r} needs several corpora, and there is {task.corpora[0]} alone: "
                "emotone compare SYSTEM --corpus ravdess,emodb,nemo."
            )
        return [
            partial(_from_clips, number, len(task.corpora), _by_corpus((corpus,), task), monitor, task)
            for number, corpus in enumerate(task.corpora)
        ]
    groups = tested_groups(task)

    def make(number: int) -> Fold:
        return _from_clips(number, len(groups), by_speaker(groups[number], number, task), monitor, task)

    return [partial(make, number) for number in range(len(groups))]


def _without_twins(parts: Sequence[Indices], digests: Sequence[str]) -> Sequence[Indices]:
    """Leave out of training and validation what is tested under another name."""
    if not digests:
        return parts
    train, validation, test = parts
    tested = {digests[clip] for clip in test}
    unheard = np.asarray([digest not in tested for digest in digests])
    return train[unheard[train]], validation[unheard[validation]], test


def _from_clips(index: int, of: int, parts: Sequence[Indices], monitor: str, task: Task) -> Fold:
    """Make a fold of three sets of clips; only training clips get copies."""
    train, validation, test = parts
    if task.monitor is None:
        train, validation = np.concatenate([train, validation]), validation[:0]
    augment = task.recipe.augment
    kept = (ORIGINAL,) if augment is None or augment.keep_original else ()
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


def _by_corpus(corpora: Sequence[str], task: Task) -> tuple[Indices, Indices, Indices]:
    """Test on some corpora; train on the others but for a few speakers, or a tenth of the clips where none is known.

    Of the tested ones only clips of classes that the others have are tested.
    """
    tested = np.asarray([utterance.corpus in corpora for utterance in task.utterances])
    pool, nobody = np.flatnonzero(~tested), np.flatnonzero(tested)[:0]
    classes, test = classes_of(task.labels[pool].tolist()), nobody
    for corpus in corpora:
        clips = [clip for clip in np.flatnonzero(tested).tolist() if task.utterances[clip].corpus == corpus]
        wanted = asked(classes, task.labels[clips].tolist())
        if len({each.name for each in wanted.values()}) < 2:
            seen, labels = (", ".join(sorted(side)) or "none" for side in (classes, set(task.labels[clips].tolist())))
            raise ProtocolError(
                f"Protocol {task.protocol!r} needs at least two classes that both corpora have. Trained on: {seen}. "
                f"Tested on ({corpus}): {labels}."
            )
        test = np.concatenate([test, [clip for clip in clips if str(task.labels[clip]) in wanted]])
    pool, nobody, test = _without_twins((pool, nobody, test), task.digests)
    if not pool.size:
        raise ProtocolError(
            f"Protocol {task.protocol!r} has nothing to train on: every training clip is also a test clip."
        )
    if task.monitor is None:
        return pool, nobody, test
    return *_carved(pool, task), test


def _carved(pool: Indices, task: Task) -> tuple[Indices, Indices]:
    """Take validation out of a pool of clips: a few speakers, or a tenth of the clips where any speaker is unknown."""
    speakers = [task.utterances[clip].speaker for clip in pool]
    named = sorted({speaker for speaker in speakers if speaker is not None})
    if None in speakers or len(named) < 2:
        carved = SplitConfig(train=1 - _CARVED, test=_CARVED)
        train, _, validation = fractions(pool.tolist(), task, carved)
        return pool[train], pool[validation]
    held = np.isin(np.asarray(speakers), validation_speakers(named, 0, task))
    return pool[~held], pool[held]


def _check(fold: Fold, task: Task) -> None:
    """Raise where there is but one class, or a set lacks one.

    A single speaker under test may lack one: leave-one-out is judged pooled.
    """
    labels = task.labels.tolist()
    tested = {task.utterances[sample.clip].corpus for sample in fold.test}
    across = task.protocol in ACROSS
    named = list(zip(labels, task.utterances, strict=True))
    classes = classes_of(label for label, clip in named if not (across and clip.corpus in tested))
    if len(classes) < 2:
        raise ProtocolError(f"Nothing is to be told apart: all {len(labels)} clips are {labels[0]}.")
    wanted = {"training": (fold.train, classes)}
    if task.protocol not in ("loso", "all") and not across:
        # A class of men cannot be tested where all test speakers are women, as in EmoBox.
        genders = {task.utterances[sample.clip].gender for sample in fold.test}
        possible = {label for label, clip in named if clip.gender in genders and clip.corpus in tested}
        wanted["test"] = (fold.test, possible & classes)
    for name, (samples, needed) in wanted.items():
        missing = needed - classes_of(labels[sample.clip] for sample in samples)
        if missing:
            raise ProtocolError(
                f"Fold {fold.index + 1} of {fold.of} of protocol {task.protocol!r} has no {name} clip of "
                f"{', '.join(sorted(missing))}."
            )
