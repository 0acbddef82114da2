"""The report: one self-contained HTML page with its figures as PNG and its tables as CSV, from run records alone."""

from collections.abc import Callable, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import joblib

from emotone.corpora.base import Corpus
from emotone.errors import UsageError
from emotone.evaluation.confidence import THRESHOLDS
from emotone.evaluation.record import RunRecord
from emotone.files import write_text
from emotone.report import figures, figures_across, full_said, theme, view, words
from emotone.report.findings import findings
from emotone.report.full import Full
from emotone.report.heard import TONES, Heard, spans_said, ticks
from emotone.report.results import Result
from emotone.report.tables import write_statistics, write_tables

__all__ = ["build"]

_WORTH_A_WORKER = 8  # results whose figures take longer than starting a process


def build(
    results: Sequence[Result],
    folder: Path,
    *,
    corpus: Corpus | None = None,
    full: Full | None = None,
    heard: Heard | None = None,
) -> Path:
    """Write `index.html`, `figures/*.png` and `tables/*.csv` into `folder`, and return the page's path.

    Nothing is trained here: every number comes from the runs. The page holds all it shows, follows the reader's
    light or dark theme, and asks no server for anything.

    Args:
        results: of runs of any systems, corpora, protocols, presets, folds and seeds.
        folder: where to; made where it is missing.
        corpus: the corpus on disk, for the pictures of its audio; they are left out without it, or if no run is on it.
        full: finished full runs, which the page then opens with; the results' full-length twins stand beside them.
        heard: what a recogniser answered to clips of the corpus.

    Raises:
        UsageError: no results.
    """
    if not results:
        raise UsageError("No runs to report on: the folder holds no run records.")
    if corpus is not None and corpus.info.name not in {result.row.corpus for result in results}:
        corpus = None
    write_tables(folder / "tables", results)
    boards = view.boards(results)
    write_statistics(folder / "tables", boards)
    with theme.style():
        charts = _draw(boards, folder / "figures")
        if full is not None:
            charts |= _draw_steps(full, folder / "figures")
        pictures = _pictures(corpus, folder / "figures")
    page = folder / "index.html"
    write_text(page, _render(results, boards, charts, pictures, corpus, full, heard))
    return page


