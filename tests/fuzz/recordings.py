"""Recordings as nobody should write them: files of every kind with bytes changed, headers that lie, odd samples."""

import io
import struct
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from hypothesis import strategies as st

__all__ = ["changed", "headers", "hear", "hear_array", "recordings", "samples", "whole"]

RATE = 16_000
_SNDFILE = (
    ("WAV", "PCM_16"), ("WAV", "FLOAT"), ("WAV", "ULAW"), ("WAV", "MS_ADPCM"), ("WAV", "GSM610"), ("WAVEX", "PCM_24"),
    ("FLAC", "PCM_16"), ("OGG", "VORBIS"), ("OGG", "OPUS"), ("MP3", "MPEG_LAYER_III"), ("AIFF", "PCM_16"),
    ("AU", "FLOAT"), ("CAF", "ALAC_16"), ("W64", "PCM_16"), ("RF64", "PCM_16"), ("NIST", "PCM_16"), ("VOC", "PCM_U8"),
)  # fmt: skip
_MEDIA = (
    ("mp4", "aac"), ("webm", "libopus"), ("matroska", "flac"), ("adts", "aac"), ("ogg", "libopus"), ("mp3", "mp3"),
    ("wav", "mp3"), ("asf", "wmav2"), ("avi", "pcm_s16le"), ("ac3", "ac3"), ("mpegts", "mp2"), ("tta", "tta"),
    ("wv", "wavpack"), ("caf", "pcm_s16be"),
)  # fmt: skip
_ODD = (0, 1, 2, 3, 7, 8, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 10_000_000, 0x7FFF_F000, 0x7FFF_FFFF, 0x8000_0000,
        0xFFFF_FFFF)  # fmt: skip
_DS64 = b"ds64\x1c\0\0\0" + b"\xff" * 28
_STRANGE = (0.0, 1.0, -1.0, 8.5, 1e30, float("nan"), float("inf"), float("-inf"), 1e-40, 5e-324, -0.0)


def voice(seconds: float = 0.3, rate: int = RATE) -> np.ndarray:
    return (0.4 * np.sin(np.arange(round(seconds * rate)) ** 1.15 / 20)).astype("f4")


def _by_sndfile(container: str, subtype: str) -> bytes:
    file = io.BytesIO()
    rate = 48_000 if subtype == "OPUS" else 8_000 if subtype == "GSM610" else RATE
    soundfile.write(file, voice(rate=rate), rate, format=container, subtype=subtype)
    return file.getvalue()


def _by_media(container: str, codec: str) -> bytes:
    import av

    file, rate = io.BytesIO(), 48_000
    with av.open(file, "w", format=container) as output:
        track = output.add_stream(codec, rate=rate, layout="mono")
        track.bit_rate = 128_000
        frame = av.AudioFrame.from_ndarray(voice(rate=rate)[None], format="fltp", layout="mono")
        frame.sample_rate = rate
        fit = av.AudioResampler(format=track.codec_context.format, layout="mono", rate=rate)
        fifo = av.AudioFifo()
        for part in fit.resample(frame):
            fifo.write(part)
        while (part := fifo.read(track.codec_context.frame_size or 1024, partial=True)) is not None:
            output.mux(track.encode(part))
        output.mux(track.encode(None))
    return file.getvalue()


@cache
def whole() -> tuple[bytes, ...]:
    return tuple([_by_sndfile(*each) for each in _SNDFILE] + [_by_media(*each) for each in _MEDIA] + [bomb()])


@cache
def bomb() -> bytes:
    """Ten minutes of silence on eight channels in a few kilobytes."""
    file = io.BytesIO()
    with soundfile.SoundFile(file, "w", 8_000, 8, format="FLAC", subtype="PCM_16") as sound:
        for _ in range(10):
            sound.write(np.zeros((8_000 * 60, 8), "i2"))
    return file.getvalue()


@st.composite
def changed(draw: Any, bases: Any, *, head: int = 200) -> bytes:
    """Draw one of `bases` and change it: bytes, whole numbers, cuts, stretches twice or elsewhere."""
    content = bytearray(draw(bases))
    for _ in range(draw(st.integers(0, 6))):
        size = len(content)
        reach = min(head, size) if draw(st.booleans()) else size
        at = draw(st.integers(0, max(0, reach - 1)))
        match draw(st.integers(0, 7)):
            case 0:
                new = draw(st.binary(min_size=1, max_size=8))
                content[at : at + len(new)] = new
            case 1 | 2:
                form = draw(st.sampled_from(["<B", "<H", ">H", "<I", ">I", "<Q", ">Q"]))
                most = 256 ** struct.calcsize(form) - 1
                content[at : at + struct.calcsize(form)] = struct.pack(form, min(draw(st.sampled_from(_ODD)), most))
            case 3:
                del content[draw(st.integers(0, size)) :]
            case 4:
                del content[at : at + draw(st.integers(1, 64))]
            case 5:
                content[at:at] = draw(st.binary(max_size=16))
            case 6:
                content[at:at] = content[at : at + draw(st.integers(1, 2000))]
            case _:
                if size:
                    content[at % size] ^= 1 << draw(st.integers(0, 7))
    return bytes(content)


