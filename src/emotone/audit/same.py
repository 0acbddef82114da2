"""What sounds the same in a corpus: clips of the same or near-identical samples, also through a third, and voices."""

from collections.abc import Callable, Sequence

from emotone.audit.similar import similar_pairs
from emotone.audit.voices import near_voices
from emotone.corpora.base import Utterance
from emotone.corpora.fingerprint import sample_digests

__all__ = ["Sounds", "listen"]


class Sounds:
    """The clips of a corpus, by index, in groups that sound the same.

    Two copies of one recording are in a group even where they are more like the recording than like each other.
    """

    def __init__(
        self,
        digests: Sequence[str],
        pairs: Sequence[tuple[int, int, float]],
        voices: Sequence[tuple[str, str]] = (),
    ) -> None:
        """Group clips by the digests of their samples and by pairs (clip, clip, similarity) of near-identical ones.

        `voices` are pairs of speakers who sound as one.
        """
        self.voices = tuple(voices)
        self._digests = digests
        self._similarity = {frozenset((digests[one], digests[other])): value for one, other, value in pairs}
        leader = {digest: digest for digest in digests}

        def lead(digest: str) -> str:
            while leader[digest] != digest:
                digest = leader[digest]
            return digest

        for one, other, _ in pairs:
            leader[lead(digests[one])] = lead(digests[other])
        self._leaders = [lead(digest) for digest in digests]
        self._groups: dict[str, list[int]] = {}
        for clip, first in enumerate(self._leaders):
            self._groups.setdefault(first, []).append(clip)

    def group(self, clip: int) -> list[int]:
        """Return the other clips that sound as `clip` does."""
        return [other for other in self._groups[self._leaders[clip]] if other != clip]

    def identical(self, one: int, other: int) -> bool:
        """Tell whether two clips have the same samples."""
        return self._digests[one] == self._digests[other]

    def similarity(self, one: int, other: int) -> float | None:
        """Return how similar two clips are, up to 1; None where that was found through a third one only."""
        if self.identical(one, other):
            return 1.0
        return self._similarity.get(frozenset((self._digests[one], self._digests[other])))


def listen(utterances: Sequence[Utterance], *, on_progress: Callable[[int, int], None] | None = None) -> Sounds:
    """Read all recordings and find those that sound the same.

    Raises:
        AudioError: a recording that cannot be read.
    """
    digests = sample_digests(utterances, on_progress=on_progress)
    first = {digest: clip for clip, digest in reversed(list(enumerate(digests)))}
    clips = sorted(first.values())
    found = similar_pairs(
        [utterances[clip].part for clip in clips], [digests[clip] for clip in clips], on_progress=on_progress
    )
    pairs = [(clips[pair.first], clips[pair.second], pair.similarity) for pair in found]
    return Sounds(digests, pairs, near_voices(utterances, on_progress=on_progress))
