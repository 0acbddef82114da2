"""The front end gives what librosa gives: at most 1e-3 of each feature's own range apart, at the papers' settings."""

import warnings
from pathlib import Path
from typing import Any

import librosa
import numpy as np
import numpy.typing as npt
import pytest
import torch

from emotone.audio import load
from emotone.features.config import FeatureConfig
from emotone.features.frontend import FrontEnd

Array = npt.NDArray[np.float32]

SETTINGS: dict[str, tuple[int, dict[str, Any]]] = {
    "boucheta": (22_050, {"streams": ("zcr", "rms", "mfcc"), "window": 2048, "hop": 512, "mfcc": 40}),
    "kakadiya": (48_000, {"streams": ("mfcc", "delta", "delta2", "logmel"), "mels": 40, "reference": "max"}),
    "nguyen": (16_000, {"streams": ("logmel", "mfcc"), "mels": 128}),
    "bhanbhro": (16_000, {"streams": ("logmel", "rms", "zcr"), "window": 400, "hop": 240, "htk": True}),
    "bhanbhro-512": (16_000, {"streams": ("logmel",), "window": 400, "fft": 512, "hop": 240, "htk": True}),
    "onah": (22_050, {"streams": ("mfcc",)}),
    "all-16k": (16_000, {"streams": ("logmel", "mfcc", "delta", "delta2", "zcr", "rms")}),
    "all-48k": (48_000, {"streams": ("logmel", "mfcc", "delta", "delta2", "zcr", "rms")}),
    "band": (48_000, {"streams": ("logmel", "mfcc", "delta2"), "fmin": 50, "fmax": 8_000, "mfcc": 13}),
    "odd": (16_000, {"streams": ("logmel",), "window": 401, "hop": 160, "mels": 40}),
}
CLIPS = ("noise", "voice", "clicks", "quiet", "real-first", "real-loud", "real-stereo")


def reference(samples: Array, rate: int, config: FeatureConfig) -> dict[str, Array]:
    """The streams, by librosa."""
    shape = {"hop_length": config.hop, "n_fft": config.fft or config.window, "win_length": config.window}
    bands = {"fmin": config.fmin, "fmax": config.fmax, "htk": config.htk}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Empty filters")
        mel = librosa.feature.melspectrogram(y=samples, sr=rate, n_mels=config.mels, **shape, **bands)
        cepstrum = librosa.feature.mfcc(
            y=samples, sr=rate, n_mfcc=config.mfcc, n_mels=config.mfcc_mels, **shape, **bands
        )
    frame = {"frame_length": config.window, "hop_length": config.hop}
    return {
        "logmel": librosa.power_to_db(mel, ref=np.max if config.reference == "max" else 1.0),
        "mfcc": cepstrum,
        "delta": librosa.feature.delta(cepstrum),
        "delta2": librosa.feature.delta(cepstrum, order=2),
        "zcr": librosa.feature.zero_crossing_rate(samples, **frame),
        "rms": librosa.feature.rms(y=samples, **frame),
    }


def clip(name: str, rate: int, request: pytest.FixtureRequest) -> Array:
    random = np.random.default_rng(7)
    time = np.arange(int(1.3 * rate) + 123) / rate
    if name == "noise":
        return (0.1 * random.standard_normal(len(time))).astype("f4")
    if name == "voice":
        voice = sum(np.sin(2 * np.pi * 140 * k * time + k * np.sin(5 * time)) / k for k in range(1, 20))
        return (0.2 * voice * (1 + np.sin(2 * np.pi * 3 * time))).astype("f4")
    if name == "clicks":
        clicks = np.zeros(len(time), "f4")
        clicks[:: rate // 7] = random.choice([-0.9, 0.9], len(clicks[:: rate // 7]))
        return clicks
    if name == "quiet":
        return (1e-5 * random.standard_normal(len(time))).astype("f4")
    folder: Path = request.getfixturevalue("ravdess")
    stem = {
        "real-first": "03-01-01-01-01-01-01",
        "real-loud": "03-01-05-02-02-01-16",
        "real-stereo": "03-01-02-01-01-02-05",
    }[name]
    return load(next(folder.rglob(f"{stem}.*")), rate=rate)[0]


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("name", CLIPS)
def test_as_librosa(
    name: str, settings: str, request: pytest.FixtureRequest, record_property: Any, capsys: Any
) -> None:
    rate, values = SETTINGS[settings]
    config = FeatureConfig(**values)
    samples = clip(name, rate, request)
    features, frames = FrontEnd(config, rate)(torch.from_numpy(samples)[None])
    expected = reference(samples, rate, config)
    assert int(frames[0]) == features.shape[-1] == expected["logmel"].shape[-1]
    start = 0
    for stream in config.streams:
        want = expected[stream]
        got = features[0, start : start + len(want)].numpy()
        start += len(want)
        error = np.abs(got - want).max() / np.ptp(want)
        record_property(f"{stream} error", float(error))
        assert error <= 1e-3, f"{stream}: {error:.1e} of its range"
    assert start == features.shape[1]
