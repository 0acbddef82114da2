"""What the front end promises beyond librosa's numbers: batches, short and silent clips, its own errors."""

import librosa
import numpy as np
import pytest
import scipy.signal
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from emotone.errors import RecipeError, UsageError
from emotone.features.config import FeatureConfig
from emotone.features.frontend import FrontEnd
from emotone.features.layout import channel_names, frame_count

ALL = ("logmel", "mfcc", "delta", "delta2", "zcr", "rms")


def noise(samples: int, seed: int = 0) -> torch.Tensor:
    random = np.random.default_rng(seed)
    envelope = np.sin(np.linspace(0, 9, samples)) ** 2
    return torch.from_numpy((0.2 * envelope * random.standard_normal(samples)).astype("f4"))


@settings(max_examples=30, deadline=None)
@example(lengths=[1, 5920], window=256, hop=160, reference="one", normalise="clip", junk=False)
@given(
    lengths=st.lists(st.integers(1, 9_000), min_size=1, max_size=5),
    window=st.sampled_from([256, 401, 1024]),
    hop=st.sampled_from([100, 160, 512]),
    reference=st.sampled_from(["one", "max"]),
    normalise=st.sampled_from(["none", "clip"]),
    junk=st.booleans(),
)
def test_a_clip_in_a_batch_is_as_alone(
    lengths: list[int], window: int, hop: int, reference: str, normalise: str, junk: bool
) -> None:
    config = FeatureConfig.parse(
        {
            "streams": ALL,
            "window": window,
            "hop": hop,
            "mels": 20,
            "mfcc_mels": 20,
            "mfcc": 13,
            "reference": reference,
            "normalise": normalise,
        },
        where="test",
    )
    front = FrontEnd(config, 16_000)
    clips = [noise(length, seed) - 0.01 for seed, length in enumerate(lengths)]
    batch = torch.full((len(clips), max(lengths) + 700), 0.5 if junk else 0.0)
    for row, clip in zip(batch, clips, strict=True):
        row[: len(clip)] = clip
    together, frames = front(batch, torch.tensor(lengths))
    assert together.shape[1:] == (len(channel_names(config)), frames.max())
    for row, count, clip in zip(together, frames, clips, strict=True):
        alone, own = front(clip[None])
        assert int(count) == int(own[0]) == frame_count(len(clip), config)
        # A few samples have a flat spectrum: to standardise that is to blow up the rounding of float32.
        flat = normalise == "clip" and len(clip) < window
        torch.testing.assert_close(row[:, :count], alone[0], rtol=1e-4, atol=5e-3 if flat else 2e-4)
        assert not row[:, count:].any()


@pytest.mark.parametrize("frames", [1, 2, 5, 8, 9, 10, 30])
@pytest.mark.parametrize("order", [1, 2])
def test_deltas_of_few_frames_repeat_the_ends(frames: int, order: int) -> None:
    config = FeatureConfig(streams=("mfcc", "delta" if order == 1 else "delta2"), mfcc=13)
    features, _ = FrontEnd(config, 16_000)(noise(512 * (frames - 1) + 100)[None])
    cepstrum, delta = features[0, :13].numpy(), features[0, 13:].numpy()
    mode = "nearest" if frames < 9 else "interp"
    expected = librosa.feature.delta(cepstrum, order=order, mode=mode)
    np.testing.assert_allclose(delta, expected, atol=1e-3)
    if frames >= 9:
        np.testing.assert_allclose(delta, scipy.signal.savgol_filter(cepstrum, 9, order, deriv=order), atol=1e-3)


def test_a_silent_clip_has_finite_features() -> None:
    for normalise in ("none", "clip"):
        config = FeatureConfig.parse({"streams": ALL, "normalise": normalise, "reference": "max"}, where="test")
        features, _ = FrontEnd(config, 16_000)(torch.zeros(2, 16_000))
        assert features.isfinite().all()


def test_streams_come_in_the_order_asked_for() -> None:
    front = FrontEnd(FeatureConfig(streams=("rms", "logmel", "zcr"), mels=5), 16_000)
    back = FrontEnd(FeatureConfig(streams=("zcr", "logmel", "rms"), mels=5), 16_000)
    one, two = front(noise(8_000)[None])[0], back(noise(8_000)[None])[0]
    torch.testing.assert_close(one[:, [6, 1, 2, 3, 4, 5, 0]], two)


def test_normalise_clip_standardises_each_stream_over_its_own_frames() -> None:
    config = FeatureConfig(streams=("logmel", "rms"), mels=10, normalise="clip")
    features, frames = FrontEnd(config, 16_000)(
        torch.stack([noise(16_000), noise(16_000, 1)]), torch.tensor([9_000, 16_000])
    )
    for row, count in zip(features, frames, strict=True):
        for stream in (row[:10, :count], row[10:, :count]):
            assert stream.mean() == pytest.approx(0, abs=1e-4)
            assert stream.std(correction=0) == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize(("fmin", "fmax"), [(0.0, 9_000.0), (4_000.0, 3_000.0), (8_000.0, None)])
def test_mel_bands_must_fit_the_rate(fmin: float, fmax: float | None) -> None:
    with pytest.raises(UsageError, match="do not fit a rate of 16000 Hz"):
        FrontEnd(FeatureConfig(streams=("logmel",), fmin=fmin, fmax=fmax), 16_000)


def test_more_mfcc_than_bands_is_refused() -> None:
    with pytest.raises(RecipeError, match="40 mfcc cannot come of 26 mfcc_mels"):
        FeatureConfig.parse({"streams": ["mfcc"], "mfcc": 40, "mfcc_mels": 26}, where="recipe.yaml")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_the_device_gives_what_the_cpu_gives() -> None:
    front = FrontEnd(FeatureConfig(streams=ALL), 16_000)
    clips = torch.stack([noise(30_000), noise(30_000, 1)])
    expected, _ = front(clips)
    got, frames = front.cuda()(clips.cuda())
    assert frames.is_cuda
    torch.testing.assert_close(got.cpu(), expected, rtol=1e-3, atol=1e-2)
