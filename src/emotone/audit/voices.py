"""Voices that are near under different names: speakers who differ no more than two halves of one speaker's clips do."""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from emotone.corpora.base import Utterance

__all__ = ["FEWEST_CLIPS", "NEAR", "near_voices", "nearness", "timbres"]

FEWEST_CLIPS = 8
"""Clips that a speaker must have to be compared."""

NEAR = 1.2
"""Up to this `nearness` two speakers may be one; docs/audit.md has what it finds and what it mistakes."""

_RATE = 16_000
_COEFFICIENTS = 20  # MFCCs; the first is the level and left out


def near_voices(
    utterances: "Sequence[Utterance]", *, on_progress: Callable[[int, int], None] | None = None
) -> list[tuple[str, str]]:
    """Return the pairs of speakers, in the order of their names, whose voices are as near as one's own.

    A speaker is the mean of their clips' mean MFCCs. Two takes of one person through different microphones are far
    from each other and not found.

    Raises:
        AudioError: a recording that cannot be read.
    """
    counts = Counter(utterance.speaker for utterance in utterances if utterance.speaker)
    known = [utterance for utterance in utterances if counts[utterance.speaker or ""] >= FEWEST_CLIPS]
    if len({utterance.speaker for utterance in known}) < 2:
        return []
    distances = nearness(timbres(known, on_progress=on_progress))
    return [pair for pair, value in distances.items() if value <= NEAR]


def timbres(
    utterances: "Sequence[Utterance]", *, on_progress: Callable[[int, int], None] | None = None
) -> dict[str, npt.NDArray[np.float64]]:
    """Return the mean MFCCs of the clips of each speaker, shape (clips, coefficients), by the speakers' names."""
    from emotone.augment import ORIGINAL
    from emotone.features.config import AudioConfig, FeatureConfig
    from emotone.features.extract import extract

    features = FeatureConfig(streams=("mfcc",), window=512, hop=160, mels=40, mfcc=_COEFFICIENTS)
    items = [(utterance.part, utterance.clip, ORIGINAL) for utterance in utterances]
    frames = extract(items, audio=AudioConfig(rate=_RATE), features=features, on_progress=on_progress)
    clips: dict[str, list[npt.NDArray[np.float64]]] = defaultdict(list)
    for utterance, each in zip(utterances, frames, strict=True):
        clips[str(utterance.speaker)].append(each[1:].mean(axis=1, dtype=np.float64))
    return {name: np.stack(own) for name, own in sorted(clips.items())}


def nearness(speakers: dict[str, npt.NDArray[np.float64]]) -> dict[tuple[str, str], float]:
    """Return how far each two speakers are from each other, where 1 is expected of two halves of one speaker's clips.

    It is the squared difference of their means over what the means would vary by if all clips were one speaker's,
    averaged over the values: the square of Welch's t with a pooled variance.

    Args:
        speakers: name -> values of their clips, shape (clips, values), two clips at least.
    """
    variance = np.mean([clips.var(axis=0, ddof=1) for clips in speakers.values()], axis=0) + 1e-12
    found = {}
    for one, other in combinations(speakers, 2):
        difference = speakers[one].mean(axis=0) - speakers[other].mean(axis=0)
        chance = 1 / len(speakers[one]) + 1 / len(speakers[other])
        found[one, other] = float(np.mean(difference**2 / variance) / chance)
    return found
