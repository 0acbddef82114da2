"""The figures of results: published beside measured, learning curves, confusion matrices, cost."""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from emotone.evaluation.premium import Premium
from emotone.report.figures_risk import risks
from emotone.report.labels import name_points
from emotone.report.results import Result, Row, protocol_order
from emotone.report.theme import PAPERS, PROTOCOLS, colour, figure, lanes, room
from emotone.report.words import OWN, percent, points, protocol_title

__all__ = [
    "confusion",
    "cost",
    "curve",
    "curves",
    "leaderboard",
    "monitored",
    "premium",
    "risk_coverage",
]

MARKERS = {
    "published": "o",
    "clean": "s",
    "luna5": "D",
    "emobox6": "^",
    "loso": "v",
    "cross": "P",
    "leave-one-corpus-out": "X",
}
"""Protocol -> its marker, so that colour is never the only difference."""


def leaderboard(rows: Sequence[Row]) -> Any:
    """Draw accuracy with its interval per system and protocol, beside what the paper reports and chance."""
    systems = list(dict.fromkeys(row.system for row in rows))
    protocols = sorted({row.protocol for row in rows}, key=protocol_order)
    lane = 0.8 / len(protocols)
    drawn = figure(8, 1.1 + 0.14 * (len(protocols) + 1) * len(systems))
    left = room(systems, 8)
    axes = drawn.add_axes((left, 0.6 / drawn.get_figheight(), 0.97 - left, 1 - 1.1 / drawn.get_figheight()))
    for row in rows:
        place = -systems.index(row.system)
        y = place + lane * ((len(protocols) - 1) / 2 - protocols.index(row.protocol))
        tone = colour(PROTOCOLS.get(row.protocol, "soft"))
        axes.plot([100 * row.low, 100 * row.high], [y, y], color=tone, linewidth=2.2, solid_capstyle="round", alpha=0.5)
        axes.plot(100 * row.accuracy, y, MARKERS.get(row.protocol, "o"), color=tone, markersize=4.5)
        if row.published is not None and row.protocol == protocols[0]:
            axes.plot(100 * row.published, y, "o", color=colour("ink"), markersize=6.5, markerfacecolor="none", mew=1.2)
    chance = {row.system: 100 * row.chance for row in reversed(rows)}
    for place, system in enumerate(systems):
        axes.plot([chance[system]] * 2, [-place - 0.4, -place + 0.4], color=colour("soft"), linewidth=0.9, alpha=0.7)
    lanes(axes, systems)
    axes.set_xlabel("accuracy, %")
    drawn.legend(handles=_legend(protocols), loc="upper left", ncols=6, frameon=False, fontsize=7.5, handletextpad=0.4)
    return drawn


def premium(premiums: Sequence[Premium]) -> Any:
    """Draw one line per system, from its accuracy as published over the clean one to that on unseen speakers."""
    drawn = figure(8, 1.1 + 0.3 * len(premiums))
    height = drawn.get_figheight()
    left, right = room([each.system for each in premiums], 8), 0.64
    axes = drawn.add_axes((left, 0.6 / height, right - left, 1 - 1.1 / height))
    columns = [(place - left) / (right - left) for place in (0.656, 0.83)]
    protocols = [name for name in PROTOCOLS if any(name in each.accuracy for each in premiums)]
    for place, each in enumerate(premiums):
        shown = [(name, 100 * each.accuracy[name]) for name in protocols if name in each.accuracy]
        for (_, before), (name, value) in pairwise(shown):
            axes.plot([before, value], [-place] * 2, color=colour(PROTOCOLS[name]), linewidth=2.4, alpha=0.45, zorder=1)
        for name, value in shown:
            axes.plot(value, -place, MARKERS[name], color=colour(PROTOCOLS[name]), markersize=5.5)
        for x, gap in zip(columns, (each.leak, each.speakers), strict=True):
            said = f"{points(gap.value)} [{points(gap.low)}, {points(gap.high)}]" if gap else "not run"
            tone = colour("ink" if gap else "soft")
            axes.text(x, -place, said, transform=axes.get_yaxis_transform(), va="center", fontsize=7.5, color=tone)
    for x, title in zip(columns, ("the leak adds", "known speakers add"), strict=True):
        axes.text(x, 0.75, title, transform=axes.get_yaxis_transform(), fontsize=7.5, weight="bold", va="center")
    lanes(axes, [each.system for each in premiums])
    axes.set_xlabel("accuracy, %; on the right points with their 95 % interval", x=0, ha="left")
    drawn.legend(handles=_dots(protocols), loc="upper left", ncols=6, frameon=False, fontsize=7.5, handletextpad=0.4)
    return drawn


