"""The page without a server: the browser recognises by itself, as the library does, and nothing leaves it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
import soundfile

from emotone.recognition import Recognizer

from .conftest import REAL, answered, downloaded, hears, opened


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    return Recognizer.load("emotone/probe")


@pytest.fixture(scope="module")
def asked() -> list[str]:
    """Every address that the page asks for."""
    return []


@pytest.fixture(scope="module")
def page(browser: Any, static: str, asked: list[str]) -> Iterator[Any]:
    """The page, which loads its model once for all tests."""
    with opened(browser) as open_page:
        page = open_page("about:blank", ready="html")
        page.context.on("request", lambda request: asked.append(request.url))
        page.goto(static)
        page.wait_for_function("() => document.getElementById('engine').textContent === 'emotone/probe'")
        yield page


def test_ten_clips_are_answered_as_by_the_library_and_no_request_leaves_the_page(
    page: Any, static: str, asked: list[str], clips: list[Path], recognizer: Recognizer
) -> None:
    assert page.is_hidden("#voice"), "only a service gets used to a voice"
    for path in clips:
        page.set_input_files("#file", path)
        answered(page, path)
        (found,) = json.loads(downloaded(page, "JSON"))
        expected = recognizer(path)
        assert found["emotion"] == expected.emotion or not REAL, path.name
        assert found["scores"] == pytest.approx(expected.scores, abs=1e-2 if REAL else 5e-2), path.name
        assert [(each["start"], each["end"]) for each in found["segments"]] == [
            (each.start, each.end) for each in expected.segments
        ], path.name
        assert found["duration"] == expected.duration and found["notes"] == list(expected.notes)
    origin = urlsplit(static).netloc
    assert any(address.endswith("emotone.onnx") for address in asked)
    assert [
        address for address in asked if urlsplit(address).netloc != origin and not address.startswith("blob:")
    ] == []


def test_it_hears_the_microphone(page: Any, talk: Path, recognizer: Recognizer) -> None:
    expected = recognizer(talk)
    page.click("#record")
    hears(page, expected.emotion)
    assert "Orange" not in page.inner_text("#attention-note"), "the model has no attention"
    page.wait_for_function("() => document.getElementById('now-emotion').textContent === 'no speech'")
    page.click("#record")
    page.wait_for_selector("#live", state="hidden")
    answered(page)
    assert page.inner_text("#detail .emotion") == expected.emotion or not REAL
    longer = "(least) => document.getElementById('player').duration > least"  # once it has read the file's head
    page.wait_for_function(longer, arg=expected.duration)


def test_each_channel_has_a_lane_and_a_click_plays_a_stretch(page: Any, call: Path, recognizer: Recognizer) -> None:
    expected = recognizer.channels(call)
    page.select_option("#channels", "each")
    page.set_input_files("#file", call)
    answered(page, call)
    page.select_option("#channels", "mix")
    lists = page.locator("#lanes ol")
    assert lists.count() == 2
    for lane, result in enumerate(expected):
        spoken = [each.emotion for each in result.segments if each.emotion != "silence"]
        assert lists.nth(lane).locator("button span").all_inner_texts() == spoken
    segment = next(each for each in expected[0].segments if each.emotion != "silence")
    lists.nth(0).locator("button").first.click()
    page.wait_for_function("(start) => document.getElementById('player').currentTime > start", arg=segment.start)
    page.wait_for_function("() => document.getElementById('player').paused")
    assert segment.end <= page.evaluate("document.getElementById('player').currentTime") < segment.end + 2
    assert page.inner_text("#detail .emotion") == segment.emotion


@pytest.mark.parametrize(
    ("content", "says"), [(b"", "The file is empty"), (b"no sound at all" * 9, "Not audio, or of a format")]
)
def test_what_is_no_recording_is_told(page: Any, tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "no.wav"
    path.write_bytes(content)
    page.set_input_files("#file", path)
    page.wait_for_selector("#problem:not([hidden])")
    assert says in page.inner_text("#problem") and page.is_hidden("#working")


def test_silence_has_no_emotion(page: Any, tmp_path: Path) -> None:
    path = tmp_path / "silence.wav"
    soundfile.write(path, np.zeros(32_000), 16_000)
    page.set_input_files("#file", path)
    answered(page, path)
    assert page.inner_text("#detail .emotion") == "no speech" and page.locator("#lanes button").count() == 0


def test_too_little_speech_is_uncertain_and_says_why(page: Any, talk: Path, tmp_path: Path) -> None:
    samples, rate = soundfile.read(talk)
    start = int(np.argmax(np.abs(samples)))
    path = tmp_path / "short.wav"
    soundfile.write(path, samples[max(0, start - rate // 4) : start + rate // 4], rate)
    page.set_input_files("#file", path)
    answered(page, path)
    assert page.inner_text("#detail .emotion") == "uncertain"
    assert "the model was trained on no less than" in page.inner_text("#notes")


def test_a_refused_microphone_is_told(page: Any) -> None:
    page.evaluate(
        """() => {
          navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("no", "NotAllowedError"));
        }"""
    )
    page.click("#record")
    page.wait_for_selector("#problem:not([hidden])")
    assert "The microphone is not allowed" in page.inner_text("#problem")
    assert page.inner_text("#record-name") == "Record"
