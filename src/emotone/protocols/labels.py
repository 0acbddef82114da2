"""Labels of several corpora: what each may mean, and what of a tested corpus a system can be asked for."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

__all__ = ["Asked", "asked", "classes_of", "comparable", "meanings"]

_VAGUE = {"neutral": ("neutral", "calm")}
"""A label -> the classes that it may mean in a corpus that does not tell them apart."""
_OR = "|"


class Asked(NamedTuple):
    """What a label of a tested corpus asks of a system: a class that both know.

    Attributes:
        name: what the class is called.
        counted: the system's classes whose probabilities together are its probability.
    """

    name: str
    counted: tuple[str, ...]


def comparable(corpora: Sequence[str], labels: Sequence[str]) -> list[str]:
    """Return labels of clips of several corpora so that one label means the same in all.

    RAVDESS tells *calm* from *neutral*; others have no *calm*, and their *neutral* may be either: it becomes
    "neutral|calm".

    Args:
        corpora: the corpus of every clip.
        labels: the label of every clip.
    """
    told: dict[str, set[str]] = {}
    for corpus, label in zip(corpora, labels, strict=True):
        told.setdefault(corpus, set()).add(label)
    everywhere = set(labels)

    def meant(corpus: str, label: str) -> str:
        finer = [each for each in _VAGUE.get(label, (label,)) if each in everywhere]
        return label if len(finer) < 2 or told[corpus].issuperset(finer) else _OR.join(finer)

    return [meant(corpus, label) for corpus, label in zip(corpora, labels, strict=True)]


def meanings(label: str) -> tuple[str, ...]:
    """Return the classes that a label may mean.

    >>> meanings("sad"), meanings("neutral|calm")
    (('sad',), ('neutral', 'calm'))
    """
    return tuple(label.split(_OR))


def classes_of(labels: Iterable[str]) -> set[str]:
    """Return the classes that clips of such labels teach: what "neutral|calm" may mean is one where none stands alone.

    >>> sorted(classes_of(["sad", "neutral|calm"]))
    ['neutral', 'sad']
    """
    found = set(labels)
    alone = {label for label in found if _OR not in label}
    return alone | {meanings(label)[0] for label in found - alone if alone.isdisjoint(meanings(label))}


def asked(classes: Iterable[str], labels: Iterable[str]) -> dict[str, Asked]:
    """Return what the labels of a tested corpus ask of a system that tells `classes`; without those it cannot know.

    >>> asked(["neutral", "calm", "sad"], ["neutral|calm", "bored"])
    {'neutral|calm': Asked(name='neutral', counted=('neutral', 'calm'))}
    >>> asked(["neutral", "sad"], ["calm"])
    {'calm': Asked(name='neutral', counted=('neutral',))}
    """
    known, found = set(classes), {}
    for label in dict.fromkeys(labels):
        vague = next((name for name, finer in _VAGUE.items() if label in finer and name in known), None)
        if counted := tuple(each for each in meanings(label) if each in known):
            found[label] = Asked(meanings(label)[0], counted)
        elif vague is not None:
            found[label] = Asked(vague, (vague,))
    return found
