"""The picture of an explanation: waveform, log-mel with attributions, attention, scores; one time axis."""

from typing import TYPE_CHECKING, Any

import numpy as np

from emotone.report.theme import colour, figure, style

if TYPE_CHECKING:
    from emotone.explanation import Explanation

__all__ = ["draw"]

_MARKS = (100, 250, 500, 1000, 2000, 4000, 8000, 16000)  # Hz
_COLUMNS = 600  # of the waveform's envelope
_SMOOTH = (1.0, 1.5)  # bands, frames: single cells are too fine to be seen or heard
_LEFT, _RIGHT, _BARS = 0.075, 0.70, (0.82, 0.965)  # edges of the drawings, as shares of the width
_LONGEST = 60  # characters of a name; of longer ones the middle is left out


def draw(explained: "Explanation") -> Any:
    """Return the figure. Nothing is told by colour alone: what speaks for the emotion is also outlined."""
    with style():
        drawn = figure(9.6, 5.9 if explained.attention is not None else 5.0)
        rows = [("wave", 0.95), ("mel", 2.25), ("attention", 0.6)][: 3 if explained.attention is not None else 2]
        top, places = drawn.get_figheight() - 0.75, {}
        for name, height in rows:
            places[name] = drawn.add_axes(
                (_LEFT, (top - height) / drawn.get_figheight(), _RIGHT - _LEFT, height / drawn.get_figheight())
            )
            top -= height + 0.3
        _title(drawn, explained)
        _wave(places["wave"], explained)
        _mel(places["mel"], explained)
        if explained.attention is not None:
            _attention(places["attention"], explained)
        for axes in places.values():
            axes.set_xlim(explained.start, explained.end)
            axes.set_xlabel("")
            axes.tick_params(labelbottom=axes is list(places.values())[-1])
        list(places.values())[-1].set_xlabel("time, s")
        height = (places["wave"].get_position().y1 - places["mel"].get_position().y0) * drawn.get_figheight()
        low = places["mel"].get_position().y0
        bars = drawn.add_axes((_BARS[0], low, _BARS[1] - _BARS[0], height / drawn.get_figheight()))
        _scores(bars, explained)
        _footer(drawn, explained)
    return drawn


def _title(drawn: Any, explained: "Explanation") -> None:
    height = drawn.get_figheight()
    sure = explained.scores[explained.emotion]
    drawn.text(
        _LEFT, 1 - 0.3 / height, f"What speaks for “{explained.emotion}” ({sure:.0%})", weight="bold", fontsize=12
    )
    whole = f"{explained.start:.2f} to {explained.end:.2f} s of {explained.duration:.2f} s"
    other = "" if explained.answer == explained.emotion else f"; the recording's answer is “{explained.answer}”"
    name, model = _short(explained.file.replace("\\", "/").rsplit("/", 1)[-1]), _short(explained.model)
    drawn.text(_LEFT, 1 - 0.52 / height, f"{name}, {whole}{other}. Model: {model}", color=colour("soft"))


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST // 2]}…{name[-_LONGEST // 2 :]}"


def _footer(drawn: Any, explained: "Explanation") -> None:
    middle = explained.deletion[len(explained.deletion) // 2]
    sure, share = explained.scores[explained.emotion], f"{middle.share:.0%}"
    test = (
        f"Put to the test: without the {share} of the sound that speak most for it, “{explained.emotion}” goes from "
        f"{sure:.0%} to {middle.marked:.0%}; without a random {share}, to {middle.random:.0%}."
    )
    drawn.text(_LEFT, 0.09 / drawn.get_figheight(), test, color=colour("soft"), va="bottom")


def _wave(axes: Any, explained: "Explanation") -> None:
    steps = np.array_split(explained.samples, min(_COLUMNS, len(explained.samples)))
    times = np.linspace(explained.start, explained.end, len(steps))
    low, high = [step.min() for step in steps], [step.max() for step in steps]
    axes.fill_between(times, low, high, color=colour("blue"), linewidth=0.4)
    peak = max(float(np.abs(explained.samples).max()), 0.01)
    axes.set_ylim(-peak, peak)
    axes.set_ylabel("amplitude")


def _mel(axes: Any, explained: "Explanation") -> None:
    from matplotlib.colors import LinearSegmentedColormap
    from scipy.ndimage import gaussian_filter

    times, bands = explained.times, len(explained.frequencies)
    half = (times[1] - times[0]) / 2 if len(times) > 1 else 0.01
    shape = (times[0] - half, times[-1] + half, -0.5, bands - 0.5)
    options: dict[str, Any] = {"origin": "lower", "aspect": "auto", "extent": shape}
    low, high = np.percentile(explained.logmel, (2, 99.8))
    axes.imshow(explained.logmel, cmap="Greys", vmin=low, vmax=high + 0.25 * (high - low), **options)
    worth = np.maximum(gaussian_filter(explained.attributions, _SMOOTH), 0)
    most = max(float(np.percentile(worth, 99.5)), 1e-12)
    tone = colour("vermilion")
    ramp = LinearSegmentedColormap.from_list("marked", [(0, f"{tone}00"), (1, f"{tone}d9")])
    axes.imshow(worth, cmap=ramp, vmin=0, vmax=most, interpolation="bilinear", **options)
    if len(times) > 1:
        axes.contour(times, np.arange(bands), worth, levels=[0.5 * most], colors=[tone], linewidths=0.8)
    marks = [hertz for hertz in _MARKS if explained.frequencies[0] <= hertz <= explained.frequencies[-1]]
    axes.set_yticks(np.interp(marks, explained.frequencies, np.arange(bands)), [f"{hertz:,}" for hertz in marks])
    axes.set_ylim(-0.5, bands - 0.5)
    axes.set_ylabel("frequency, Hz")
    axes.set_title(
        "Dark: loud. Orange, outlined: what speaks for the emotion (integrated gradients, smoothed)",
        weight="normal", color=colour("soft"), fontsize=7, pad=3,
    )  # fmt: skip


def _attention(axes: Any, explained: "Explanation") -> None:
    assert explained.attention is not None and explained.attention_times is not None
    axes.plot(explained.attention_times, 100 * explained.attention, color=colour("blue"), marker="o", markersize=2)
    axes.fill_between(explained.attention_times, 100 * explained.attention, color=colour("blue"), alpha=0.15)
    axes.set_ylim(0)
    axes.set_ylabel("attention, %")


def _scores(axes: Any, explained: "Explanation") -> None:
    order = sorted(explained.scores, key=lambda label: explained.scores[label])
    values = [100 * explained.scores[label] for label in order]
    tones = [colour("vermilion" if label == explained.emotion else "soft") for label in order]
    axes.barh(order, values, color=tones, height=0.7)
    axes.set_ylim(min(-0.5, len(order) - 6.5), len(order) - 0.5)  # a few stay bars, at the top
    for row, value in enumerate(values):
        axes.annotate(f"{value:.0f}%", (value, row), (3, 0), textcoords="offset points", va="center")
    axes.set_xlim(0, max(values) * 1.25)
    axes.tick_params(axis="y", length=0, labelcolor=colour("ink"))
    axes.set_xticks([])
    for side in ("bottom", "left"):
        axes.spines[side].set_visible(False)
    axes.set_title("Scores of this stretch")
