"""What a benchmark found of a recipe, for the card of a model that was trained by it and is not tested itself."""

from collections.abc import Iterable
from pathlib import Path

from emotone.bundle import Metric
from emotone.errors import UsageError
from emotone.evaluation.across import Crossing, crossings
from emotone.evaluation.adapted import adaptation
from emotone.evaluation.pool import Pooled, pool_all
from emotone.evaluation.record import read_records
from emotone.protocols import ACROSS, UNSEEN
from emotone.recipes.schema import Recipe

__all__ = ["measured"]

_SHOWN = ("uar", "accuracy")


def measured(folder: Path, recipe: Recipe, corpora: Iterable[str]) -> dict[str, Metric]:
    """Return UAR and accuracy with unseen speakers, plain and adapted to the speaker, of finished runs of the recipe;
    and the UAR on each corpus of what was trained on these `corpora`, all but that one.

    Args:
        folder: of a benchmark, with the runs in `runs`.
        recipe: what the runs must have been trained by, to the letter.
        corpora: that the model is trained on.

    Raises:
        UsageError: no such runs, or some are missing.
    """
    if not (folder / "runs").is_dir():
        raise UsageError(f"--measured {folder}: no benchmark, for it holds no folder 'runs'.")
    own = [
        run
        for run in read_records(folder / "runs")
        if run.protocol in UNSEEN and run.system == recipe.id and Recipe.parse(run.recipe, where=run.system) == recipe
    ]
    pooled = [each for each in pool_all(own) if not each.missing]
    if not pooled:
        raise UsageError(
            f"--measured {folder}: no finished runs of {recipe.id} as it is, under {' or '.join(UNSEEN)}; run "
            f"`emotone compare {recipe.id} --protocol {UNSEEN[0]} --preset paper --out {folder}`."
        )
    found: dict[str, Metric] = {}
    across = [each for each in pooled if each.first.protocol in ACROSS]
    within = [each for each in pooled if each.first.protocol not in ACROSS]
    for each in within:
        found |= _metrics(each)
        known = adaptation(each)
        if known is not None:
            found |= _metrics(known.pooled, ", adapted to the speaker")
    for crossing in crossings(across):
        if set(crossing.trained) == set(corpora) - {crossing.tested}:
            found |= _crossed(crossing)
    return found


def _crossed(crossing: Crossing) -> dict[str, Metric]:
    trained, seeds = ", ".join(crossing.trained), _seeds(crossing.seeds)
    what = f"the same recipe, trained on {trained}, {seeds}, {crossing.tested} never heard"
    told = {"": crossing.plain, ", adapted": crossing.adapted}
    return {
        f"uar, {crossing.tested}{how}": Metric(
            value=each.uar,
            low=each.interval[0] if each.interval else None,
            high=each.interval[1] if each.interval else None,
            protocol=f"{what}{f'{how} to the speaker' if how else ''}",
        )
        for how, each in told.items()
        if each is not None
    }


def _metrics(pooled: Pooled, how: str = "") -> dict[str, Metric]:
    first = pooled.first
    seeds = _seeds(len(pooled.seeds))
    what = f"the same recipe, {first.folds} folds of speakers never heard in training, {seeds}, {first.corpus}{how}"
    return {
        f"{name}, {first.protocol}{', adapted' if how else ''}": Metric(
            value=pooled.metrics[name],
            low=pooled.intervals[name][0],
            high=pooled.intervals[name][1],
            protocol=what,
        )
        for name in _SHOWN
    }


def _seeds(count: int) -> str:
    return f"{count} seed{'s' if count > 1 else ''}"
