"""The figure of a model under hard conditions."""

from collections.abc import Mapping, Sequence
from typing import Any

from emotone.report.theme import colour, figure

__all__ = ["hardships"]

_LINES = {"white noise": ("blue", "o"), "babble": ("vermilion", "s"), "mains hum": ("green", "D")}
"""Noises, of which there are many degrees -> colour and marker."""


def hardships(told: Mapping[str, Any]) -> Any:
    """Draw UAR with its interval: over the signal-to-noise ratio for each noise, and for every other condition.

    Args:
        told: as `Stress.to_dict` gives.
    """
    clean, *hard = told["conditions"]
    others = [each for each in hard if each["kind"] not in _LINES]
    drawn = figure(8, 0.8 + 0.24 * max(len(others), 10))
    height = drawn.get_figheight()
    bottom, tall = 0.5 / height, 1 - 0.95 / height
    left, right = drawn.add_axes((0.065, bottom, 0.4, tall)), drawn.add_axes((0.66, bottom, 0.32, tall))
    _noises(left, hard, clean)
    _rest(right, others, clean)
    chance = 100 / len(told["classes"])
    left.axhline(chance, color=colour("soft"), linewidth=0.9, linestyle=":")
    right.axvline(chance, color=colour("soft"), linewidth=0.9, linestyle=":")
    top, said = 1 - 0.2 / height, {"color": colour("soft"), "fontsize": 7.5, "ha": "right", "va": "center"}
    drawn.text(0.015, top, f"UAR of {told['model']}, %, on {told['corpus']}", weight="bold", fontsize=9, va="center")
    drawn.text(0.985, top, "dashed: as recorded; dotted: chance", **said)
    return drawn


def _noises(axes: Any, hard: Sequence[Mapping[str, Any]], clean: Mapping[str, Any]) -> None:
    for kind, (tone, marker) in _LINES.items():
        own = [each for each in hard if each["kind"] == kind]
        ratios = [float(each["degree"].split()[0]) for each in own]
        axes.fill_between(
            ratios, [100 * each["low"] for each in own], [100 * each["high"] for each in own],
            color=colour(tone), alpha=0.13, linewidth=0,
        )  # fmt: skip
        axes.plot(
            ratios, [100 * each["uar"] for each in own], marker=marker, color=colour(tone), markersize=4, label=kind
        )
    axes.axhline(100 * clean["uar"], color=colour("ink"), linewidth=0.9, linestyle="--")
    axes.set_xticks(sorted({float(each["degree"].split()[0]) for each in hard if each["kind"] in _LINES}))
    axes.invert_xaxis()
    axes.set_ylim(0, 100)
    axes.grid(axis="y")
    axes.set_xlabel("signal-to-noise ratio, dB")
    axes.legend(frameon=False, fontsize=7.5, loc="upper right")


def _rest(axes: Any, others: Sequence[Mapping[str, Any]], clean: Mapping[str, Any]) -> None:
    for place, each in enumerate(others):
        span = [100 * each["low"], 100 * each["high"]]
        axes.plot(span, [-place] * 2, color=colour("blue"), linewidth=2.2, alpha=0.45, solid_capstyle="round")
        axes.plot(100 * each["uar"], -place, "o", color=colour("blue"), markersize=4.5)
    names = [f"{each['kind']}, {each['degree']}" for each in others]
    axes.set_yticks([-place for place in range(len(names))], names)
    axes.tick_params(axis="y", length=0, labelcolor=colour("ink"))
    axes.set_ylim(-len(names) + 0.4, 0.6)
    axes.set_xlim(0, 100)
    axes.axvline(100 * clean["uar"], color=colour("ink"), linewidth=0.9, linestyle="--")
    axes.grid(axis="x")
    axes.spines["left"].set_visible(False)
