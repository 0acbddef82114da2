"""What is to be split, and into what."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from emotone.augment import copies
from emotone.corpora.base import Utterance
from emotone.errors import ProtocolError, UsageError
from emotone.features.config import ORIGINAL
from emotone.recipes.schema import Recipe

__all__ = ["Indices", "Sample", "Task", "shared_labels", "two_corpora_needed"]

Indices = NDArray[np.intp]


@dataclass(frozen=True, slots=True, order=True)
class Sample:
    """A clip (its index among the utterances) or an augmented copy of it."""

    clip: int
    variant: str = ORIGINAL


@dataclass(frozen=True)
class Task:
    """What `make_folds` is asked for, by the names of its arguments; under protocol `all` nothing is tested."""

    recipe: Recipe
    protocol: str
    utterances: Sequence[Utterance]
    labels: NDArray[np.str_]
    seed: int
    digests: tuple[str, ...] = ()
    tested: str | None = None

    @property
    def monitor(self) -> str | None:
        """The set that the recipe chooses epochs on; None where it chooses none, and trains on validation clips too.

        That is a model without epochs, and one that goes on from trained weights: for a fixed number of epochs, since
        what few clips there are would choose it by chance.
        """
        training = self.recipe.training
        return None if training is None or training.start is not None else training.monitor

    @cached_property
    def variants(self) -> tuple[str, ...]:
        """The names of the copies that the recipe makes of a clip."""
        return tuple(copies(self.recipe.augment)) if self.recipe.augment else ()

    @property
    def classes(self) -> set[str]:
        """The classes that are trained and tested on."""
        labels: list[str] = self.labels.tolist()
        return set(labels) if self.tested is None else shared_labels(self.utterances, labels, self.tested)


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
