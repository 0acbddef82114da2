"""What a model reads is scaled and cut by what training samples alone show."""

import numpy as np
import pytest
from sklearn.preprocessing import StandardScaler

from emotone.features.config import FeatureConfig
from emotone.training.preparation import Preparation

LAYOUTS = ("frames", "flat", "means")


def features(layout: str) -> FeatureConfig:
    return FeatureConfig.parse({"streams": ["zcr", "mfcc"], "mfcc": 3, "layout": layout}, where="test")


def clips(*lengths: int, seed: int = 0) -> list[np.ndarray]:
    random = np.random.default_rng(seed)
    offset = np.array([[0.0], [100.0], [-3.0], [1e4]])
    return [(offset + random.normal(scale=[[1], [20], [0.1], [5]], size=(4, n))).astype(np.float32) for n in lengths]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_scaling_is_scikit_learns(layout: str) -> None:
    train, new = clips(5, 8, 6), clips(7, 8, seed=1)
    scaled = Preparation.fit(train, features(layout), "standard")(new)
    plain = Preparation.fit(train, features(layout), "none")
    if layout == "frames":  # one scale a channel, from the frames that are there, not from pads
        scaler = StandardScaler().fit(np.concatenate(train, axis=1).T.astype(np.float64))
        expected = np.zeros((2, 4, 8))
        for row, clip in zip(expected, new, strict=True):
            row[:, : clip.shape[1]] = scaler.transform(clip.T.astype(np.float64)).T
    else:
        scaler = StandardScaler().fit(plain(train).astype(np.float64))
        expected = scaler.transform(plain(new).astype(np.float64))
    assert scaled.dtype == np.float32
    np.testing.assert_allclose(scaled, expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_training_samples_come_out_standardised(layout: str) -> None:
    train = clips(6, 6, 6, 6)
    scaled = Preparation.fit(train, features(layout), "standard")(train)
    axes = (0, 2) if layout == "frames" else 0
    np.testing.assert_allclose(scaled.mean(axes), 0, atol=1e-2)
    np.testing.assert_allclose(scaled.std(axes), 1, atol=1e-2)


@pytest.mark.parametrize("layout", ["frames", "flat"])
def test_clips_are_padded_and_cut_to_the_longest_training_clip(layout: str) -> None:
    train, new = clips(5, 8, 6), clips(3, 8, 11, seed=1)
    preparation = Preparation.fit(train, features(layout), "none")
    assert preparation.n_frames == 8
    prepared = preparation(new).reshape(3, 4, 8)
    np.testing.assert_array_equal(prepared[0, :, :3], new[0])
    assert not prepared[0, :, 3:].any()
    np.testing.assert_array_equal(prepared[1], new[1])
    np.testing.assert_array_equal(prepared[2], new[2][:, :8])


def test_pads_of_frames_are_the_mean() -> None:
    scaled = Preparation.fit(clips(5, 8), features("frames"), "standard")(clips(3))
    assert not scaled[0, :, 3:].any()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_constant_value_becomes_zero(layout: str) -> None:
    train = [np.full((4, 5), 7, np.float32) for _ in range(3)]
    scaled = Preparation.fit(train, features(layout), "standard")(train)
    assert not scaled.any()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_preparing_leaves_the_frames_as_they_are(layout: str) -> None:
    train = clips(5, 8)
    before = [clip.copy() for clip in train]
    Preparation.fit(train, features(layout), "standard")(train)
    assert all(np.array_equal(clip, same) for clip, same in zip(train, before, strict=True))
