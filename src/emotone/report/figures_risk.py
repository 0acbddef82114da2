"""The figure of what keeping silent when unsure buys."""

import math
from collections.abc import Collection, Mapping
from typing import Any

from emotone.evaluation.confidence import Confidence
from emotone.report.labels import apart
from emotone.report.theme import PAPERS, colour, figure
from emotone.report.words import percent

__all__ = ["risks"]

_FEWEST = 0.05  # of the clips: of fewer, the share of wrong answers is luck


def risks(told: Mapping[str, Confidence], *, thick: Collection[str] = ()) -> Any:
    """Draw the share of wrong answers over the share of clips answered, the surest first.

    Args:
        told: name of a line, at most six, -> the answers.
        thick: names of the lines that are drawn thicker.
    """
    drawn = figure(8, 3.3)
    axes = drawn.add_axes((0.055, 0.145, 0.595, 0.76))
    ends, highest = [], 0.0
    for order, (name, answers) in enumerate(told.items()):
        coverage, risk = (100 * side for side in answers.curve)
        shown = coverage >= 100 * _FEWEST
        tone, own = colour((*PAPERS, "ink")[order]), name in thick
        axes.plot(coverage[shown], risk[shown], color=tone, linewidth=2.8 if own else 1.3, zorder=2.5 if own else 2)
        axes.plot(100, risk[-1], "o", color=tone, markersize=6 if own else 4, clip_on=False, zorder=3)
        ends.append((float(risk[-1]), name, answers, tone))
        highest = max(highest, float(risk[shown].max()))
    top = min(100, 10 * math.ceil(highest / 10 + 0.2))
    axes.set_xlim(0, 100)
    axes.set_ylim(0, top)
    axes.set_xlabel("clips answered, %: the surest first, at the right all")
    axes.set_title("Wrong among the clips answered, %")
    axes.grid()
    ends.sort(key=lambda end: -end[0])
    for (y, name, answers, tone), place in zip(ends, apart([end[0] for end in ends], 0.135 * top, top), strict=True):
        axes.plot([101.5, 103.8], [y, place], color=tone, linewidth=0.7, clip_on=False)
        weight = "bold" if name in thick else "normal"
        axes.text(104.6, place, name, va="bottom", fontsize=7.5, weight=weight)
        error = f"calibration error {percent(answers.error)} %"
        axes.text(104.6, place, error, va="top", fontsize=7, color=colour("soft"))
    return drawn
