"""Which runs a comparison consists of, and which of them are done."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emotone.corpora.base import Corpus
from emotone.emotions import get_scheme
from emotone.errors import CorpusError, EmotoneError, UsageError, unknown
from emotone.evaluation.record import read_record
from emotone.models.config import EncoderConfig
from emotone.protocols import PROTOCOLS, Asked, Fold, asked, classes_of, comparable, each_fold, two_corpora_needed
from emotone.recipes.schema import Recipe

__all__ = [
    "PRESETS",
    "RunSpec",
    "asked_of",
    "check",
    "check_devices",
    "finished",
    "fold_of",
    "folds_of",
    "labels_of",
    "plan",
]

PRESETS = {
    "quick": "few epochs and the first fold only: a look in minutes, no reproduction",
    "paper": "the paper's own number of epochs, all folds",
}

_WORDS = ("title", "published", "choices")  # of a recipe: what says something of a run, and changes nothing in it


@dataclass(frozen=True)
class RunSpec:
    """One run: a recipe on one fold of a protocol with one seed."""

    recipe: Recipe
    protocol: str
    preset: str
    fold: int
    folds: int
    seed: int

    @property
    def name(self) -> str:
        """What to call the run on screen."""
        fold = f" fold {self.fold + 1}/{self.folds}" if self.folds > 1 else ""
        return f"{self.recipe.id} {self.protocol}{fold} seed {self.seed}"

    @property
    def epochs(self) -> int | None:
        """How many epochs at most; None for a model without."""
        if self.recipe.training is None:
            return None
        quick = self.recipe.quick_epochs if self.preset == "quick" else None
        return quick or self.recipe.training.epochs

    def path(self, folder: Path) -> Path:
        """Where the run's JSON lies under the folder of all runs."""
        name = f"{self.recipe.id}.{self.preset}.fold{self.fold + 1}.seed{self.seed}.json"
        return folder / self.protocol / name


def check(recipes: Sequence[Recipe], *, protocols: Sequence[str], preset: str, crossing: bool = False) -> None:
    """Refuse what no corpus makes possible, before one is looked for.

    Raises:
        UsageError: an unknown protocol or preset, `cross` unless `crossing` from corpora to others, a system that
            cannot run (so), two recipes of one id.
    """
    if preset not in PRESETS:
        raise unknown("preset", preset, PRESETS)
    for protocol in protocols:
        if protocol not in PROTOCOLS:
            raise unknown("protocol", protocol, PROTOCOLS)
        if protocol == "cross" and not crossing:
            raise two_corpora_needed()
    named: dict[str, Recipe] = {}
    for recipe in recipes:
        if named.setdefault(recipe.id, recipe) != recipe:
            raise UsageError(f"Two recipes are called {recipe.id!r}; give one of them another `id`.")
        if preset == "quick" and not recipe.is_quick:
            raise UsageError(f"{recipe.id} is too long for the quick preset; use --preset paper.")


def check_devices(recipes: Sequence[Recipe], devices: int) -> None:
    """Refuse to train on several devices what cannot be.

    Raises:
        UsageError: (so).
    """
    if devices < 1:
        raise UsageError(f"--devices is {devices}; it must be at least 1.")
    for recipe in recipes if devices > 1 else ():
        if recipe.training is None or not recipe.learns_by_gradient:
            raise UsageError(f"{recipe.id} is fitted at once, not batch by batch: --devices {devices} is for networks.")
        if devices > recipe.training.batch:
            raise UsageError(
                f"--devices is {devices}; {recipe.id} has batches of {recipe.training.batch} clip(s), which are shared."
            )


def plan(
    recipes: Sequence[Recipe], corpus: Corpus, *, protocols: Sequence[str], preset: str, seeds: int
) -> list[RunSpec]:
    """Return all runs, system by system, each once.

    Raises:
        UsageError: see `check`; or a system whose pretrained weights were not found by `with_encoder`.
        ProtocolError: a corpus that a protocol cannot split.
    """
    check(recipes, protocols=protocols, preset=preset, crossing=bool(corpus.tested))
    specs = []
    for recipe in recipes:
        if isinstance(recipe.model, EncoderConfig) and recipe.model.weights is None:
            raise UsageError(f"{recipe.id} needs pretrained weights, and {recipe.model.encoder} was not looked for.")
        for protocol in protocols:
            count = sum(1 for _ in _each_fold(recipe, corpus, protocol, 0, ()))
            for fold in range(1 if preset == "quick" else count):
                specs += [RunSpec(recipe, protocol, preset, fold, count, seed) for seed in range(seeds)]
    return list(dict.fromkeys(specs))


