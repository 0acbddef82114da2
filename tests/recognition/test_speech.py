"""Speech is found, whatever surrounds it; what is no speech is not."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emotone.audio import load
from emotone.recognition.speech import Region, Speech

RATE = 16_000


def regions(samples: np.ndarray, rate: int = RATE, sizes: list[int] | None = None) -> list[Region]:
    speech, found, at = Speech(rate), [], 0
    for size in sizes or [len(samples)]:
        found += speech.feed(samples[at : at + size])
        at += size
    found += speech.feed(samples[at:])
    found += speech.finish(len(samples))
    return [each for each in found if each.final]


def seconds(found: list[Region], rate: int = RATE) -> float:
    return sum(each.end - each.start for each in found) / rate


def noise(decibels: float, length: int = 10 * RATE) -> np.ndarray:
    return (10 ** (decibels / 20) * np.random.default_rng(0).standard_normal(length)).astype("f4")


def pink(length: int = 10 * RATE) -> np.ndarray:
    spectrum = np.fft.rfft(noise(0, length))
    shaped = np.fft.irfft(spectrum / np.sqrt(np.maximum(np.arange(len(spectrum)), 1)))
    return (0.05 * shaped / shaped.std()).astype("f4")


def tones(*hertz: float, amplitude: float = 0.3) -> np.ndarray:
    time = np.arange(10 * RATE) / RATE
    return sum(amplitude * np.sin(2 * np.pi * each * time) for each in hertz).astype("f4")


def test_speech_is_found_in_every_emotion_of_every_actor(ravdess: Path, clips: list[Path]) -> None:
    for path in clips:
        samples, _ = load(path, rate=RATE)
        found = regions(samples)
        assert seconds(found) >= 1.0, path.name
        # RAVDESS's clips begin and end in silence; the loudest tenth of a second is speech.
        levels = np.square(samples[: len(samples) // 1600 * 1600]).reshape(-1, 1600).mean(axis=1)
        loudest = 1600 * int(levels.argmax()) + 800
        assert any(each.start <= loudest < each.end for each in found), path.name
        assert seconds(found) <= len(samples) / RATE - 0.3


def test_quiet_speech_is_found(clips: list[Path]) -> None:
    found = [seconds(regions(0.1 * load(path, rate=RATE)[0])) for path in clips]
    assert min(found) >= 0.3 and np.median(found) >= 1.0


@pytest.mark.parametrize(
    "samples",
    [
        pytest.param(np.zeros(10 * RATE, "f4"), id="digital silence"),
        pytest.param(np.full(10 * RATE, 0.2, "f4"), id="constant"),
        pytest.param(noise(-70), id="quiet noise"),
        pytest.param(noise(-30), id="noise"),
        pytest.param(noise(-15), id="loud noise"),
        pytest.param(pink(), id="pink noise"),
        pytest.param(tones(440), id="tone"),
        pytest.param(tones(1000), id="another tone"),
        pytest.param(tones(50, 150, amplitude=0.1), id="hum"),
        pytest.param(tones(350, 440), id="dial tone"),
    ],
)
def test_what_is_no_speech(samples: np.ndarray) -> None:
    assert regions(samples) == []


def test_speech_in_noise_is_told_from_the_noise(clips: list[Path]) -> None:
    samples, _ = load(clips[4], rate=RATE)
    around = np.concatenate([np.zeros(5 * RATE, "f4"), samples, np.zeros(5 * RATE, "f4")])
    found = regions(around + noise(-55, len(around)))
    assert found and found[0].start > 4.5 * RATE and found[-1].end < len(around) - 4.5 * RATE


def test_short_pauses_are_bridged_and_long_ones_are_not(clips: list[Path]) -> None:
    samples, _ = load(clips[0], rate=RATE)
    (spoken,) = regions(samples)[:1]
    word = samples[spoken.start : spoken.end]
    apart = np.concatenate([word, np.zeros(2 * RATE, "f4"), word])
    assert len(regions(apart)) == 2 * len(regions(word))
    found = regions(apart)
    assert all(first.end <= second.start for first, second in pairwise(found))


@pytest.mark.parametrize("rate", [8_000, 11_025, 22_050, 44_100, 48_000])
def test_the_rate_changes_little(clips: list[Path], rate: int) -> None:
    for path in clips[:6]:
        expected = regions(load(path, rate=RATE)[0])
        samples, _ = load(path, rate=rate)
        found = regions(samples, rate)
        assert found[-1].end <= len(samples)
        assert seconds(found, rate) == pytest.approx(seconds(expected), rel=0.15, abs=0.1)


@settings(max_examples=25, deadline=None)
@given(sizes=st.lists(st.integers(0, 30_000), max_size=30), rate=st.sampled_from([RATE, 22_050]))
def test_blocks_of_any_size_give_the_same_regions(
    conversation: tuple[Path, np.ndarray, int], sizes: list[int], rate: int
) -> None:
    samples = conversation[1][: 12 * RATE]
    assert regions(samples, rate, sizes) == regions(samples, rate)


def test_less_than_a_frame_is_no_speech() -> None:
    for length in (0, 1, 319, 320, 321):
        assert regions(noise(-20, length)) == []
