"""A speaker whose embeddings lie elsewhere is recognised once recordings of theirs are known."""

import numpy as np
import pytest
from numpy.typing import NDArray

from emotone.bundle.adaptation import Head, Moments
from emotone.errors import RecipeError

WIDTH, CLASSES = 6, 3


def head(**changes: object) -> Head:
    draw = np.random.default_rng(0)
    values = {
        "weight": draw.normal(size=(CLASSES, WIDTH)).tolist(),
        "bias": [0.1, -0.2, 0.0],
        "mean": draw.normal(size=WIDTH).tolist(),
        "deviation": draw.uniform(0.5, 2, size=WIDTH).tolist(),
    }
    return Head.parse(values | changes, where="head")


def speech(head: Head, clips: int, seed: int = 1) -> NDArray[np.float64]:
    """Embeddings distributed as those of the training speakers."""
    draw = np.random.default_rng(seed)
    return draw.normal(size=(clips, WIDTH)) * head.deviation + head.mean


def plain(head: Head, embeddings: NDArray[np.float64]) -> NDArray[np.float64]:
    logits = embeddings @ np.transpose(head.weight) + head.bias
    return np.exp(logits) / np.exp(logits).sum(1, keepdims=True)


def test_a_voice_elsewhere_is_judged_as_if_it_were_a_training_speakers() -> None:
    known = head()
    embeddings = speech(known, 400)
    strange = embeddings * 3 + 5
    wanted = plain(known, embeddings)
    adapted = known.probabilities(strange, strange)
    np.testing.assert_allclose(adapted.sum(1), 1, atol=1e-6)
    assert (plain(known, strange).argmax(1) == wanted.argmax(1)).mean() < 0.75
    assert (adapted.argmax(1) == wanted.argmax(1)).mean() > 0.95


def test_what_is_unlike_all_that_was_trained_on_is_far_and_a_known_voice_is_not() -> None:
    known = head(reach=1.8)
    near, far = speech(known, 400), speech(known, 400) * 4 + 9
    assert known.distances(near).mean() == pytest.approx(1, abs=0.05)
    assert known.are_far(near).mean() < 0.02
    assert known.are_far(far).mean() > 0.98
    assert known.are_far(known.moved(far, far)).mean() < 0.02
    assert not head().are_far(far).any(), "a card that does not say what is far"


def test_a_voice_like_the_training_speakers_changes_little_and_without_recordings_nothing() -> None:
    known = head()
    embeddings = speech(known, 400)
    assert np.abs(known.probabilities(embeddings, embeddings) - plain(known, embeddings)).mean() < 0.05
    shy = head(trust=1e12)
    np.testing.assert_allclose(shy.probabilities(embeddings, embeddings[:1]), plain(known, embeddings), atol=1e-5)


def test_one_recording_is_not_trusted_as_much_as_many() -> None:
    known = head()
    strange = speech(known, 400) + 4
    moved = [
        np.abs(known.probabilities(strange, strange[:count]) - plain(known, strange)).mean() for count in (1, 5, 50)
    ]
    assert moved[0] < moved[1] < moved[2]


def test_a_voice_is_the_same_whether_it_comes_at_once_or_bit_by_bit() -> None:
    known = head()
    strange = (speech(known, 400) * 3 + 1000).astype("f4")  # far from 0, where sums of squares would lose digits
    parts = Moments()
    for part in np.split(strange, [0, 1, 3, 3, 200]):
        parts.add(part)
    whole, found = known.voice(strange), known.voice(parts)
    assert whole is not None and found is not None and parts.count == 400
    np.testing.assert_allclose(found.centre, whole.centre, rtol=1e-12)
    np.testing.assert_allclose(found.spread, whole.spread, rtol=1e-12)
    assert known.voice(Moments()) is None


def test_the_temperature_softens() -> None:
    known = head()
    embeddings = speech(known, 50)
    sharp, soft = (known.probabilities(embeddings, embeddings, temperature=t) for t in (1.0, 3.0))
    assert (soft.max(1) < sharp.max(1)).all() and (soft.argmax(1) == sharp.argmax(1)).all()


@pytest.mark.parametrize("changes", [{"deviation": [1.0]}, {"bias": [0.0]}, {"weight": [[1.0]]}])
def test_a_head_that_does_not_fit_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(RecipeError, match=r"width|biases"):
        head(**changes)
