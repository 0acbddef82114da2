"""Functionals equal numpy's over a clip's own frames, however far the batch is padded."""

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from emotone.features.functionals import FUNCTIONALS, functionals


@settings(max_examples=40, deadline=None)
@given(lengths=st.lists(st.integers(1, 60), min_size=1, max_size=4), seed=st.integers(0, 99))
def test_as_numpy(lengths: list[int], seed: int) -> None:
    random = np.random.default_rng(seed)
    features = random.normal(3, 5, (len(lengths), 3, max(lengths))).astype("f4")
    got = functionals(torch.from_numpy(features), torch.tensor(lengths)).numpy()
    assert got.shape == (len(lengths), 3 * len(FUNCTIONALS))
    for row, clip, length in zip(got.reshape(len(lengths), 3, -1), features, lengths, strict=True):
        for values, channel in zip(row, clip[:, :length].astype("f8"), strict=True):
            slope = np.polyfit(np.arange(length), channel, 1)[0] if length > 1 else 0.0
            percentiles = np.percentile(channel, [20, 50, 80])
            expected = [channel.mean(), channel.std(), channel.min(), channel.max(), *percentiles, slope]
            np.testing.assert_allclose(values, expected, rtol=1e-4, atol=1e-3)
