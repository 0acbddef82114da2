"""One look for light and dark: the colours, and matplotlib figures as SVG whose colours follow the page."""

import base64
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emotone.files import atomic_path

__all__ = [
    "PAPERS",
    "PROTOCOLS",
    "Gallery",
    "colour",
    "css_variables",
    "figure",
    "lanes",
    "room",
    "style",
    "stylesheet",
    "to_svg",
]

COLOURS = {
    "ground": ("#fbfbf9", "#101418"),
    "panel": ("#ffffff", "#171c21"),
    "ink": ("#1b2126", "#e4e8ec"),
    "soft": ("#58626b", "#9ca7b1"),
    "rule": ("#dfe3e6", "#2c343c"),
    "wash": ("#f1f3f4", "#1e242b"),
    "link": ("#0a5a9c", "#7cc0f5"),
    "right": ("#0b68ab", "#4ba3e3"),
    "wrong": ("#c4570b", "#e5853f"),
    "warn": ("#8a4b00", "#f2b45c"),
    "vermilion": ("#cc5200", "#f08b4a"),
    "blue": ("#0072b2", "#5ab4ec"),
    "green": ("#00855f", "#35c796"),
    "purple": ("#a8487f", "#e59ac6"),
    "yellow": ("#8c6b00", "#e3c44c"),
    "teal": ("#007d85", "#4fc7cf"),
    "brown": ("#80513a", "#cc9a80"),
}
"""name -> (light, dark): Okabe and Ito's colour-blind-safe hues, darkened or lightened to be read on their ground."""

EMOTION_COLOURS = {
    "neutral": ("#8b949c", "#98a2ab"),
    "calm": ("#56b4e9", "#67bdf0"),
    "happy": ("#e9cd1f", "#f0dc4a"),
    "sad": ("#0072b2", "#3f95d6"),
    "angry": ("#d55e00", "#ee7a33"),
    "fearful": ("#c06fa8", "#d98cc0"),
    "disgust": ("#009e73", "#22b98d"),
    "surprised": ("#e69f00", "#f2b02e"),
}
"""emotion -> (light, dark): Okabe and Ito's hues as surfaces, which never stand without the emotion's name."""

PROTOCOLS = {
    "published": "vermilion",
    "clean": "blue",
    "luna5": "green",
    "emobox6": "purple",
    "loso": "yellow",
    "cross": "green",  # those of several corpora stand alone
    "leave-one-corpus-out": "purple",
}
"""Protocol -> the name of its colour."""

PAPERS = ("blue", "vermilion", "green", "purple", "yellow")
"""The colours of papers, by their order."""

_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "axes.labelsize": 8,
    "axes.edgecolor": COLOURS["soft"][0],
    "axes.labelcolor": COLOURS["soft"][0],
    "axes.titlecolor": COLOURS["ink"][0],
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "xtick.color": COLOURS["soft"][0],
    "ytick.color": COLOURS["soft"][0],
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "grid.color": COLOURS["rule"][0],
    "grid.linewidth": 0.6,
    "text.color": COLOURS["ink"][0],
    "lines.linewidth": 1.4,
    "figure.facecolor": COLOURS["panel"][0],
    "axes.facecolor": "none",
    "path.simplify_threshold": 0.3,
}


def colour(name: str) -> str:
    """Return the light colour by its name, for matplotlib; `to_svg` makes it follow the page."""
    return COLOURS[name][0]


def figure(width: float, height: float) -> Any:
    """Return an empty matplotlib figure of this size in inches. Draw within `style()`."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), dpi=160)


def room(names: Sequence[str], inches: float) -> float:
    """Return what share of a figure so many inches wide its lanes' names take, on the left."""
    return (0.24 + 0.064 * max(map(len, names))) / inches


def lanes(axes: Any, names: Sequence[str]) -> None:
    """Give axes a lane for each name, the first at the top, at 0, -1, ...; across them per cent from 0 to 100."""
    axes.set_yticks([-place for place in range(len(names))], names)
    axes.tick_params(axis="y", length=0, labelcolor=colour("ink"))
    axes.set_ylim(-len(names) + 0.4, 0.6)
    axes.set_xlim(0, 100)
    axes.grid(axis="x")
    axes.spines["left"].set_visible(False)


def style() -> Any:
    """Return the context in which figures are drawn and saved."""
    from matplotlib import rc_context

    return rc_context(_STYLE)


