"""Every condition does to a sound what its name says, and the same every time."""

import numpy as np
import numpy.typing as npt
import pytest

from emotone.corpora.synthetic import synthesise
from emotone.stress import CONDITIONS, Condition

RATE = 16_000
Samples = npt.NDArray[np.float32]


def voice(actor: int) -> Samples:
    samples = synthesise("angry", "normal", "01", 1, actor)
    return np.asarray(0.5 * samples / np.abs(samples).max(), np.float32)


SPEECH, OTHERS = voice(1), [voice(actor) for actor in (2, 3, 4)]


def under(condition: Condition, samples: Samples = SPEECH, seed: int = 0) -> tuple[Samples, int]:
    return condition.change((samples, RATE), OTHERS, np.random.default_rng(seed))


def of(kind: str, degree: str = "") -> Condition:
    return next(each for each in CONDITIONS if (each.kind, each.degree) == (kind, degree))


def decibels(power: float) -> float:
    return float(10 * np.log10(power))


@pytest.mark.parametrize("condition", CONDITIONS, ids=lambda each: each.name)
def test_a_condition_gives_sound_of_any_sound_and_the_same_again(condition: Condition) -> None:
    for samples in (SPEECH, np.zeros(RATE, np.float32), SPEECH[:400]):
        before = samples.copy()
        changed, rate = under(condition, samples)
        again, _ = under(condition, samples)
        assert changed.dtype == np.float32 and changed.ndim == 1 and rate in (8_000, RATE)
        assert np.isfinite(changed).all() and np.abs(changed).max() <= 1.001
        np.testing.assert_array_equal(changed, again)
        np.testing.assert_array_equal(samples, before)


@pytest.mark.parametrize("kind", ["white noise", "babble", "mains hum"])
@pytest.mark.parametrize("snr", [20, 0])
def test_a_noise_is_as_loud_as_it_says(kind: str, snr: int) -> None:
    changed, _ = under(of(kind, f"{snr} dB"))
    turned = np.vdot(changed, SPEECH) / np.vdot(SPEECH, SPEECH)  # a sum beyond 1 is turned down
    noise = changed / turned - SPEECH
    frames = np.square(SPEECH[: len(SPEECH) // 320 * 320]).reshape(-1, 320).mean(1)
    speech = frames[frames >= frames.max() * 1e-4].mean()
    assert decibels(speech / np.mean(np.square(noise))) == pytest.approx(snr, abs=1.5)


def test_a_hum_lies_at_the_mains_and_its_harmonics() -> None:
    changed, _ = under(of("mains hum", "0 dB"), np.resize(SPEECH, 4 * RATE))
    quiet, _ = under(of("mains hum", "0 dB"), np.concatenate([SPEECH, np.zeros(4 * RATE, np.float32)]))
    spectrum = np.abs(np.fft.rfft(quiet[-2 * RATE :]))
    assert np.argmax(spectrum) == 2 * 50 and spectrum[2 * 50] > 20 * spectrum[2 * 75]
    assert len(changed) == 4 * RATE


def test_a_telephone_passes_half_the_band_and_codecs_keep_the_speech() -> None:
    for degree in ("mu-law", "GSM 06.10"):
        assert under(of("telephone", degree))[1] == 8_000
    for kind, degree in (("MP3", "8 kbit/s"), ("Opus", "7 kbit/s")):
        changed, rate = under(of(kind, degree))
        assert rate == RATE and len(changed) == pytest.approx(len(SPEECH), abs=3_000)
        size = 1 << 17
        alike = np.fft.irfft(np.fft.rfft(changed, size) * np.conj(np.fft.rfft(SPEECH, size)))  # a codec may delay
        assert alike.max() > 0.5 * np.linalg.norm(changed) * np.linalg.norm(SPEECH)
        assert not np.allclose(changed[:20_000], SPEECH[:20_000], atol=0.01)


def test_a_room_rings_for_as_long_as_it_says() -> None:
    click = np.zeros(2 * RATE, np.float32)
    click[100] = 0.5
    for seconds in (0.3, 1.2):
        heard, _ = under(of("room", f"{seconds:g} s"), click)
        energy = np.cumsum(np.square(heard[::-1].astype(np.float64)))[::-1]
        fallen = np.argmax(energy < energy[101] * 10**-3)  # Schroeder's curve, half of 60 dB
        assert (fallen - 101) / RATE == pytest.approx(seconds / 2, rel=0.2)
        assert np.square(heard[101:]).sum() == pytest.approx(np.square(heard[100]), rel=0.01)


def test_peaks_are_cut_off_levels_set_speech_delayed_and_cropped() -> None:
    clipped = under(of("clipping", "20 dB"))[0]
    assert (np.abs(clipped) == 1).mean() > 0.05 > (np.abs(under(of("clipping", "10 dB"))[0]) == 1).mean()
    assert np.abs(under(of("level", "peak -40 dB"))[0]).max() == pytest.approx(0.01)
    late = under(of("silence before", "3 s"))[0]
    np.testing.assert_array_equal(late[3 * RATE :], SPEECH)
    assert np.abs(late[: 3 * RATE]).max() < 0.005
    tail = np.concatenate([np.zeros(RATE, np.float32), SPEECH])
    cropped = under(of("crop", "1 s"), tail)[0]
    assert len(cropped) == RATE
    assert np.square(cropped).sum() > 0.5 * np.square(SPEECH).sum() * RATE / len(SPEECH)
