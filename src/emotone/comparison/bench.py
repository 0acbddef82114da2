"""A benchmark: a plan of runs, made once and kept; a leaderboard of what was run and what was not."""

from collections.abc import Callable, Sequence
from pathlib import Path

from pydantic import Field

from emotone import recipes
from emotone.comparison.compare import make_runs
from emotone.comparison.encoders import with_encoder
from emotone.comparison.plan import RunSpec, check, plan
from emotone.comparison.sweep import Failure, check_jobs
from emotone.comparison.watcher import Watcher
from emotone.config import Config, read_yaml
from emotone.corpora.base import Corpus
from emotone.evaluation.record import read_record, read_records
from emotone.files import make_folder
from emotone.models.config import EncoderConfig
from emotone.protocols import PROTOCOLS
from emotone.recipes.schema import Recipe
from emotone.report.leaderboard import Wanted, entries, write_leaderboard
from emotone.report.page import build
from emotone.report.results import read_results

__all__ = ["BOARD", "PLAN", "Later", "Plan", "Planned", "bench", "load_plan", "specs_of", "wanted_of"]

PLAN, BOARD = "plan.yaml", "leaderboard.json"
"""The names of a benchmark's plan and of its leaderboard, in its folder."""


class _Part(Config):
    """Systems (ids, or recipe files beside the plan) under protocols."""

    systems: tuple[str, ...] = Field(min_length=1)
    protocols: tuple[str, ...] = Field(min_length=1)
    corpora: tuple[str, ...] = ()
    """Instead of the plan's corpus: under `cross` those that are trained on, else those that are split, together."""
    test: tuple[str, ...] = ()
    """The corpora that `cross` tests on."""


class Planned(_Part):
    """What to run, at the paper's settings."""

    seeds: int = Field(default=1, ge=1)
    patience: int | None = Field(default=None, gt=0)
    """Stop long trainings after so many epochs in which the validation loss has not fallen, though the paper has no
    early stopping; each run's JSON says so. None trains as the paper does."""


class Later(_Part):
    """What the plan leaves out, and why; it is listed as not run."""

    why: str


class Plan(Config):
    """A benchmark."""

    corpus: str
    runs: tuple[Planned, ...] = Field(min_length=1)
    later: tuple[Later, ...] = ()

    def corpora_of(self, part: _Part) -> tuple[str, tuple[str, ...]]:
        """Return the corpora that a part trains on or splits, with commas, and those that it tests on."""
        return ",".join(part.corpora) or self.corpus, part.test


def load_plan(folder: Path) -> Plan:
    """Read the plan of a benchmark's folder.

    Raises:
        RecipeError: no plan there, or one that does not follow the schema.
    """
    path = folder / PLAN
    data = read_yaml(path, missing="no such file. A benchmark's folder holds its plan: corpus and runs.")
    return Plan.parse(data, where=path)


def bench(
    folder: Path,
    load_corpus: Callable[[str, Sequence[str]], Corpus],
    watcher: Watcher,
    *,
    jobs: int | None,
    device: str,
    precision: str,
) -> list[Failure]:
    """Make the runs of the folder's plan that are not there, then its leaderboard and report. Returns what failed.

    Args:
        folder: holds `plan.yaml`; runs, `leaderboard.json` and the report are written into it.
        load_corpus: gives the corpora of names with commas as one, joined with others to test on, if any.
        watcher: told how it goes on.
        jobs: runs at a time; None for one per core.
        device, precision: of training.
    """
    check_jobs(jobs)
    wanted = load_plan(folder)
    for part in wanted.runs:
        check(_recipes(part, folder), protocols=part.protocols, preset="paper", crossing=bool(part.test))
    make_folder(folder)
    loaded = {named: load_corpus(*named) for named in dict.fromkeys(map(wanted.corpora_of, wanted.runs))}
    failures = []
    for named, corpus in loaded.items():
        specs = specs_of(wanted, folder, corpus, named)
        failures += make_runs(specs, corpus, folder, watcher, jobs=jobs, device=device, precision=precision)
    results = read_results(read_records(folder / "runs"))
    if results:
        shown = next(iter(loaded.values())) if len(loaded) == 1 else None
        watcher.say(str(build(results, folder / "report", corpus=shown)))
    board = folder / BOARD
    write_leaderboard(board, entries(results, wanted_of(wanted, folder)))
    watcher.say(str(board))
    return failures


