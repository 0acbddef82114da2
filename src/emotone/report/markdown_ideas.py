"""What was measured of ideas for emotone's own systems, as Markdown tables."""

from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean
from typing import Any

from emotone.report.leaderboard import Range
from emotone.report.markdown import rate_range, table
from emotone.report.words import count, points

__all__ = ["elsewhere_table", "ideas_table", "seeded_ideas_table"]

_SEEDS = 3  # before a gain is a gain


def ideas_table(ideas: Mapping[str, Mapping[str, Any]], *, base: str) -> str:
    """Return one line per idea: what validation speakers say of it, the best UAR first.

    Args:
        ideas: name -> what `benchmarks/ideas.py` measured, and its title.
        base: which of them the others are set beside.
    """
    start = ideas[base]["plain"]["uar"]
    rows = [
        (
            f"**{idea['title']}**" if name == base else idea["title"],
            *(
                rate_range(Range(rates["uar"], rates["uar_low"], rates["uar_high"]))
                for rates in (idea["plain"], idea["adapted"])
            ),
            "-" if name == base else points(idea["plain"]["uar"] - start),
            f"{idea['log_loss']:.2f}",
            f"{idea['best_epoch']} of {idea['epochs']}",
            f"{idea['parameters']:,}".replace(",", " "),
        )
        for name, idea in sorted(ideas.items(), key=lambda item: -item[1]["plain"]["uar"])
    ]
    headers = ("idea", "UAR", "UAR, adapted", "gain, points", "log loss", "best epoch", "parameters")
    return table(headers, rows, left=(0,))


def seeded_ideas_table(ideas: Mapping[str, Sequence[Mapping[str, Any]]], *, base: str) -> str:
    """Return one line per idea that was measured with several seeds, the best mean UAR first.

    An idea is a gain or a loss where every seed says so, each beside the base of the same seed and speakers.

    Args:
        ideas: name -> what `benchmarks/ideas.py` measured with each seed, in their order, and its title.
        base: which of them the others are set beside.
    """
    start = [each["plain"]["uar"] for each in ideas[base]]
    rows = []
    for name, seeds in sorted(ideas.items(), key=lambda item: -fmean(each["plain"]["uar"] for each in item[1])):
        found = {how: [each[how]["uar"] for each in seeds] for how in ("plain", "adapted")}
        gains = [own - before for own, before in zip(found["plain"], start, strict=False)]
        elsewhere = fmean(fmean(each["elsewhere"].values()) for each in seeds)
        rows.append(
            (
                f"**{seeds[0]['title']}**" if name == base else seeds[0]["title"],
                *(rate_range(Range(fmean(each), min(each), max(each))) for each in found.values()),
                "-" if name == base else points(fmean(gains)),
                "-" if name == base else _verdict(gains),
                f"{100 * elsewhere:.1f}",
                f"{fmean(each['log_loss'] for each in seeds):.2f}",
                str(len(seeds)),
            )
        )
    headers = ("idea", "UAR", "UAR, adapted", "gain, points", "verdict", "UAR elsewhere", "log loss", "seeds")
    return table(headers, rows, left=(0,))


def elsewhere_table(ideas: Iterable[Mapping[str, Any]]) -> str:
    """Return one line per idea that was measured so: its UAR as recorded, and as if recorded elsewhere."""
    measured = [idea for idea in ideas if "elsewhere" in idea]
    names = list(measured[0]["elsewhere"])
    rows = [
        (idea["title"], *(f"{100 * uar:.1f}" for uar in (idea["plain"]["uar"], *idea["elsewhere"].values())))
        for idea in sorted(measured, key=lambda idea: -idea["plain"]["uar"])
    ]
    return table(("UAR", "as recorded", *names), rows, left=(0,))


def _verdict(gains: Sequence[float]) -> str:
    """Say what the same seeds say of an idea: nothing, where they do not agree.

    >>> _verdict([0.02, 0.01, 0.03]), _verdict([0.02, -0.01, 0.03]), _verdict([0.02])
    ('gain', 'tie', 'one seed')
    """
    if len(gains) < _SEEDS:
        return count(len(gains), "seed")
    if all(gain > 0 for gain in gains):
        return "gain"
    return "loss" if all(gain < 0 for gain in gains) else "tie"
