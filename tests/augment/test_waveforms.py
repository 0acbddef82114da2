"""Copies are seeded, differ from each other, and do what their names say."""

import random
import subprocess
import sys
from pathlib import Path

import librosa
import numpy as np
import numpy.typing as npt
import pytest

from emotone.audio import load
from emotone.augment import AugmentConfig, augment, copies
from emotone.errors import UsageError

RATE = 22_050
KINDS = ("nguyen", "boucheta", "awgn", "uniform")
Array = npt.NDArray[np.float32]


def config(kind: str, *, number: int = 1, seed: int = 0) -> AugmentConfig:
    return AugmentConfig.parse({"kind": kind, "copies": number, "seed": seed}, where="test")


def voice(seconds: float = 1.0, pitch: float = 200.0) -> Array:
    time = np.arange(int(RATE * seconds)) / RATE
    harmonics = sum(np.sin(2 * np.pi * pitch * k * time) / k for k in range(1, 8))
    return (0.2 * harmonics * np.hanning(len(time))).astype("f4")


def median_pitch(samples: Array) -> float:
    return float(np.median(librosa.yin(samples, fmin=80, fmax=800, sr=RATE)[10:-10]))


ALL_COPIES = [(kind, variant) for kind in KINDS for variant in copies(config(kind, number=2))]


@pytest.mark.parametrize(("kind", "variant"), ALL_COPIES)
def test_the_same_seed_gives_the_same_bytes_and_leaves_the_clip_alone(kind: str, variant: str) -> None:
    samples = voice()
    before = samples.copy()
    settings = config(kind, number=2)
    first = augment(samples, RATE, config=settings, variant=variant, clip_key="03-01")
    random.seed(5)
    np.random.seed(5)  # noqa: NPY002
    second = augment(samples, RATE, config=settings, variant=variant, clip_key="03-01")
    assert first.tobytes() == second.tobytes()
    assert first.dtype == np.float32
    assert np.isfinite(first).all()
    np.testing.assert_array_equal(samples, before)
    assert not np.shares_memory(first, samples)


def test_the_same_bytes_in_another_process() -> None:
    code = (
        "import sys, numpy as np\n"
        "from emotone.augment import AugmentConfig, augment\n"
        "samples = np.random.default_rng(1).standard_normal(9000).astype('f4') * np.float32(0.1)\n"
        "for kind, variant in (('nguyen', 'chain-1'), ('boucheta', 'pitch'), ('awgn', 'awgn-1')):\n"
        "    copy = augment(samples, 22050, config=AugmentConfig(kind=kind, seed=3), variant=variant, clip_key='a')\n"
        "    sys.stdout.write(copy.tobytes().hex())"
    )
    told = [subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout for _ in range(2)]
    assert told[0] == told[1]
    assert told[0]


@pytest.mark.parametrize("kind", KINDS)
def test_clips_variants_and_seeds_differ(kind: str) -> None:
    samples = voice()
    made = [
        augment(samples, RATE, config=config(kind, number=4, seed=seed), variant=variant, clip_key=clip).tobytes()
        for seed in range(3)
        for clip in ("a", "b", "c")
        for variant in copies(config(kind, number=4))
    ]
    unchanged = made.count(samples.tobytes())  # nguyen leaves one clip in sixteen as it is
    assert len(set(made)) >= len(made) - unchanged
    assert unchanged <= (9 if kind == "nguyen" else 0)


def test_the_global_generators_are_put_back() -> None:
    random.seed(1)
    np.random.seed(1)  # noqa: NPY002
    expected = random.random(), np.random.rand()  # noqa: NPY002
    random.seed(1)
    np.random.seed(1)  # noqa: NPY002
    augment(voice(), RATE, config=config("nguyen"), variant="chain-1", clip_key="a")
    assert (random.random(), np.random.rand()) == expected  # noqa: NPY002


