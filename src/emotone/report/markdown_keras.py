"""The papers' Keras programs trained here and in Keras itself, as a Markdown table."""

from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean
from typing import Any

from emotone.report.leaderboard import Range
from emotone.report.markdown import rate_range, table

__all__ = ["keras_table"]


def keras_table(variants: Iterable[tuple[str, str, Mapping[str, Sequence[Mapping[str, Any]]]]]) -> str:
    """Return one line per variant of a recipe: the accuracy on validation clips of each side, and what an epoch takes.

    In brackets the range over the seeds.

    Args:
        variants: the system, what differs, and for "emotone" and "keras" what `benchmarks/in_keras.py` measured with
            each seed; a side may be missing.
    """
    rows = []
    for system, title, sides in variants:
        found = [sides.get(name, ()) for name in ("emotone", "keras")]
        ratios = [other["seconds_per_epoch"] / own["seconds_per_epoch"] for own, other in zip(*found, strict=False)]
        rows.append(
            (
                f"`{system}`",
                title,
                *(_accuracy(seeds) for seeds in found),
                f"{fmean(ratios):.1f}" if ratios else "-",
                str(max(map(len, found))),
            )
        )
    return table(("system", "variant", "emotone", "Keras", "Keras's time", "seeds"), rows, left=(0, 1))


def _accuracy(seeds: Sequence[Mapping[str, Any]]) -> str:
    """Say the mean and the range over seeds of what the epoch that counts recognises."""
    if not seeds:
        return "-"
    found = [each["history"][_kept(each)]["monitor_accuracy"] for each in seeds]
    return rate_range(Range(fmean(found), min(found), max(found)))


def _kept(found: Mapping[str, Any]) -> int:
    """Return which epoch counts, as the recipe has it, from 0."""
    training, history = found["settings"]["training"], found["history"]
    if training["monitor"] == "none":
        return len(history) - 1
    if training["best_by"] == "loss":
        return min(range(len(history)), key=lambda at: history[at]["monitor_loss"])
    return max(range(len(history)), key=lambda at: history[at]["monitor_accuracy"])
