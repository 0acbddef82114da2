"""Voices that are near under different names: speakers who differ no more than two halves of one speaker's clips do."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
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
    speakers = timbres(known, on_progress=on_progress)
    return [pair for pair, value in _each_nearness(speakers) if value <= NEAR]


def timbres(
    utterances: "Sequence[Utterance]", *, on_progress: Callable[[int, int], None] | None = None
) -> dict[str, npt.NDArray[np.float64]]:
    """Return the mean MFCCs of the clips of each speaker, shape (clips, coefficients), by the speakers' names."""
    from emotone.augment import ORIGINAL
    from emotone.features.config import AudioConfig, FeatureConfig
    from emotone.features.extract import extract

    features = FeatureConfig(streams=("mfcc",), window=512, hop=160, mels=40, mfcc=_COEFFICIENTS)
    items = [(utterance.part, utterance.clip, ORIGINAL) for utterance in utterances]
    means = extract(items, audio=AudioConfig(rate=_RATE), features=features, keep=_timbre, on_progress=on_progress)
    clips: dict[str, list[npt.NDArray[np.float64]]] = defaultdict(list)
    for utterance, mean in zip(utterances, means, strict=True):
        clips[str(utterance.speaker)].append(mean)
    return {name: np.stack(own) for name, own in sorted(clips.items())}


def nearness(speakers: dict[str, npt.NDArray[np.float64]]) -> dict[tuple[str, str], float]:
    """Return how far each two speakers are from each other, where 1 is expected of two halves of one speaker's clips.

    It is the squared difference of their means over what the means would vary by if all clips were one speaker's,
    averaged over the values: the square of Welch's t with a pooled variance.

    Args:
        speakers: name -> values of their clips, shape (clips, values), two clips at least.
    """
    return dict(_each_nearness(speakers))


def _each_nearness(speakers: dict[str, npt.NDArray[np.float64]]) -> Iterator[tuple[tuple[str, str], float]]:
    """Yield two speakers and their nearness, one by one: of thousands of speakers there are millions."""
    names = list(speakers)
    variance = np.mean([clips.var(axis=0, ddof=1) for clips in speakers.values()], axis=0) + 1e-12
    means = np.stack([clips.mean(axis=0) for clips in speakers.values()])
    chances = np.array([1 / len(clips) for clips in speakers.values()])
    for at, one in enumerate(names):
        found = ((means[at] - means[at + 1 :]) ** 2 / variance).mean(axis=1) / (chances[at] + chances[at + 1 :])
        yield from zip(((one, other) for other in names[at + 1 :]), found.tolist(), strict=True)


def _timbre(frames: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    mean: npt.NDArray[np.float64] = frames[1:].mean(axis=1, dtype=np.float64)
    return mean
