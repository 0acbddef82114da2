"""Recordings over HTTP: the answers are the library's."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from emotone.recognition import Recognizer, Result

from .client import Client

EXACT = 1e-6  # scores; what is asked together is rounded otherwise


def close(one: Any, other: Any) -> bool:
    """Tell whether two answers are the same but for rounding."""
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(close(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(close, one, other))
    return abs(one - other) <= EXACT if isinstance(one, float) else bool(one == other)


def check(answer: dict[str, Any], result: Result, channel: int | None = None) -> None:
    assert close(answer, {"channel": channel, **result.to_dict()})


@pytest.fixture(scope="module")
def call(clips: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two speakers, one on each channel."""
    first, second = (soundfile.read(path, always_2d=True)[0][:, 0] for path in clips[:2])
    longest = max(len(first), len(second))
    both = np.stack([np.pad(each, (0, longest - len(each))) for each in (first, second)], axis=1)
    path = tmp_path_factory.mktemp("call") / "call.wav"
    soundfile.write(path, both, soundfile.info(clips[0]).samplerate)
    return path


def test_a_file_gets_the_answer_of_the_library(service: Client, library: Recognizer, clips: list[Path]) -> None:
    for clip in clips:
        reply = service.post("/v1/recognize", clip)
        assert reply.status == 200 and reply.headers["content-type"] == "application/json"
        assert (reply.json["file"], reply.json["model"]) == (clip.name, "emotone/tiny")
        (answer,) = reply.json["answers"]
        check(answer, library(clip))


@pytest.mark.parametrize("kind", ["audio/wav", "application/octet-stream", "video/mp4; codecs=mp4a"])
def test_a_raw_body_is_a_file_too(service: Client, library: Recognizer, clips: list[Path], kind: str) -> None:
    reply = service.call("/v1/recognize", clips[0].read_bytes(), content_type=kind)
    assert reply.status == 200 and reply.json["file"] is None
    check(reply.json["answers"][0], library(clips[0]))


def test_options_are_those_of_the_library(service: Client, library: Recognizer, clips: list[Path]) -> None:
    (answer,) = service.recognize(clips[0], "?window=1.5&hop=0.25&min_confidence=0.99")
    check(answer, library(clips[0], window=1.5, hop=0.25, min_confidence=0.99))
    assert answer["emotion"] == "uncertain"
    (short,) = service.recognize(clips[0], "?timeline=false")
    assert "segments" not in short and short["scores"]


def test_channels_are_answered_by_themselves(service: Client, library: Recognizer, call: Path) -> None:
    each = service.recognize(call, "?channels=each")
    for channel, (answer, result) in enumerate(zip(each, library.channels(call), strict=True)):
        check(answer, result, channel)
    (second,) = service.recognize(call, "?channels=1")
    assert close(second, each[1])
    (mixed,) = service.recognize(call)
    check(mixed, library(call))


def test_a_long_recording_gets_the_answer_of_the_library(
    service: Client, library: Recognizer, talk: tuple[np.ndarray, int]
) -> None:
    samples, rate = talk
    sound = io.BytesIO()
    soundfile.write(sound, np.tile(samples, 8), rate, format="FLAC")
    (answer,) = service.recognize(("long.flac", sound.getvalue()))
    assert answer["duration"] > 40 and len(answer["segments"]) > 5
    check(answer, library(sound.getvalue()))


def test_silence_is_no_speech(service: Client) -> None:
    sound = io.BytesIO()
    soundfile.write(sound, np.zeros(16_000), 16_000, format="WAV")
    (answer,) = service.recognize(("silence.wav", sound.getvalue()))
    assert (answer["emotion"], answer["scores"], answer["duration"]) == ("no speech", {}, 1.0)


