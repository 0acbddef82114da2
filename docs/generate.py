"""Write the README's table and picture from the runs under results/: `make docs`."""

import shutil
from pathlib import Path

from emotone import recipes
from emotone.evaluation.record import read_records
from emotone.files import write_text
from emotone.report.page import build
from emotone.report.tables import Listed, markdown

ROOT = Path(__file__).parents[1]
BEGIN, END = "<!-- generated from results/ by `make docs`: begin -->", "<!-- generated: end -->"


def table() -> str:
    """Return the README's table: every system, what its paper reports, what the runs under results/ gave."""
    systems = [Listed(name, recipes.load(name).title, recipes.load(name).published) for name in recipes.names()]
    return markdown(read_records(ROOT / "results" / "runs"), systems)


def with_table(readme: str) -> str:
    """Return the README's text with the generated part made anew."""
    before, rest = readme.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n\n{table().strip()}\n\n{END}{after}"


if __name__ == "__main__":
    readme = ROOT / "README.md"
    write_text(readme, with_table(readme.read_text(encoding="utf-8")))
    build(read_records(ROOT / "results" / "runs"), ROOT / "results" / "report")
    shutil.copy(ROOT / "results" / "report" / "figures" / "leaderboard.png", ROOT / "docs" / "leaderboard.png")
