"""How clips are split: as published, cleanly, by speakers never heard in training, and by corpus."""

from emotone.protocols.folds import PROTOCOLS, Fold, make_folds, untested_fold
from emotone.protocols.speakers import EMOBOX6, LUNA5, in_turn
from emotone.protocols.task import Sample, shared_labels, two_corpora_needed

__all__ = [
    "EMOBOX6",
    "LUNA5",
    "PROTOCOLS",
    "Fold",
    "Sample",
    "in_turn",
    "make_folds",
    "shared_labels",
    "two_corpora_needed",
    "untested_fold",
]