@dataclass(frozen=True)
class Gallery:
    """Where PNGs are kept, and what stands in the corner of each: a picture travels without its page.

    Attributes:
        folder: of the files.
        note: what was measured or recorded.
        warn: whether the note is meant to be seen, as that of a synthetic corpus is.
    """

    folder: Path
    note: str
    warn: bool

    def save(self, drawn: Any, name: str) -> str:
        """Save a figure as PNG, in light colours, whole or not at all; return its path from the page."""
        from matplotlib.backends.backend_agg import FigureCanvasAgg

        tone, weight = ("warn", "bold") if self.warn else ("soft", "normal")
        low = 0.05 / drawn.get_figheight()
        stamp = drawn.text(0.008, low, self.note, fontsize=7, color=colour(tone), weight=weight, va="bottom")
        path = self.folder / f"{name}.png"
        with atomic_path(path) as temporary:
            canvas: Any = FigureCanvasAgg(drawn)
            canvas.print_png(str(temporary), metadata={"Software": None})
        stamp.remove()
        return f"{self.folder.name}/{path.name}"


def to_svg(drawn: Any, *, label: str) -> str:
    """Return a figure as SVG to stand in the page: text as text, colours from the page's theme, `label` read aloud."""
    from markupsafe import Markup, escape
    from matplotlib import rc_context
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    text = io.StringIO()
    # The salt keeps the identifiers of different figures apart in one page, and equal from run to run.
    with rc_context({"svg.hashsalt": label}):
        nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        drawn.patch.set_visible(False)
        canvas: Any = FigureCanvasSVG(drawn)
        canvas.print_svg(text, metadata=nothing)
        drawn.patch.set_visible(True)
    svg = text.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<style.*?</style>|<!--.*?-->", "", svg, flags=re.DOTALL)
    used = set(re.findall(r"url\(#([^)]+)\)|xlink:href=\"#([^\"]+)\"", svg))
    kept = {name for pair in used for name in pair if name}
    svg = re.sub(r" id=\"([^\"]+)\"", lambda match: match[0] if match[1] in kept else "", svg)
    svg = re.sub(r"font(?:-family)?: (?:([^;\"]*?px) )?'[^;\"]*", _font, svg)
    svg = re.sub(r" d=\"[^\"]+\"", lambda match: re.sub(r"(\.\d)\d+", r"\1", match[0]), svg)
    svg = re.sub(r"data:image/png;base64,([^\"]+)", _smaller, svg)
    svg = re.sub(r">\s+<", "><", svg)
    svg = re.sub(r"\s*\n\s*", " ", svg)
    for name, (light, _) in COLOURS.items():
        svg = re.sub(re.escape(light), f"var(--{name})", svg, flags=re.IGNORECASE)
    view = re.search(r"viewBox=\"([^\"]+)\"", svg)
    opening = f'<svg class="chart" role="img" aria-label="{escape(label)}" viewBox="{view[1] if view else ""}">'
    return Markup(opening + svg[svg.index(">") + 1 :])  # noqa: S704, matplotlib has escaped the text


def _font(match: re.Match[str]) -> str:
    return "font-family: var(--sans)" if match[1] is None else f"font: {match[1]} var(--sans)"


def _smaller(match: re.Match[str]) -> str:
    """Store an embedded picture with a palette of 256 colours: a third of the bytes, and a colour map has no more."""
    from PIL import Image

    picture = Image.open(io.BytesIO(base64.b64decode(match[1])))
    packed = io.BytesIO()
    picture.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(packed, format="PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(packed.getvalue()).decode()


def css_variables(position: int) -> str:
    """Return the colours as CSS custom properties: 0 for light, 1 for dark."""
    return "".join(f"--{name}:{pair[position]};" for name, pair in COLOURS.items())


def stylesheet() -> str:
    """Return the colours, those of emotions too, as a style sheet whose light or dark follows the reader's system."""
    both = COLOURS | EMOTION_COLOURS
    light, dark = ("".join(f"  --{name}: {pair[at]};\n" for name, pair in both.items()) for at in (0, 1))
    return (
        f"/* Generated from report/theme.py by `make docs`. */\n:root {{\n  color-scheme: light dark;\n{light}}}\n"
        f"@media (prefers-color-scheme: dark) {{\n:root {{\n{dark}}}\n}}\n"
    )