def specs_of(
    benchmark: Plan, folder: Path, corpus: Corpus, named: tuple[str, tuple[str, ...]] | None = None
) -> list[RunSpec]:
    """Return every run of a plan on corpora, as `Plan.corpora_of` names them, each once; without, of the plan's own."""
    specs: list[RunSpec] = []
    for part in (part for part in benchmark.runs if benchmark.corpora_of(part) == (named or (benchmark.corpus, ()))):
        known = [_with_weights(recipe, folder) for recipe in _recipes(part, folder)]
        specs += plan(known, corpus, protocols=part.protocols, preset="paper", seeds=part.seeds)
    return list(dict.fromkeys(specs))


def _with_weights(recipe: Recipe, folder: Path) -> Recipe:
    """Return the recipe with the weights of its encoder noted: those of its runs that are there, else of the encoder.

    So what is there needs no encoder.
    """
    model = recipe.model
    if not isinstance(model, EncoderConfig) or model.weights is not None:
        return recipe
    for path in sorted((folder / "runs").glob(f"*/*/{recipe.id}.*.json")):
        known = read_record(path).recipe["model"]
        noted = {key: known[key] for key in ("weights", "architecture") if key in known}
        return recipe.model_copy(update={"model": type(model).parse(model.model_dump() | noted, where=path)})
    return with_encoder([recipe], None)[0]


def wanted_of(benchmark: Plan, folder: Path) -> list[Wanted]:
    """Return what a plan runs and what it leaves for later, the systems in emotone's order, then its own."""
    parts: list[tuple[_Part, str]] = [(part, "") for part in benchmark.runs]
    parts += [(part, part.why) for part in benchmark.later]
    found = [
        _wanted(_recipe(name, folder), protocol, benchmark.corpora_of(part), why, folder)
        for part, why in parts
        for name in part.systems
        for protocol in part.protocols
    ]
    known, order = recipes.names(), tuple(PROTOCOLS)
    unique = {(each.system, each.corpus, each.protocol): each for each in reversed(found)}
    return sorted(
        unique.values(),
        key=lambda each: (
            known.index(each.system) if each.system in known else len(known),
            each.system,
            order.index(each.protocol),
            each.corpus,
        ),
    )


def _wanted(recipe: Recipe, protocol: str, corpora: tuple[str, Sequence[str]], why: str, folder: Path) -> Wanted:
    several, test = corpora
    corpus, split = _joined(several.split(",")), f" --protocol {protocol}"
    if test:
        corpus, split = f"{corpus}-to-{_joined(test)}", f" --train {several} --test {','.join(test)}"
    elif "," in several:
        split = f" --corpus {several}{split}"
    command = f"emotone compare {recipe.id}{split} --preset paper --out {folder.resolve().name}"
    if isinstance(recipe.model, EncoderConfig):
        command += f" --encoder {recipe.model.encoder}"
    return Wanted(recipe.id, recipe.title, recipe.published, corpus, protocol, why, command)


def _joined(names: Sequence[str]) -> str:
    """Return what several corpora together are called; one's own is called as its file or folder."""
    return "+".join(Path(name).stem for name in names)


def _recipes(part: Planned, folder: Path) -> list[Recipe]:
    return [_impatient(_recipe(name, folder), part.patience) for name in part.systems]


def _impatient(recipe: Recipe, patience: int | None) -> Recipe:
    """Return the recipe with early stopping, if that is asked for and it has epochs and none of its own."""
    training = recipe.training
    if patience is None or training is None or training.patience is not None:
        return recipe
    return recipe.model_copy(update={"training": training.model_copy(update={"patience": patience})})


def _recipe(name: str, folder: Path) -> Recipe:
    return recipes.load(str(folder / name) if name.endswith((".yaml", ".yml")) else name)
