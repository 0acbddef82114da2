"""Charts follow the page's theme and keep text as text."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from emotone.evaluation.premium import Premium
from emotone.report import figures, figures_across, theme


def test_charts_take_their_colours_from_the_page() -> None:
    with theme.style():
        drawn = theme.figure(4, 2)
        axes = drawn.add_axes((0.1, 0.1, 0.8, 0.8))
        axes.plot([0, 1], [0, 1], color=theme.colour("blue"))
        axes.set_title("Loss & <accuracy>")
        svg = theme.to_svg(drawn, label='a "label"')
    assert "var(--blue)" in svg
    assert not re.search(r"#[0-9a-fA-F]{6}\b", re.sub(r'(url\(|href=")#\w+', "", svg))
    assert "Loss &amp; &lt;accuracy&gt;" in svg
    assert 'aria-label="a &#34;label&#34;"' in svg
    assert "DejaVu" not in svg
    assert "<style" not in svg


def test_charts_of_one_page_do_not_share_identifiers() -> None:
    with theme.style():
        names = []
        for label in ("one", "two"):
            drawn = theme.figure(4, 2)
            drawn.add_axes((0.1, 0.1, 0.8, 0.8)).plot([0, 1], [0, 1])
            names.append(set(re.findall(r' id="([^"]+)"', theme.to_svg(drawn, label=label))))
    assert names[0]
    assert not names[0] & names[1]


def test_light_and_dark_name_the_same_colours() -> None:
    light, dark = (re.findall(r"--(\w+):", theme.css_variables(position)) for position in (0, 1))
    assert light == dark


def test_text_is_readable_on_its_ground() -> None:
    def luminance(colour: str) -> float:
        channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    for position in (0, 1):
        colours = dict(re.findall(r"--(\w+):(#\w+);", theme.css_variables(position)))
        for ground in ("ground", "panel"):
            for name in ("ink", "soft", "link", "warn", "vermilion", "blue", "green", "purple", "yellow"):
                light, dark = sorted((luminance(colours[name]), luminance(colours[ground])), reverse=True)
                assert (light + 0.05) / (dark + 0.05) >= 4.5 - 0.6 * (name in theme.PROTOCOLS.values()), (name, ground)


LONG = "kakadiya/whisper-base-random-forest-means"


@pytest.mark.parametrize(
    "draw",
    [
        lambda: figures.premium([Premium(LONG, {"published": 0.5, "clean": 0.4}, None, None, None, None)]),
        lambda: figures_across.steps({LONG: {"as published": 0.5, "clean split": 0.4}}),
    ],
)
def test_long_names_are_not_cut(draw: Callable[[], Any]) -> None:
    with theme.style():
        drawn = draw()
        renderer = FigureCanvasAgg(drawn).get_renderer()
        (label,) = drawn.axes[0].get_yticklabels()
        place = label.get_window_extent(renderer)
    assert label.get_text() == LONG
    assert 0 <= place.x0 < place.x1 <= drawn.axes[0].get_window_extent(renderer).x0
