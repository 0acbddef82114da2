"""What a protocol's fold leaks by its making, in the words that a run's record has."""

from emotone.features.config import ORIGINAL
from emotone.protocols import Fold

__all__ = ["leaks_of"]


def leaks_of(fold: Fold) -> tuple[str, ...]:
    """Return what the fold leaks from test into training, in plain words; read off its samples, without audio."""
    leaks = []
    if fold.monitor == "test":
        leaks.append("epochs and learning rate are chosen on the test set")
    seen = {sample.clip for sample in fold.train + fold.validation}
    if any(sample.clip in seen for sample in fold.test):
        if any(sample.variant != ORIGINAL for sample in fold.test):
            leaks.append("copies are made before the split, so variants of one recording stand on both sides")
        else:
            leaks.append("noisy copies of every clip, test clips included, are trained on")
    return tuple(leaks)
