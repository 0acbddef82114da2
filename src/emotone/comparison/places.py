"""Where a corpus that is tested lies among those that are trained on, by how their speakers sound to a recogniser."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from emotone.audio import Part
from emotone.corpora.base import Corpus, Utterance
from emotone.errors import AudioError

__all__ = ["FAR", "Place", "places"]

FAR = 2.0
"""A distance: RAVDESS, EMO-DB, nEMO, URDU and TESS lie 1.3 to 2.1 from each other, in four languages and five rooms."""
_SPEAKERS, _CLIPS = 24, 5  # of a corpus that are listened to, and of each of them

Vector = npt.NDArray[np.float64]
Each = TypeVar("Each")
Embed = Callable[[Part], npt.NDArray[np.float32] | None]


@dataclass(frozen=True)
class Place:
    """How far a tested corpus lies from those that are trained on.

    Attributes:
        corpus: its name.
        distances: corpus that is trained on -> distance from it, the nearest first; 1 is how far a speaker lies from
            the middle of the speakers of one corpus.
    """

    corpus: str
    distances: Mapping[str, float]

    @property
    def is_far(self) -> bool:
        """Whether it is far from all of them."""
        return min(self.distances.values()) > FAR

    def __str__(self) -> str:
        apart = ", ".join(f"{distance:.1f} from {name}" for name, distance in self.distances.items())
        return f"{self.corpus} lies {apart} (a speaker lies 1 from the middle of a corpus)"


def places(corpus: Corpus, embed: Embed, *, on_progress: Callable[[int, int], None] | None = None) -> tuple[Place, ...]:
    """Return the place of every tested corpus of joined ones, in their order.

    A corpus is the mean over its speakers, a speaker the mean embedding of up to 5 clips. Two corpora are apart by the
    root mean square of their difference, each value by its deviation among the speakers of one corpus. Corpora of
    fewer than three speakers cannot tell that deviation; where none can, no place is known.

    Args:
        corpus: as `join` makes it.
        embed: returns a clip's embedding, (width,); None without speech. What it cannot read is left out.
        on_progress: called with (clips done, clips in all).
    """
    asked = {name: _some(clips) for name, clips in _grouped(corpus.utterances, lambda clip: clip.corpus).items()}
    total, done = sum(len(clips) for voices in asked.values() for clips in voices), 0
    speakers: dict[str, list[Vector]] = {name: [] for name in asked}
    for name, voices in asked.items():
        for clips in voices:
            heard = []
            for clip in clips:
                with suppress(AudioError):  # the runs say so
                    heard.append(embed(clip.part))
                done += 1
                if on_progress is not None:
                    on_progress(done, total)
            if found := [vector for vector in heard if vector is not None]:
                speakers[name].append(np.mean(found, axis=0, dtype=np.float64))
    trained = {name: voices for name, voices in speakers.items() if name not in corpus.tested and voices}
    spreads = [np.var(voices, axis=0, ddof=1) for voices in trained.values() if len(voices) > 2]
    if not spreads:
        return ()
    spread = np.maximum(np.mean(spreads, axis=0), np.finfo(np.float32).eps)
    return tuple(_place(name, speakers[name], trained, spread) for name in corpus.tested if speakers[name])


def _place(name: str, voices: list[Vector], trained: Mapping[str, list[Vector]], spread: Vector) -> Place:
    middle = np.mean(voices, axis=0)
    apart = {other: np.sqrt(np.mean((middle - np.mean(own, axis=0)) ** 2 / spread)) for other, own in trained.items()}
    return Place(name, {other: float(apart[other]) for other in sorted(apart, key=apart.__getitem__)})


def _some(clips: Sequence[Utterance]) -> list[list[Utterance]]:
    """Return clips of some speakers, both evenly chosen; each clip is a speaker's own where none are stated."""
    stated = any(clip.speaker for clip in clips)
    voices = list(_grouped(clips, lambda clip: (clip.speaker if stated else clip.clip) or "").values())
    return [_evenly(own, _CLIPS) for own in _evenly(voices, _SPEAKERS if stated else _SPEAKERS * _CLIPS)]


def _evenly(of: Sequence[Each], count: int) -> list[Each]:
    return [of[at] for at in sorted({round(place) for place in np.linspace(0, len(of) - 1, min(count, len(of)))})]


def _grouped(clips: Sequence[Utterance], key: Callable[[Utterance], str]) -> dict[str, list[Utterance]]:
    groups: dict[str, list[Utterance]] = {}
    for clip in clips:
        groups.setdefault(key(clip), []).append(clip)
    return groups
