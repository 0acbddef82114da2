"""The page that `emotone serve` shows: live, with files, with a key, and when something is wrong."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from emotone.recognition import Recognizer

from .conftest import REAL, answered, downloaded, hears

Open = Callable[..., Any]


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    return Recognizer.load("emotone/base")


def test_it_records_streams_and_shows_the_emotion(
    open_page: Open, served: str, talk: Path, recognizer: Recognizer
) -> None:
    expected = recognizer(talk)
    page = open_page(served)
    page.click("#record")
    hears(page, expected.emotion)
    assert re.fullmatch(r"\d+ % sure", page.inner_text("#now-sure"))
    assert "its attention" in page.inner_text("#attention-note")
    for canvas in ("spectrogram", "stream"):
        drawn = page.evaluate(
            """(id) => {
              const canvas = document.getElementById(id);
              const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
              return data.some((value) => value !== 0);
            }""",
            canvas,
        )
        assert drawn, canvas
    page.wait_for_function("() => document.getElementById('now-emotion').textContent === 'no speech'")
    assert page.inner_text("#said")
    page.click("#record")
    answered(page)
    shown = {page.inner_text("#detail .emotion"), page.locator("#lanes button span").first.inner_text()}
    assert shown == {expected.emotion} or not REAL


FORMATS = {
    "JSON": ("json",),
    "CSV": ("csv",),
    "CSV, a row per segment": ("csv", "--segments"),
    "WebVTT": ("vtt",),
    "TextGrid": ("textgrid",),
}


@pytest.mark.parametrize(("channels", "lanes", "names"), [("each", 2, tuple(FORMATS)), ("mix", 1, ("JSON", "WebVTT"))])
def test_what_is_downloaded_is_what_predict_writes(
    open_page: Open,
    served: str,
    call: Path,
    emotone: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    channels: str,
    lanes: int,
    names: tuple[str, ...],
) -> None:
    monkeypatch.chdir(call.parent)
    page = open_page(served)
    page.select_option("#channels", channels)
    page.set_input_files("#file", call)
    answered(page)
    assert page.locator("#lanes ol").count() == lanes
    for name in names:
        asked = ("predict", call.name, "--channels", channels, "--model", "emotone/base", "--format", *FORMATS[name])
        assert _rounded(downloaded(page, name)) == _rounded(emotone(*asked).out), name


def _rounded(text: str) -> str:
    """Shorten long decimals: how windows are batched changes the last digits of the network's arithmetic."""
    return re.sub(r"\d+\.\d{6,}(e-\d+)?", lambda found: f"{float(found[0]):.4f}", text)


def test_a_recording_below_the_wanted_confidence_is_uncertain(open_page: Open, served: str, call: Path) -> None:
    page = open_page(served)
    page.select_option("#least", "0.8")
    page.set_input_files("#file", call)
    answered(page)
    assert page.inner_text("#detail .emotion") == "uncertain"
    likeliest = page.inner_text("#detail li.most .label")
    assert re.fullmatch(rf"likeliest {likeliest}, \d+ %", page.inner_text("#detail .sure"))


def test_a_microphone_that_gives_nothing_is_told(open_page: Open, served: str) -> None:
    """As in a browser without a device to play on: its audio never runs."""
    page = open_page(served)
    page.evaluate(
        """() => {
          const Running = AudioContext;
          globalThis.AudioContext = class extends Running {
            constructor() {
              super();
              this.suspend();
            }
          };
        }"""
    )
    page.click("#record")
    page.wait_for_selector("#problem:not([hidden])")
    assert "no sound from the microphone" in page.inner_text("#problem")
    assert page.inner_text("#record-name") == "Record" and page.is_hidden("#live")


def test_what_the_service_refuses_is_shown(open_page: Open, served: str, tmp_path: Path) -> None:
    path = tmp_path / "no.wav"
    path.write_bytes(b"no sound at all" * 9)
    page = open_page(served, allowed="422")
    page.set_input_files("#file", path)
    page.wait_for_selector("#problem:not([hidden])")
    assert "audio" in page.inner_text("#problem") and page.is_hidden("#working")


def test_a_key_is_asked_for_and_used_for_files_and_live(
    open_page: Open, serve: Callable[..., str], talk: Path, tmp_path: Path, emotone: Callable[..., Any]
) -> None:
    made = emotone("serve", "--new-key", "tester")
    (tmp_path / "keys").write_text(made.out)
    address = serve("--model", "emotone/tiny", "--api-key-file", tmp_path / "keys")
    page = open_page(address, ready="#access:not([hidden])", allowed="401")
    page.fill("#key", made.err.split()[-1])
    page.keyboard.press("Enter")
    page.wait_for_selector("#record:enabled")
    assert page.is_hidden("#problem")
    page.set_input_files("#file", talk)
    answered(page, talk)
    page.click("#record")
    page.wait_for_selector("#now-scores li")
    assert page.evaluate("() => [localStorage.length, sessionStorage.length, document.cookie]") == [0, 0, ""]


def test_a_service_that_is_gone_is_told(open_page: Open, served: str, talk: Path) -> None:
    page = open_page(served, allowed="ERR_FAILED")
    page.route("**/v1/recognize*", lambda route: route.abort())
    page.set_input_files("#file", talk)
    page.wait_for_selector("#problem:not([hidden])")
    assert "cannot be reached" in page.inner_text("#problem")


def test_a_proxy_that_answers_in_its_own_words_is_told(open_page: Open, served: str, talk: Path) -> None:
    page = open_page(served, allowed="502")
    page.route("**/v1/recognize*", lambda route: route.fulfill(status=502, body="<h1>Bad Gateway</h1>"))
    page.set_input_files("#file", talk)
    page.wait_for_selector("#problem:not([hidden])")
    assert page.inner_text("#problem") == "HTTP 502"
