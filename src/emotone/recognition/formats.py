"""Results as files for other programs: JSON, JSON Lines, CSV, Parquet, Audacity's labels, WebVTT."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emotone.errors import UsageError
from emotone.recognition.result import SILENCE, Result, Segment

__all__ = ["FORMATS", "ONE_ONLY", "SUFFIXES", "Answer", "need_pyarrow", "to_text", "write_parquet"]

FORMATS = ("json", "jsonl", "csv", "parquet", "audacity", "vtt")
ONE_ONLY = ("audacity", "vtt")
"""Formats that are the timeline of one recording."""
SUFFIXES = {".json": "json", ".jsonl": "jsonl", ".csv": "csv", ".parquet": "parquet", ".txt": "audacity", ".vtt": "vtt"}
"""What a file's suffix says of its format."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one recording, or of a part of it: a result, or the reason why there is none.

    Attributes:
        file: the recording's name.
        result: the answer.
        error: the reason.
        speaker: who speaks, where that was told.
        channel: which one was listened to; None for the mix of all.
    """

    file: str
    result: Result | None
    error: str | None = None
    speaker: str | None = None
    channel: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return what JSON can hold."""
        return {"file": self.file, **(self.result.to_dict() if self.result else {"error": self.error})}


def to_text(answers: Iterable[Answer], form: str, *, labels: Sequence[str], segments: bool = False) -> Iterator[str]:
    """Yield the text of a format as the answers come.

    Args:
        answers: one per recording; exactly one for the formats in `ONE_ONLY`.
        form: one of `FORMATS`, but for parquet.
        labels: of the model; the columns of csv.
        segments: csv: whether there is a row per segment, not per recording.
    """
    match form:
        case "json":
            before = "[\n"
            for answer in answers:
                yield before + json.dumps(answer.to_dict(), ensure_ascii=False)
                before = ",\n"
            yield "\n]\n" if before == ",\n" else "[]\n"
        case "jsonl":
            for answer in answers:
                yield json.dumps(answer.to_dict(), ensure_ascii=False) + "\n"
        case "csv":
            columns = _columns(labels, segments)
            yield _csv(columns)
            for answer in answers:
                for row in _rows(answer, segments):
                    yield _csv(["" if row.get(name) is None else row[name] for name in columns])
        case "audacity":
            for segment in _spoken(answers):
                yield f"{segment.start:.6f}\t{segment.end:.6f}\t{_caption(segment)}\n"
        case "vtt":
            yield "WEBVTT\n"
            for number, segment in enumerate(_spoken(answers), start=1):
                yield f"\n{number}\n{_stamp(segment.start)} --> {_stamp(segment.end)}\n{_caption(segment)}\n"


def need_pyarrow() -> None:
    """Refuse Parquet where it cannot be written."""
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError:
        raise UsageError("Parquet needs pyarrow: pip install pyarrow; or choose another format.") from None


def write_parquet(answers: Iterable[Answer], path: Path, *, labels: Sequence[str], segments: bool = False) -> None:
    """Write the table that csv has as Parquet."""
    import pyarrow
    import pyarrow.parquet

    text = {"file", "emotion", "error"}
    columns = _columns(labels, segments)
    schema = pyarrow.schema([(name, pyarrow.string() if name in text else pyarrow.float64()) for name in columns])
    rows = [row for answer in answers for row in _rows(answer, segments)]
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows, schema=schema), path)


def _columns(labels: Sequence[str], segments: bool) -> list[str]:
    of_what = ("start", "end") if segments else ("duration", "speech")
    return ["file", *of_what, "emotion", "confidence", *labels, "error"]


def _rows(answer: Answer, segments: bool) -> Iterator[dict[str, Any]]:
    if answer.result is None:
        yield {"file": answer.file, "error": answer.error}
        return
    for each in answer.result.segments if segments else (answer.result,):
        row = {"file": answer.file, **each.to_dict()}
        yield {**row, **row.pop("scores")}


def _csv(cells: Sequence[object]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(cells)
    return line.getvalue()


def _spoken(answers: Iterable[Answer]) -> Iterator[Segment]:
    for answer in answers:
        if answer.result:
            yield from (each for each in answer.result.segments if each.emotion != SILENCE)


def _caption(segment: Segment) -> str:
    return f"{segment.emotion} ({segment.confidence:.0%})"


def _stamp(seconds: float) -> str:
    milliseconds = round(seconds * 1000)
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{rest // 1000:02d}.{rest % 1000:03d}"
