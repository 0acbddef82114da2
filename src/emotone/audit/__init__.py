"""What leaks in a split: shared speakers, duplicates, augmented kin, choices made on the test set."""

from emotone.audit.findings import Case, Finding, find
from emotone.audit.leaks import leaks_of
from emotone.audit.same import Sounds, listen
from emotone.audit.split import Split, of_fold, of_manifest, promises_unseen_speakers

__all__ = [
    "Case",
    "Finding",
    "Sounds",
    "Split",
    "find",
    "leaks_of",
    "listen",
    "of_fold",
    "of_manifest",
    "promises_unseen_speakers",
]
