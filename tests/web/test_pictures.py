"""The page in light, in the dark and on a phone, as pictures, which `make pictures` keeps in docs/."""

import io
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from PIL import Image

from emotone.report.theme import COLOURS, EMOTION_COLOURS

from .conftest import answered, launched, opened
from .test_use import PHONE

KEPT = os.environ.get("EMOTONE_PICTURES")
"""The folder that pictures are kept in; to be kept, they show a longer talk."""


@pytest.fixture(scope="module")
def talks(
    request: pytest.FixtureRequest, talk: Path, call: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Path]:
    """What the microphone hears, and a recording with two channels."""
    if not KEPT:
        return talk, call
    folder, ravdess = tmp_path_factory.mktemp("talks"), request.getfixturevalue("ravdess")
    chosen = ("01-01-05", "02-02-06", "01-01-03", "02-02-01", "01-01-04", "02-02-08")  # actor, statement, emotion
    said = []
    for actor, statement, emotion in (each.split("-") for each in chosen):
        (path, *_) = sorted(ravdess.glob(f"Actor_{actor}/03-01-{emotion}-01-{statement}-01-*"))
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
        said.append(samples[:, 0])
    soundfile.write(folder / "talk.wav", np.concatenate(said), rate, subtype="PCM_16")
    sides = [np.concatenate([one if at % 2 == side else 0 * one for at, one in enumerate(said)]) for side in (0, 1)]
    soundfile.write(folder / "call.wav", np.stack(sides, axis=1), rate, subtype="PCM_16")
    return folder / "talk.wav", folder / "call.wav"


@pytest.fixture(scope="module")
def open_page(request: pytest.FixtureRequest, talks: tuple[Path, Path]) -> Iterator[Callable[..., Any]]:
    if KEPT:
        with launched(talks[0]) as browser, opened(browser) as start:
            yield start
    else:
        with opened(request.getfixturevalue("browser")) as start:
            yield start


@pytest.fixture(scope="module")
def address(request: pytest.FixtureRequest) -> str:
    """The page's; pictures that are kept show the default model."""
    return str(request.getfixturevalue("serve")() if KEPT else request.getfixturevalue("served"))


def live(page: Any) -> str:
    """Record until an emotion is shown; the emotion."""
    page.click("#record")
    shown = page.wait_for_function(
        """(least) => {
          const seconds = document.getElementById("record-note").textContent.split(":")[1];
          const sure = document.getElementById("now").dataset.state === "sure";
          return sure && Number(seconds) > least && document.getElementById("now-emotion").textContent;
        }""",
        arg=17 if KEPT else 0,
    )
    return str(shown.json_value())


def file(page: Any, path: Path) -> str:
    page.select_option("#channels", "each")
    page.set_input_files("#file", path)
    answered(page)
    page.locator("#lanes button").last.click()
    page.wait_for_timeout(500)
    return str(page.inner_text("#detail .emotion"))


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("light", {"viewport": {"width": 1180, "height": 1010}, "color_scheme": "light"}),
        ("dark", {"viewport": {"width": 1180, "height": 1290}, "color_scheme": "dark"}),
        ("phone", {**PHONE, "color_scheme": "light"}),
    ],
)
def test_the_page_is_drawn_in_its_colours(
    open_page: Callable[..., Any], address: str, talks: tuple[Path, Path], name: str, options: dict[str, Any]
) -> None:
    page = open_page(address, **options)
    emotion = file(page, talks[1]) if name == "dark" else live(page)
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    shown = {colour for _, colour in picture.getcolors(picture.width * picture.height)}
    for tone in (EMOTION_COLOURS[emotion], COLOURS["ground"], COLOURS["panel"]):
        wanted = tone[name == "dark"]
        assert tuple(bytes.fromhex(wanted[1:])) in shown, (emotion, wanted)
    if KEPT:
        packed = picture.quantize(256, method=Image.Quantize.MAXCOVERAGE, kmeans=2, dither=Image.Dither.NONE)
        packed.save(Path(KEPT) / f"page-{name}.png", optimize=True)
