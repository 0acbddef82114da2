"""What was written of recordings, to compare."""

from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest

__all__ = ["like", "rows_of"]


def rows_of(place: Path) -> list[dict[str, Any]]:
    """All rows of a Parquet file or a folder of them, in one order; recordings by their absolute names."""
    rows: list[dict[str, Any]] = pyarrow.parquet.read_table(place).to_pylist()
    base = place if place.is_dir() else place.parent
    for row in rows:
        row["file"] = row["file"] if "://" in row["file"] else str((base / row["file"]).resolve())
    return sorted(rows, key=lambda row: str(row["file"]))


def like(rows: list[dict[str, Any]]) -> list[Any]:
    """What is equal to the same rows; of numbers the last digits depend on what the network is asked together."""
    return [pytest.approx(row, abs=1e-6) for row in rows]
