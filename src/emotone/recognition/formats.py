"""Results as files for other programs: JSON, JSON Lines, CSV, Parquet; and which formats there are."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from emotone.errors import UsageError
from emotone.recognition.result import Result

if TYPE_CHECKING:
    import pyarrow

__all__ = [
    "FORMATS", "Answer", "Columns", "Format", "format_of", "need_pyarrow", "schema_of", "to_text", "write_parquet",
]  # fmt: skip


_GROUP = 2_000  # rows of Parquet that are kept until they are written


class Format(NamedTuple):
    """A format: the ending of its files, and what it holds.

    Attributes:
        suffix: of a file, by which the format is known; None where another one has it.
        holds: "all" recordings, as text that can be written as they come; a "table" in one piece; or the "timeline" of
            one recording.
    """

    suffix: str
    holds: Literal["all", "table", "timeline"]


FORMATS = {
    "json": Format(".json", "all"),
    "jsonl": Format(".jsonl", "all"),
    "csv": Format(".csv", "all"),
    "parquet": Format(".parquet", "table"),
    "audformat": Format(".csv", "all"),
    "audacity": Format(".txt", "timeline"),
    "vtt": Format(".vtt", "timeline"),
    "srt": Format(".srt", "timeline"),
    "textgrid": Format(".TextGrid", "timeline"),
    "rttm": Format(".rttm", "timeline"),
}


def format_of(path: Path) -> str | None:
    """Return the format that a file's ending names, if it names one."""
    return next((name for name, form in FORMATS.items() if form.suffix.lower() == path.suffix.lower()), None)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one recording, or of a part of it: a result, or the reason why there is none.

    Attributes:
        file: the recording's name.
        result: the answer.
        error: the reason.
        speaker: who speaks, where that was told.
        channel: which one was listened to, from 0; None for the mix of all.
        scope: whether it is about the whole recording, a stretch of it, or all stretches of a speaker.
        start, end: of the stretch, in seconds, where no result says them; to the recording's end where `end` is None.
    """

    file: str
    result: Result | None
    error: str | None = None
    speaker: str | None = None
    channel: int | None = None
    scope: Literal["recording", "stretch", "speaker"] = "recording"
    start: float = 0.0
    end: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return what JSON can hold."""
        who: dict[str, Any] = {"file": self.file}
        if self.scope != "recording":
            who["scope"] = self.scope
        who |= {name: value for name in ("speaker", "channel") if (value := getattr(self, name)) is not None}
        if self.result:
            return {**who, **self.result.to_dict()}
        return {**who, **{name: value for name, value in self.stated.items() if value is not None}, "error": self.error}

    @property
    def stated(self) -> dict[str, float | None]:
        """The start and end of a stretch without result."""
        return {"start": self.start, "end": self.end} if self.scope == "stretch" else {}


class Columns(NamedTuple):
    """Which columns a table has.

    Attributes:
        labels: of the model, a column each.
        segments: whether there is a row per segment, not per answer.
        stretches: whether some answers are about stretches, which begin and end.
        channels: whether some are about channels.
    """

    labels: Sequence[str]
    segments: bool = False
    stretches: bool = False
    channels: bool = False

    @property
    def names(self) -> list[str]:
        """All of them, in their order."""
        of_part = [*(["start", "end"] if self.segments or self.stretches else []), *(["channel"] * self.channels)]
        of_whole = [] if self.segments else ["duration", "speech"]
        return ["file", *of_part, "speaker", "emotion", "confidence", *of_whole, *self.labels, "error"]

    def rows(self, answer: Answer) -> Iterator[dict[str, Any]]:
        """Yield the rows of an answer; a cell that is None is empty."""
        of_all = {"file": answer.file, "speaker": answer.speaker, "channel": answer.channel}
        result = answer.result
        if result is None:
            yield {**of_all, **answer.stated, "error": answer.error}
        elif self.segments:
            for segment in result.segments if answer.scope != "speaker" else ():
                row = segment.to_dict()
                yield {**of_all, **row, **row.pop("scores")}
        else:
            row = result.to_dict()
            row |= {"end": round(result.start + result.duration, 4)}
            if answer.scope != "stretch":
                row |= {"start": None, "end": None}
            yield {**of_all, **row, **row.pop("scores")}


def to_text(answers: Iterable[Answer], form: str, columns: Columns) -> Iterator[str]:
    """Yield the text of a format as the answers come.

    Args:
        answers: in their order.
        form: one of `FORMATS` that holds all recordings.
        columns: of csv.
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
            yield _csv(columns.names)
            for answer in answers:
                for row in columns.rows(answer):
                    yield _csv(["" if row.get(name) is None else row[name] for name in columns.names])
        case "audformat":  # the segmented index of audformat, times as pandas writes them
            names = ["file", "start", "end", "emotion", "confidence", "speaker", "channel", *columns.labels]
            yield _csv(names)
            segmented = columns._replace(segments=True)
            for answer in answers:
                for row in segmented.rows(answer):
                    if row.get("scores") or row.get("confidence"):
                        row |= {name: _timedelta(row[name]) for name in ("start", "end")}
                        yield _csv(["" if row.get(name) is None else row[name] for name in names])


def need_pyarrow() -> None:
    """Refuse Parquet where it cannot be written."""
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError:
        raise UsageError("Parquet needs pyarrow: pip install pyarrow; or choose another format.") from None


def schema_of(columns: Columns) -> "pyarrow.Schema":
    """Return the types of the columns of a table in Parquet."""
    import pyarrow

    types = dict.fromkeys(("file", "speaker", "emotion", "error"), pyarrow.string()) | {"channel": pyarrow.int64()}
    return pyarrow.schema([(name, types.get(name, pyarrow.float64())) for name in columns.names])


def write_parquet(answers: Iterable[Answer], path: Path, columns: Columns) -> None:
    """Write the table that csv has as Parquet."""
    import pyarrow
    import pyarrow.parquet

    rows = (row for answer in answers for row in columns.rows(answer))
    with pyarrow.parquet.ParquetWriter(path, schema_of(columns)) as writer:
        while group := list(islice(rows, _GROUP)):
            writer.write_table(pyarrow.Table.from_pylist(group, schema=writer.schema))


def _csv(cells: Sequence[object]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(cells)
    return line.getvalue()


def _timedelta(seconds: float) -> str:
    microseconds = round(seconds * 1e6)
    minutes, rest = divmod(microseconds, 60_000_000)
    days, minutes = divmod(minutes, 24 * 60)
    return f"{days} days {minutes // 60:02d}:{minutes % 60:02d}:{rest // 1_000_000:02d}.{rest % 1_000_000:06d}"
