"""The picture of an explanation: waveform, log-mel with attributions, attention, scores; one time axis."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from emotone.report.theme import colour, figure, style

__all__ = ["draw"]

Array = npt.NDArray[np.float32]
Times = npt.NDArray[np.float64]

_MARKS = (100, 250, 500, 1000, 2000, 4000, 8000, 16000)  # Hz
_COLUMNS = 600  # of the waveform's envelope
_SMOOTH = (1.0, 1.5)  # bands, frames: single cells are too fine to be seen or heard
_LEFT, _RIGHT, _BARS = 0.075, 0.70, (0.82, 0.965)  # edges of the drawings, as shares of the width


def draw(
    *,
    title: str,
    about: str,
    test: str,
    span: tuple[float, float],
    samples: Array,
    times: Times,
    frequencies: Times,
    logmel: Array,
    attributions: Array,
    attention: tuple[Times, Array] | None,
    scores: Mapping[str, float],
    emotion: str,
) -> Any:
    """Return the figure. Nothing is told by colour alone: what speaks for the emotion is also outlined.

    Args:
        title: the first line.
        about: the second: of which recording and which model.
        test: the last: what the attributions were found to be worth.
        span: beginning and end of the stretch in seconds, on the time axis of all rows.
        samples: the stretch, (samples,).
        times: the middle of every frame in seconds, (frames,).
        frequencies: the middle of every mel band in Hz, (bands,).
        logmel, attributions: (bands, frames).
        attention: the middle of every step in seconds and its weight, each (steps,); None draws no such row.
        scores: label -> probability.
        emotion: the one of them that is explained.
    """
    with style():
        drawn = figure(9.6, 5.0 if attention is None else 5.9)
        rows = [("wave", 0.95), ("mel", 2.25), ("attention", 0.6)][: 2 if attention is None else 3]
        top, places = drawn.get_figheight() - 0.75, {}
        for name, height in rows:
            places[name] = drawn.add_axes(
                (_LEFT, (top - height) / drawn.get_figheight(), _RIGHT - _LEFT, height / drawn.get_figheight())
            )
            top -= height + 0.3
        drawn.text(_LEFT, 1 - 0.3 / drawn.get_figheight(), title, weight="bold", fontsize=12)
        drawn.text(_LEFT, 1 - 0.52 / drawn.get_figheight(), about, color=colour("soft"))
        _wave(places["wave"], samples, span)
        _mel(places["mel"], times, frequencies, logmel, attributions)
        if attention is not None:
            _attention(places["attention"], *attention)
        for axes in places.values():
            axes.set_xlim(*span)
            axes.set_xlabel("")
            axes.tick_params(labelbottom=axes is list(places.values())[-1])
        list(places.values())[-1].set_xlabel("time, s")
        height = (places["wave"].get_position().y1 - places["mel"].get_position().y0) * drawn.get_figheight()
        low = places["mel"].get_position().y0
        bars = drawn.add_axes((_BARS[0], low, _BARS[1] - _BARS[0], height / drawn.get_figheight()))
        _scores(bars, scores, emotion)
        drawn.text(_LEFT, 0.09 / drawn.get_figheight(), test, color=colour("soft"), va="bottom")
    return drawn


def _wave(axes: Any, samples: Array, span: tuple[float, float]) -> None:
    steps = np.array_split(samples, min(_COLUMNS, len(samples)))
    times = np.linspace(*span, len(steps))
    low, high = [step.min() for step in steps], [step.max() for step in steps]
    axes.fill_between(times, low, high, color=colour("blue"), linewidth=0.4)
    peak = max(float(np.abs(samples).max()), 0.01)
    axes.set_ylim(-peak, peak)
    axes.set_ylabel("amplitude")


def _mel(axes: Any, times: Times, frequencies: Times, logmel: Array, attributions: Array) -> None:
    from matplotlib.colors import LinearSegmentedColormap
    from scipy.ndimage import gaussian_filter

    bands = len(frequencies)
    half = (times[1] - times[0]) / 2 if len(times) > 1 else 0.01
    shape = (times[0] - half, times[-1] + half, -0.5, bands - 0.5)
    options: dict[str, Any] = {"origin": "lower", "aspect": "auto", "extent": shape}
    low, high = np.percentile(logmel, (2, 99.8))
    axes.imshow(logmel, cmap="Greys", vmin=low, vmax=high + 0.25 * (high - low), **options)
    worth = np.maximum(gaussian_filter(attributions, _SMOOTH), 0)
    most = max(float(np.percentile(worth, 99.5)), 1e-12)
    tone = colour("vermilion")
    ramp = LinearSegmentedColormap.from_list("marked", [(0, f"{tone}00"), (1, f"{tone}d9")])
    axes.imshow(worth, cmap=ramp, vmin=0, vmax=most, interpolation="bilinear", **options)
    if len(times) > 1:
        axes.contour(times, np.arange(bands), worth, levels=[0.5 * most], colors=[tone], linewidths=0.8)
    marks = [hertz for hertz in _MARKS if frequencies[0] <= hertz <= frequencies[-1]]
    axes.set_yticks(np.interp(marks, frequencies, np.arange(bands)), [f"{hertz:,}" for hertz in marks])
    axes.set_ylim(-0.5, bands - 0.5)
    axes.set_ylabel("frequency, Hz")
    axes.set_title(
        "Dark: loud. Orange, outlined: what speaks for the emotion (integrated gradients, smoothed)",
        weight="normal", color=colour("soft"), fontsize=7, pad=3,
    )  # fmt: skip


def _attention(axes: Any, times: Times, weights: Array) -> None:
    axes.plot(times, 100 * weights, color=colour("blue"), marker="o", markersize=2)
    axes.fill_between(times, 100 * weights, color=colour("blue"), alpha=0.15)
    axes.set_ylim(0)
    axes.set_ylabel("attention, %")


def _scores(axes: Any, scores: Mapping[str, float], emotion: str) -> None:
    order = sorted(scores, key=lambda label: scores[label])
    values = [100 * scores[label] for label in order]
    tones = [colour("vermilion" if label == emotion else "soft") for label in order]
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
