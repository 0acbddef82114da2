"""The results as CSV files."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from emotone.evaluation.paired import Difference
from emotone.evaluation.pool import Pooled
from emotone.evaluation.record import RunRecord
from emotone.files import write_text
from emotone.protocols import UNSEEN
from emotone.report.results import Result
from emotone.report.view import Board

__all__ = ["write_csv", "write_statistics", "write_tables"]


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
        "risk_coverage": [
            _keys(result) | {"coverage": coverage, "risk": risk}
            for result in results
            if result.row.protocol in UNSEEN and result.confidence
            for coverage, risk in zip(*(side.tolist() for side in result.confidence.curve), strict=True)
        ],
        "adapted": [row for result in results for row in _adapted(result)],
        "history": [
            _keys(result) | {"fold": run.fold, "seed": run.seed} | epoch.model_dump()
            for result, run in runs
            for epoch in run.history
        ],
    }
    return [write_csv(folder / f"{name}.csv", rows) for name, rows in tables.items() if rows]


def _adapted(result: Result) -> Iterator[dict[str, Any]]:
    found = result.adaptation
    if found is None:
        return
    for metric, gain in found.gain.items():
        yield (
            _keys(result)
            | {"metric": metric}
            | _rate("plain", result.pooled, metric)
            | _rate("adapted", found.pooled, metric)
            | {"gain": gain.value, "gain_low": gain.low, "gain_high": gain.high}
        )


def _rate(name: str, pooled: Pooled, metric: str) -> dict[str, float]:
    low, high = pooled.intervals[metric]
    return {name: pooled.metrics[metric], f"{name}_low": low, f"{name}_high": high}


def write_statistics(folder: Path, boards: Sequence[Board]) -> list[Path]:
    """Write premiums, pairs and claims as CSV files and return their paths. Differences are fractions of 1."""
    tables: dict[str, list[dict[str, Any]]] = {
        "premium": [
            _board(board)
            | {"system": each.system, "unseen": each.unseen}
            | {f"{name}_accuracy": each.accuracy.get(of or "") for name, of in
               (("published", "published"), ("clean", "clean"), ("unseen", each.unseen))}
            | _gap("leak", each.leak) | _gap("speakers", each.speakers) | _gap("whole", each.whole)
            for board in boards
            for each in board.premiums
        ],
        "pairs": [
            _board(board)
            | {"protocol": board.strictest, "better": pair.first, "worse": pair.second}
            | _gap("difference", pair.difference)
            | {"clips": pair.difference.clips[0], "mcnemar": pair.mcnemar, "holm": pair.holm}
            | {"mcnemar_holm": pair.mcnemar_holm, "real": pair.is_real}
            for board in boards
            for pair in board.pairs
        ],
        "claims": [
            _board(board)
            | {"paper": judged.claim.paper, "claim": judged.claim.text, "protocol": judged.protocol}
            | {"verdict": judged.verdict, "better": str(contrast.better), "worse": str(contrast.worse)}
            | _gap("difference", gap)
            for board in boards
            for judged in board.judgements
            for contrast, gap in zip(
                judged.claim.contrasts, judged.differences or [None] * len(judged.claim.contrasts), strict=True
            )
        ],
    }  # fmt: skip
    return [write_csv(folder / f"{name}.csv", rows) for name, rows in tables.items() if rows]


def _board(board: Board) -> dict[str, Any]:
    return {"corpus": board.corpus, "preset": board.preset}


def _gap(name: str, gap: Difference | None) -> dict[str, Any]:
    values = (None, None, None, None) if gap is None else (gap.value, gap.low, gap.high, gap.p)
    return dict(zip((name, f"{name}_low", f"{name}_high", f"{name}_p"), values, strict=True))


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
