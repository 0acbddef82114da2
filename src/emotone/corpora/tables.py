"""Tables that people keep lists of recordings in, as rows of text: CSV and its kin, JSON Lines, Parquet, Excel."""

import csv
import datetime
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emotone.errors import CorpusError
from emotone.files import parse_json

__all__ = ["SUFFIXES", "Row", "read_rows"]

_DELIMITERS = ",;\t|"
_MISSING = frozenset({"", "nan", "none", "null", "<na>", "n/a", "#n/a", "nat"})
_MOST_ROWS = 1 << 20  # of Excel
_ELSEWHERE = {".xls": "Excel's old format", ".ods": "OpenDocument", ".json": "JSON, not JSON Lines", ".txt": "text"}


@dataclass(frozen=True)
class Row:
    """One row.

    Attributes:
        where: where it stands in the file, as an error names it.
        cells: column -> text; names of columns without space around them, those that emotone knows in lower case.
    """

    where: str
    cells: Mapping[str, str]

    def __getitem__(self, column: str) -> str:
        """Return a cell without space around it; empty too where it holds one of the words for nothing."""
        text = self.cells.get(column, "").strip()
        return "" if text.lower() in _MISSING or text == "NA" else text


def read_rows(path: Path, known: Iterable[str]) -> tuple[list[Row], list[str]]:
    """Return all rows of a table, of which there is one at least, and the columns that any of them has.

    Args:
        path: a file with one of the endings in `SUFFIXES`.
        known: columns that are meant in any spelling of capitals.

    Raises:
        CorpusError: no such file, another format, one that does not hold what it should, no rows.
    """
    if not path.is_file():
        raise CorpusError(f"{path}: no such manifest")
    suffix = path.suffix.lower()
    if suffix not in _READERS:
        kind = f" ({_ELSEWHERE[suffix]}; save it as CSV)" if suffix in _ELSEWHERE else ""
        raise CorpusError(f"{path}: a manifest ends in {', '.join(SUFFIXES)}, not in {path.suffix!r}{kind}")
    names = frozenset(known)
    rows = [Row(where, _named(path, cells, names)) for where, cells in _READERS[suffix](path)]
    if not rows:
        raise CorpusError(f"{path}: the manifest has no rows")
    return rows, list(dict.fromkeys(column for row in rows for column in row.cells))


def _named(path: Path, cells: Mapping[str, str], known: frozenset[str]) -> dict[str, str]:
    """Return the cells by the names that emotone uses."""
    named: dict[str, str] = {}
    for column, cell in cells.items():
        own = column.strip()
        name = own.lower() if own.lower() in known else own
        if name in named:
            raise CorpusError(f"{path}: column {name!r} stands there twice, once as {own!r}")
        named[name] = cell
    return named


def _csv_rows(path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    text = _text_of(path)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text, path.suffix.lower()))
    try:
        header = next(lines, [])
        for cells in lines:
            if not any(cells):
                continue
            if len(cells) > len(header):
                raise CorpusError(f"{path}: line {lines.line_num}: more cells than the header has columns")
            yield f"line {lines.line_num}", dict(zip(header, cells + [""] * (len(header) - len(cells)), strict=True))
    except csv.Error as error:
        raise CorpusError(f"{path}: line {lines.line_num}: {error}") from None


def _delimiter(text: str, suffix: str) -> str:
    """Return what stands between the cells of the header: the sign that makes the most columns of it."""
    header = text.split("\n", 1)[0]
    first = "\t" if suffix == ".tsv" else ","
    return max(first + _DELIMITERS, key=lambda sign: len(next(csv.reader([header], delimiter=sign), [])))


def _jsonl_rows(path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    for number, line in enumerate(_text_of(path).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            cells = parse_json(line)
        except ValueError as error:
            reason = error.msg if isinstance(error, json.JSONDecodeError) else error
            raise CorpusError(f"{path}: line {number}: not JSON: {reason}") from None
        if not isinstance(cells, dict):
            raise CorpusError(f"{path}: line {number}: not an object with file, emotion and speaker")
        yield f"line {number}", {name: _text(value) for name, value in cells.items()}


def _parquet_rows(path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise CorpusError(f"{path}: Parquet needs pyarrow: pip install 'emotone[train]'") from None
    try:
        found = pyarrow.parquet.read_table(path).to_pylist()
    except (pyarrow.ArrowException, OSError, ValueError, OverflowError) as error:
        raise CorpusError(f"{path}: not a Parquet file: {' '.join(str(error).split())}") from None
    for number, cells in enumerate(found, start=1):
        yield f"row {number}", {name: _text(value) for name, value in cells.items()}


def _excel_rows(path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """Read the first sheet."""
    try:
        import openpyxl
    except ImportError:
        raise CorpusError(f"{path}: Excel needs openpyxl: pip install 'emotone[xlsx]'") from None
    rows: list[tuple[str, dict[str, str]]] = []
    try:
        with closing(openpyxl.load_workbook(path, read_only=True, data_only=True)) as book:
            sheet = book.worksheets[0]
            sheet.reset_dimensions()  # which it states, and every row would be filled up to
            lines = sheet.iter_rows(values_only=True)
            header = [_text(value) for value in next(lines, ())]
            for number, values in enumerate(lines, start=2):
                if number > _MOST_ROWS:  # a row may say that it is the billionth, and those before it are made up
                    raise ValueError(f"more than the {_MOST_ROWS:,} rows of a sheet")
                cells = {name: _text(value) for name, value in zip(header, values, strict=False) if name}
                if any(cells.values()):
                    rows.append((f"row {number}", cells))
    except Exception as error:  # of zipfile, of its XML, of openpyxl
        raise CorpusError(f"{path}: not an Excel file: {' '.join(str(error).split())}") from None
    yield from rows


def _text_of(path: Path) -> str:
    """Return a text file's content; its byte-order mark says if it is UTF-16, else it is UTF-8."""
    content = path.read_bytes()
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        found = content[error.start : error.start + 1].hex().upper()
        raise CorpusError(f"{path}: line {line}: not UTF-8 text (byte 0x{found}); save it as UTF-8") from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime.timedelta):
        return str(value.total_seconds())
    if isinstance(value, datetime.time):
        return value.isoformat()
    return value if isinstance(value, str) else json.dumps(value, default=str)


_READERS: Mapping[str, Callable[[Path], Iterator[tuple[str, dict[str, str]]]]] = {
    ".csv": _csv_rows,
    ".tsv": _csv_rows,
    ".jsonl": _jsonl_rows,
    ".parquet": _parquet_rows,
    ".xlsx": _excel_rows,
}
SUFFIXES = tuple(_READERS)
"""Endings of manifests."""
