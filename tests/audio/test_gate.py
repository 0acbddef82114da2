"""The audio gate: every format decodes to what was recorded, and every bad file is refused with its own words."""

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from emotone import audio
from emotone.audio import load, read, resample
from emotone.errors import AudioError

av = pytest.importorskip("av")

Array = npt.NDArray[np.float32]


def tones(rate: int, channels: int = 1, seconds: float = 0.5, amplitude: float = 0.5) -> Array:
    """One tone per channel: 220 Hz, 330 Hz, ... of shape (channels, samples)."""
    time = np.arange(round(rate * seconds)) / rate
    return np.stack([amplitude * np.sin(2 * np.pi * (220 + 110 * c) * time) for c in range(channels)]).astype("f4")


def strongest(samples: Array, rate: int) -> float:
    """The strongest frequency in Hz."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples)), 1 << 18))
    return float(spectrum.argmax() * rate / (1 << 18))


def write_media(path: Path, samples: Array, rate: int, *, container: str, codec: str, video: bool = False) -> Path:
    """Write an audio track (and a black picture) by PyAV."""
    with av.open(str(path), "w", format=container) as output:
        picture = output.add_stream("mpeg4", rate=10, width=64, height=64, pix_fmt="yuv420p") if video else None
        layout = {1: "mono", 2: "stereo"}[len(samples)]
        track = output.add_stream(codec, rate=rate, layout=layout)
        track.bit_rate = 256_000
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), format="fltp", layout=layout)
        frame.sample_rate = rate
        fit = av.AudioResampler(format=track.codec_context.format, layout=layout, rate=rate)
        if picture is not None:
            for packet in picture.encode(av.VideoFrame(64, 64, "yuv420p")) + picture.encode(None):
                output.mux(packet)
        fifo = av.AudioFifo()
        for part in fit.resample(frame):
            fifo.write(part)
        size = track.codec_context.frame_size or 1024
        while (part := fifo.read(size, partial=True)) is not None:
            output.mux(track.encode(part))
        output.mux(track.encode(None))
    return path


@pytest.mark.parametrize("channels", [1, 2, 6])
@pytest.mark.parametrize(
    ("suffix", "subtype", "tolerance"),
    [
        ("wav", "PCM_U8", 1 / 64),
        ("wav", "PCM_16", 1e-4),
        ("wav", "PCM_24", 1e-6),
        ("wav", "PCM_32", 1e-6),
        ("wav", "FLOAT", 1e-7),
        ("wav", "DOUBLE", 1e-7),
        ("wav", "ULAW", 1 / 32),
        ("flac", "PCM_16", 1e-4),
        ("flac", "PCM_24", 1e-6),
        ("aiff", "PCM_16", 1e-4),
    ],
)
def test_lossless_formats_give_back_the_samples(
    tmp_path: Path, suffix: str, subtype: str, tolerance: float, channels: int
) -> None:
    rate = 8_000 if subtype == "ULAW" else 48_000
    expected = tones(rate, channels)
    path = tmp_path / f"clip.{suffix}"
    soundfile.write(path, expected.T, rate, subtype=subtype)
    samples, got = read(path)
    assert got == rate
    assert samples.dtype == np.float32
    assert samples.shape == expected.shape
    assert np.abs(samples - expected).max() <= tolerance


@pytest.mark.parametrize("rate", [8_000, 11_025, 16_000, 22_050, 44_100, 48_000, 96_000])
def test_load_is_mono_at_the_wanted_rate(tmp_path: Path, rate: int) -> None:
    path = tmp_path / "clip.wav"
    soundfile.write(path, tones(rate, 2, seconds=1.0).T, rate, subtype="FLOAT")
    mono, own = load(path)
    assert own == rate
    np.testing.assert_allclose(mono, tones(rate, 2, seconds=1.0).mean(axis=0), atol=1e-6)
    samples, got = load(path, rate=16_000)
    assert (got, samples.shape) == (16_000, (16_000,))
    middle = slice(800, -800)
    np.testing.assert_allclose(samples[middle], tones(16_000, 2, seconds=1.0).mean(axis=0)[middle], atol=2e-3)


@pytest.mark.parametrize(("suffix", "subtype"), [("ogg", "VORBIS"), ("opus", "OPUS"), ("mp3", "MPEG_LAYER_III")])
@pytest.mark.parametrize("channels", [1, 2])
def test_lossy_formats_of_libsndfile(tmp_path: Path, suffix: str, subtype: str, channels: int) -> None:
    path = tmp_path / f"clip.{suffix}"
    expected = tones(48_000, channels)
    soundfile.write(path, expected.T, 48_000, format="MP3" if suffix == "mp3" else "OGG", subtype=subtype)
    samples, rate = read(path)
    assert rate == 48_000
    assert len(samples) == channels
    assert samples.shape[1] == pytest.approx(expected.shape[1], abs=2_400)
    assert strongest(samples[-1], rate) == pytest.approx(220 + 110 * (channels - 1), abs=2)


@pytest.mark.parametrize(
    ("name", "container", "codec", "rate", "video"),
    [
        ("clip.m4a", "mp4", "aac", 44_100, False),
        ("clip.mp4", "mp4", "aac", 48_000, True),
        ("clip.aac", "adts", "aac", 16_000, False),
        ("clip.webm", "webm", "libopus", 48_000, False),
        ("clip.mkv", "matroska", "flac", 48_000, True),
        ("clip.opus", "ogg", "libopus", 48_000, False),
        ("wrong-suffix.wav", "mp4", "aac", 44_100, False),
    ],
)
@pytest.mark.parametrize("channels", [1, 2])
def test_media_containers(
    tmp_path: Path, name: str, container: str, codec: str, rate: int, video: bool, channels: int
) -> None:
    expected = tones(rate, channels, seconds=1.0)
    path = write_media(tmp_path / name, expected, rate, container=container, codec=codec, video=video)
    for source in (path, path.read_bytes(), io.BytesIO(path.read_bytes())):
        samples, got = read(source)
        assert got == rate
        assert len(samples) == channels
        assert samples.shape[1] == pytest.approx(rate, rel=0.1)
        middle = samples[:, rate // 4 : 3 * rate // 4]
        assert strongest(middle[-1], rate) == pytest.approx(220 + 110 * (channels - 1), abs=2)
        assert np.abs(middle).max() == pytest.approx(0.5, abs=0.05)


def test_path_string_bytes_and_open_file_give_the_same(tmp_path: Path) -> None:
    path = tmp_path / "clip.flac"
    soundfile.write(path, tones(16_000)[0], 16_000)
    expected, _ = read(path)
    with path.open("rb") as file:
        for source in (str(path), path.read_bytes(), file):
            np.testing.assert_array_equal(read(source)[0], expected)


def test_content_decides_not_the_suffix(tmp_path: Path) -> None:
    for name in ("clip.mp3", "clip.raw", "clip", "clip.txt"):
        path = tmp_path / name
        soundfile.write(path, tones(16_000)[0], 16_000, format="WAV")
        assert read(path)[0].shape == (1, 8_000)


def test_real_clips_are_decoded_bit_by_bit(ravdess: Path) -> None:
    for path in sorted(ravdess.rglob("*.flac"))[::300]:
        integers, rate = soundfile.read(path, dtype="int16", always_2d=True)
        samples, got = read(path)
        assert got == rate == 48_000
        np.testing.assert_array_equal(np.round(samples.T * 32_768).astype("int16"), integers)


@pytest.mark.parametrize("rate", [44_100, 16_000])
def test_resampling_keeps_the_band_and_removes_what_would_alias(rate: int) -> None:
    time = np.arange(48_000) / 48_000
    kept = np.sin(2 * np.pi * 1_000 * time).astype("f4")
    aliasing = np.sin(2 * np.pi * 23_500 * time).astype("f4")
    level = np.abs(resample(kept, 48_000, rate)[rate // 4 : -rate // 4]).max()
    assert level == pytest.approx(1.0, abs=1e-3)
    assert np.abs(resample(aliasing, 48_000, rate)[rate // 4 : -rate // 4]).max() < 1e-4


def test_channels_are_resampled_each_alone() -> None:
    both = resample(tones(48_000, 2), 48_000, 16_000)
    np.testing.assert_array_equal(both[1], resample(tones(48_000, 2)[1], 48_000, 16_000))


def test_slight_overs_are_clipped_and_a_wrong_scale_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "loud.wav"
    soundfile.write(path, tones(16_000, amplitude=1.5)[0], 16_000, subtype="FLOAT")
    assert np.abs(read(path)[0]).max() == 1.0
    soundfile.write(path, tones(16_000, amplitude=20_000)[0], 16_000, subtype="FLOAT")
    with pytest.raises(AudioError, match=r"loud\.wav: samples reach .* must lie in -1 to 1"):
        read(path)


def refused(source: Path | bytes, words: str) -> None:
    with pytest.raises(AudioError, match=words) as error:
        load(source, rate=16_000)
    assert str(error.value).startswith(str(source) if isinstance(source, Path) else "audio")


def test_missing_folder_and_empty(tmp_path: Path) -> None:
    refused(tmp_path / "no.wav", "no such file")
    refused(tmp_path, "is a folder")
    empty = tmp_path / "empty.wav"
    empty.write_bytes(b"")
    refused(empty, "empty")
    refused(b"", "empty")


def test_a_header_without_samples(tmp_path: Path) -> None:
    path = tmp_path / "none.wav"
    soundfile.write(path, np.zeros(0, "f4"), 16_000)
    refused(path, "no samples")


@pytest.mark.parametrize("suffix", ["wav", "flac", "aiff", "ogg", "m4a", "webm"])
@pytest.mark.parametrize("share", [0.5, 0.8])
def test_truncated(tmp_path: Path, suffix: str, share: float) -> None:
    whole = tmp_path / f"whole.{suffix}"
    noise = np.random.default_rng(0).normal(0, 0.1, (1, 48_000 * 5)).astype("f4")
    if suffix in {"m4a", "webm"}:
        codec = "aac" if suffix == "m4a" else "libopus"
        write_media(whole, noise, 48_000, container="mp4" if suffix == "m4a" else "webm", codec=codec)
    else:
        soundfile.write(whole, noise[0], 48_000)
    read(whole)
    cut = tmp_path / f"cut.{suffix}"
    data = whole.read_bytes()
    cut.write_bytes(data[: int(len(data) * share)])
    refused(cut, "truncated")


def test_a_streamed_wav_of_unknown_length_is_read(tmp_path: Path) -> None:
    path = tmp_path / "streamed.wav"
    soundfile.write(path, tones(16_000)[0], 16_000)
    data = bytearray(path.read_bytes())
    data[4:8] = data[40:44] = b"\xff\xff\xff\xff"
    assert read(bytes(data))[0].shape == (1, 8_000)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_not_finite(tmp_path: Path, value: float) -> None:
    path = tmp_path / "bad.wav"
    samples = tones(16_000)[0]
    samples[100] = value
    soundfile.write(path, samples, 16_000, subtype="FLOAT")
    refused(path, "NaN or infinite")


def test_not_audio(tmp_path: Path) -> None:
    playlist = tmp_path / "playlist.wav"
    playlist.write_text("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:9/x.ts\n#EXT-X-ENDLIST\n")
    refused(playlist, "not audio")
    text = tmp_path / "text.wav"
    text.write_text("these are words\n" * 100)
    refused(text, "not audio")
    refused(bytes(1000), "not audio")


def test_video_without_sound(tmp_path: Path) -> None:
    path = tmp_path / "silent.mp4"
    with av.open(str(path), "w") as output:
        picture = output.add_stream("mpeg4", rate=10, width=64, height=64, pix_fmt="yuv420p")
        for packet in picture.encode(av.VideoFrame(64, 64, "yuv420p")) + picture.encode(None):
            output.mux(packet)
    refused(path, "no audio track")


def test_over_long_is_refused_from_the_header(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "long.wav"
    soundfile.write(path, np.zeros(16_000 * 3, "f4"), 16_000)
    media = write_media(tmp_path / "long.webm", tones(48_000, seconds=3), 48_000, container="webm", codec="libopus")
    monkeypatch.setattr(audio.gate, "MAX_SECONDS", 2)
    monkeypatch.setattr(soundfile.SoundFile, "read", lambda *_, **__: pytest.fail("decoded"))
    refused(path, "too long")
    refused(media, "too long")


def test_unbelievable_rates(tmp_path: Path) -> None:
    path = tmp_path / "slow.wav"
    soundfile.write(path, np.zeros(100, "f4"), 10)
    refused(path, "10 Hz is not supported")
    with pytest.raises(AudioError, match="0 Hz is not supported"):
        resample(np.zeros(100, "f4"), 16_000, 0)


def test_too_short_to_resample(tmp_path: Path) -> None:
    path = tmp_path / "click.wav"
    soundfile.write(path, np.full(1, 0.1, "f4"), 48_000)
    refused(path, "too short")


def test_media_without_pyav_names_the_extra(tmp_path: Path) -> None:
    path = write_media(tmp_path / "clip.m4a", tones(44_100), 44_100, container="mp4", codec="aac")
    code = (
        "import sys; sys.modules['av'] = None\n"
        "from emotone.audio import read; from emotone.errors import AudioError\n"
        "try: read(sys.argv[1])\nexcept AudioError as error: print(error)"
    )
    told = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True).stdout
    assert "clip.m4a" in told
    assert "pip install emotone[media]" in told


@settings(max_examples=60, deadline=None)
@given(data=st.binary(max_size=400), head=st.sampled_from([b"", b"RIFF", b"fLaC", b"OggS", b"ID3", b"\x1aE\xdf\xa3"]))
def test_random_bytes_never_end_in_anything_but_an_audio_error(data: bytes, head: bytes) -> None:
    try:
        samples, _ = read(head + data)
    except AudioError:
        return
    assert np.isfinite(samples).all()


def test_more_channels_than_are_believed(tmp_path: Path) -> None:
    path = tmp_path / "many.wav"
    for channels in (64, 65):
        soundfile.write(path, np.zeros((100, channels), "f4"), 16_000, subtype="PCM_16")
        if channels == 64:
            assert read(path)[0].shape == (64, 100)
    refused(path, "has 65 channels; allowed are 1 to 64")


def test_silence_that_no_memory_holds_is_refused_from_the_header(tmp_path: Path) -> None:
    path = tmp_path / "silence.flac"
    soundfile.write(path, np.zeros((4800, 8), "i2"), 48_000, subtype="PCM_16")
    content = bytearray(path.read_bytes())
    content[21] &= 0xF0
    content[22:26] = (4 * 3600 * 48_000 - 1).to_bytes(4, "big")  # samples; the low 36 bits of bytes 18 to 25
    path.write_bytes(content)
    refused(path, r"too long: 4\.0 h of 8 channels at 48000 Hz \(at most 1\.0 h of them\)")


def test_no_room_is_made_for_what_a_header_promises_and_the_file_does_not_hold(tmp_path: Path) -> None:
    path = tmp_path / "promised.flac"
    soundfile.write(path, np.zeros(4800, "i2"), 48_000, subtype="PCM_16")
    content = bytearray(path.read_bytes())
    content[22:26] = (3 * 3600 * 48_000).to_bytes(4, "big")
    path.write_bytes(content)
    code = (
        "import resource, sys; from emotone.audio import read; from emotone.errors import AudioError\n"
        "used = int(open('/proc/self/statm').read().split()[0]) * resource.getpagesize()\n"
        "resource.setrlimit(resource.RLIMIT_AS, (used + (512 << 20),) * 2)\n"
        "try: read(sys.argv[1])\nexcept AudioError as error: print(error)"
    )
    if not Path("/proc/self/statm").exists():
        pytest.skip("needs /proc to limit the memory")
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    assert "promised.flac: truncated or damaged" in done.stdout
