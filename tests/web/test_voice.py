"""One speaker's voice that the service gets used to, from the page: by keyboard, from what was heard, and undone."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from emotone.recognition import Recognizer

from .conftest import answered, downloaded
from .test_use import PHONE, faults

Open = Callable[..., Any]


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    return Recognizer.load("emotone/base")


def scores(page: Any) -> dict[str, float]:
    """What the answer that is shown holds."""
    found = json.loads(downloaded(page, "JSON"))
    found = found[0] if isinstance(found, list) else found
    return pytest.approx(found["scores"], abs=1e-4)  # type: ignore[no-any-return]


def adapted(page: Any) -> None:
    """Wait until the shown answer is the speaker's."""
    page.wait_for_selector("#adapted:not([hidden]), #problem:not([hidden])")
    assert not page.is_visible("#problem"), page.inner_text("#problem")


def test_a_voice_is_made_known_and_undone_by_keyboard(
    open_page: Open, served: str, clips: list[Path], talk: Path, recognizer: Recognizer
) -> None:
    page = open_page(served)
    page.focus("#least")
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.id") == "voice-summary"
    page.keyboard.press("Enter")
    page.set_input_files("#voice-add", clips[:3])
    page.set_input_files("#voice-add", clips[:1])
    boxes = page.get_by_role("group", name="Recordings of the speaker").get_by_role("checkbox")
    assert [box.is_checked() for box in boxes.all()] == [True] * 3, "each once"
    boxes.last.focus()
    page.keyboard.press("Space")
    page.focus("#voice-adapt")
    page.keyboard.press("Enter")
    page.wait_for_selector("#voice-known:not([hidden])")
    assert "by 2 recordings, until" in page.inner_text("#voice-told") and page.is_hidden("#voice")
    page.wait_for_function("() => document.activeElement.id === 'voice-undo'")
    assert "used to" in page.inner_text("#said")

    page.set_input_files("#file", talk)
    answered(page, talk)
    assert page.is_visible("#adapted")
    assert scores(page) == recognizer.adapt(clips[:2])(talk).scores
    page.focus("#voice-undo")
    page.keyboard.press("Enter")
    page.wait_for_selector("#adapted", state="hidden")
    assert scores(page) == recognizer(talk).scores, "what is shown was asked for again"
    assert page.is_hidden("#voice-known") and page.is_visible("#voice")
    assert "anybody" in page.inner_text("#said")


def test_what_was_heard_so_far_makes_a_voice_known(open_page: Open, served: str, clips: list[Path]) -> None:
    page = open_page(served)
    page.set_input_files("#file", clips[0])
    answered(page, clips[0])
    page.click("#record")
    page.wait_for_selector("#now-scores li")
    assert page.is_hidden("#voice") and page.inner_text("#now-what") == "Now"
    page.click("#record")
    page.wait_for_selector("#recording:not([hidden]) h2:has-text('recording ')")
    page.click("#voice-summary")
    assert page.locator("#voice-files input:checked").count() == 2
    page.click("#voice-adapt")
    adapted(page)
    assert "by 2 recordings" in page.inner_text("#voice-told")
    page.click("#record")
    page.wait_for_selector("#live:not([hidden])")
    assert "adapted" in page.inner_text("#now-what") and page.is_hidden("#voice-known")
    page.wait_for_timeout(500)
    page.click("#record")
    page.wait_for_selector("#recording:not([hidden])")
    assert page.is_visible("#adapted")


def test_what_is_dropped_on_the_open_form_is_the_speakers(open_page: Open, served: str, clips: list[Path]) -> None:
    page = open_page(served)
    page.click("#voice-summary")
    drop = """(kind) => {
      const files = new DataTransfer();
      for (const name of ["one.wav", "two.wav"]) files.items.add(new File([name], name));
      document.body.dispatchEvent(new DragEvent(kind, { dataTransfer: files, bubbles: true, cancelable: true }));
    }"""
    page.evaluate(drop, "dragover")
    assert page.inner_text("#dropping") == "Drop the speaker’s recordings"
    page.evaluate(drop, "drop")
    assert page.locator("#voice-files li").all_inner_texts() == ["one.wav", "two.wav"]
    assert page.is_hidden("#recording") and page.is_hidden("#problem")


def test_a_voice_that_the_service_no_longer_knows(open_page: Open, served: str, clips: list[Path]) -> None:
    """As when it was started anew; and a voice whose time is over."""
    page = open_page(served, allowed="422")
    told = {"speaker": "of-another-service", "expires_in": 3600, "recordings": 1}
    page.route("**/v1/adapt", lambda route: route.fulfill(json=told, status=201))
    page.click("#voice-summary")
    page.set_input_files("#voice-add", clips[0])
    page.click("#voice-adapt")
    page.wait_for_selector("#voice-known:not([hidden])")
    page.set_input_files("#file", clips[1])
    page.wait_for_selector("#problem:not([hidden])")
    assert "no longer knows" in page.inner_text("#problem") and page.is_hidden("#voice-known")
    page.set_input_files("#file", clips[1])
    answered(page, clips[1])
    told["expires_in"] = 0
    page.click("#voice-adapt")
    page.wait_for_selector("#voice:not([hidden])")
    page.wait_for_selector("#voice-known", state="hidden")


def test_what_the_service_refuses_to_get_used_to(open_page: Open, served: str, tmp_path: Path) -> None:
    (tmp_path / "no.wav").write_bytes(b"no sound at all" * 9)
    page = open_page(served, allowed="422")
    page.click("#voice-summary")
    page.set_input_files("#voice-add", tmp_path / "no.wav")
    page.click("#voice-adapt")
    page.wait_for_selector("#problem:not([hidden])")
    assert "audio" in page.inner_text("#problem") and page.is_visible("#voice") and page.is_hidden("#voice-known")


def test_a_model_that_cannot_adapt_offers_nothing(open_page: Open, served: str) -> None:
    def without(route: Any) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, json=answer.json() | {"adapts": False})

    page = open_page("about:blank", ready="body")
    page.route("**/v1/model", without)
    page.goto(served)
    page.wait_for_selector("#record:enabled")
    assert page.is_hidden("#voice")


@pytest.mark.parametrize("options", [{"color_scheme": "light"}, {"color_scheme": "dark"}, PHONE])
def test_axe_finds_nothing_and_a_phone_scrolls_one_way(
    open_page: Open, served: str, clips: list[Path], options: dict[str, Any]
) -> None:
    page = open_page(served, **options)
    page.set_input_files("#file", clips[0])
    answered(page)
    page.click("#voice-summary")
    for adapt in (False, True):
        if adapt:
            page.click("#voice-adapt")
            adapted(page)
        assert faults(page) == []
        assert options is not PHONE or page.evaluate("() => document.documentElement.scrollWidth") <= 390
