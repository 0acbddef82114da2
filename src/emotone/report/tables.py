"""The results as tables: the leaderboard, its Markdown for the README, and CSV files."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from emotone.evaluation.pool import pool_all
from emotone.evaluation.record import Published, RunRecord
from emotone.files import write_text
from emotone.report.results import UNSEEN, Result, Row, make_row, sort_key
from emotone.report.words import percent

__all__ = ["Listed", "leaderboard", "markdown", "write_csv", "write_tables"]

_QUICK = "†"


@dataclass(frozen=True, slots=True)
class Listed:
    """A system that there is, run or not: what `markdown` needs of its recipe."""

    system: str
    title: str
    published: Published


def leaderboard(records: Iterable[RunRecord]) -> list[Row]:
    """Return one row per system, corpus, protocol and preset: folds pooled, seeds averaged, the best first."""
    return sorted((make_row(pooled) for pooled in pool_all(records)), key=sort_key)


def markdown(records: Iterable[RunRecord], systems: Sequence[Listed]) -> str:
    """Return the README's tables, one per corpus: published beside measured, every system of `systems` in its row.

    A cell has the accuracy and its 95 % interval in per cent. Where a system ran with several presets, `paper` counts;
    another is marked. "-" stands where the paper gives no number, "not run" where there is no run.
    """
    rows = leaderboard(records)
    corpora: list[str | None] = list(dict.fromkeys(row.corpus for row in rows)) or [None]
    return "\n".join(_markdown([row for row in rows if row.corpus == corpus], systems) for corpus in corpora)


def _markdown(rows: Sequence[Row], systems: Sequence[Listed]) -> str:
    """Return the table of one corpus."""
    unseen = [name for name in UNSEEN if any(row.protocol == name for row in rows)]
    columns = {"published": "published protocol", "clean": "clean"}
    columns |= {name: f"unseen speakers ({name})" for name in unseen} or {"loso": "unseen speakers"}
    if unseen == ["cross"]:  # of two corpora, which have no other protocol
        columns = {"cross": "cross-corpus"}
    # Rows of the paper preset come first, so they win.
    found: dict[tuple[str, str], Row] = {}
    for row in rows:
        found.setdefault((row.system, row.protocol), row)
    lines = [
        f"| system | paper reports | {' | '.join(columns.values())} |",
        "|---|--:|" + "--:|" * len(columns),
    ]
    for listed in systems:
        reported = "-" if listed.published.accuracy is None else percent(listed.published.accuracy)
        cells = [_cell(found.get((listed.system, protocol))) for protocol in columns]
        title = listed.title.replace("|", "\\|")
        lines.append(f"| `{listed.system}` {title} | {reported} | {' | '.join(cells)} |")
    return "\n".join([*lines, "", _notes(list(found.values())), ""])


def _notes(rows: Sequence[Row]) -> str:
    """Say below the table what its numbers are."""
    if not rows:
        return "Nothing has been run."
    seeds = sorted({row.seeds for row in rows})
    notes = [
        f"Accuracy in %, in brackets its 95 % interval by bootstrap over speakers. Corpus: {rows[0].corpus}.",
        f"Seeds per result: {seeds[0]}." if len(seeds) == 1 else f"Seeds per result: {seeds[0]} to {seeds[-1]}.",
    ]
    if rows[0].synthetic:
        notes.insert(0, "**Synthetic corpus: no real speech, the numbers say nothing about people.**")
    notes += [f"{_QUICK} {preset} preset: fewer epochs, not a reproduction." for preset in _quick(rows)]
    return " ".join(notes)


def _quick(rows: Sequence[Row]) -> list[str]:
    return sorted({row.preset for row in rows} - {"paper"})


def _cell(row: Row | None) -> str:
    if row is None:
        return "not run"
    mark = "" if row.preset == "paper" else _QUICK
    return f"{percent(row.accuracy)}{mark} [{percent(row.low)}, {percent(row.high)}]"


def write_tables(folder: Path, results: Sequence[Result]) -> list[Path]:
    """Write the CSV files of a report and return their paths. Rates are fractions of 1."""
    runs = [(result, run) for result in results for run in result.pooled.runs]
    tables: dict[str, list[dict[str, Any]]] = {
        "results": [asdict(result.row) | {"leaks": "; ".join(result.row.leaks)} for result in results],
        "runs": [_keys(result) | _run(run) for result, run in runs],
        "per_class": [
            _keys(result) | {"class": label} | values
            for result in results
            for label, values in result.pooled.per_class.items()
        ],
        "confusion": [
            _keys(result) | {"true": true, "predicted": predicted, "clips": clips}
            for result in results
            for true, counts in zip(result.pooled.classes, result.pooled.confusion, strict=True)
            for predicted, clips in zip(result.pooled.classes, counts, strict=True)
        ],
        "slices": [
            _keys(result)
            | {name: getattr(part, name) for name in ("slice", "value", "clips", "accuracy", "uar")}
            | {"low": part.interval[0], "high": part.interval[1]}
            for result in results
            for part in result.slices
        ],
        "history": [
            _keys(result) | {"fold": run.fold, "seed": run.seed} | epoch.model_dump()
            for result, run in runs
            for epoch in run.history
        ],
    }
    return [write_csv(folder / f"{name}.csv", rows) for name, rows in tables.items() if rows]


def write_csv(path: Path, rows: Sequence[Mapping[str, Any]]) -> Path:
    """Write rows of equal keys, whole or not at all; None is an empty cell."""
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(path, text.getvalue())
    return path


def _keys(result: Result) -> dict[str, Any]:
    return {name: getattr(result.row, name) for name in ("system", "corpus", "synthetic", "protocol", "preset")}


def _run(run: RunRecord) -> dict[str, Any]:
    return (
        {"fold": run.fold, "seed": run.seed}
        | run.metrics
        | {"train_accuracy": run.train_accuracy, "epochs": len(run.history) or None, "best_epoch": run.best_epoch}
        | {"train": run.split.train, "validation": run.split.validation, "test": run.split.test}
        | {f"{name}_seconds": value for name, value in run.seconds.items()}
        | {"milliseconds_per_clip": run.milliseconds_per_clip, "device": run.device}
        | {"commit": run.commit, "data_hash": run.data_hash, "created": run.created}
    )
