"""A user's corpus described by a table: a CSV, JSONL, Parquet or Excel file with the columns file, emotion, speaker."""

import os
import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from emotone.corpora.base import Corpus, Utterance
from emotone.corpora.folders import user_info
from emotone.corpora.scan import clip_of
from emotone.corpora.speakers import unified
from emotone.corpora.synonyms import canonical
from emotone.corpora.tables import SUFFIXES, Row, read_rows
from emotone.corpora.times import clip_times, stretch
from emotone.errors import CorpusError, nearest_first

__all__ = ["OPTIONAL", "REQUIRED", "SUFFIXES", "Listed", "list_files", "read_manifest"]

REQUIRED = ("file", "emotion", "speaker")
OPTIONAL = ("gender", "intensity", "statement", "repetition", "language", "start", "end")
_OTHERS = ("channel", "split", "parent")  # columns that other parts of emotone know

_GENDERS = {"": None, "f": "female", "female": "female", "m": "male", "male": "male"}
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?", re.IGNORECASE)
_MOST_NUMBERED = 20  # different whole numbers that may stand for classes
_MEANT = {
    "file": ("path", "filename", "filepath", "wav", "audio", "name", "recording"),
    "emotion": ("label", "emotions", "class", "category", "target"),
    "speaker": ("actor", "spk", "speaker_id", "speakerid", "subject", "participant"),
}
"""What others call these columns."""


class Listed(NamedTuple):
    """A recording, or a part of one, that a manifest lists: its path or URL, times in seconds, the channel from 0."""

    file: Path | str
    start: float
    end: float | None
    speaker: str | None
    channel: int | None


def read_manifest(path: Path) -> Corpus:
    """Read a manifest. Relative files are relative to it; whether they exist is not looked at.

    Args:
        path: a file that ends as one of `SUFFIXES`. Columns `file`, `emotion`, `speaker` (which may be empty); optional
            `start` and `end` (of the utterance in its file, see `emotone.corpora.times`), `gender` (female, male or
            empty), `intensity`, `statement`, `repetition` (from 1), `language`; all others go to `extra`.
            `emotone.corpora.synonyms` maps the emotions. The file's stem becomes the corpus's name.

    Returns:
        The corpus, each speaker under one spelling; its notes say which were taken for one.

    Raises:
        CorpusError: a missing or empty manifest, a missing column, a row without file or emotion, numbers in place of
            emotions, a bad time, gender or repetition, an utterance that is named twice.
    """
    rows = _rows(path, REQUIRED)
    numbered = _numbers(path, rows)
    files = [_file_of(path, row) for row in rows]
    root = _root_of(path, files)
    called, groups = unified(row["speaker"] for row in rows if row["speaker"])
    utterances: dict[str, Utterance] = {}
    seen: dict[str, tuple[str, str]] = {}
    for row, file in zip(rows, files, strict=True):
        utterance = _utterance(path, row, file, root, called)
        if utterance.clip in seen:
            where, other = seen[utterance.clip]
            named = f"{row['file']} is already in {where}"
            if Path(row["file"]).suffix != Path(other).suffix:
                named = f"{row['file']} is called as {other} in {where} but for its ending; rename one, or leave it out"
            raise CorpusError(f"{path}: {row.where}: {named}")
        seen[utterance.clip] = row.where, row["file"]
        utterances[utterance.clip] = utterance
    ordered = tuple(utterances[clip] for clip in sorted(utterances))
    languages = tuple(sorted({utterance.language for utterance in ordered if utterance.language}))
    notes = tuple(f"speakers {', '.join(map(repr, group))} are taken for one, {group[0]!r}" for group in groups)
    info = user_info(path.stem, f"Recordings listed in {path.name}", languages)
    return Corpus(info, root, ordered, notes=notes + numbered)


def list_files(path: Path, *, home: str | None = None) -> list[Listed]:
    """Return what a manifest lists, in its order. It needs no other column than `file`.

    Columns `start`, `end`, `speaker` and `channel` (from 0) say what of the file is meant, and who speaks. What is
    relative is relative to the manifest; to the URL `home`, where the manifest came from there.

    Raises:
        CorpusError: a missing or empty manifest, no column `file`, a row without a file, a bad time or channel.
    """
    rows = _rows(path, ("file",))
    called, _ = unified(row["speaker"] for row in rows if row["speaker"])
    listed = []
    for row in rows:
        channel = row["channel"].removesuffix(".0")
        if channel and not channel.isdecimal():
            raise CorpusError(f"{path}: {row.where}: channel {channel!r} is not a number from 0")
        start, end = stretch(row["start"], row["end"], where=f"{path}: {row.where}")
        speaker = called.get(row["speaker"])
        file = _place_of(path, row, home)
        listed.append(Listed(file, start, end, speaker, int(channel) if channel else None))
    return listed


