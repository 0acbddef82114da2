"""The figures of systems on corpora never heard: a matrix of UAR, and what is lost step by step."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from emotone.evaluation.across import Crossing
from emotone.report.theme import colour, figure, lanes, room

__all__ = ["STEPS", "matrix", "steps"]

STEPS = {
    "as published": ("vermilion", "o"),
    "clean split": ("blue", "s"),
    "unseen speakers": ("green", "D"),
    "unseen corpora": ("purple", "P"),
}
"""What a system is tested on, harder from step to step -> colour and marker."""


def matrix(crossings: Sequence[Crossing]) -> Any:
    """Draw UAR as a matrix, a line for each system and training, a column for each tested corpus; the chance below."""
    rows = list(dict.fromkeys((each.system, len(each.trained) > 1) for each in crossings))
    columns = list(dict.fromkeys(each.tested for each in crossings))
    alone = {each.system: each.trained[0] for each in crossings if len(each.trained) == 1}
    names = [f"{system}, {'all the others' if several else alone[system]}" for system, several in rows]
    drawn = figure(7, 0.9 + 0.3 * (len(rows) + 1))
    height, left = drawn.get_figheight(), room(names, 7)
    axes = drawn.add_axes((left, 0.12 / height, 0.98 - left, 1 - 0.72 / height))
    cells = np.full((len(rows) + 1, len(columns)), np.nan)
    for each in crossings:
        place = rows.index((each.system, len(each.trained) > 1)), columns.index(each.tested)
        cells[place], cells[-1, place[1]] = 100 * each.plain.uar, 100 * each.chance
    axes.imshow(cells, cmap="cividis", vmin=0, vmax=100, aspect="auto")
    for (row, column), value in np.ndenumerate(cells):
        said = "-" if np.isnan(value) else f"{value:.0f}"
        tone = "black" if value > 47 or np.isnan(value) else "white"  # as cividis is light or dark
        axes.text(column, row, said, ha="center", va="center", color=tone, fontsize=8)
    axes.set_yticks(range(len(rows) + 1), [*names, "chance"])
    axes.set_xticks(range(len(columns)), columns)
    axes.tick_params(length=0, labeltop=True, labelbottom=False, labelcolor=colour("ink"))
    for side in axes.spines.values():
        side.set_visible(False)
    drawn.text(0.02, 1 - 0.2 / height, "UAR, %, on a corpus never heard", fontsize=8, weight="bold", va="center")
    drawn.text(0.02, 1 - 0.45 / height, "system, trained on", fontsize=7.5, color=colour("soft"), va="center")
    return drawn


def steps(accuracies: Mapping[str, Mapping[str, float]]) -> Any:
    """Draw one line per system, from its accuracy as published to that on corpora never heard.

    Args:
        accuracies: system -> step of `STEPS` -> accuracy, as a fraction of 1.
    """
    drawn = figure(7, 1.1 + 0.3 * len(accuracies))
    height = drawn.get_figheight()
    left = room(list(accuracies), 7)
    axes = drawn.add_axes((left, 0.45 / height, 0.97 - left, 1 - 0.9 / height))
    for place, shown in enumerate(accuracies.values()):
        told = [(name, 100 * shown[name]) for name in STEPS if name in shown]
        for (_, left), (name, right) in pairwise(told):
            axes.plot([left, right], [-place] * 2, color=colour(STEPS[name][0]), linewidth=2.4, alpha=0.45, zorder=1)
        for name, value in told:
            tone, marker = STEPS[name]
            axes.plot(value, -place, marker, color=colour(tone), markersize=5.5)
    lanes(axes, list(accuracies))
    axes.set_xlabel("accuracy, %")
    handles = [
        axes.plot([], [], marker, color=colour(tone), label=name)[0]
        for name, (tone, marker) in STEPS.items()
        if any(name in shown for shown in accuracies.values())
    ]
    drawn.legend(handles=handles, loc="upper left", ncols=4, frameon=False, fontsize=7.5, handletextpad=0.2)
    return drawn
