"""The emotions, and the label schemes that turn emotion and gender into a class. Their order is fixed here, once."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from emotone.errors import unknown

__all__ = ["EMOTIONS", "SCHEMES", "LabelScheme", "get_scheme", "to_merged"]

EMOTIONS = ("neutral", "calm", "happy", "sad", "angry", "fearful", "disgust", "surprised")
"""RAVDESS's eight emotions in its own order. A corpus may have others ("bored"), which sort after these."""

_MERGED = tuple(emotion for emotion in EMOTIONS if emotion != "calm")
_GENDERED = tuple(f"{gender}_{emotion}" for gender in ("female", "male") for emotion in _MERGED)


@dataclass(frozen=True)
class LabelScheme:
    """How an utterance becomes a class.

    Attributes:
        name: the scheme's name in recipes.
        order: the classes of RAVDESS under this scheme, in their fixed order.
        to_label: (emotion, gender) -> class.
        needs_gender: whether `to_label` needs the speaker's gender.
    """

    name: str
    order: tuple[str, ...]
    to_label: Callable[[str, str | None], str]
    needs_gender: bool = False

    def classes(self, labels: Iterable[str]) -> tuple[str, ...]:
        """Return the distinct `labels`, in the scheme's order, those it does not know sorted at the end.

        >>> get_scheme("merged7").classes(["sad", "bored", "neutral"])
        ('neutral', 'sad', 'bored')
        """
        present = set(labels)
        known = tuple(label for label in self.order if label in present)
        return known + tuple(sorted(present.difference(self.order)))


def _merge(emotion: str, gender: str | None = None) -> str:
    return "neutral" if emotion == "calm" else emotion


SCHEMES = {
    scheme.name: scheme
    for scheme in (
        LabelScheme("ravdess8", EMOTIONS, lambda emotion, gender: emotion),
        LabelScheme("merged7", _MERGED, _merge),
        LabelScheme("gender14", _GENDERED, lambda emotion, gender: f"{gender}_{_merge(emotion)}", needs_gender=True),
    )
}
"""`ravdess8`: as labelled. `merged7`: calm counts as neutral. `gender14`: merged7 times the speaker's gender."""


def to_merged(label: str) -> str:
    """Return the emotion of a class of any scheme, calm as neutral: what all schemes can be judged by.

    >>> to_merged("female_sad"), to_merged("calm")
    ('sad', 'neutral')
    """
    return _merge(label.removeprefix("female_").removeprefix("male_"))


def get_scheme(name: str) -> LabelScheme:
    """Return the label scheme called `name`; an unknown one is a `UsageError`."""
    if name not in SCHEMES:
        raise unknown("label scheme", name, SCHEMES)
    return SCHEMES[name]
