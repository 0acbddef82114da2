"""What a system's probabilities say of the clips that a fold tests, on the classes that both know."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from emotone.comparison.plan import asked_of, labels_of
from emotone.corpora.base import Corpus
from emotone.emotions import get_scheme
from emotone.protocols import Fold
from emotone.recipes.schema import Recipe

__all__ = ["Answers"]


@dataclass(frozen=True)
class Answers:
    """What a fold's test clips are, and may be said to be.

    A clip of a corpus that has no *surprised* is never called that, and where it tells no *calm*, that counts as
    neutral.

    Attributes:
        learnt: the classes that the fold teaches, as a system's probabilities have them.
        classes: those that test clips may be, all corpora together.
        true: the class of every test clip.
        counted: (test clips, learnt, classes), 1 where a learnt class counts for one that the clip may be.
    """

    learnt: tuple[str, ...]
    classes: tuple[str, ...]
    true: tuple[str, ...]
    counted: NDArray[np.bool_]

    @classmethod
    def of(cls, recipe: Recipe, corpus: Corpus, fold: Fold) -> Self:
        """Return what the test clips of a fold ask."""
        labels = labels_of(recipe, corpus)[0]
        learnt, wanted = asked_of(recipe, corpus, fold)
        classes = get_scheme(recipe.scheme).classes(each.name for told in wanted.values() for each in told.values())
        counted = {name: np.zeros((len(learnt), len(classes)), bool) for name in wanted}
        for name, told in wanted.items():
            for each in told.values():
                for one in each.counted:
                    counted[name][learnt.index(one), classes.index(each.name)] = True
        whose = [corpus.utterances[sample.clip].corpus for sample in fold.test]
        return cls(
            learnt=learnt,
            classes=classes,
            true=tuple(wanted[name][labels[sample.clip]].name for name, sample in zip(whose, fold.test, strict=True)),
            counted=np.stack([counted[name] for name in whose]),
        )

    def judge(self, probabilities: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return probabilities (test clips, classes), each row of sum 1, for those of `learnt`."""
        if self.classes == self.learnt and (self.counted == np.eye(len(self.learnt), dtype=bool)).all():
            return probabilities
        told = np.einsum("tl,tlc->tc", probabilities.astype(np.float64), self.counted)
        # A tree may be sure of a class that the clip cannot be: then nothing is known of the others.
        possible = self.counted.any(1)
        told = np.where(told.sum(1, keepdims=True) > 0, told, possible)
        return np.asarray(told / told.sum(1, keepdims=True), np.float32)
