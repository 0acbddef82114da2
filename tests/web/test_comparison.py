"""The tab with the comparison: the numbers of results/, sorted as one likes."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

RESULTS = Path(__file__).parents[2] / "results"
Open = Callable[..., Any]


@pytest.fixture
def page(open_page: Open, static: str) -> Any:
    return open_page(f"{static}#comparison", ready="#matrix td")


def column(page: Any, table: str, name: str) -> list[str]:
    """Return what stands in a column, from top to bottom."""
    heads = page.locator(f"#{table} thead th").all_inner_texts()
    at = next(index for index, head in enumerate(heads) if head.startswith(name))
    texts = page.locator(f"#{table} tbody tr > :nth-child({at + 1})").all_inner_texts()
    return [text.split("\n")[0] for text in texts]


def test_the_leaderboard_has_the_figures_of_the_results(page: Any) -> None:
    entries = json.loads((RESULTS / "leaderboard.json").read_text())
    shown = dict(zip(column(page, "leaderboard", "system"), column(page, "leaderboard", "As published"), strict=True))
    assert set(shown) == {entry["system"] for entry in entries}
    for entry in entries:
        if entry["protocol"] == "published":
            mean = entry["accuracy"] and f"{100 * entry['accuracy']['mean']:.1f}"
            assert shown[entry["system"]].rstrip("*") in (mean, "not run")
            assert (mean is None) == (shown[entry["system"]] == "not run")


@pytest.mark.parametrize("table", ["leaderboard", "matrix"])
def test_a_heading_sorts_and_empty_cells_stay_last(page: Any, table: str) -> None:
    heads = page.locator(f"#{table} thead th")
    head = heads.nth(heads.count() - 1)
    name = head.inner_text()
    for way in ("descending", "ascending"):
        head.locator("button").click()
        assert head.get_attribute("aria-sort") == way
        cells = column(page, table, name)
        numbers = [float(cell.rstrip("*")) for cell in cells if cell[0].isdigit()]
        assert len(numbers) > 3 and numbers == sorted(numbers, reverse=way == "descending")
        assert not any(cell[0].isdigit() for cell in cells[len(numbers) :])


def test_the_measure_changes_the_figures(page: Any) -> None:
    before = column(page, "leaderboard", "Unseen speakers (luna5)")
    page.select_option("#measure", "uar")
    assert column(page, "leaderboard", "Unseen speakers (luna5)") != before


def test_chance_stands_beside_each_figure_across_corpora(page: Any) -> None:
    cells = page.locator("#matrix td.cell").all_inner_texts()
    assert cells and all("guessing" in cell for cell in cells)
