"""Whoever uses the page: by keyboard, with a screen reader, on a phone, in the dark, without motion."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .conftest import answered

Open = Callable[..., Any]
PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "has_touch": True, "is_mobile": True}


def faults(page: Any) -> list[str]:
    """Return what axe finds, but for what it calls minor."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response["violations"]
    return [f"{each['id']}: {each['nodes'][0]['html']}" for each in found if each["impact"] != "minor"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(open_page: Open, served: str, call: Path, scheme: str) -> None:
    page = open_page(served, color_scheme=scheme)
    page.select_option("#channels", "each")
    page.set_input_files("#file", call)
    answered(page)
    page.locator("#lanes button").first.click()
    assert faults(page) == []
    page.click("#tab-comparison")
    assert faults(page) == []


def test_axe_finds_nothing_live(open_page: Open, served: str) -> None:
    page = open_page(served)
    page.click("#record")
    page.wait_for_selector("#now-scores li")
    assert faults(page) == []


def test_everything_is_done_by_keyboard(open_page: Open, served: str, call: Path) -> None:
    page = open_page(served)
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.textContent") == "Skip to the content"
    page.focus("#tab-listen")
    page.keyboard.press("ArrowRight")
    assert page.is_visible("#leaderboard") and page.is_hidden("#record")
    page.keyboard.press("ArrowRight")
    assert page.is_visible("#record")
    page.set_input_files("#file", call)
    answered(page)
    assert page.evaluate("() => document.activeElement.id") == "recording-title"
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.id") == "player"
    page.locator("#lanes button").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    chosen = page.locator("#lanes button").nth(1)
    assert chosen.get_attribute("aria-current") == "true"
    assert page.inner_text("#detail .emotion") == chosen.locator("span").inner_text()


def test_a_phone_scrolls_one_way(open_page: Open, served: str, call: Path) -> None:
    page = open_page(served, **PHONE)
    page.set_input_files("#file", call)
    answered(page)
    for tab in ("#tab-listen", "#tab-comparison"):
        page.click(tab)
        assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
    page.click("#tab-listen")
    page.click("#record")
    page.wait_for_selector("#live:not([hidden])")
    page.wait_for_selector("#now-scores li")
    top = page.locator("#now-emotion").bounding_box()["y"]
    assert top < 844, "what is heard is seen without scrolling"


def test_motion_is_reduced_where_that_is_wanted(open_page: Open, served: str) -> None:
    page = open_page(served, reduced_motion="reduce")
    page.evaluate(
        """() => {
          window.frames_drawn = 0;
          const clear = CanvasRenderingContext2D.prototype.clearRect;
          CanvasRenderingContext2D.prototype.clearRect = function (...box) {
            if (this.canvas.id === "stream") window.frames_drawn += 1;
            return clear.apply(this, box);
          };
        }"""
    )
    page.click("#record")
    page.wait_for_timeout(2000)
    assert 1 <= page.evaluate("() => window.frames_drawn") <= 6
    assert page.evaluate("() => getComputedStyle(document.querySelector('.dot')).animationName") == "none"


def test_a_page_from_a_file_says_what_to_do(open_page: Open, site: Path) -> None:
    page = open_page(f"file://{site}/index.html", ready="#problem:not([hidden])", allowed="")
    assert "python -m http.server" in page.inner_text("#problem")
