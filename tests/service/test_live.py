"""Live streams: the numbers are those of the library, and of the same recording as a file."""

import contextlib
import io
import itertools
import json
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from websockets.exceptions import ConnectionClosed

from emotone.recognition import Recognizer

from .client import Client, heard
from .test_recognize import close

Talk = tuple[np.ndarray, int]


def blocks(data: bytes, size: int) -> Iterator[bytes]:
    for at in range(0, len(data), size):
        yield data[at : at + size]


def webm(samples: np.ndarray, rate: int) -> bytes:
    """As a browser's MediaRecorder writes it: Opus, no length, a cluster a second."""
    import av

    file = io.BytesIO()
    with av.open(file, "w", format="webm", options={"live": "1", "cluster_time_limit": "1000"}) as container:
        track = container.add_stream("libopus", rate=48_000)
        track.layout = "mono"
        frame = av.AudioFrame.from_ndarray(samples[None], format="s16", layout="mono")
        frame.sample_rate = rate
        resampler = av.AudioResampler(format="flt", layout="mono", rate=48_000)
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(track.encode(part))
        container.mux(track.encode(None))
    return file.getvalue()


def check(
    said: list[dict[str, Any]], code: int, library: Recognizer, sound: np.ndarray, rate: int, **options: Any
) -> None:
    """Compare a stream with the library's."""
    stream = library.stream(rate=rate, channels_last=True, **options)
    expected = stream.feed(sound)
    result = stream.finish()
    expected += stream.closing
    ready, *told, summary = said
    assert code == 1000
    assert (ready["type"], ready["model"], ready["rate"]) == ("ready", "emotone/tiny", 16_000)
    assert tuple(ready["labels"]) == library.labels and ready["hop"] == options.get("hop", 1.05)
    assert [each["seq"] for each in told] == list(range(len(told)))
    updates = [each for each in told if each["type"] == "update"]
    assert len(updates) == len(expected) > 3
    for update, own in zip(updates, expected, strict=True):
        attention = update.pop("attention")
        assert close({**own.to_dict(), "type": "update", "seq": update["seq"]}, update)
        assert attention is None or np.allclose(attention, own.attention, atol=1e-6)
    times = [0.0, *(each["until"] for each in told if each["type"] == "heard")]
    assert all(0 < later - earlier <= 0.5 for earlier, later in itertools.pairwise(times))
    assert times[-1] == pytest.approx(len(sound) / rate, abs=0.001)
    assert summary["type"] == "summary" and close(summary["result"], result.to_dict())


@pytest.mark.parametrize("size", [99_999, 9_600, 701])
def test_pcm_of_any_frames_gives_the_updates_of_the_library(
    service: Client, library: Recognizer, talk: Talk, size: int
) -> None:
    samples, rate = talk
    said, code = service.listen(blocks(samples.tobytes(), size), format="s16le", rate=rate)
    check(said, code, library, samples, rate)


