"""What is to be split, and into what."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from emotone.augment import ORIGINAL, copies
from emotone.corpora.base import Utterance
from emotone.errors import UsageError
from emotone.recipes.schema import Recipe

__all__ = ["Indices", "Sample", "Task", "two_corpora_needed"]

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
    tested: tuple[str, ...] = ()

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

    @cached_property
    def corpora(self) -> tuple[str, ...]:
        """The corpora of the utterances, in their order."""
        return tuple(dict.fromkeys(utterance.corpus for utterance in self.utterances))


def two_corpora_needed() -> UsageError:
    """Return the error for `cross` on a single corpus."""
    return UsageError(
        "Protocol 'cross' trains on some corpora and tests on others; it is asked for by naming them: "
        "emotone compare SYSTEM --train ravdess --test emodb,savee."
    )