def labels_of(recipe: Recipe, corpus: Corpus) -> tuple[list[str], tuple[str, ...]]:
    """Return the label of every utterance under the recipe's scheme, and the classes that they teach, in their order.

    Labels of joined corpora are made `comparable`; classes are those of the corpora that are trained on.

    Raises:
        CorpusError: a scheme that needs the gender of clips that state none.
    """
    scheme = get_scheme(recipe.scheme)
    if scheme.needs_gender:
        unknown_gender = [utterance.clip for utterance in corpus.utterances if utterance.gender is None]
        if unknown_gender:
            raise CorpusError(
                f"{recipe.id} tells genders apart, and {len(unknown_gender)} clip(s) of {corpus.info.name} state none: "
                f"{', '.join(unknown_gender[:3])}. Add a `gender` column, or choose another system."
            )
    corpora = [utterance.corpus for utterance in corpus.utterances]
    labels = comparable(
        corpora, [scheme.to_label(utterance.emotion, utterance.gender) for utterance in corpus.utterances]
    )
    trained = [label for name, label in zip(corpora, labels, strict=True) if name not in corpus.tested]
    return labels, scheme.classes(classes_of(trained))


def asked_of(recipe: Recipe, corpus: Corpus, fold: Fold) -> tuple[tuple[str, ...], dict[str, dict[str, Asked]]]:
    """Return the classes that a fold teaches, and tested corpus -> label -> what it asks of who learnt them."""
    labels, scheme = labels_of(recipe, corpus)[0], get_scheme(recipe.scheme)
    classes = scheme.classes(classes_of(labels[sample.clip] for sample in (*fold.train, *fold.validation)))
    told: dict[str, list[str]] = {corpus.utterances[sample.clip].corpus: [] for sample in fold.test}
    for utterance, label in zip(corpus.utterances, labels, strict=True):
        if utterance.corpus in told:
            told[utterance.corpus].append(label)
    return classes, {name: asked(classes, found) for name, found in told.items()}


def folds_of(recipe: Recipe, corpus: Corpus, protocol: str, seed: int, digests: Sequence[str]) -> list[Fold]:
    """Return the folds of a protocol for a recipe on a corpus; see `make_folds`."""
    return list(_each_fold(recipe, corpus, protocol, seed, digests))


def fold_of(spec: RunSpec, corpus: Corpus, digests: Sequence[str]) -> Fold:
    """Return a run's fold, and make no other."""
    return next(_each_fold(spec.recipe, corpus, spec.protocol, spec.seed, digests, only=spec.fold))


def _each_fold(
    recipe: Recipe, corpus: Corpus, protocol: str, seed: int, digests: Sequence[str], *, only: int | None = None
) -> Iterator[Fold]:
    labels, _ = labels_of(recipe, corpus)
    return each_fold(
        recipe,
        protocol,
        corpus.utterances,
        labels,
        seed=seed,
        digests=digests,
        tested=corpus.tested,
        only=only,
    )


def finished(spec: RunSpec, folder: Path, data_hash: str) -> bool:
    """Tell whether the run's JSON is there, of this recipe (its words apart) and this data. Else it is run again."""
    path = spec.path(folder)
    if not path.is_file():
        return False
    try:
        record = read_record(path)
        made_of = Recipe.parse(record.recipe, where=path)  # an older record lacks keys that were not yet there
    except EmotoneError:
        return False
    return record.data_hash == data_hash and _but_words(made_of) == _but_words(spec.recipe)


def _but_words(recipe: Recipe) -> dict[str, Any]:
    return recipe.model_dump(mode="json", exclude=set(_WORDS))