def test_floats_and_channels_and_options(service: Client, library: Recognizer, talk: Talk) -> None:
    samples, rate = talk
    both = np.stack([samples, samples // 2], axis=1) / np.float32(32_768)
    options = {"window": 2.0, "hop": 0.5, "min_confidence": 0.5}
    sent = blocks(both.astype("<f4").tobytes(), 33_333)
    said, code = service.listen(sent, format="f32le", rate=rate, channels=2, attention=True, **options)
    assert all(sum(each["attention"]) == pytest.approx(1, abs=1e-4) for each in said if each["type"] == "update")
    check(said, code, library, both.astype(np.float32), rate, **options)


def test_webm_gives_the_answer_of_the_same_file(service: Client, library: Recognizer, talk: Talk) -> None:
    file = webm(*talk)
    said, code = service.listen(blocks(file, 700), format="webm")
    assert code == 1000 and said[0]["type"] == "ready" and said[-1]["type"] == "summary", said[-1]
    assert close(said[-1]["result"], library(file).to_dict())
    assert sum(each["type"] == "update" for each in said) > 3


def test_webm_is_answered_while_it_comes(service: Client, talk: Talk) -> None:
    """The first second is heard before the second one is sent."""
    file = webm(*talk)
    with service.open() as stream:
        stream.send('{"type": "start", "format": "webm"}')
        assert json.loads(stream.recv(30))["type"] == "ready"
        stream.send(file[: len(file) // 2])
        until = 0.0
        while until < 3:
            told = json.loads(stream.recv(30))
            until = told.get("until", until)


def test_a_speaker_is_known_to_a_stream(service: Client, library: Recognizer, clips: list[Path]) -> None:
    speaker = service.post("/v1/adapt", *clips[:2], name="files").json["speaker"]
    samples, rate = soundfile.read(clips[3], dtype="int16")
    said, _ = service.listen([samples.tobytes()], format="s16le", rate=rate, speaker=speaker)
    stream = library.adapt(clips[:2]).stream(rate=rate)
    stream.feed(samples)
    assert close(said[-1]["result"], stream.finish().to_dict())


def test_pings_keep_a_silent_stream_open(start: Callable[..., Client]) -> None:
    service = start(idle=1.0, workers=1)
    with service.open() as stream:
        stream.send('{"type": "start", "format": "s16le", "rate": 16000}')
        stream.recv(30)
        for _ in range(4):
            time.sleep(0.5)
            stream.send('{"type": "ping"}')
            assert json.loads(stream.recv(30)) == {"type": "pong"}
        said = heard(stream)
    assert [(each["type"], each["status"]) for each in said] == [("error", 408)]
    assert "No message came for 1 s" in said[0]["detail"] and stream.close_code == 1008


@pytest.mark.parametrize(
    ("first", "status", "words"),
    [
        ("hello", 422, "no start"),
        ('{"type": "start", "format": "mp3"}', 422, "format"),
        ('{"type": "start", "format": "s16le"}', 422, "rate is missing"),
        ('{"type": "start", "format": "s16le", "rate": 7}', 422, "sampling rate 7 Hz"),
        ('{"type": "start", "format": "s16le", "rate": 16000, "channels": 99}', 422, "channels"),
        ('{"type": "start", "format": "s16le", "rate": 16000, "hop": 0.05}', 422, "hop is 0.05 s"),
        ('{"type": "start", "format": "s16le", "rate": 16000, "speaker": "x"}', 422, "speaker 'x'"),
        ('{"type": "start", "format": "s16le", "rate": 16000, "volume": 3}', 422, "volume"),
        (b"\0\0", 400, "is to be text"),
    ],
)
def test_a_start_that_cannot_be(service: Client, first: str | bytes, status: int, words: str) -> None:
    with service.open() as stream:
        stream.send(first)
        (error,) = heard(stream)
    assert (error["type"], error["status"], stream.close_code) == ("error", status, 1008)
    assert words in error["detail"] and error["title"]


@pytest.mark.parametrize(
    ("form", "message", "status", "code", "words"),
    [
        ("f32le", np.full(4_000, np.nan, "<f4").tobytes(), 422, 1008, "NaN"),
        ("f32le", np.full(4_000, 99, "<f4").tobytes(), 422, 1008, "reach 99"),
        ("webm", bytes(4_000), 422, 1008, "not WebM"),
        ("s16le", "{}", 400, 1008, "text message"),
        ("s16le", bytes((1 << 20) + 1), 413, 1009, "1,048,577 bytes"),
    ],
)
def test_sound_that_cannot_be(
    service: Client, form: str, message: str | bytes, status: int, code: int, words: str
) -> None:
    said, closed = service.listen([message], format=form, rate=16_000)  # type: ignore[list-item]
    assert (said[-1]["type"], said[-1]["status"], closed) == ("error", status, code), said
    assert words in said[-1]["detail"]


def test_a_stream_has_an_end(start: Callable[..., Client]) -> None:
    service = start(stream=1.0, streams=1, workers=1)
    said, code = service.listen([bytes(32_000)] * 3, format="s16le", rate=16_000)
    assert (said[-1]["status"], code) == (413, 1009)
    wait_for_none(service)
    with service.open() as first:
        first.send('{"type": "start", "format": "s16le", "rate": 16000}')
        first.recv(30)
        said, code = service.listen([], format="s16le", rate=16_000)
        assert (said[0]["status"], said[0]["retry_after"], code) == (503, 5, 1013)
    wait_for_none(service)
    said, code = service.listen([], format="s16le", rate=16_000)
    assert (said[-1]["result"]["emotion"], code) == ("no speech", 1000)


def wait_for_none(service: Client) -> None:
    """Wait until the service has ended all streams."""
    assert service.engine
    end = time.monotonic() + 10
    while service.engine.streams:
        assert time.monotonic() < end, f"{service.engine.streams} streams are left"
        time.sleep(0.02)


def test_streams_that_break_off_leave_nothing(service: Client, talk: Talk) -> None:
    file = webm(*talk)
    for number in range(6):
        with service.open() as stream:
            stream.send(json.dumps({"type": "start", "format": "webm"}))
            stream.send(file[: 300 * number])
            stream.socket.shutdown(socket.SHUT_RDWR)
    wait_for_none(service)


def test_a_client_that_does_not_listen_is_held_back_and_left(start: Callable[..., Client]) -> None:
    """Its messages are not read ahead of the answers that it does not take."""
    service = start(stalled=1.0, idle=5.0, workers=1, stream=1e9)
    block = np.zeros(100_000, "<f4").tobytes()  # 100 s of it, of which it is told 400 times
    sent = 0
    with service.open(max_queue=1) as stream, contextlib.suppress(OSError, ConnectionClosed):
        stream.send('{"type": "start", "format": "f32le", "rate": 1000, "channels": 1}')
        stream.socket.settimeout(0.5)
        for _ in range(2_000):
            stream.send(block)
            sent += 1
        stream.socket.shutdown(socket.SHUT_RDWR)
    assert sent < 2_000, "the service took all of it"
    wait_for_none(service)
