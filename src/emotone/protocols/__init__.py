"""How clips are split: as published, cleanly, by speakers never heard in training, and by corpus."""

from emotone.protocols.folds import ACROSS, PROTOCOLS, UNSEEN, Fold, each_fold, make_folds, untested_fold
from emotone.protocols.labels import Asked, asked, classes_of, comparable, meanings
from emotone.protocols.speakers import EMOBOX6, LUNA5, in_turn
from emotone.protocols.task import Sample, two_corpora_needed

__all__ = [
    "ACROSS",
    "EMOBOX6",
    "LUNA5",
    "PROTOCOLS",
    "UNSEEN",
    "Asked",
    "Fold",
    "Sample",
    "asked",
    "classes_of",
    "comparable",
    "each_fold",
    "in_turn",
    "make_folds",
    "meanings",
    "two_corpora_needed",
    "untested_fold",
]