def recordings() -> st.SearchStrategy[bytes]:
    """Files of all formats, changed."""
    return changed(st.deferred(lambda: st.sampled_from(whole())))


@st.composite
def headers(draw: Any) -> bytes:
    """A WAV whose header says anything: rates, channels, bits, codecs, sizes; with odd samples."""
    odd = st.one_of(st.sampled_from(_ODD), st.integers(0, 0xFFFF_FFFF))

    def mostly(usual: Any, strange: st.SearchStrategy[Any] = odd) -> Any:
        return usual if draw(st.integers(0, 4)) else draw(strange)

    rate = mostly(RATE, st.one_of(st.sampled_from([0, 1, 999, 1000, 8000, 768_000, 768_001, 10_000_000]), odd))
    channels = mostly(draw(st.integers(1, 2)), st.one_of(st.sampled_from([0, 8, 64, 65, 1024, 1025]), odd)) & 0xFFFF
    kind, bits = draw(st.sampled_from([(1, 16), (1, 8), (1, 24), (1, 32), (3, 32), (3, 64), (6, 8), (7, 8)]))
    kind = mostly(kind, st.sampled_from([2, 17, 49, 85, 0xFFFE]))
    bits = mostly(bits, st.sampled_from([0, 1, 12, 16, 32, 65]))
    align = mostly(channels * bits // 8) & 0xFFFF
    per_second = mostly(min(rate * align, 0xFFFF_FFFF))
    form = struct.pack("<HHIIHH", kind, channels, rate, per_second, align, bits)
    form += mostly(b"", st.binary(max_size=24))
    values = draw(st.lists(st.sampled_from(_STRANGE), max_size=4))
    frames = draw(st.sampled_from([0, 1, 2, 100, 4_000]))
    sound = np.resize(np.array([*voice(0.01), *values], "f8"), frames * min(channels, 64))
    with np.errstate(all="ignore"):
        data = sound.astype("<f8" if bits == 64 else "<f4" if kind == 3 else "<f2").tobytes()
    body = b"WAVEfmt " + struct.pack("<I", mostly(len(form))) + form
    body += mostly(b"", st.sampled_from([b"fact\x04\0\0\0" + b"\xff" * 4, b"LIST\xff\xff\xff\x7f", _DS64]))
    body += b"data" + struct.pack("<I", mostly(len(data))) + data
    riff = mostly(b"RIFF", st.sampled_from([b"RIFX", b"RF64", b"BW64"]))
    return riff + struct.pack("<I", mostly(len(body))) + body


def hear(content: bytes, _: Path) -> None:
    """Decode it in every way that there is; what comes is finite and in range."""
    from emotone.audio import load, open_blocks
    from emotone.errors import AudioError

    for strict in (False, True):
        try:
            with open_blocks(content, strict=strict) as recording:
                for block in recording.blocks(1 << 16):
                    _check(block)
        except AudioError:
            pass
    try:
        with open_blocks(content, start=0.1, end=0.2, strict=False) as recording:
            for block in recording.blocks(1 << 16):
                _check(block)
    except AudioError:
        pass
    mono, rate = load(content, rate=RATE)
    _check(mono[None])
    assert rate == RATE and mono.size


@st.composite
def samples(draw: Any) -> tuple[np.ndarray, Any, Any]:
    """Arrays of odd shapes, types and values, a rate, and whether the last axis is that of the channels."""
    shape = draw(
        st.sampled_from(
            [(), (0,), (1,), (1, 1), (64, 1), (1, 64), (65, 2), (0, 5), (2, 4000), (4000, 2), (4000,), (2, 3, 4)]
        )
    )
    kind = draw(st.sampled_from(["f2", "f4", "f8", ">f4", "i2", "i4", "i8", "u1", "c8", "U1", "O", "?"]))
    values = draw(st.lists(st.sampled_from([*_STRANGE, 0.3, -0.3]), min_size=1, max_size=5))
    with np.errstate(all="ignore"):
        try:
            array = np.resize(np.array(values), shape).astype(kind)
        except (ValueError, OverflowError):
            array = np.zeros(shape)
    rate = draw(
        st.sampled_from([0, -1, 1, 1000, RATE, 768_000, 10_000_000, 2**63, 2.5, float("nan"), "16000", None, True])
    )
    return array, rate, draw(st.sampled_from([None, True, False]))


def hear_array(case: tuple[np.ndarray, Any, Any], _: Path) -> None:
    """Recognise it."""
    array, rate, last = case
    result = recognizer()(array, rate=rate, channels_last=last)
    assert all(0 <= score <= 1 for score in result.scores.values())


@cache
def recognizer() -> Any:
    from emotone import Recognizer

    return Recognizer.load("emotone/tiny")


def _check(block: np.ndarray) -> None:
    assert block.dtype == np.float32 and np.isfinite(block).all() and np.abs(block).max(initial=0) <= 1.0
