"""What a benchmark found of a recipe, for the card of a model that was trained by it and is not tested itself."""

from pathlib import Path

from emotone.bundle import Metric
from emotone.errors import UsageError
from emotone.evaluation.adapted import adaptation
from emotone.evaluation.pool import Pooled, pool_all
from emotone.evaluation.record import read_records
from emotone.protocols import UNSEEN
from emotone.recipes.schema import Recipe

__all__ = ["measured"]

_SHOWN = ("uar", "accuracy")


def measured(folder: Path, recipe: Recipe) -> dict[str, Metric]:
    """Return UAR and accuracy with unseen speakers, plain and adapted to the speaker, of finished runs of the recipe.

    Args:
        folder: of a benchmark, with the runs in `runs`.
        recipe: what the runs must have been trained by, to the letter.

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
    for each in pooled:
        found |= _metrics(each)
        known = adaptation(each)
        if known is not None:
            found |= _metrics(known.pooled, ", adapted to the speaker")
    return found


def _metrics(pooled: Pooled, how: str = "") -> dict[str, Metric]:
    first = pooled.first
    seeds = f"{len(pooled.seeds)} seed{'s' if len(pooled.seeds) > 1 else ''}"
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
