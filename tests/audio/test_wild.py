"""WAV and its kin as they come in the wild: what is whole is read whole, what is cut short as far as it goes."""

import io
import struct
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from emotone.audio import Samples, load, open_blocks, read
from emotone.errors import AudioError

av = pytest.importorskip("av")

RATE = 16_000
SECONDS = 1.5
VOICE = (0.4 * np.sin(np.arange(round(SECONDS * RATE)) ** 1.15 / 20)).astype("f4")
PCM = (VOICE * 32767).astype("<i2").tobytes()
FMT = struct.pack("<HHIIHH", 1, 1, RATE, 2 * RATE, 2, 16)


def chunk(name: bytes, content: bytes, size: int | None = None, order: str = "<") -> bytes:
    stated = len(content) if size is None else size
    return name + struct.pack(f"{order}I", stated) + content + b"\0" * (len(content) % 2)


def wav(data: bytes = PCM, *, fmt: bytes = FMT, size: int | None = None, riff: int | None = None, more: bytes = b"",
        before: bytes = b"") -> bytes:  # fmt: skip
    body = b"WAVE" + chunk(b"fmt ", fmt) + before + chunk(b"data", data, size) + more
    return b"RIFF" + struct.pack("<I", len(body) if riff is None else riff) + body


def big_endian() -> bytes:
    fmt = struct.pack(">HHIIHH", 1, 1, RATE, 2 * RATE, 2, 16)
    data = np.frombuffer(PCM, "<i2").astype(">i2").tobytes()
    body = b"WAVE" + chunk(b"fmt ", fmt, order=">") + chunk(b"data", data, 0, order=">")
    return b"RIFX" + struct.pack(">I", len(body)) + body


def rf64(magic: bytes, size: int) -> bytes:
    ds64 = chunk(b"ds64", struct.pack("<QQQI", 0, size, 0, 0))
    return magic + b"\xff" * 4 + b"WAVE" + ds64 + chunk(b"fmt ", FMT) + chunk(b"data", PCM, 0xFFFF_FFFF)


def extensible() -> bytes:
    guid = bytes.fromhex("0100000000001000800000aa00389b71")
    fmt = struct.pack("<HHIIHHHHI", 0xFFFE, 1, RATE, 2 * RATE, 2, 16, 22, 16, 4) + guid
    return wav(fmt=fmt, size=0xFFFF_FFFF)


def id3(size: int, content: bytes) -> bytes:
    syncsafe = bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3\x04\0\0" + syncsafe + bytes(size) + content


WHOLE = {
    "plain": wav(),
    "size-zero": wav(size=0),
    "size-unknown": wav(size=0xFFFF_FFFF, riff=0xFFFF_FFFF),
    "size-unknown-signed": wav(size=0x7FFF_FFFF),
    "size-of-a-pipe": wav(size=0x7FFF_F000),
    "size-16-too-many": wav(size=len(PCM) + 16),
    "size-1-too-many": wav(size=len(PCM) + 1),
    "riff-size-zero": wav(riff=0),
    "riff-size-too-small": wav(riff=100),
    "odd-byte-at-the-end": wav(size=0) + b"\0",
    "id3-before": id3(10, wav()),
    "id3-before-and-size-zero": id3(1000, wav(size=0)),
    "two-tags-before": id3(10, id3(300, wav())),
    "list-before-data": wav(before=chunk(b"LIST", b"INFOISFT\x06\0\0\0abcdef")),
    "bext-before-and-streamed": wav(before=chunk(b"bext", bytes(858)), size=0),
    "list-after-data": wav(more=chunk(b"LIST", b"INFOISFT\x06\0\0\0abcdef")),
    "fmt-says-18-and-has-16": wav(before=b"").replace(b"fmt \x10", b"fmt \x12"),
    "big-endian": big_endian(),
    "extensible-streamed": extensible(),
    "rf64": rf64(b"RF64", len(PCM)),
    "rf64-size-zero": rf64(b"RF64", 0),
    "rf64-size-unknown": rf64(b"RF64", 0xFFFF_FFFF_FFFF_FFFF),
    "bw64": rf64(b"BW64", len(PCM)),
}


