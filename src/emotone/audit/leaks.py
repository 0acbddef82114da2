"""What a protocol's fold leaks by its making, in the words that a run's record has."""

from collections.abc import Sequence

from emotone.augment import ORIGINAL
from emotone.protocols import Fold

__all__ = ["leaks_of"]


def leaks_of(fold: Fold, digests: Sequence[str] = ()) -> tuple[str, ...]:
    """Return what the fold leaks from test into training, in plain words.

    Args:
        fold: any.
        digests: one per clip, the same for clips that are one recording under two names; empty where none are known.
    """
    leaks = []
    if fold.monitor == "test":
        leaks.append("epochs and learning rate are chosen on the test set")
    seen = {sample.clip for sample in fold.train + fold.validation}
    if any(sample.clip in seen for sample in fold.test):
        if any(sample.variant != ORIGINAL for sample in fold.test):
            leaks.append("copies are made before the split, so variants of one recording stand on both sides")
        else:
            leaks.append("noisy copies of every clip, test clips included, are trained on")
    known = {digests[clip]: clip for clip in seen} if digests else {}
    if any(known.get(digests[sample.clip], sample.clip) != sample.clip for sample in fold.test if digests):
        leaks.append("a test clip is trained on under another name: the corpus has one recording twice")
    return tuple(leaks)
