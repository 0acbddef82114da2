"""A whole comparison: plan, sweep, report."""

from collections.abc import Sequence
from pathlib import Path

from emotone import recipes
from emotone.comparison.plan import plan
from emotone.comparison.run import Setting
from emotone.comparison.sweep import Failure, cores, sweep
from emotone.corpora.base import Corpus
from emotone.corpora.fingerprint import fingerprint
from emotone.errors import UsageError
from emotone.evaluation.record import read_records
from emotone.recipes.schema import Recipe
from emotone.report.page import build
from emotone.terminal import SweepProgress, console, counting, warn

__all__ = ["compare", "write_report"]


def compare(
    chosen: Sequence[Recipe] | None,
    corpus: Corpus,
    out: Path,
    *,
    protocols: Sequence[str],
    preset: str,
    seeds: int,
    jobs: int | None,
    device: str,
    precision: str,
) -> list[Failure]:
    """Run systems under protocols and write the report, its path printed last. Returns what failed.

    Without `chosen`, all systems that the preset can run.
    """
    if chosen is None:
        everything = [recipes.load(name) for name in recipes.names()]
        chosen = [
            recipe for recipe in everything if not recipe.needs_weights and (preset != "quick" or recipe.is_quick)
        ]
    specs = plan(chosen, corpus, protocols=protocols, preset=preset, seeds=seeds)
    with counting(f"Reading {corpus.info.name}") as progress:
        data_hash = fingerprint(corpus.utterances, on_progress=progress)
    setting = Setting(corpus, data_hash, device, precision)
    synthetic = ", synthetic: not real speech" if corpus.info.synthetic else ""
    console.print(f"{corpus.info.title}{synthetic}: {len(corpus.utterances)} clips; {len(specs)} runs, {preset} preset")
    try:
        with SweepProgress(specs) as listener:
            failures = sweep(specs, setting, out / "runs", jobs=cores() if jobs is None else jobs, listener=listener)
    except KeyboardInterrupt:
        raise UsageError("Interrupted. Finished runs are kept; the same command goes on from here.") from None
    for failure in failures:
        warn(f"{failure.spec.name} failed: {failure.reason}")
    console.print(write_report(out, corpus), soft_wrap=True)
    return failures


def write_report(out: Path, corpus: Corpus | None) -> Path:
    """Write the report of all runs under `out`; return the page's path."""
    records = read_records(out / "runs")
    if not records:
        raise UsageError(f"{out}: no runs in it; `emotone compare --out {out}` makes some.")
    return build(records, out / "report", corpus=corpus)
