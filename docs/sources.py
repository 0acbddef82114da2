"""The runs and measurements under results/, each read once, and the templates that they fill."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from emotone.evaluation.across import Crossing
from emotone.evaluation.pool import Pooled
from emotone.evaluation.record import read_records
from emotone.report.full import BEYOND, read_crossings, steps
from emotone.report.results import Result, read_results

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "results"
SPEED = RESULTS / "benchmarks"
LARGE = "emotone/large"  # of the shipped models that whose mistakes are told


@cache
def results() -> list[Result]:
    """Return the results, in the order of the systems' names."""
    found = read_results(run for run in read_records(RESULTS / "runs") if run.preset == "paper")
    return sorted(found, key=lambda each: (each.row.system, each.row.protocol))


@cache
def pooled() -> list[Pooled]:
    """Return the same, each result's runs pooled."""
    return [each.pooled for each in results()]


def find(system: str, protocol: str) -> Pooled:
    """Return the one of a system under a protocol."""
    (found,) = (each for each in pooled() if (each.first.system, each.first.protocol) == (system, protocol))
    return found


@cache
def crossed() -> list[Crossing]:
    """Return every system on every corpus that it has not heard, by system, trained on RAVDESS alone first."""
    return read_crossings(RESULTS / "cross")


@cache
def shipped() -> list[Crossing]:
    """Return the same of the system that comes with emotone, trained on the corpora that it is shipped with."""
    return read_crossings(RESULTS / "shipped")


def stairs() -> dict[str, dict[str, float]]:
    """Return system -> step -> accuracy, of the systems that were trained on RAVDESS and tested on other corpora."""
    told = steps(pooled(), [each for each in crossed() if len(each.trained) == 1])
    found = [(system, own) for system, own in told.items() if BEYOND in own]
    return dict(sorted(found, key=lambda item: -item[1][BEYOND]))


def read(path: Path) -> Any:
    """Return what a JSON file holds."""
    return json.loads(path.read_text(encoding="utf-8"))


def render(template: str, **values: Any) -> str:
    """Return a template of docs/ with its values filled in."""
    environment = Environment(
        loader=FileSystemLoader(ROOT / "docs"),
        undefined=StrictUndefined,
        trim_blocks=True,
        autoescape=select_autoescape(("html",)),
    )
    return environment.get_template(template).render(**values)