@pytest.mark.parametrize("name", WHOLE)
def test_a_whole_recording_is_read_whole(name: str, tmp_path: Path) -> None:
    path = tmp_path / f"{name}.wav"
    path.write_bytes(WHOLE[name])
    for source in (path, WHOLE[name], io.BytesIO(WHOLE[name])):
        with open_blocks(source, strict=True) as recording:
            samples = np.concatenate(list(recording.blocks(1000)), axis=1)
            assert recording.notes == []
            assert recording.seconds == pytest.approx(SECONDS, abs=1e-3)
        assert recording.rate == RATE
        np.testing.assert_allclose(samples[0], VOICE, atol=1e-4)


def written(path: Path, container: str, codec: str, rate: int = RATE, channels: int = 1) -> bytes:
    """What PyAV writes of `VOICE`, through a pipe or not."""
    layout = {1: "mono", 2: "stereo", 6: "5.1"}[channels]
    with av.open(str(path), "w", format=container) as output:
        track = output.add_stream(codec, rate=rate, layout=layout)
        track.bit_rate = 128_000
        frame = av.AudioFrame.from_ndarray(np.tile(VOICE, (channels, 1)), format="fltp", layout=layout)
        frame.sample_rate = RATE
        fit = av.AudioResampler(format=track.codec_context.format, layout=layout, rate=rate)
        fifo = av.AudioFifo()
        for part in [*fit.resample(frame), *fit.resample(None)]:
            fifo.write(part)
        while (part := fifo.read(track.codec_context.frame_size or 1024, partial=True)) is not None:
            output.mux(track.encode(part))
        output.mux(track.encode(None))
    return path.read_bytes()


@pytest.mark.parametrize(
    ("container", "codec", "rate", "channels"),
    [
        ("wav", "mp3", RATE, 1),
        ("wav", "adpcm_ms", RATE, 1),
        ("wav", "adpcm_ima_wav", RATE, 1),
        ("wav", "adpcm_yamaha", RATE, 1),
        ("wav", "pcm_mulaw", 8_000, 1),
        ("wav", "pcm_alaw", 8_000, 1),
        ("wav", "pcm_u8", RATE, 1),
        ("wav", "pcm_s24le", RATE, 2),
        ("wav", "pcm_f32le", RATE, 6),
        ("wav", "ac3", 48_000, 1),
        ("wav", "wmav2", 44_100, 1),
        ("w64", "pcm_s16le", RATE, 1),
        ("aiff", "pcm_s16be", RATE, 1),
        ("au", "pcm_s16be", RATE, 1),
        ("caf", "pcm_s16be", RATE, 1),
        ("flac", "flac", RATE, 1),
        ("asf", "wmav2", 44_100, 1),
        ("avi", "pcm_s16le", RATE, 1),
        ("tta", "tta", RATE, 1),
        ("wv", "wavpack", RATE, 1),
        ("ac3", "ac3", 48_000, 1),
        ("mpegts", "mp2", 48_000, 1),
        ("matroska", "pcm_s16le", RATE, 1),
    ],
)
def test_what_ffmpeg_writes_is_read(container: str, codec: str, rate: int, channels: int, tmp_path: Path) -> None:
    content = written(tmp_path / "clip", container, codec, rate, channels)
    samples, own = read(content)
    assert (own, len(samples)) == (rate, channels)
    assert samples.shape[1] / rate == pytest.approx(SECONDS, abs=0.1)  # codecs pad by up to a packet
    assert np.sqrt(np.mean(samples**2)) == pytest.approx(np.sqrt(np.mean(VOICE**2)), rel=0.15)


def to_flac() -> bytes:
    file = io.BytesIO()
    soundfile.write(file, VOICE, RATE, format="FLAC")
    return file.getvalue()


def of_unknown_length(flac: bytes) -> bytes:
    """A FLAC as a pipe gets it: its header gives no number of samples (the low 36 bits of bytes 18 to 25)."""
    return flac[:21] + bytes([flac[21] & 0xF0]) + bytes(4) + flac[26:]


def test_a_flac_of_unknown_length_is_read_whole() -> None:
    samples, _ = read(of_unknown_length(to_flac()))
    np.testing.assert_allclose(samples[0], VOICE, atol=1e-4)


