"""The figure of the benchmark of speed: how well speakers never heard are recognised, over what an answer costs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from emotone.report.labels import name_points
from emotone.report.leaderboard import Range
from emotone.report.theme import colour, figure

__all__ = ["Contender", "answers"]


@dataclass(frozen=True, slots=True)
class Contender:
    """A way to recognise a clip.

    Attributes:
        name: what it is called.
        milliseconds: a clip, on one core.
        uar: with unseen speakers; None where it was not run.
        own: whether it is emotone's.
    """

    name: str
    milliseconds: float
    uar: Range | None
    own: bool


def answers(contenders: Sequence[Contender]) -> Any:
    """Draw UAR over milliseconds a clip, a logarithmic axis, with 95 % intervals; hollow, at 0: not run."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    drawn = figure(6.2, 3.2)
    axes = drawn.add_axes((0.08, 0.15, 0.88, 0.74))
    axes.set_xscale("log")
    points = []
    for each in contenders:
        tone, marker = (colour("blue"), "o") if each.own else (colour("vermilion"), "s")
        if each.uar is None:
            axes.plot(each.milliseconds, 0, marker, color=tone, markersize=6, markerfacecolor="white", clip_on=False)
            label = f"{each.name}: not run"
            axes.annotate(label, (each.milliseconds, 0), (2, 6), textcoords="offset points", rotation=40, fontsize=7)
            continue
        low, high, mean = 100 * each.uar.low, 100 * each.uar.high, 100 * each.uar.mean
        axes.plot([each.milliseconds] * 2, [low, high], color=tone, alpha=0.35, linewidth=2)
        axes.plot(each.milliseconds, mean, marker, color=tone, markersize=6)
        points.append((each.milliseconds, mean, each.name))
    axes.set_ylim(0, 100)
    spent = [each.milliseconds for each in contenders]
    axes.set_xlim(min(spent) / 2, max(spent) * 3)
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("milliseconds a clip, one core")
    axes.set_title("UAR with unseen speakers, %")
    axes.grid(axis="y")
    name_points(drawn, axes, points)
    return drawn