def risk_coverage(results: Sequence[Result]) -> Any:
    """Draw what keeping silent buys, for at most six results of one protocol; emotone's own lines thicker."""
    told = {each.row.system: each.confidence for each in results if each.confidence is not None}
    return risks(told, thick=[each.row.system for each in results if each.row.paper == OWN])


def _legend(protocols: Sequence[str]) -> list[Any]:
    from matplotlib.lines import Line2D

    ring = Line2D([], [], marker="o", color=colour("ink"), markerfacecolor="none", linestyle="", label="paper reports")
    chance = Line2D([], [], marker="|", color=colour("soft"), linestyle="", label="chance")
    return [ring, *_dots(protocols), chance]


def _dots(protocols: Sequence[str]) -> list[Any]:
    from matplotlib.lines import Line2D

    return [
        Line2D(
            [],
            [],
            marker=MARKERS.get(protocol, "o"),
            color=colour(PROTOCOLS.get(protocol, "soft")),
            label=protocol_title(protocol).lower(),
            linestyle="",
            markersize=4.5,
        )
        for protocol in protocols
    ]


def monitored(result: Result) -> str | None:
    """Return which set the epochs were watched on: "validation", "test", or None where none was."""
    if not any(epoch.monitor_loss is not None for run in result.pooled.runs for epoch in run.history):
        return None
    return "validation" if result.pooled.first.split.validation else "test"


def curve(result: Result, what: str) -> Any:
    """Draw "loss" or "accuracy" over the epochs, of the training set and the monitored one."""
    drawn = figure(4.3, 2.3)
    _curve(drawn.add_axes((0.11, 0.17, 0.86, 0.69)), result, what)
    return drawn


def curves(result: Result) -> Any:
    """Draw loss and accuracy side by side."""
    drawn = figure(8.6, 2.6)
    drawn.suptitle(
        f"{result.row.system}, {protocol_title(result.row.protocol).lower()}", x=0.055, ha="left", fontsize=9
    )
    for position, what in enumerate(("loss", "accuracy")):
        _curve(drawn.add_axes((0.055 + 0.5 * position, 0.16, 0.43, 0.62)), result, what)
    return drawn


def _curve(axes: Any, result: Result, what: str) -> None:
    runs = [run for run in result.pooled.runs if run.history]
    scale = 100 if what == "accuracy" else 1
    lines = [("training set", f"train_{what}", "soft", "--")]
    watched = monitored(result)
    if watched:
        lines.append((f"{watched} set", f"monitor_{what}", PROTOCOLS.get(result.row.protocol, "link"), "-"))
    for label, name, tone, dash in lines:
        for order, run in enumerate(runs):
            seen = [(epoch.epoch, getattr(epoch, name)) for epoch in run.history if getattr(epoch, name) is not None]
            axes.plot(
                [epoch for epoch, _ in seen],
                [scale * value for _, value in seen],
                dash,
                color=colour(tone),
                alpha=1 if order == 0 else 0.3,
                linewidth=1.5 if order == 0 else 0.8,
                label=label if order == 0 else None,
            )
    kept = [epoch for epoch in runs[0].history if epoch.epoch == runs[0].best_epoch]
    if kept and watched and getattr(kept[0], f"monitor_{what}") is not None:
        value = scale * getattr(kept[0], f"monitor_{what}")
        axes.plot(kept[0].epoch, value, "o", color=colour("ink"), markersize=5, markerfacecolor="none", label="kept")
    axes.set_xlabel("epoch")
    axes.set_title("Accuracy, %" if what == "accuracy" else "Loss")
    if what == "accuracy":
        axes.set_ylim(0, 100)
    axes.margins(x=0.02)
    axes.grid(axis="y")
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.legend(
        loc="lower right" if what == "accuracy" else "upper right", bbox_to_anchor=(1.0, 1.0), ncols=3, frameon=False,
        fontsize=7.5, borderaxespad=0, handlelength=1.6, columnspacing=1.1, handletextpad=0.5,
    )  # fmt: skip


