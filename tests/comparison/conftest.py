"""A corpus of three synthetic speakers, small systems, and a listener that only remembers."""

from pathlib import Path
from typing import Any

import pytest

from emotone import corpora, recipes
from emotone.comparison.plan import RunSpec
from emotone.comparison.run import Setting
from emotone.corpora.base import Corpus
from emotone.corpora.fingerprint import sample_digests
from emotone.evaluation.record import RunRecord
from emotone.recipes.schema import Recipe

TIMES = ("seconds", "milliseconds_per_clip", "created")


class Heard:
    """What a sweep told."""

    def __init__(self) -> None:
        self.done: list[tuple[int, int]] = []
        self.epochs: list[tuple[str, int, int]] = []
        self.finished: list[str] = []

    def features(self, done: int, total: int) -> None:
        self.done.append((done, total))

    def epoch(self, spec: RunSpec, epoch: int, epochs: int) -> None:
        self.epochs.append((spec.recipe.id, epoch, epochs))

    def finish(self, spec: RunSpec, record: RunRecord) -> None:
        self.finished.append(spec.name)


def but_times(record: RunRecord) -> dict[str, Any]:
    return record.model_dump(exclude=set(TIMES))


@pytest.fixture(autouse=True)
def plain(without_pictures: None) -> None:
    """No test here looks at a corpus's audio in a report."""


@pytest.fixture(scope="session")
def corpus(synthetic: Path) -> Corpus:
    return corpora.load("synthetic", data=synthetic)


@pytest.fixture(scope="session")
def setting(corpus: Corpus, cache_of_the_tests: None) -> Setting:
    return Setting(corpus, sample_digests(corpus.utterances), "cpu")


@pytest.fixture(scope="session")
def systems(small: dict[str, Path]) -> dict[str, Recipe]:
    return {name: recipes.load(str(path)) for name, path in small.items()}


@pytest.fixture
def heard() -> Heard:
    return Heard()
