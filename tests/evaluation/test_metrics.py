"""The metrics, by hand and beside scikit-learn's."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import (
    accuracy_score,
    confusion_matrix,
    f1_score,
    precision_recall_fscore_support,
    recall_score,
)

from emotone.errors import UsageError
from emotone.evaluation.metrics import confusion, from_confusions, per_class, summary

CLASSES = ("neutral", "happy", "sad", "angry")


def test_metrics_by_hand() -> None:
    true = ["happy"] * 4 + ["sad"] * 2
    predicted = ["happy", "happy", "happy", "sad", "sad", "happy"]
    metrics = summary(true, predicted, CLASSES)
    assert metrics["accuracy"] == pytest.approx(4 / 6)
    assert metrics["uar"] == pytest.approx((3 / 4 + 1 / 2) / 2)
    assert metrics["macro_f1"] == pytest.approx((3 / 4 + 1 / 2) / 2)
    assert metrics["weighted_f1"] == pytest.approx((4 * 3 / 4 + 2 * 1 / 2) / 6)


def test_always_the_same_class_scores_chance_in_uar() -> None:
    true = ["happy"] * 90 + ["sad"] * 5 + ["angry"] * 5
    metrics = summary(true, ["happy"] * 100, CLASSES)
    assert metrics["accuracy"] == pytest.approx(0.9)
    assert metrics["uar"] == pytest.approx(1 / 3)


def test_per_class_and_confusion_agree() -> None:
    true = ["happy", "happy", "sad", "sad", "sad"]
    predicted = ["happy", "sad", "sad", "sad", "angry"]
    counts = confusion(true, predicted, CLASSES)
    assert counts == ((0, 0, 0, 0), (0, 1, 1, 0), (0, 0, 2, 1), (0, 0, 0, 0))
    rows = per_class(true, predicted, CLASSES)
    assert list(rows) == list(CLASSES)
    assert rows["sad"] == {
        "precision": pytest.approx(2 / 3),
        "recall": pytest.approx(2 / 3),
        "f1": pytest.approx(2 / 3),
        "support": 3,
    }
    assert rows["angry"] == {"precision": 0, "recall": 0, "f1": 0, "support": 0}


labels = st.lists(st.tuples(st.sampled_from(CLASSES), st.sampled_from(CLASSES)), min_size=1, max_size=40)


@settings(max_examples=60, deadline=None)
@given(labels)
def test_they_are_those_of_scikit_learn(pairs: list[tuple[str, str]]) -> None:
    true, predicted = [list(column) for column in zip(*pairs, strict=True)]
    present = [label for label in CLASSES if label in true]
    expected = {
        "accuracy": accuracy_score(true, predicted),
        "uar": recall_score(true, predicted, labels=present, average="macro", zero_division=0),
        "macro_f1": f1_score(true, predicted, labels=present, average="macro", zero_division=0),
        "weighted_f1": f1_score(true, predicted, labels=present, average="weighted", zero_division=0),
    }
    assert summary(true, predicted, CLASSES) == pytest.approx(expected, abs=1e-12)
    assert np.array_equal(confusion(true, predicted, CLASSES), confusion_matrix(true, predicted, labels=CLASSES))
    columns = precision_recall_fscore_support(true, predicted, labels=CLASSES, zero_division=0)
    rows = [list(row.values()) for row in per_class(true, predicted, CLASSES).values()]
    np.testing.assert_allclose(rows, np.stack(columns, axis=1), atol=1e-12)


def test_bad_labels_are_named() -> None:
    with pytest.raises(UsageError, match=r"Unknown class 'bored'. Valid: "):
        summary(["bored"], ["sad"], CLASSES)
    with pytest.raises(UsageError, match="2 true labels but 1 predictions"):
        per_class(["sad", "sad"], ["sad"], CLASSES)
    with pytest.raises(UsageError, match="No predictions"):
        confusion([], [], CLASSES)
    with pytest.raises(UsageError, match=r"Unknown metric 'acuracy'\. Valid: accuracy"):
        from_confusions(np.eye(2), ["acuracy"])
