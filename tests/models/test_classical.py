"""Classical models are the papers' ones, behind scikit-learn's interface."""

import numpy as np
import pytest

from emotone.models.classical import build_classical
from emotone.models.config import DecisionTreeConfig, KnnConfig

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(80, 6)).astype(np.float32)
Y = RANDOM.integers(0, 3, size=80)
NEW = RANDOM.normal(size=(20, 6)).astype(np.float32)


@pytest.mark.parametrize("config", [DecisionTreeConfig(), KnnConfig(neighbours=4)])
def test_probabilities_are_in_the_order_of_classes(config: DecisionTreeConfig | KnnConfig) -> None:
    model = build_classical(config, seed=0).fit(X, Y)
    assert list(model.classes_) == [0, 1, 2]
    probabilities = model.predict_proba(NEW)
    assert probabilities.shape == (20, 3)
    np.testing.assert_allclose(probabilities.sum(1), 1)


def test_an_unlimited_tree_learns_all_by_heart() -> None:
    model = build_classical(DecisionTreeConfig(), seed=0).fit(X, Y)
    assert (model.predict(X) == Y).all()
    assert model.criterion == "gini"


def test_the_trees_seed_is_fixed() -> None:
    def predict(seed: int) -> list[int]:
        return build_classical(DecisionTreeConfig(), seed=seed).fit(X, Y).predict(NEW).tolist()

    assert predict(1) == predict(1)
    assert any(predict(seed) != predict(1) for seed in range(2, 12))


def test_neighbours_vote_by_euclidean_distance() -> None:
    model = build_classical(KnnConfig(neighbours=4), seed=0).fit(X, Y)
    distances = np.linalg.norm(NEW[:, None].astype(float) - X[None].astype(float), axis=2)
    nearest = Y[np.argsort(distances, axis=1)[:, :4]]
    votes = np.stack([(nearest == label).mean(1) for label in range(3)], axis=1)
    np.testing.assert_allclose(model.predict_proba(NEW), votes)