def test_a_recording_that_is_cut_short_says_so(service: Client, clips: list[Path]) -> None:
    sound = io.BytesIO()
    samples, rate = soundfile.read(clips[0])
    soundfile.write(sound, samples, rate, format="WAV")
    (answer,) = service.recognize(("cut.wav", sound.getvalue()[: len(sound.getvalue()) // 2]))
    assert "cut short" in answer["notes"][0]


def test_what_cannot_be_read_does_not_keep_the_others_from_it(
    service: Client, library: Recognizer, clips: list[Path]
) -> None:
    reply = service.post("/v1/recognize/batch", clips[0], ("notes.txt", b"no sound"), clips[1], name="files")
    first, broken, second = reply.json["results"]
    check(first["answers"][0], library(clips[0]))
    check(second["answers"][0], library(clips[1]))
    assert broken["file"] == "notes.txt" and "answers" not in broken
    assert broken["error"]["status"] == 422 and "not audio" in broken["error"]["detail"]


def test_a_speaker_is_known_by_clips(service: Client, library: Recognizer, clips: list[Path]) -> None:
    reply = service.post("/v1/adapt", *clips[:3], name="files")
    assert reply.status == 201
    assert (reply.json["recordings"], reply.json["expires_in"]) == (3, 3600)
    (answer,) = service.recognize(clips[4], f"?speaker={reply.json['speaker']}")
    check(answer, library.adapt(clips[:3])(clips[4]))
    assert not close(answer, service.recognize(clips[4])[0])


def test_a_speaker_is_forgotten(start: Callable[..., Client], clips: list[Path]) -> None:
    service = start(acquaintance=0.0, workers=1)
    speaker = service.post("/v1/adapt", clips[0], name="files").json["speaker"]
    reply = service.post(f"/v1/recognize?speaker={speaker}", clips[0])
    assert reply.status == 422 and "is not known, or no longer" in reply.json["detail"]


def test_the_model_is_told(service: Client, library: Recognizer) -> None:
    card = service.call("/v1/model").json
    assert (card["name"], card["labels"]) == ("emotone/tiny", list(library.labels))
    assert card["adapts"] and "head" not in card and card["metrics"]
    assert card["shipped"] == ["emotone/probe", "emotone/large", "emotone/base", "emotone/tiny"]
    assert card["service_limits"]["duration"] == 600 and card["service_limits"]["size"] == 64 << 20
    assert "speakers" in card["limits"], "what the card says of the model stays"


def test_what_was_answered_is_counted(service: Client, clips: list[Path]) -> None:
    def figures() -> dict[str, float]:
        reply = service.call("/metrics")
        assert reply.headers["content-type"].startswith("text/plain; version=0.0.4")
        lines = [line.rpartition(" ") for line in reply.body.decode().splitlines() if not line.startswith("#")]
        return {name: float(value) for name, _, value in lines}

    requests = 'emotone_requests_total{method="POST",path="/v1/recognize",status="200"}'
    sound = 'emotone_sound_seconds_total{by="request"}'
    service.recognize(clips[0])
    before = figures()
    (answer,) = service.recognize(clips[0])
    after = figures()
    assert after[requests] == before[requests] + 1
    assert after[sound] - before[sound] == pytest.approx(answer["duration"])
    assert after["emotone_requests_at_work"] == 0 and after["emotone_decoders"] == 2
    assert after["emotone_upload_bytes"] == 0
    assert not [name for name in after if clips[0].name in name]


def test_nothing_of_an_upload_becomes_a_file(
    start: Callable[..., Client], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """However large a part of a form is: Starlette would put it into a temporary file."""
    import tempfile

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a temporary file")

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)  # what SpooledTemporaryFile turns to
    service = start(workers=1)
    sound = io.BytesIO()
    soundfile.write(sound, np.zeros((1_000_000, 4)), 48_000, format="WAV")
    assert service.post("/v1/recognize", ("long.wav", sound.getvalue())).status == 200
    assert service.post("/v1/recognize/batch", ("long.wav", sound.getvalue()), name="files").status == 200
