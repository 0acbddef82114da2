"""A recording read by blocks is the recording read whole, and is refused for the same reasons."""

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile

from emotone import audio
from emotone.audio import from_array, load, open_blocks, read
from emotone.errors import AudioError

av = pytest.importorskip("av")

RATE = 48_000


@pytest.fixture(scope="module")
def noise() -> np.ndarray:
    return np.random.default_rng(0).uniform(-0.5, 0.5, (2, 3 * RATE)).astype("f4")


def written(path: Path, samples: np.ndarray) -> Path:
    if path.suffix in (".m4a", ".webm"):
        with av.open(str(path), "w") as output:
            track = output.add_stream("aac" if path.suffix == ".m4a" else "libopus", rate=RATE, layout="stereo")
            frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="stereo")
            frame.sample_rate = RATE
            fit = av.AudioResampler(format=track.codec_context.format, layout="stereo", rate=RATE)
            fifo = av.AudioFifo()
            for part in fit.resample(frame):
                fifo.write(part)
            while (part := fifo.read(track.codec_context.frame_size, partial=True)) is not None:
                output.mux(track.encode(part))
            output.mux(track.encode(None))
    else:
        soundfile.write(path, samples.T, RATE)
    return path


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "mp3", "m4a", "webm"])
def test_blocks_are_the_whole(noise: np.ndarray, tmp_path: Path, suffix: str) -> None:
    path = written(tmp_path / f"noise.{suffix}", noise)
    expected, rate = read(path)
    for source in (path, io.BytesIO(path.read_bytes())):
        with open_blocks(source) as recording:
            assert recording.rate == rate
            assert recording.seconds == pytest.approx(expected.shape[1] / rate, abs=0.1)
            blocks = list(recording.blocks(10_000))
        assert max(block.shape[1] for block in blocks) < 13_000
        np.testing.assert_array_equal(np.concatenate(blocks, axis=1), expected)


@pytest.mark.parametrize("kind", ["wav", "flac", "aiff", "au", "caf"])
def test_16_bits_become_the_floats_that_libsndfile_makes(noise: np.ndarray, tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"noise.{kind}"
    soundfile.write(path, np.clip(4 * noise.T, -1, 1), RATE, subtype="PCM_16")  # full scale, both ends of it
    samples, _ = read(path)
    np.testing.assert_array_equal(samples.T, soundfile.read(path, dtype="float32")[0])
    assert samples.min() == -1


def test_what_is_too_long_to_be_read_whole_is_read_by_blocks(
    noise: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audio.gate, "MAX_SECONDS", 2)
    path = written(tmp_path / "long.wav", noise)
    with pytest.raises(AudioError, match="too long"):
        read(path)
    with open_blocks(path) as recording:
        assert sum(block.shape[1] for block in recording.blocks(RATE)) == 3 * RATE


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "m4a"])
def test_truncated(noise: np.ndarray, tmp_path: Path, suffix: str) -> None:
    whole = written(tmp_path / f"whole.{suffix}", noise).read_bytes()
    with pytest.raises(AudioError, match="truncated"), open_blocks(whole[: len(whole) // 2]) as recording:
        for _ in recording.blocks(10_000):
            pass


def test_a_bad_sample_late_in_a_recording_is_found(noise: np.ndarray, tmp_path: Path) -> None:
    samples = noise.copy()
    samples[1, -5] = np.inf
    path = tmp_path / "bad.wav"
    soundfile.write(path, samples.T, RATE, subtype="FLOAT")
    with open_blocks(path) as recording:
        blocks = recording.blocks(RATE)
        assert next(blocks).shape == next(blocks).shape == (2, RATE)
        with pytest.raises(AudioError, match=r"bad\.wav: holds NaN or infinite"):
            next(blocks)


def test_an_open_file_is_left_open(noise: np.ndarray, tmp_path: Path) -> None:
    with written(tmp_path / "noise.wav", noise).open("rb") as file:
        assert load(file)[0].shape == (3 * RATE,)
        assert not file.closed


@pytest.mark.parametrize("kind", ["f2", "f4", "f8", "i2", "i4"])
@pytest.mark.parametrize("shape", [(100,), (1, 100), (2, 100), (2, 0)])
def test_arrays_become_channels_in_float32(noise: np.ndarray, kind: str, shape: tuple[int, ...]) -> None:
    samples = noise[: shape[0] if len(shape) == 2 else 1, : shape[-1]].reshape(shape)
    scale = {"i2": 2**15, "i4": 2**31}.get(kind, 1)
    found = from_array((samples.astype("f8") * scale).astype(kind))
    assert found.dtype == np.float32 and found.ndim == 2
    np.testing.assert_allclose(found, np.atleast_2d(samples), atol=1e-3)