@pytest.mark.parametrize("kind", ["awgn", "uniform"])
def test_noise_lies_15_to_30_db_below_the_signal(kind: str, ravdess: Path) -> None:
    samples, _ = load(next(ravdess.rglob("03-01-03-01-01-01-03.*")), rate=16_000)
    settings = config(kind, number=60)
    found = set()
    for variant in copies(settings):
        noise = augment(samples, 16_000, config=settings, variant=variant, clip_key="x") - samples
        found.add(10 * np.log10(np.mean(samples**2) / np.mean(noise**2)))
        peak_to_rms = np.abs(noise).max() / np.sqrt(np.mean(noise**2))
        assert peak_to_rms < 1.8 if kind == "uniform" else peak_to_rms > 3
    assert 14.9 < min(found) < 18
    assert 27 < max(found) < 30.1
    np.testing.assert_allclose(sorted(found), np.round(sorted(found)), atol=0.01)


def test_boucheta_noise_is_half_a_percent_of_the_peak() -> None:
    samples = voice()
    noise = augment(samples, RATE, config=config("boucheta"), variant="noise", clip_key="a") - samples
    assert noise.std() == pytest.approx(0.005 * np.abs(samples).max(), rel=0.02)


def test_boucheta_shift_is_circular_and_at_most_5_ms() -> None:
    samples = voice()
    places = set()
    for clip in range(40):
        shifted = augment(samples, RATE, config=config("boucheta"), variant="shift", clip_key=str(clip))
        place = next(n for n in range(-111, 112) if np.array_equal(np.roll(samples, n), shifted))
        places.add(place)
    assert min(places) < -60
    assert max(places) > 60


def test_boucheta_stretch_changes_the_length_not_the_pitch() -> None:
    samples = voice()
    ratios = []
    for clip in range(12):
        stretched = augment(samples, RATE, config=config("boucheta"), variant="stretch", clip_key=str(clip))
        ratios.append(len(samples) / len(stretched))
        assert median_pitch(stretched) == pytest.approx(200, rel=0.02)
    assert 0.79 < min(ratios) < 0.9
    assert 1.1 < max(ratios) < 1.21


def test_boucheta_pitch_changes_the_pitch_not_the_length() -> None:
    samples = voice()
    semitones = []
    for clip in range(12):
        shifted = augment(samples, RATE, config=config("boucheta"), variant="pitch", clip_key=str(clip))
        assert len(shifted) == len(samples)
        semitones.append(12 * np.log2(median_pitch(shifted) / 200))
    assert -2.2 < min(semitones) < -0.5
    assert 0.5 < max(semitones) < 2.2


def test_nguyen_leaves_a_sixteenth_and_shifts_pitch_in_half() -> None:
    samples = voice(2.0)
    made = [augment(samples, RATE, config=config("nguyen"), variant="chain-1", clip_key=str(n)) for n in range(100)]
    assert all(len(copy) == len(samples) for copy in made)
    assert 1 <= sum(np.array_equal(copy, samples) for copy in made) <= 16
    semitones = np.array([12 * np.log2(median_pitch(copy) / 200) for copy in made])
    assert 30 <= (np.abs(semitones) > 0.2).sum() <= 70
    assert np.abs(semitones[np.abs(semitones) < 6]).max() > 2


@pytest.mark.parametrize("length", [1, 10, 500])
@pytest.mark.parametrize(("kind", "variant"), ALL_COPIES)
@pytest.mark.filterwarnings("ignore:n_fft=2048 is too large")
def test_silent_and_very_short_clips(kind: str, variant: str, length: int) -> None:
    settings = config(kind, number=2)
    silent = augment(np.zeros(length, "f4"), RATE, config=settings, variant=variant, clip_key="a")
    assert np.isfinite(silent).all()
    if kind != "nguyen":
        assert not silent.any()
    assert np.isfinite(augment(voice()[:length], RATE, config=settings, variant=variant, clip_key="a")).all()


def test_an_unknown_copy_names_the_valid_ones() -> None:
    with pytest.raises(UsageError, match=r"Unknown copy 'pich' in the augmentation 'boucheta'. Valid: pitch,"):
        augment(voice(), RATE, config=config("boucheta"), variant="pich", clip_key="a")
