"""Classical models as scikit-learn estimators. All read vectors and speak `fit`, `predict_proba`, `classes_`."""

from typing import Any

from emotone.models.config import DecisionTreeConfig, KnnConfig, PretrainedConfig

__all__ = ["build_classical"]


def build_classical(config: DecisionTreeConfig | KnnConfig | PretrainedConfig, *, seed: int) -> Any:
    """Return an unfitted scikit-learn classifier; over a pretrained encoder it is a random forest."""
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.tree import DecisionTreeClassifier

    if isinstance(config, DecisionTreeConfig):
        return DecisionTreeClassifier(criterion="gini", max_depth=None, random_state=seed)
    if isinstance(config, PretrainedConfig):
        return RandomForestClassifier(random_state=seed)
    return KNeighborsClassifier(n_neighbors=config.neighbours, metric="euclidean")
