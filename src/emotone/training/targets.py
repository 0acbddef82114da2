"""What is to be learnt of labelled clips of one or several corpora: indices, what they mean, what the clips weigh."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from emotone.protocols import Fold, Sample, meanings

__all__ = ["Targets"]


@dataclass(frozen=True)
class Targets:
    """The labels of a fold's clips, as a classifier learns them.

    Attributes:
        fold: whose training and validation clips are learnt.
        classes: what is told apart.
        labels: of every clip of the corpus.
        corpora: of every clip.
        vague: whether the classifier learns labels that may mean several classes as that; else the first counts.
        even: whether every label of a corpus alone weighs the same, as it does where there are several.
    """

    fold: Fold
    classes: Sequence[str]
    labels: Sequence[str]
    corpora: Sequence[str]
    vague: bool
    even: bool = False

    @cached_property
    def meant(self) -> NDArray[np.bool_] | None:
        """(labels, classes), true for what the label of each index may mean; None where every label is a class."""
        if len(self._rows) == len(self.classes):
            return None
        return np.array([[name in known for name in self.classes] for known in self._rows])

    def indices(self, samples: Sequence[Sample]) -> NDArray[np.intp]:
        """Return the label of samples as its index, (samples,): the classes come first."""
        return np.array([self._rows[self._known(sample)] for sample in samples], np.intp)

    def corpora_of(self, samples: Sequence[Sample]) -> list[str]:
        """Return which corpus each of the samples is of."""
        return [self.corpora[sample.clip] for sample in samples]

    def joined(self, samples: Sequence[Sample]) -> bool:
        """Tell whether samples are of several corpora."""
        return len(set(self.corpora_of(samples))) > 1

    def weights(self, samples: Sequence[Sample]) -> NDArray[np.float32] | None:
        """Return what samples weigh, (samples,), 1 on average: every corpus the same, and in it every label.

        None where they are of one corpus, unless its labels are to be `even`.
        """
        if not (self.even or self.joined(samples)):
            return None
        kinds = [(self.corpora[sample.clip], self.labels[sample.clip]) for sample in samples]
        labels, counts = Counter(corpus for corpus, _ in set(kinds)), Counter(kinds)
        found = np.array([1 / (labels[kind[0]] * counts[kind]) for kind in kinds], np.float32)
        return np.asarray(found / found.mean(), np.float32)

    def is_known(self, label: int, *, among: NDArray[np.intp]) -> bool:
        """Tell whether a label, as `indices` has it, may mean a class that some label `among` others may mean."""
        meant = np.eye(len(self.classes), dtype=bool) if self.meant is None else self.meant
        return bool((meant[label] & meant[np.unique(among)].any(axis=0)).any())

    @cached_property
    def _rows(self) -> dict[tuple[str, ...], int]:
        known = {self._known(sample) for sample in (*self.fold.train, *self.fold.validation)}
        several = sorted(each for each in known if len(each) > 1)
        return {each: row for row, each in enumerate([*((name,) for name in self.classes), *several])}

    def _known(self, sample: Sample) -> tuple[str, ...]:
        known = tuple(name for name in meanings(self.labels[sample.clip]) if name in self.classes)
        return known if self.vague else known[:1]