def _draw(boards: Sequence[view.Board], folder: Path) -> dict[tuple[str, ...], dict[str, str]]:
    """Save every figure of the results as PNG and return the SVGs of the page.

    Returns:
        (what, *key of a board or a result) -> {"svg": SVG or "", "png": path from the page}.
    """
    charts: dict[tuple[str, ...], dict[str, str]] = {}
    for board in boards:
        gallery = theme.Gallery(folder, board.title, warn=board.synthetic or board.preset != "paper")
        place = words.anchor(*board_key(board)) if len(boards) > 1 else ""
        rows = [result.row for result in board.of(board.strictest)]
        charts["leaderboard", *board_key(board)] = _saved(
            gallery, figures.leaderboard(board.rows), "leaderboard", place
        )
        if board.premiums:
            drawn = figures.premium(board.premiums)
            chart = _saved(gallery, drawn, "premium", place)
            chart["svg"] = theme.to_svg(drawn, label=f"What leaks and known speakers add, {board.title}")
            charts["premium", *board_key(board)] = chart
        if board.curves:
            drawn = figures.risk_coverage(board.curves[1])
            chart = _saved(gallery, drawn, "risk-coverage", place)
            chart["svg"] = theme.to_svg(drawn, label=f"Wrong answers over clips answered, {board.title}")
            charts["risk-coverage", *board_key(board)] = chart
        for what in ("parameters", "train_seconds"):
            if sum(1 for row in rows if getattr(row, what)) > 1:
                drawn = figures.cost(rows, what)
                chart = _saved(gallery, drawn, f"cost-{what}", place)
                chart["svg"] = theme.to_svg(drawn, label=f"Accuracy against {what.replace('_', ' ')}, {board.title}")
                charts[f"cost-{what}", *board_key(board)] = chart
        workers = min(joblib.cpu_count(), 1 + len(board.results) // _WORTH_A_WORKER)
        draw = joblib.Parallel(n_jobs=workers)
        for drawn in draw(joblib.delayed(_draw_result)(result, gallery, place) for result in board.results):
            charts |= drawn
    return charts


def _draw_steps(full: Full, folder: Path) -> dict[tuple[str, ...], dict[str, str]]:
    if not full.stairs:
        return {}
    gallery = theme.Gallery(folder, full.board.title, warn=full.board.synthetic)
    drawn = figures_across.steps(full.stairs)
    chart = _saved(gallery, drawn, "full-steps")
    chart["svg"] = theme.to_svg(drawn, label=f"Accuracy step by step, full runs on {full.board.title}")
    return {("full-steps",): chart}


def _draw_result(result: Result, gallery: theme.Gallery, place: str) -> dict[tuple[str, ...], dict[str, str]]:
    key = result_key(result)
    name = (result.row.system, result.row.protocol, place)
    with theme.style():  # another process may draw this
        charts = {("confusion", *key): _saved(gallery, figures.confusion(result), "confusion", *name)}
        if any(run.history for run in result.pooled.runs):
            charts["curves", *key] = _saved(gallery, figures.curves(result), "curves", *name)
            for what in ("loss", "accuracy"):
                label = f"{what} over epochs, {', '.join(key)}"
                charts[what, *key] = {"svg": theme.to_svg(figures.curve(result, what), label=label)}
    return charts


def _saved(gallery: theme.Gallery, drawn: Any, *name: str) -> dict[str, str]:
    return {"svg": "", "png": gallery.save(drawn, words.anchor(*name))}


def _pictures(corpus: Corpus | None, folder: Path) -> list[Any]:
    if corpus is None:
        return []
    from emotone.report import figures_audio

    synthetic = corpus.info.synthetic
    note = words.corpus_title(corpus.info.name) + (": synthetic, not people" if synthetic else "")
    return figures_audio.draw(corpus, theme.Gallery(folder, note, warn=synthetic))


def board_key(board: view.Board) -> tuple[str, ...]:
    """Return what tells a board from others."""
    return board.corpus, board.preset


def result_key(result: Result) -> tuple[str, ...]:
    """Return what tells a result from others."""
    row = result.row
    return row.system, row.protocol, row.corpus, row.preset


def _render(
    results: Sequence[Result],
    boards: Sequence[view.Board],
    charts: dict[tuple[str, ...], dict[str, str]],
    pictures: Sequence[Any],
    corpus: Corpus | None,
    full: Full | None,
    heard: Heard | None,
) -> str:
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader("emotone", "report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    helpers: list[Callable[..., Any]] = [
        words.percent, words.points, words.number, words.duration, words.count, words.listing, words.protocol_title,
        words.protocol_note, words.anchor, words.paper_title, words.papers_said,
        words.corpus_title, board_key, result_key, figures.monitored,
        findings, view.against, view.slice_values, view.shared_columns, view.extremes, view.seeds_said,
        view.said_systems, view.shared_speakers,
        recipe_text, spans_said, ticks,
    ]  # fmt: skip
    environment.globals.update({helper.__name__: helper for helper in helpers})
    environment.filters["corpus_title"] = words.corpus_title
    leaks = view.leaks(results)
    runs = [run for result in results for run in result.pooled.runs]
    return environment.get_template("page.html").render(
        style=Markup(_read("page.css")),  # noqa: S704, our own file
        light=theme.css_variables(0),
        dark=theme.css_variables(1),
        boards=boards,
        results=results,
        systems=view.systems(results),
        rows=[result.row for result in results],
        runs=runs,
        leaks=leaks,
        marks={leak.text: leak.mark for leak in leaks},
        speakers=view.speakers(results),
        corpus=corpus,
        pictures=pictures,
        charts=charts,
        tones=theme.PROTOCOLS,
        slice_titles=view.SLICE_TITLES,
        thresholds=THRESHOLDS,
        full=full,
        full_said=full_said.said(full) if full else [],
        step_tones=figures_across.STEPS,
        heard=heard,
        emotion_tones=TONES,
    )


def recipe_text(run: RunRecord) -> str:
    """Return a run's recipe as YAML."""
    import yaml

    return str(yaml.safe_dump(run.recipe, sort_keys=False, allow_unicode=True, width=100))


def _read(name: str) -> str:
    return files("emotone.report").joinpath(name).read_text(encoding="utf-8")
