"""A whole comparison: plan, sweep, report."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emotone import recipes
from emotone.audio import Part
from emotone.comparison.beside import find_full, remember
from emotone.comparison.cross import describe
from emotone.comparison.encoders import lack_of, with_encoder
from emotone.comparison.listen import listen
from emotone.comparison.places import FAR, places
from emotone.comparison.plan import RunSpec, check, check_devices, finished, plan
from emotone.comparison.run import Setting
from emotone.comparison.sweep import Failure, Sweep, check_jobs, sweep
from emotone.comparison.watcher import Watcher
from emotone.corpora.base import Corpus
from emotone.corpora.fingerprint import sample_digests
from emotone.errors import CorpusError, EmotoneError, ProtocolError, UsageError
from emotone.evaluation.record import read_records
from emotone.files import make_folder
from emotone.recipes.schema import Recipe
from emotone.recognition import Recognizer
from emotone.report.full import Full
from emotone.report.page import build
from emotone.report.results import read_results

__all__ = ["compare", "make_runs", "write_report"]

_EAR = "emotone/base"
"""The model that comes with emotone by which corpora are told apart: light, and trained on voices of one studio."""


def compare(
    chosen: Sequence[Recipe] | None,
    load_corpus: Callable[[], Corpus],
    out: Path,
    watcher: Watcher,
    *,
    protocols: Sequence[str],
    preset: str,
    seeds: int,
    jobs: int | None,
    device: str,
    precision: str,
    devices: int = 1,
    encoder: str | None = None,
    crossing: bool = False,
    beside: Path | None = None,
    sweep: Sweep = sweep,
) -> list[Failure]:
    """Run systems under protocols and write the report, its path told last. Returns what failed.

    Without `chosen`, all systems that the preset can run, that can learn on so many `devices`, and that lack nothing
    here: no pretrained weights, nothing that reads them; `encoder` names other weights. The corpus, which may have to
    be downloaded, is loaded when everything else that was asked for is known to make sense; `crossing` tells that it
    will be some to train on and others to test on. `beside` is a folder of finished full runs, which the report then
    opens with; `sweep` does the runs.
    """
    if seeds < 1:
        raise UsageError(f"--seeds is {seeds}; it must be at least 1.")
    check_jobs(jobs)
    by_name = chosen is not None
    if chosen is None:
        everything = [recipes.load(name) for name in recipes.names()]
        chosen = [
            recipe
            for recipe in everything
            if lack_of(recipe, encoder) is None
            and (preset != "quick" or recipe.is_quick)
            and (devices <= 1 or recipe.learns_by_gradient)
        ]
    check(chosen, protocols=protocols, preset=preset, crossing=crossing)
    check_devices(chosen, devices)
    chosen = with_encoder(chosen, encoder)
    full = find_full(beside, out, watcher)
    make_folder(out)
    corpus = load_corpus()
    if not by_name:
        chosen = _possible(chosen, corpus, watcher, protocols=protocols, preset=preset)
    specs = plan(chosen, corpus, protocols=protocols, preset=preset, seeds=seeds)
    if crossing:
        _tell_places(corpus, watcher)
    failures = make_runs(
        specs, corpus, out, watcher, jobs=jobs, device=device, precision=precision, devices=devices, sweep=sweep
    )
    if len(failures) < len(specs):
        watcher.say(str(write_report(out, corpus, full)))
    return failures


def _tell_places(corpus: Corpus, watcher: Watcher) -> None:
    """Say where the tested corpora lie among those that are trained on, before anybody trusts what is measured."""
    recogniser = Recognizer.load(_EAR)

    def embed(part: Part) -> NDArray[np.float32] | None:
        found = recogniser.embed(part)
        return found.mean if len(found.vectors) else None

    with watcher.counting("Listening to some speakers") as progress:
        found = places(corpus, embed, on_progress=progress)
    for place in found:
        watcher.say(str(place))
        if place.is_far:
            watcher.warn(
                f"{place.corpus} is far from every corpus that is trained on (more than {FAR:g}): "
                "what is recognised there will say little of what was learnt"
            )


def _possible(
    chosen: Sequence[Recipe], corpus: Corpus, watcher: Watcher, *, protocols: Sequence[str], preset: str
) -> Sequence[Recipe]:
    """Leave out, in words, the systems that need what the corpus does not state; if it is all of them, raise."""
    possible, reasons = [], []
    for recipe in chosen:
        try:
            plan([recipe], corpus, protocols=protocols, preset=preset, seeds=1)
            possible.append(recipe)
        except (CorpusError, ProtocolError) as error:
            reasons.append((recipe.id, error))
    if not possible:
        raise reasons[0][1]
    for name, reason in reasons:
        watcher.warn(f"{name} is left out: {reason}")
    return possible


def make_runs(
    specs: Sequence[RunSpec],
    corpus: Corpus,
    out: Path,
    watcher: Watcher,
    *,
    jobs: int | None,
    device: str,
    precision: str,
    devices: int = 1,
    sweep: Sweep = sweep,
) -> list[Failure]:
    """Do the runs that are not there, by `sweep`, into `out`/runs. Returns what failed."""
    with watcher.counting(f"Reading {corpus.info.name}") as progress:
        setting = Setting(corpus, sample_digests(corpus.utterances, on_progress=progress), device, precision, devices)
    synthetic = ", synthetic: not real speech" if corpus.info.synthetic else ""
    presets = " and ".join(sorted({spec.preset for spec in specs}))
    watcher.say(f"{corpus.info.title}{synthetic}: {len(corpus.utterances)} clips; {len(specs)} runs, {presets} preset")
    if corpus.tested:
        for line in describe(list(dict.fromkeys(spec.recipe for spec in specs)), corpus, setting.digests):
            watcher.say(line)
    folder = out / "runs" / corpus.info.name
    pending = [spec for spec in specs if not finished(spec, folder, setting.data_hash)]
    if len(pending) < len(specs):
        watcher.say(f"{len(specs) - len(pending)} of them are there already")
    try:
        with watcher.runs(pending) as listener:
            failures = sweep(specs, setting, folder, jobs=jobs, listener=listener)
    except KeyboardInterrupt:
        raise EmotoneError("Interrupted. Finished runs are kept; the same command goes on from here.") from None
    for failure in failures:
        watcher.warn(f"{failure.spec.name} failed: {failure.reason}")
    return failures


def write_report(out: Path, corpus: Corpus | None, full: Full | None) -> Path:
    """Write the report of all runs under `out`; return the page's path.

    With full runs the page opens with these and, where the corpus is at hand, shows what the recogniser hears in it.
    """
    results = read_results(read_records(out / "runs"))
    if not results:
        raise UsageError(f"{out}: no runs in it; `emotone compare --out {out}` makes some.")
    shown = corpus if corpus and corpus.info.name in {result.row.corpus for result in results} else None
    heard = listen(shown) if full and shown else None
    page = build(results, out / "report", corpus=shown, full=full, heard=heard)
    if full:
        remember(full, out)
    return page
