"""Trimming and peak normalisation do what librosa's do."""

from pathlib import Path

import librosa
import numpy as np
import pytest

from emotone.audio import load
from emotone.errors import AudioError
from emotone.features.config import AudioConfig
from emotone.features.prepare import load_prepared, prepare, trim


@pytest.mark.parametrize("below_db", [10.0, 20.0, 60.0])
@pytest.mark.parametrize("rate", [16_000, 48_000])
def test_trim_as_librosa_on_real_clips(ravdess: Path, rate: int, below_db: float) -> None:
    shortened = 0
    for path in sorted(ravdess.rglob("*.flac"))[::150]:
        samples, _ = load(path, rate=rate)
        trimmed = trim(samples, below_db=below_db)
        expected, _ = librosa.effects.trim(samples, top_db=below_db)
        np.testing.assert_array_equal(trimmed, expected)
        shortened += len(trimmed) < len(samples)
    assert shortened


@pytest.mark.parametrize("length", [1, 100, 512, 2_047, 5_000])
@pytest.mark.parametrize("at", [0.0, 0.5, 1.0])
def test_trim_as_librosa_on_a_burst(length: int, at: float) -> None:
    samples = np.zeros(20_000, "f4")
    start = int(at * (20_000 - length))
    samples[start : start + length] = np.random.default_rng(0).standard_normal(length) * 0.3
    expected, _ = librosa.effects.trim(samples, top_db=20)
    np.testing.assert_array_equal(trim(samples, below_db=20), expected)


def test_silence_is_kept_whole() -> None:
    silence = np.zeros(3_000, "f4")
    prepared = prepare(silence, AudioConfig(rate=16_000, trim_db=20, normalise="peak"))
    np.testing.assert_array_equal(prepared, silence)


def test_the_peak_is_taken_after_trimming() -> None:
    samples = np.full(20_000, 1e-4, "f4")
    samples[8_000:12_000] = 0.25 * np.sin(np.arange(4_000))
    before = samples.copy()
    prepared = prepare(samples, AudioConfig(rate=16_000, trim_db=20, normalise="peak"))
    expected = librosa.util.normalize(librosa.effects.trim(samples, top_db=20)[0])
    np.testing.assert_allclose(prepared, expected, rtol=1e-6)
    assert np.abs(prepared).max() == 1.0
    np.testing.assert_array_equal(samples, before)


def test_cut_as_librosa_load(ravdess: Path) -> None:
    path = min(ravdess.rglob("*.flac"))
    expected, _ = librosa.load(path, sr=48_000, offset=0.6, duration=2.5)
    cut = load_prepared(path, AudioConfig(rate=48_000, offset=0.6, seconds=2.5))
    np.testing.assert_allclose(cut, expected, atol=1e-6)


def test_a_recording_that_is_over_before_the_offset_is_named(ravdess: Path) -> None:
    path = min(ravdess.rglob("*.flac"))
    with pytest.raises(AudioError, match=f"{path.name}.*first 30 s"):
        load_prepared(path, AudioConfig(rate=16_000, offset=30))
    rest = load_prepared(path, AudioConfig(rate=16_000, offset=1, seconds=30))
    assert len(rest) == len(load(path, rate=16_000)[0]) - 16_000
