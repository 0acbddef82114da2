"""Clips of any length become one array of the shape that the layout names."""

import numpy as np
import pytest

from emotone.features.config import FeatureConfig
from emotone.features.layout import channel_names, feature_names, layout

CLIPS = [np.arange(6, dtype="f4").reshape(2, 3), 10 + np.arange(10, dtype="f4").reshape(2, 5)]


def config(name: str) -> FeatureConfig:
    return FeatureConfig.parse({"streams": ["zcr", "rms"], "layout": name}, where="test")


def test_frames_are_padded_with_zeros_to_the_longest() -> None:
    array = layout(CLIPS, config("frames"))
    assert array.shape == (2, 2, 5)
    assert array.dtype == np.float32
    np.testing.assert_array_equal(array[0], [[0, 1, 2, 0, 0], [3, 4, 5, 0, 0]])
    np.testing.assert_array_equal(array[1], CLIPS[1])


def test_frames_are_cut_to_the_wanted_number() -> None:
    array = layout(CLIPS, config("frames"), n_frames=4)
    np.testing.assert_array_equal(array[:, 0], [[0, 1, 2, 0], [10, 11, 12, 13]])


def test_flat_goes_channel_after_channel() -> None:
    array = layout(CLIPS, config("flat"), n_frames=3)
    np.testing.assert_array_equal(array, [[0, 1, 2, 3, 4, 5], [10, 11, 12, 15, 16, 17]])


def test_means_know_nothing_of_padding() -> None:
    np.testing.assert_array_equal(layout(CLIPS, config("means"), n_frames=99), [[1, 4], [12, 17]])


@pytest.mark.parametrize("name", ["frames", "flat", "means"])
def test_no_clips_give_an_empty_array(name: str) -> None:
    assert len(layout([], config(name), n_frames=4)) == 0


def test_names_fit_the_columns() -> None:
    kakadiya = FeatureConfig(streams=("mfcc", "delta", "delta2", "logmel"), mels=40, layout="means")
    names = feature_names(kakadiya)
    assert len(names) == len(set(names)) == 160
    assert (names[0], names[40], names[-1]) == ("mfcc_1", "delta_1", "logmel_40")
    flat = feature_names(config("flat"), n_frames=3)
    assert flat == ["zcr@0", "zcr@1", "zcr@2", "rms@0", "rms@1", "rms@2"]
    assert channel_names(config("flat")) == ["zcr", "rms"]
