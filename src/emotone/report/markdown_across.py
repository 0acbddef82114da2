"""Systems on corpora never heard, as Markdown tables for the documentation."""

from collections.abc import Mapping, Sequence

from emotone.evaluation.across import Crossing, Told
from emotone.report.figures_across import STEPS
from emotone.report.leaderboard import Range
from emotone.report.markdown import rate_range, table
from emotone.report.words import percent, points

__all__ = ["crossings_table", "gains_table", "recall_table", "steps_table"]


def crossings_table(crossings: Sequence[Crossing], corpora: Mapping[str, str]) -> str:
    """Return one line per system and tested corpus, the best of a corpus first. `corpora`: name -> title."""
    order = list(corpora)
    ranked = sorted(crossings, key=lambda each: (order.index(each.tested), -each.plain.uar))
    rows = [
        (
            corpora[each.tested],
            f"`{each.system}`",
            ", ".join(each.trained),
            _told(each.plain),
            "-" if each.adapted is None else _told(each.adapted),
            percent(each.chance, 0),
            percent(each.confidence.error),
            str(each.speakers),
            str(each.seeds),
        )
        for each in ranked
    ]
    headers = ("tested on", "system", "trained on", "UAR, %", "adapted", "chance", "calibration error", "speakers")
    return table((*headers, "seeds"), rows, left=(0, 1, 2))


def gains_table(crossings: Sequence[Crossing], alone: Mapping[str, tuple[float, float]]) -> str:
    """Return one line per tested corpus: what several training corpora give there beside one alone, and the mean.

    Args:
        crossings: of one system.
        alone: tested corpus -> UAR of the same system trained on one corpus, plain and adapted, as fractions of 1.
    """
    rows: list[tuple[str, ...]] = []
    beyond: list[tuple[float, ...]] = []
    for each in crossings:
        assert each.adapted is not None
        (was, was_adapted), adapted = alone[each.tested], each.adapted
        rows.append(
            (
                each.tested,
                ", ".join(each.trained),
                *(percent(was), _told(each.plain), points(each.plain.uar - was)),
                *(percent(was_adapted), _told(adapted), points(adapted.uar - was_adapted)),
                percent(each.confidence.error),
            )
        )
        if each.tested not in each.trained:
            beyond.append((was, each.plain.uar, was_adapted, adapted.uar, each.confidence.error))
    was, plain, was_adapted, known, error = (sum(column) / len(beyond) for column in zip(*beyond, strict=True))
    told = [percent(was), percent(plain), points(plain - was), percent(was_adapted), percent(known)]
    rows.append(("mean of corpora never heard", "", *told, points(known - was_adapted), percent(error)))
    headers = ("tested on", "trained on", "one alone", "UAR, %", "gain", "one alone, adapted", "adapted", "gain")
    return table((*headers, "calibration error"), rows, left=(0, 1))


def recall_table(crossings: Sequence[Crossing], heard: Mapping[str, float]) -> str:
    """Return one line per emotion: its recall on each corpus never heard, beside that on unseen speakers of RAVDESS.

    Args:
        crossings: of one system and training.
        heard: emotion -> recall on unseen speakers of a corpus that was trained on.
    """
    rows = [
        (name, percent(share, 0), *(_share(each.recall.get(name)) for each in crossings))
        for name, share in heard.items()
    ]
    return table(("emotion", "RAVDESS, unseen speakers", *(each.tested for each in crossings)), rows, left=(0,))


def steps_table(accuracies: Mapping[str, Mapping[str, float]]) -> str:
    """Return one line per system: its accuracy from step to step."""
    rows = [
        (f"`{name}`", *(percent(told[step]) if step in told else "-" for step in STEPS))
        for name, told in accuracies.items()
    ]
    return table(("system", *STEPS), rows, left=(0,))


def _told(told: Told) -> str:
    return percent(told.uar) if told.interval is None else rate_range(Range(told.uar, *told.interval))


def _share(value: float | None) -> str:
    return "-" if value is None else percent(value, 0)
