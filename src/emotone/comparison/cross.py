"""Trained on one corpus, tested on another: the two joined, and what of them is left out."""

from collections import Counter
from collections.abc import Iterable, Sequence

from emotone.comparison.plan import labels_of
from emotone.corpora.base import Corpus
from emotone.corpora.together import named, summed
from emotone.errors import UsageError
from emotone.recipes.schema import Recipe

__all__ = ["describe", "dropped_of", "join"]


def join(train: Corpus, test: Corpus) -> Corpus:
    """Return both as one corpus, "ravdess-to-savee", for the protocol `cross`.

    The clips that are trained on come first, so that the other direction is other data by its fingerprint. Clips and
    speakers are named with their corpus: two speakers called 03 are two people.

    Raises:
        UsageError: two corpora of one name.
    """
    first, second = train.info, test.info
    if first.name == second.name:
        raise UsageError(
            f"Both corpora are called {first.name!r} ({train.root}, {test.root}): "
            "to test on another corpus name two different ones, or rename one manifest or folder."
        )
    info = summed(
        [first, second],
        name=f"{first.name}-to-{second.name}",
        title=f"Trained on {first.title}; tested on {second.title}",
    )
    utterances = tuple(named(utterance) for corpus in (train, test) for utterance in corpus.utterances)
    return Corpus(info, train.root, utterances, tested=second.name)


def dropped_of(recipe: Recipe, corpus: Corpus) -> dict[str, dict[str, int]]:
    """Return corpus -> class -> clips that are left out because the other corpus has no such class."""
    labels, classes = labels_of(recipe, corpus)
    dropped: dict[str, Counter[str]] = {}
    for utterance, label in zip(corpus.utterances, labels, strict=True):
        if label not in classes:
            dropped.setdefault(utterance.corpus, Counter())[label] += 1
    return {name: dict(sorted(counts.items())) for name, counts in dropped.items()}


def describe(recipes: Iterable[Recipe], corpus: Corpus, digests: Sequence[str]) -> list[str]:
    """Say in lines which classes joined corpora share under each label scheme, and what is left out."""
    lines = []
    for scheme, recipe in {recipe.scheme: recipe for recipe in recipes}.items():
        classes = labels_of(recipe, corpus)[1]
        dropped = [
            f"{label} ({clips} clip{'s' * (clips != 1)} of {name})"
            for name, counts in dropped_of(recipe, corpus).items()
            for label, clips in counts.items()
        ]
        lines.append(
            f"Classes of both under {scheme}: {', '.join(classes)}; left out: {', '.join(dropped) or 'nothing'}"
        )
    pairs = list(zip(corpus.utterances, digests, strict=True))
    tested = {digest for utterance, digest in pairs if utterance.corpus == corpus.tested}
    twins = sum(digest in tested for utterance, digest in pairs if utterance.corpus != corpus.tested)
    if twins:
        lines.append(f"Training clips that are also in {corpus.tested}: {twins}; not trained on where they are tested")
    return lines
