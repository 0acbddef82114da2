"""Slices count the right clips."""

import pytest

from emotone.evaluation.record import Predictions
from emotone.evaluation.slices import slices


def predictions(**changes: tuple[str | None, ...]) -> Predictions:
    columns: dict[str, tuple[str | None, ...]] = {
        "clip": ("a", "b", "c", "d"),
        "variant": ("original",) * 4,
        "true": ("neutral", "neutral", "sad", "sad"),
        "predicted": ("neutral", "sad", "sad", "sad"),
        "probabilities": (),
        "emotion": ("calm", "neutral", "sad", "sad"),
        "speaker": ("10", "2", "10", "2"),
        "gender": ("female", "male", "female", None),
        "intensity": ("normal", "normal", "strong", "strong"),
        "statement": (None,) * 4,
    }
    return Predictions(**{**columns, **changes})


def test_slices_hold_their_clips() -> None:
    found = {(part.slice, part.value): part for part in slices(predictions(), ("neutral", "sad"))}
    assert found["gender", "female"].clips == 2
    assert found["gender", "female"].accuracy == 1.0
    assert found["gender", "male"].accuracy == 0.0
    assert found["emotion", "calm"].accuracy == 1.0
    assert found["intensity", "normal"].accuracy == 0.5
    assert found["intensity", "strong"].uar == 1.0
    assert not [part for part in found if part[0] == "statement"]
    for part in found.values():
        assert part.interval[0] <= part.accuracy <= part.interval[1]


def test_values_stand_in_an_order_a_person_expects() -> None:
    order = [part.value for part in slices(predictions(), ("neutral", "sad"), by=("emotion", "speaker"))]
    assert order == ["neutral", "calm", "sad", "2", "10"]


def test_uar_counts_the_classes_of_the_slice() -> None:
    part = slices(predictions(gender=("female",) * 4), ("neutral", "sad", "angry"), by=("gender",))[0]
    assert part.accuracy == pytest.approx(3 / 4)
    assert part.uar == pytest.approx((1 / 2 + 1) / 2)