def confusion(result: Result) -> Any:
    """Draw the confusion matrix in per cent of each true class: what is right in blue, what is confused in orange."""
    import numpy as np

    counts = np.array(result.pooled.confusion, dtype=float)
    totals = counts.sum(axis=1, keepdims=True)
    share = np.divide(counts, totals, out=np.zeros_like(counts), where=totals > 0)
    size = len(counts)
    width, height = 2.2 + 0.42 * size, 1.75 + 0.36 * size
    drawn = figure(width, height)
    axes = drawn.add_axes((1.3 / width, 0.25 / height, 0.42 * size / width, 0.36 * size / height))
    axes.imshow(_painted(share), aspect="auto", interpolation="nearest")
    for row, column in zip(*np.nonzero(counts), strict=True):
        tone = "white" if share[row, column] > 0.45 else colour("ink")
        text = percent(float(share[row, column]), 0)
        axes.text(column, row, text, ha="center", va="center", fontsize=7, color=tone)
    labels = [label.replace("_", " ") for label in result.pooled.classes]
    axes.set_xticks(range(size), labels, rotation=45, ha="left")
    axes.set_yticks(range(size), labels)
    axes.tick_params(length=0, top=False, labeltop=True, bottom=False, labelbottom=False, labelcolor=colour("ink"))
    axes.spines[:].set_visible(False)
    how = f"{protocol_title(result.row.protocol).lower()}; rows true, columns named, % of row"
    drawn.text(0.1 / width, 1 - 0.22 / height, result.row.system, weight="bold", fontsize=9)
    drawn.text(0.1 / width, 1 - 0.4 / height, how, fontsize=7, color=colour("soft"))
    return drawn


def _painted(share: Any) -> Any:
    """Mix white with blue on the diagonal, with orange off it: (rows, columns, 3)."""
    import numpy as np
    from matplotlib.colors import to_rgb

    tone = np.where(np.eye(len(share), dtype=bool)[..., None], to_rgb(colour("right")), to_rgb(colour("wrong")))
    return 1 - share[..., None] ** 0.8 * (1 - tone)


def cost(rows: Sequence[Row], what: str) -> Any:
    """Draw accuracy against "parameters" or "train_seconds", a logarithmic axis, one point per system."""
    from matplotlib.ticker import NullFormatter

    shown = [row for row in rows if getattr(row, what)]
    papers = list(dict.fromkeys(row.paper for row in sorted(rows, key=lambda row: row.system)))
    drawn = figure(5.2, 3.2)
    axes = drawn.add_axes((0.075, 0.14, 0.9, 0.76))
    axes.set_xscale("log")
    for row in shown:
        order = papers.index(row.paper)
        tone, marker = colour(PAPERS[order % len(PAPERS)]), "osD^v"[order % 5]
        axes.plot([getattr(row, what)] * 2, [100 * row.low, 100 * row.high], color=tone, alpha=0.35, linewidth=2)
        first = row.paper not in axes.get_legend_handles_labels()[1]
        axes.plot(getattr(row, what), 100 * row.accuracy, marker, color=tone, markersize=5.5, linestyle="",
                  label=row.paper if first else None)  # fmt: skip
    values = [getattr(row, what) for row in shown]
    axes.set_xlim(10 ** math.floor(math.log10(min(values) / 1.2)), 10 ** math.ceil(math.log10(max(values) * 1.5)))
    axes.xaxis.set_minor_formatter(NullFormatter())
    low, high = min(100 * row.low for row in shown), max(100 * row.high for row in shown)
    axes.set_ylim(max(0, low - 8), min(100, high + 10))
    axes.set_xlabel("parameters" if what == "parameters" else "training time of one run, s")
    axes.set_title("Accuracy, %")
    axes.grid(axis="y")
    axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=6, frameon=False, fontsize=7.5, borderaxespad=0.2,
                columnspacing=1, handletextpad=0.1)  # fmt: skip
    name_points(drawn, axes, [(getattr(row, what), 100 * row.accuracy, row.system.split("/", 1)[-1]) for row in shown])
    return drawn
