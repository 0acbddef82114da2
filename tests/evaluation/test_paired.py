"""Two results are told apart where they differ, and only there."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy.stats import norm

from emotone.errors import UsageError
from emotone.evaluation.paired import Outcomes, difference, holm, mcnemar, outcomes, pairs
from emotone.evaluation.pool import pool, pool_all
from emotone.evaluation.record import RunRecord

Make = Callable[..., RunRecord]


def side(rates: list[float], *, clips: int = 60, seed: int = 0) -> Outcomes:
    """Speakers recognised with the rates given."""
    random = np.random.default_rng(seed)
    correct = np.concatenate([random.random(clips) < rate for rate in rates])
    return Outcomes.of(correct, [f"s{who}" for who in range(len(rates)) for _ in range(clips)])


def test_the_value_is_the_difference_of_accuracies() -> None:
    first = Outcomes.of([True, True, False, True], ["a", "a", "b", "b"])
    second = Outcomes.of([True, False], ["a", "b"])
    gap = difference(first, second)
    assert gap.value == pytest.approx(0.75 - 0.5)
    assert gap.clips == (4, 2)
    back = difference(second, first)
    assert (back.value, back.low, back.high) == pytest.approx((-gap.value, -gap.high, -gap.low))


def test_speakers_that_differ_alike_on_both_sides_do_not_blur_a_paired_difference() -> None:
    hard_and_easy = [0.2, 0.35, 0.5, 0.65, 0.8, 0.9] * 4
    better, worse = side([rate + 0.1 for rate in hard_and_easy]), side(hard_and_easy)
    paired = difference(better, worse)
    strangers = Outcomes(worse.correct, tuple(f"other {speaker}" for speaker in worse.speakers))
    assert paired.low > 0 and paired.p < 0.001
    assert difference(better, strangers).p > 10 * paired.p
    assert difference(better, better).p == 1.0


def test_the_interval_is_that_of_independent_clips_where_each_is_its_own_speaker() -> None:
    random = np.random.default_rng(1)
    right = random.random(2000) < 0.6
    names = [str(clip) for clip in range(4000)]
    gap = difference(Outcomes.of(right, names[:2000]), Outcomes.of(random.random(2000) < 0.5, names[2000:]))
    error = np.sqrt(2 * 0.245 / 2000)
    assert (gap.high - gap.low) / 2 == pytest.approx(1.96 * error, rel=0.08)
    assert gap.p == pytest.approx(2 * norm.sf(abs(gap.value) / error), abs=1e-3)


def test_under_no_difference_few_of_many_tests_find_one() -> None:
    found = [
        difference(side([0.5] * 24, seed=2 * i), side([0.5] * 24, seed=2 * i + 1), resamples=400).p for i in range(200)
    ]
    assert 2 <= sum(p < 0.05 for p in found) <= 20


def test_nothing_to_compare_is_an_error() -> None:
    with pytest.raises(UsageError, match="one side has no samples"):
        difference(Outcomes.of([], []), Outcomes.of([True], ["a"]))


def test_mcnemar_is_a_fair_coin_over_the_clips_that_differ() -> None:
    assert mcnemar([True] * 8 + [False] * 5, [True] * 3 + [False] * 10) == pytest.approx(2 * 0.5**5)
    assert mcnemar([True, False], [True, False]) == 1.0


def test_holm_never_lowers_a_p_and_keeps_their_order() -> None:
    ps = [0.02, 0.001, 0.5, 0.02, 0.9]
    corrected = holm(ps)
    assert corrected == pytest.approx([0.08, 0.005, 1.0, 0.08, 1.0])
    assert holm([]) == [] and holm([0.03]) == [0.03]


def test_pairs_are_compared_on_shared_clips_and_the_better_one_comes_first(make_record: Make) -> None:
    weak, strong, like = (
        pool([make_record(system=name, protocol="luna5", accuracy=rate, fold=fold) for fold in range(5)])
        for name, rate in (("a/weak", 0.3), ("b/strong", 0.7), ("c/like", 0.7))
    )
    found = {(pair.first, pair.second): pair for pair in pairs([weak, strong, like])}
    assert len(found) == 3
    surest = found["b/strong", "a/weak"]
    assert surest.is_real and surest.difference.low > 0.2 and surest.mcnemar < 1e-6
    assert surest.difference.clips == (1440, 1440)
    assert surest.difference.value == pytest.approx(strong.metrics["accuracy"] - weak.metrics["accuracy"])
    equals = next(pair for key, pair in found.items() if "a/weak" not in key)
    assert not equals.is_real and equals.difference.value >= 0
    assert all(pair.holm >= pair.difference.p and pair.mcnemar_holm >= pair.mcnemar for pair in found.values())


def test_systems_tested_on_other_clips_are_not_compared(make_record: Make) -> None:
    few_in_common = [make_record(system=name, test_clips=200) for name in ("a/one", "b/other")]
    assert pairs(pool_all(few_in_common)) == []


def test_other_classes_are_compared_by_the_emotion_alone(make_record: Make) -> None:
    gendered = make_record(system="onah/cnn", scheme="gender14", test_clips=1440)
    plain = make_record(system="kakadiya/cnn", test_clips=1440)
    (pair,) = pairs(pool_all([gendered, plain]))
    assert pair.merged
    told = gendered.predictions
    by_emotion = np.mean([t.split("_")[1] == p.split("_")[1] for t, p in zip(told.true, told.predicted, strict=True)])
    assert outcomes(gendered, merged=True).correct.mean() == pytest.approx(by_emotion)
    assert outcomes(gendered).correct.mean() == pytest.approx(gendered.metrics["accuracy"])