def _rows(path: Path, required: Sequence[str]) -> list[Row]:
    rows, columns = read_rows(path, (*REQUIRED, *OPTIONAL, *_OTHERS))
    missing = [column for column in required if column not in columns]
    if not missing:
        return rows
    meant = [column for column in nearest_first(missing[0], columns) if column.lower() in _MEANT[missing[0]]]
    hint = f" Rename {meant[0]!r} if that is what it holds." if meant else ""
    more = ""
    if len(required) > 1:
        more = f" Required: {', '.join(REQUIRED)}. Optional: {', '.join(OPTIONAL)}, and any other."
    raise CorpusError(f"{path}: column {missing[0]!r} is missing. Found: {', '.join(columns)}.{hint}{more}")


def _numbers(path: Path, rows: Sequence[Row]) -> tuple[str, ...]:
    """Refuse arousal values and the like, each of which would become a class; note numbers that may name classes."""
    numbers = [row for row in rows if _NUMBER.fullmatch(row["emotion"])]
    if not numbers:
        return ()
    different = dict.fromkeys(row["emotion"] for row in numbers)
    found = ", ".join(list(different)[:3])
    broken = next((row for row in numbers if not row["emotion"].removesuffix(".0").lstrip("+-").isdecimal()), None)
    if broken or len(different) > _MOST_NUMBERED:
        raise CorpusError(
            f"{path}: {(broken or numbers[0]).where}: 'emotion' holds numbers, such as {found}: arousal or valence "
            "values? emotone names categories; write words, as happy or sad"
        )
    return (f"'emotion' holds numbers ({found}), taken for names of classes; words, as sad, can be compared",)


def _place_of(manifest: Path, row: Row, home: str | None) -> Path | str:
    text = row["file"]
    if "://" in text:
        return text
    return f"{home}/{text}" if home and text else _file_of(manifest, row)


def _file_of(manifest: Path, row: Row) -> Path:
    if not row["file"]:
        raise CorpusError(f"{manifest}: {row.where}: 'file' is empty")
    file = row.cells["file"].strip()
    folder = manifest.parent.resolve()
    if "\\" in file and os.sep == "/" and not (folder / file).exists():
        file = file.replace("\\", "/")  # as Windows writes paths
    return Path(os.path.normpath(folder / file))


def _root_of(manifest: Path, files: list[Path]) -> Path:
    """Return the manifest's folder, or, where files lie outside of it, the folder that holds them all."""
    folder = manifest.parent.resolve()
    if all(file.is_relative_to(folder) for file in files):
        return folder
    return Path(os.path.commonpath([file.parent for file in files]))


def _utterance(manifest: Path, row: Row, file: Path, root: Path, called: dict[str, str]) -> Utterance:
    emotion = canonical(row["emotion"])
    if not emotion:
        held = row.cells.get("emotion", "").strip()
        told = f"is {held}" if held else "is empty"
        raise CorpusError(f"{manifest}: {row.where}: 'emotion' {told} ({row['file']})")
    gender = row["gender"].lower()
    if gender not in _GENDERS:
        raise CorpusError(f"{manifest}: {row.where}: gender {row['gender']!r} is not female, male or empty")
    start, end = stretch(row["start"], row["end"], where=f"{manifest}: {row.where}")
    return Utterance(
        path=file,
        corpus=manifest.stem,
        clip=clip_of(PurePosixPath(file.relative_to(root).as_posix())) + clip_times(start, end),
        emotion=emotion,
        speaker=called.get(row["speaker"]),
        gender=_GENDERS[gender],
        intensity=row["intensity"] or None,
        statement=row["statement"] or None,
        repetition=_repetition(manifest, row),
        language=row["language"] or None,
        start=start,
        end=end,
        extra={name: row.cells[name].strip() for name in row.cells if name not in REQUIRED + OPTIONAL},
    )


def _repetition(manifest: Path, row: Row) -> int | None:
    if not row["repetition"]:
        return None
    number = row["repetition"].removesuffix(".0")
    if not number.isdecimal() or int(number) < 1:
        raise CorpusError(f"{manifest}: {row.where}: repetition {row['repetition']!r} is not a number from 1")
    return int(number)
