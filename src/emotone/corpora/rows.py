"""What is made of utterances as a table, beside their labels, as CSV or Parquet."""

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from emotone.corpora.base import Utterance
from emotone.errors import EmotoneError, UsageError, unknown
from emotone.files import atomic_path

__all__ = ["check_table", "write_rows"]

_LABELS = ("clip", "corpus", "emotion", "speaker", "gender", "intensity", "statement", "repetition", "language")
_TIMES = ("start", "end")  # in seconds, where not all utterances are whole files


def check_table(out: Path) -> None:
    """Refuse a file that no table can be written to.

    Raises:
        UsageError: a suffix that is neither .csv nor .parquet; pyarrow is missing.
    """
    if out.suffix not in (".csv", ".parquet"):
        raise unknown("table format", out.suffix, (".csv", ".parquet"), where=str(out))
    if find_spec("pyarrow") is None:
        raise UsageError(f"{out}: tables need pyarrow: pip install pyarrow")


def write_rows(
    utterances: Sequence[Utterance],
    columns: Mapping[str, npt.NDArray[Any]],
    out: Path,
    *,
    times: Mapping[str, npt.NDArray[np.float64]] | None = None,
) -> None:
    """Write the labels of an utterance a row, and columns beside them, to `out`, whole or not at all.

    Args:
        utterances: of each row.
        columns: name -> (rows,).
        out: a .csv or .parquet file.
        times: name -> (rows,), in seconds, to stand before the columns.
    """
    import pyarrow as pa
    from pyarrow import csv, parquet

    stretches = any(utterance.start or utterance.end is not None for utterance in utterances)
    labels = (*_LABELS, *(_TIMES if stretches else ()))
    table = {name: pa.array([getattr(utterance, name) for utterance in utterances]) for name in labels}
    table |= {name: pa.array(np.ascontiguousarray(column)) for name, column in {**(times or {}), **columns}.items()}
    try:
        with atomic_path(out) as temporary:
            (csv.write_csv if out.suffix == ".csv" else parquet.write_table)(pa.table(table), temporary)
    except OSError as error:
        raise EmotoneError(f"{out}: cannot be written: {error.strerror or error}") from None
