"""The front end by matrix products gives what the front end gives."""

import numpy as np
import pytest
import torch

from emotone import recipes
from emotone.features.config import FeatureConfig
from emotone.features.fourier import MatrixFrontEnd
from emotone.features.frontend import FrontEnd

PUBLISHED = {
    f"{recipe.features.streams} at {recipe.audio.rate}": (recipe.features, recipe.audio.rate)
    for recipe in map(recipes.load, recipes.names())
    if recipe.features.streams != ("waveform",)
}
OTHERS = {
    "25 ms": (FeatureConfig(streams=("logmel",), window=400, fft=512, hop=160, mels=64), 16_000),
    "no padding": (FeatureConfig(streams=("logmel", "mfcc"), window=400, hop=160), 16_000),
    "a prime": (FeatureConfig(streams=("logmel",), window=101, hop=50, mels=10, mfcc=10, mfcc_mels=10), 8_000),
    "odd": (FeatureConfig(streams=("logmel",), window=45, hop=7, mels=5, mfcc=5, mfcc_mels=5), 8_000),
    "tiny": (FeatureConfig(streams=("logmel",), window=2, hop=1, mels=1, mfcc=1, mfcc_mels=1), 8_000),
    "a hop beyond the frame": (FeatureConfig(streams=("logmel",), window=64, hop=100, mels=4, mfcc=4), 8_000),
}


@pytest.mark.parametrize(("config", "rate"), (PUBLISHED | OTHERS).values(), ids=(PUBLISHED | OTHERS).keys())
def test_matrix_products_give_the_same_features(config: FeatureConfig, rate: int) -> None:
    random = np.random.default_rng(0)
    lengths = torch.tensor([rate, rate // 3, config.window, 1])
    loudness = np.geomspace(1e-4, 0.3, rate)
    waveforms = torch.from_numpy((loudness * random.normal(size=(4, rate))).astype(np.float32))
    with torch.inference_mode():
        expected, frames = FrontEnd(config, rate)(waveforms, lengths)
        features, own = MatrixFrontEnd(config, rate)(waveforms, lengths)
    assert torch.equal(frames, own)
    torch.testing.assert_close(features, expected, atol=1e-3, rtol=1e-5)