@pytest.mark.parametrize("kept", [0.3, 0.8])
@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("wav", lambda path: wav()),
        ("rf64", lambda path: rf64(b"RF64", len(PCM))),
        ("id3", lambda path: id3(200, wav())),
        ("aiff", lambda path: written(path, "aiff", "pcm_s16be")),
        ("au", lambda path: written(path, "au", "pcm_s16be")),
        ("flac", lambda path: to_flac()),
        ("mka", lambda path: written(path, "matroska", "aac")),
    ],
)
def test_what_is_cut_short_is_read_as_far_as_it_goes(
    name: str, make: Callable[[Path], bytes], kept: float, tmp_path: Path
) -> None:
    whole = make(tmp_path / "whole")
    path = tmp_path / f"cut.{name}"
    path.write_bytes(whole[: round(kept * len(whole))])
    with pytest.raises(AudioError, match=r"cut\..*: truncated or damaged"):
        load(path)
    with open_blocks(path, strict=False) as recording:
        found = sum(block.shape[1] for block in recording.blocks(1 << 20)) / RATE
    assert 0 < found < SECONDS and found == pytest.approx(kept * SECONDS, abs=0.35)
    (note,) = recording.notes
    if name != "mka":
        assert note == f"cut short: {SECONDS - found:.2f} of {SECONDS:.2f} s are missing"


def test_how_much_is_missing_is_said_in_seconds() -> None:
    with open_blocks(wav()[:-24_000], strict=False) as recording:
        assert sum(block.shape[1] for block in recording.blocks(RATE)) == 12_000
    assert recording.notes == ["cut short: 0.75 of 1.50 s are missing"]


def test_a_wav_without_samples_is_not_read_from_what_follows_them() -> None:
    with pytest.raises(AudioError, match="holds no samples"):
        read(wav(b"", more=chunk(b"LIST", b"INFOISFT\x06\0\0\0abcdef")))


@settings(max_examples=300, deadline=None)
@given(
    at=st.integers(0, 47),
    value=st.binary(min_size=1, max_size=8),
    cut=st.integers(0, len(PCM)),
)
def test_a_header_that_lies_is_read_or_refused(at: int, value: bytes, cut: int) -> None:
    content = bytearray(wav()[: 44 + cut])
    content[at : at + len(value)] = value
    try:
        with open_blocks(bytes(content), strict=False) as recording:
            found: list[Samples] = list(recording.blocks(RATE))
    except AudioError:
        return
    assert sum(block.shape[1] for block in found) <= 8 * len(content)  # no more samples than bits


def encoded(path: Path, tracks: list[tuple[np.ndarray, str, str, float]], **metadata: bytes | str) -> Path:
    """Write tracks of (samples of each channel, codec, layout, seconds before the first of them)."""
    with av.open(str(path), "w", metadata_errors="surrogateescape") as container:
        container.metadata.update(metadata)
        streams = [container.add_stream(codec, rate=RATE, layout=layout) for _, codec, layout, _ in tracks]
        for (samples, codec, layout, before), stream in zip(tracks, streams, strict=True):
            every = np.tile(samples, (av.AudioLayout(layout).nb_channels, 1))
            planar = codec == "aac"
            frame = av.AudioFrame.from_ndarray(
                every if planar else every.T.reshape(1, -1), format="fltp" if planar else "flt", layout=layout
            )
            frame.sample_rate, frame.pts, frame.time_base = RATE, round(before * RATE), Fraction(1, RATE)
            for packet in [*stream.encode(frame), *stream.encode(None)]:
                container.mux(packet)
    return path


@pytest.mark.parametrize("layout", ["7.1", "hexadecagonal"])
def test_many_channels_are_read(layout: str, tmp_path: Path) -> None:
    path = encoded(tmp_path / "many.mkv", [(VOICE, "pcm_f32le", layout, 0.0)])
    samples, rate = read(path)
    assert (rate, samples.shape) == (RATE, (av.AudioLayout(layout).nb_channels, len(VOICE)))
    assert np.array_equal(samples, np.tile(VOICE, (len(samples), 1)))


