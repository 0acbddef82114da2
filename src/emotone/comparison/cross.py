"""Trained on some corpora, tested on others: all of them joined, and what of them is left out."""

from collections import Counter
from collections.abc import Iterable, Sequence

from emotone.comparison.plan import asked_of, folds_of, labels_of
from emotone.corpora.base import Corpus
from emotone.corpora.together import named, summed
from emotone.emotions import get_scheme
from emotone.errors import UsageError
from emotone.protocols import Fold
from emotone.recipes.schema import Recipe

__all__ = ["describe", "dropped_of", "join"]


def join(train: Corpus, tests: Sequence[Corpus]) -> Corpus:
    """Return corpora as one, "ravdess-to-emodb+savee", for the protocol `cross`.

    The clips that are trained on come first, so that the other direction is other data by its fingerprint. Clips and
    speakers are named with their corpus: two speakers called 03 are two people.

    Args:
        train: one corpus, or several as `together` makes one of them.
        tests: at least one.

    Raises:
        UsageError: two corpora of one name.
    """
    heard = {utterance.corpus for utterance in train.utterances}
    for place, test in enumerate(tests):
        if test.info.name in heard | {before.info.name for before in tests[:place]}:
            raise UsageError(
                f"Two corpora are called {test.info.name!r} ({train.root}, {test.root}): "
                "to test on another corpus name different ones, or rename one manifest or folder."
            )
    infos = [test.info for test in tests]
    tested = infos[0].title if len(infos) == 1 else ", ".join(info.name for info in infos)
    info = summed(
        [train.info, *infos],
        name=f"{train.info.name}-to-{'+'.join(info.name for info in infos)}",
        title=f"Trained on {train.info.title}; tested on {tested}",
    )
    trained = train.utterances if len(heard) > 1 else map(named, train.utterances)  # `together` has named them
    asked = (named(utterance) for test in tests for utterance in test.utterances)
    return Corpus(info, train.root, (*trained, *asked), tested=tuple(info.name for info in infos))


def dropped_of(recipe: Recipe, corpus: Corpus, fold: Fold) -> dict[str, dict[str, int]]:
    """Return tested corpus -> label -> clips that are left out because the others have no such class."""
    labels, (_, wanted) = labels_of(recipe, corpus)[0], asked_of(recipe, corpus, fold)
    dropped: dict[str, Counter[str]] = {}
    for utterance, label in zip(corpus.utterances, labels, strict=True):
        if utterance.corpus in wanted and label not in wanted[utterance.corpus]:
            dropped.setdefault(utterance.corpus, Counter())[label] += 1
    return {name: dict(sorted(counts.items())) for name, counts in dropped.items()}


def describe(recipes: Iterable[Recipe], corpus: Corpus, digests: Sequence[str]) -> list[str]:
    """Say in lines which classes are tested in joined corpora under each label scheme, and what is left out."""
    lines = []
    for scheme, recipe in {recipe.scheme: recipe for recipe in recipes}.items():
        (fold,) = folds_of(recipe, corpus, "cross", 0, ())
        dropped = dropped_of(recipe, corpus, fold)
        for name, wanted in asked_of(recipe, corpus, fold)[1].items():
            left = [f"{label} ({clips} clip{'s' * (clips != 1)})" for label, clips in dropped.get(name, {}).items()]
            classes = ", ".join(get_scheme(scheme).classes(each.name for each in wanted.values()))
            lines.append(f"Classes of {name} under {scheme}: {classes}; left out: {', '.join(left) or 'nothing'}")
    pairs = list(zip(corpus.utterances, digests, strict=True))
    tested = {digest for utterance, digest in pairs if utterance.corpus in corpus.tested}
    twins = sum(digest in tested for utterance, digest in pairs if utterance.corpus not in corpus.tested)
    if twins:
        lines.append(
            f"Training clips that are also in {', '.join(corpus.tested)}: {twins}; not trained on where they are tested"
        )
    return lines
