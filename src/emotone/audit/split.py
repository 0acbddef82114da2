"""A split as the audit sees it: what stands on which side, and which recording it is or was made of."""

import math
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Literal

from emotone.augment import ORIGINAL
from emotone.corpora.base import Corpus, Utterance
from emotone.corpora.times import clip_times
from emotone.errors import CorpusError
from emotone.protocols import UNSEEN, Fold, Sample

__all__ = ["SIDES", "Item", "Split", "of_fold", "of_manifest", "promises_unseen_speakers"]

Side = Literal["train", "validation", "test"]
SIDES: tuple[Side, ...] = ("train", "validation", "test")
"""What a sample may be for, as a manifest's column `split` names it."""


@dataclass(frozen=True, slots=True)
class Item:
    """A sample of a split.

    Attributes:
        side: what it is for.
        name: what to call it: the clip, and the variant of a copy.
        clip: the index of the utterance that it is or was made of by the recipe: whose audio and labels it has.
        origin: the recording it goes back to; kin share it.
    """

    side: Side
    name: str
    clip: int
    origin: str


@dataclass(frozen=True)
class Split:
    """One fold.

    Attributes:
        fold: which, from 1.
        items: its samples.
        monitor: the set that epochs are chosen on, "validation", "test" or "none"; None where that is not stated.
    """

    fold: int
    items: tuple[Item, ...]
    monitor: str | None

    @property
    def seen(self) -> list[Item]:
        """What a system is fitted or chosen on, training samples first."""
        return [item for side in ("train", "validation") for item in self.items if item.side == side]

    @property
    def test(self) -> list[Item]:
        """What it is tested on."""
        return [item for item in self.items if item.side == "test"]


def promises_unseen_speakers(protocol: str | None) -> bool:
    """Tell whether a protocol tests on speakers that were never heard."""
    return protocol in UNSEEN


def of_fold(fold: Fold, utterances: Sequence[Utterance]) -> Split:
    """Return a protocol's fold as the audit sees it."""
    origins = _origins(utterances, [each.clip.removesuffix(clip_times(each.start, each.end)) for each in utterances])

    def items(side: Side, samples: Iterable[Sample]) -> Iterable[Item]:
        for sample in samples:
            clip = utterances[sample.clip].clip
            name = clip if sample.variant == ORIGINAL else f"{clip} ({sample.variant})"
            yield Item(side, name, sample.clip, origins[sample.clip])

    sides = zip(SIDES, (fold.train, fold.validation, fold.test), strict=True)
    return Split(fold.index + 1, tuple(item for side, samples in sides for item in items(side, samples)), fold.monitor)


def of_manifest(manifest: Path, corpus: Corpus) -> Split:
    """Return the split that a manifest states: column `split`, and `parent`, the file that a copy was made of.

    A parent need not be in the manifest: two copies of one recording are kin wherever it is.

    Raises:
        CorpusError: no column `split`, another value in it than `SIDES`, nothing to train or to test on.
    """
    utterances = corpus.utterances
    if not any("split" in utterance.extra for utterance in utterances):
        raise CorpusError(f"{manifest}: column 'split' is missing. It says {', '.join(SIDES)} for every file.")
    own = _origins(utterances, [str(utterance.path) for utterance in utterances])
    parents = {utterance.path: _parent(manifest, utterance) for utterance in utterances}
    items = []
    for index, utterance in enumerate(utterances):
        side = utterance.extra.get("split", "")
        if side not in SIDES:
            raise CorpusError(f"{manifest}: split is {side!r} for {utterance.clip}. Valid: {', '.join(SIDES)}.")
        parent = _origin(utterance.path, parents)
        items.append(Item(side, utterance.clip, index, own[index] if parent == utterance.path else str(parent)))
    for needed in ("train", "test"):
        if not any(item.side == needed for item in items):
            raise CorpusError(f"{manifest}: no file's split is {needed!r}.")
    return Split(1, tuple(items), None)


def _origins(utterances: Sequence[Utterance], files: Sequence[str]) -> list[str]:
    """Return what each utterance is a piece of: its file, or what stretches of it that overlap cover together."""
    origins = list(files)
    order = sorted(range(len(files)), key=lambda at: (files[at], utterances[at].start))
    for file, group in groupby(order, key=files.__getitem__):
        first = reached = 0.0
        for at in group:
            start, end = utterances[at].start, utterances[at].end
            first = start if start >= reached else first
            reached = max(reached, math.inf if end is None else end)
            origins[at] = file if first == 0 and reached == math.inf else f"{file} from {first:g} s"
    return origins


def _parent(manifest: Path, utterance: Utterance) -> Path | None:
    named = utterance.extra.get("parent", "")
    return Path(os.path.normpath(manifest.parent.resolve() / named)) if named else None


def _origin(path: Path, parents: dict[Path, Path | None]) -> Path:
    """Return the recording at the end of the line of parents; a circle ends where it closes."""
    passed = {path}
    while (parent := parents.get(path)) is not None and parent not in passed:
        path = parent
        passed.add(path)
    return path if parents.get(path) is None else min(passed)
