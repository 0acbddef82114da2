"""Intervals hold what they promise, and know that clips of one speaker are not independent."""

import time

import numpy as np
import pytest

from emotone.evaluation.intervals import bootstrap, clusters
from emotone.evaluation.metrics import METRICS, summary

CLASSES = ("happy", "sad")


def draw(random: np.random.Generator, speakers: int, clips: int, spread: float) -> tuple[list[str], ...]:
    """Speakers who are recognised with probability 0.6 on average, some well, some badly."""
    true, predicted, groups = [], [], []
    for speaker in range(speakers):
        skill = np.clip(0.6 + spread * random.normal(), 0.05, 0.95)
        for _ in range(clips):
            label = CLASSES[random.integers(2)]
            true.append(label)
            predicted.append(label if random.random() < skill else CLASSES[1 - CLASSES.index(label)])
            groups.append(f"s{speaker}")
    return true, predicted, groups


def test_the_interval_covers_the_truth_where_clips_of_a_speaker_are_alike() -> None:
    random = np.random.default_rng(1)
    by_speaker = by_clip = 0
    for _ in range(150):
        true, predicted, groups = draw(random, speakers=24, clips=40, spread=0.15)
        low, high = bootstrap(true, predicted, groups, CLASSES, metrics=["accuracy"], resamples=400)["accuracy"]
        by_speaker += low <= 0.6 <= high
        low, high = bootstrap(true, predicted, None, CLASSES, metrics=["accuracy"], resamples=400)["accuracy"]
        by_clip += low <= 0.6 <= high
    assert by_speaker >= 0.88 * 150  # 95 % in the limit; the bootstrap of 24 speakers falls slightly short
    assert by_clip <= by_speaker - 15  # clips taken as independent promise too much


def test_the_same_samples_give_the_same_interval() -> None:
    true, predicted, groups = draw(np.random.default_rng(2), 8, 20, 0.1)
    assert bootstrap(true, predicted, groups, CLASSES) == bootstrap(true, predicted, groups, CLASSES)


def test_every_metric_lies_in_its_interval() -> None:
    true, predicted, groups = draw(np.random.default_rng(3), 24, 60, 0.1)
    intervals = bootstrap(true, predicted, groups, CLASSES)
    assert tuple(intervals) == METRICS
    for metric, value in summary(true, predicted, CLASSES).items():
        low, high = intervals[metric]
        assert 0 <= low < value < high <= 1


def test_one_speaker_falls_back_to_clips() -> None:
    true, predicted, groups = draw(np.random.default_rng(4), 1, 50, 0.0)
    low, high = bootstrap(true, predicted, groups, CLASSES)["accuracy"]
    assert (low, high) == bootstrap(true, predicted, None, CLASSES)["accuracy"]
    assert low < high


def test_clusters_are_clips_where_speakers_do_not_tell() -> None:
    assert clusters(["a", "b"], ["x", "y"]) == ("a", "b")
    assert clusters(["a", "a"], ["x", "y"]) == ("x", "y")
    assert clusters(["a", None], ["x", "y"]) == ("x", "y")


def test_repeats_of_one_run_do_not_make_it_surer() -> None:
    true, predicted, groups = draw(np.random.default_rng(5), 24, 20, 0.1)
    once = bootstrap(true, predicted, groups, CLASSES)
    twice = bootstrap(true * 2, predicted * 2, groups * 2, CLASSES, repeats=[0] * len(true) + [1] * len(true))
    assert twice == {metric: pytest.approx(interval) for metric, interval in once.items()}


def test_a_single_sample_has_an_interval() -> None:
    assert bootstrap(["sad"], ["sad"], ["s1"], CLASSES)["accuracy"] == (1.0, 1.0)


def test_it_is_fast() -> None:
    random = np.random.default_rng(6)
    classes = [f"class {number}" for number in range(14)]
    true = list(random.choice(classes, 1440))
    predicted = list(random.choice(classes, 1440))
    groups = [number % 24 for number in range(1440)]
    seconds = []
    for _ in range(5):
        start = time.perf_counter()
        bootstrap(true, predicted, groups, classes)
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 0.1  # about 0.02 s on one core
