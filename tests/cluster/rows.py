"""What was written of recordings, to compare."""

from pathlib import Path
from typing import Any

import pyarrow.parquet

__all__ = ["rows_of"]


def rows_of(place: Path) -> list[dict[str, Any]]:
    """All rows of a Parquet file or a folder of them, in one order; recordings by their absolute names."""
    rows: list[dict[str, Any]] = pyarrow.parquet.read_table(place).to_pylist()
    base = place if place.is_dir() else place.parent
    for row in rows:
        row["file"] = row["file"] if "://" in row["file"] else str((base / row["file"]).resolve())
    return sorted(rows, key=lambda row: str(row["file"]))