def test_channels_and_rates_may_change_on_the_way(tmp_path: Path) -> None:
    """As in a broadcast, or where raw streams are put one after the other."""
    one = encoded(tmp_path / "one.aac", [(VOICE, "aac", "mono", 0.0)]).read_bytes()
    two = encoded(tmp_path / "two.aac", [(VOICE, "aac", "stereo", 0.0)]).read_bytes()
    whole = 2 * read(io.BytesIO(one))[0].shape[1]
    for joined, channels in ((one + two, 1), (two + one, 2)):
        samples, _ = read(io.BytesIO(joined))
        assert samples.shape[0] == channels and abs(samples.shape[1] - whole) < 0.2 * RATE
        halves = np.split(samples[0, : samples.shape[1] // 2 * 2], 2)
        loud = [np.sqrt(np.mean(half**2)) for half in halves]
        assert 0.7 <= loud[0] / loud[1] <= 1.5  # ffmpeg's mixing keeps the power, not the amplitude


def test_a_tag_in_another_encoding_is_no_fault(tmp_path: Path) -> None:
    path = encoded(tmp_path / "tag.mka", [(VOICE, "pcm_f32le", "mono", 0.0)], title="Gespr\xe4ch")
    told = path.read_bytes()
    assert "Gespr\xe4ch".encode() in told
    path.write_bytes(told.replace("Gespr\xe4ch".encode(), b"Gespr\xe4\xe4ch"))  # latin-1, of the same length
    assert np.array_equal(read(path)[0][0], VOICE)


def test_times_of_a_film_are_its_own(tmp_path: Path) -> None:
    """Its sound may begin after its pictures, or after those of another track."""
    early, late = (VOICE, "pcm_f32le", "mono", 0.0), (VOICE, "pcm_f32le", "mono", 1.0)
    with open_blocks(encoded(tmp_path / "late.mkv", [late, early]), strict=True) as recording:
        samples = np.concatenate(list(recording.blocks(4_000)), axis=1)[0]
    assert recording.notes == ["has 2 audio tracks; the first is taken"]
    assert not samples[:RATE].any() and np.array_equal(samples[RATE:], VOICE)
    alone = encoded(tmp_path / "alone.mkv", [late])
    assert np.array_equal(read(alone)[0][0], VOICE)  # which refuses what is cut short


@pytest.mark.parametrize("tracks", [1, 2])
def test_a_pause_on_a_films_clock_is_no_cut(tracks: int, tmp_path: Path) -> None:
    path = tmp_path / "pause.mkv"
    with av.open(str(path), "w") as container:
        streams = [container.add_stream("pcm_f32le", rate=RATE, layout="mono") for _ in range(tracks)]
        for stream in streams:
            for second in (0, 4):
                frame = av.AudioFrame.from_ndarray(VOICE[None], format="flt", layout="mono")
                frame.sample_rate, frame.pts, frame.time_base = RATE, second * RATE, Fraction(1, RATE)
                container.mux(stream.encode(frame))
    with open_blocks(path, strict=True) as recording:
        samples = np.concatenate(list(recording.blocks(4_000)), axis=1)
    assert np.array_equal(samples[0], np.tile(VOICE, 2))
    assert (
        "2.5 s have no sound and are left out, the first at " in recording.notes[-1] and len(recording.notes) == tracks
    )


@pytest.mark.parametrize("stated", [0xFFFF_FFFF, 0x7FFF_FFFF, 5 * RATE * 4, 0])
def test_a_wav_of_more_than_four_gigabytes_has_its_length(stated: int, tmp_path: Path) -> None:
    """Where its size was left open, and where it was written modulo 2^32. The file has no content on the disk."""
    path, size = tmp_path / "days.wav", (1 << 32) + 5 * RATE * 4
    fmt = struct.pack("<HHIIHH", 1, 2, RATE, 4 * RATE, 4, 16)
    with path.open("wb") as file:
        file.write(wav(b"", fmt=fmt, size=stated))
        file.truncate(file.tell() + size)
        file.seek(-4 * RATE, io.SEEK_END)
        file.write(np.full(2 * RATE, 8192, "<i2").tobytes())
    seconds = size / 4 / RATE
    with open_blocks(path, start=seconds - 2, strict=True) as recording:
        end = np.concatenate(list(recording.blocks(RATE)), axis=1)
    assert recording.seconds == 2 and recording.notes == []
    assert not end[:, :RATE].any() and np.allclose(end[:, RATE:], 0.25)


@pytest.mark.parametrize("subtype", ["VORBIS", "OPUS"])
def test_ogg_put_one_after_the_other_is_read_to_its_end(subtype: str) -> None:
    one = io.BytesIO()
    soundfile.write(one, np.tile(VOICE, 3), RATE, format="OGG", subtype=subtype)
    twice, rate = read(2 * one.getvalue())  # by PyAV, Opus at its own 48 kHz
    assert twice.shape[1] / rate == pytest.approx(6 * SECONDS, abs=0.2)
    halves = np.split(twice[0][: twice.shape[1] // 2 * 2], 2)
    assert np.std(halves[1]) == pytest.approx(np.std(halves[0]), rel=0.1)
