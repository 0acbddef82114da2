"""A user's corpus described by a table: a CSV, JSONL or Parquet file with the columns file, emotion, speaker."""

import csv
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from emotone.corpora.base import Corpus, Utterance
from emotone.corpora.folders import user_info
from emotone.corpora.scan import clip_of
from emotone.corpora.synonyms import canonical
from emotone.errors import CorpusError

__all__ = ["OPTIONAL", "REQUIRED", "SUFFIXES", "list_files", "read_manifest"]

REQUIRED = ("file", "emotion", "speaker")
OPTIONAL = ("gender", "intensity", "statement", "repetition", "language")
SUFFIXES = (".csv", ".jsonl", ".parquet")

_GENDERS = {"": None, "f": "female", "female": "female", "m": "male", "male": "male"}


@dataclass(frozen=True)
class _Row:
    """One row: where it stands in the file, as an error names it, and its cells as text."""

    where: str
    cells: Mapping[str, str]

    def __getitem__(self, column: str) -> str:
        return self.cells.get(column, "").strip()


def read_manifest(path: Path) -> Corpus:
    """Read a manifest. Relative files are relative to it; whether they exist is not looked at.

    Args:
        path: a .csv, .jsonl or .parquet file. Columns `file`, `emotion`, `speaker` (which may be empty); optional
            `gender` (female, male or empty), `intensity`, `statement`, `repetition` (from 1), `language`; all others
            go to `extra`. `emotone.corpora.synonyms` maps the emotions. The file's stem becomes the corpus's name.

    Raises:
        CorpusError: a missing or empty manifest, a missing column, a row without file or emotion, a bad gender or
            repetition, a file that is named twice.
    """
    rows, columns = _read_rows(path)
    missing = [column for column in REQUIRED if column not in columns]
    if missing:
        raise CorpusError(
            f"{path}: column {missing[0]!r} is missing. Found: {', '.join(columns)}. "
            f"Required: {', '.join(REQUIRED)}. Optional: {', '.join(OPTIONAL)}, and any other."
        )
    files = [_file_of(path, row) for row in rows]
    root = _root_of(path, files)
    utterances: dict[str, Utterance] = {}
    seen: dict[str, str] = {}
    for row, file in zip(rows, files, strict=True):
        utterance = _utterance(path, row, file, root)
        if utterance.clip in seen:
            raise CorpusError(f"{path}: {row.where}: {row['file']} is already in {seen[utterance.clip]}")
        seen[utterance.clip] = row.where
        utterances[utterance.clip] = utterance
    ordered = tuple(utterances[clip] for clip in sorted(utterances))
    languages = tuple(sorted({utterance.language for utterance in ordered if utterance.language}))
    return Corpus(user_info(path.stem, f"Recordings listed in {path.name}", languages), root, ordered)


def list_files(path: Path) -> list[Path]:
    """Return the files that a manifest's column `file` names, in its order. It needs no other column.

    Raises:
        CorpusError: a missing or empty manifest, no column `file`, a row without a file.
    """
    rows, columns = _read_rows(path)
    if "file" not in columns:
        raise CorpusError(f"{path}: column 'file' is missing. Found: {', '.join(columns)}.")
    return [_file_of(path, row) for row in rows]


def _read_rows(path: Path) -> tuple[list[_Row], list[str]]:
    """Return all rows, of which there is one at least, and the columns that any of them has."""
    if not path.is_file():
        raise CorpusError(f"{path}: no such manifest")
    readers = {".csv": _csv_rows, ".jsonl": _jsonl_rows, ".parquet": _parquet_rows}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise CorpusError(f"{path}: a manifest ends in {', '.join(SUFFIXES)}, not in {path.suffix!r}")
    try:
        rows = list(reader(path))
    except UnicodeDecodeError as error:
        raise CorpusError(f"{path}: not UTF-8 text (byte {error.start})") from None
    if not rows:
        raise CorpusError(f"{path}: the manifest has no rows")
    return rows, list(dict.fromkeys(column for row in rows for column in row.cells))


def _csv_rows(path: Path) -> Iterator[_Row]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file, restval="")
        try:
            for cells in reader:
                if None in cells:
                    raise CorpusError(f"{path}: line {reader.line_num}: more cells than the header has columns")
                yield _Row(f"line {reader.line_num}", {name.strip(): cell for name, cell in cells.items()})
        except csv.Error as error:
            raise CorpusError(f"{path}: line {reader.line_num}: {error}") from None


def _jsonl_rows(path: Path) -> Iterator[_Row]:
    with path.open(encoding="utf-8-sig") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                cells = json.loads(line)
            except json.JSONDecodeError as error:
                raise CorpusError(f"{path}: line {number}: not JSON: {error.msg}") from None
            if not isinstance(cells, dict):
                raise CorpusError(f"{path}: line {number}: not an object with file, emotion and speaker")
            yield _Row(f"line {number}", {name: _text(value) for name, value in cells.items()})


def _parquet_rows(path: Path) -> Iterator[_Row]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise CorpusError(f"{path}: Parquet needs pyarrow: pip install 'emotone[train]'") from None
    try:
        table = pyarrow.parquet.read_table(path)
    except pyarrow.ArrowException as error:
        raise CorpusError(f"{path}: not a Parquet file: {error}") from None
    for number, cells in enumerate(table.to_pylist(), start=1):
        yield _Row(f"row {number}", {name: _text(value) for name, value in cells.items()})


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, default=str)


def _file_of(manifest: Path, row: _Row) -> Path:
    if not row["file"]:
        raise CorpusError(f"{manifest}: {row.where}: 'file' is empty")
    return Path(os.path.normpath(manifest.parent.resolve() / row["file"]))


def _root_of(manifest: Path, files: list[Path]) -> Path:
    """Return the manifest's folder, or, where files lie outside of it, the folder that holds them all."""
    folder = manifest.parent.resolve()
    if all(file.is_relative_to(folder) for file in files):
        return folder
    return Path(os.path.commonpath([file.parent for file in files]))


def _utterance(manifest: Path, row: _Row, file: Path, root: Path) -> Utterance:
    if not row["emotion"]:
        raise CorpusError(f"{manifest}: {row.where}: 'emotion' is empty ({row['file']})")
    gender = row["gender"].lower()
    if gender not in _GENDERS:
        raise CorpusError(f"{manifest}: {row.where}: gender {row['gender']!r} is not female, male or empty")
    return Utterance(
        path=file,
        corpus=manifest.stem,
        clip=clip_of(PurePosixPath(file.relative_to(root).as_posix())),
        emotion=canonical(row["emotion"]),
        speaker=row["speaker"] or None,
        gender=_GENDERS[gender],
        intensity=row["intensity"] or None,
        statement=row["statement"] or None,
        repetition=_repetition(manifest, row),
        language=row["language"] or None,
        extra={name: row[name] for name in row.cells if name not in REQUIRED + OPTIONAL},
    )


def _repetition(manifest: Path, row: _Row) -> int | None:
    if not row["repetition"]:
        return None
    if not row["repetition"].isdecimal() or int(row["repetition"]) < 1:
        raise CorpusError(f"{manifest}: {row.where}: repetition {row['repetition']!r} is not a number from 1")
    return int(row["repetition"])
