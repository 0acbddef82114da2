"""Where the answers of `emotone predict` go: to the terminal, into one file, into a file for each recording."""

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Self

from emotone.errors import UsageError, unknown

if TYPE_CHECKING:
    from emotone.recognition.formats import Answer, Columns

__all__ = ["Output"]


@dataclass(frozen=True)
class Output:
    """What was asked for.

    Attributes:
        form: the format; None for a table to look at.
        file: to write into; None for standard output.
        folder: to write a file for each recording into.
        segments: whether tables have a row per segment.
        columns: of tables, once `ready`.
        names: the names of the files for each recording, once `ready`.
    """

    form: str | None
    file: Path | None = None
    folder: Path | None = None
    segments: bool = False
    columns: "Columns | None" = None
    names: "dict[str, Path] | None" = None

    @classmethod
    def of(cls, form: str | None, out: str | None, *, segments: bool) -> Self:
        """Read the options `--format` and `--out`; refuse what does not fit together."""
        from emotone.recognition.formats import FORMATS, format_of, need_pyarrow

        place = None if out is None else Path(out)
        into_folder = place is not None and (place.is_dir() or str(out).endswith(("/", os.sep)))
        if form is None and place is not None and not into_folder:
            form = format_of(place)
            if form is None:
                suffixes = ", ".join(dict.fromkeys(each.suffix for each in FORMATS.values()))
                raise UsageError(f"--out {out}: its suffix names no format ({suffixes}); give --format.")
        if form is not None and form not in FORMATS:
            raise unknown("format", form, FORMATS)
        if into_folder and (form is None or not (form == "json" or FORMATS[form].holds == "timeline")):
            each = ", ".join(name for name, other in FORMATS.items() if name == "json" or other.holds == "timeline")
            raise UsageError(f"--out {out}: is a folder; name a file, or a --format with one per recording ({each}).")
        if form == "parquet":
            if place is None:
                raise UsageError("--format parquet needs --out FILE.")
            need_pyarrow()
        if segments and form not in ("csv", "parquet"):
            raise UsageError(
                "--segments goes with --format csv or parquet; the other formats have the segments anyway."
            )
        return cls(form, None if into_folder else place, place if into_folder else None, segments)

    def ready(self, names: Sequence[str], *, labels: Sequence[str], stretches: bool, channels: bool) -> Self:
        """Return the same for recordings of these names.

        Args:
            names: of all parts, in their order.
            labels: of the model.
            stretches, channels: whether there are answers about such.
        """
        from emotone.recognition.formats import FORMATS, Columns

        recordings = list(dict.fromkeys(names))
        columns = Columns(labels, self.segments, stretches, channels)
        if self.form is None or self.folder is None:
            timeline = self.form is not None and FORMATS[self.form].holds == "timeline"
            if timeline and self.form != "rttm" and len(recordings) > 1:
                raise UsageError(
                    f"--format {self.form} is the timeline of one recording; {len(recordings)} are given. Name a "
                    "folder: --out FOLDER/"
                )
            return replace(self, columns=columns)
        return replace(self, columns=columns, names=_file_names(recordings, FORMATS[self.form].suffix))

    def put(self, answers: Iterator["Answer"], *, top: int) -> None:
        """Write the answers; those for a person show the `top` likeliest emotions."""
        from emotone.files import atomic_path
        from emotone.recognition.formats import write_parquet

        if self.form is None:
            from emotone.recognition.display import show

            show(list(answers), top=top)
        elif self.folder is not None:
            self._put_each(answers)
        elif self.file is None:
            for text in self._text(answers):
                sys.stdout.write(text)
        else:
            with atomic_path(self.file) as temporary:
                if self.form == "parquet":
                    assert self.columns is not None
                    write_parquet(self._as_seen_from(self.file.parent, answers), temporary, self.columns)
                    return
                with temporary.open("w", encoding="utf-8", newline="") as file:
                    file.writelines(self._text(self._as_seen_from(self.file.parent, answers)))

    def _text(self, answers: Iterable["Answer"]) -> Iterator[str]:
        from emotone.recognition.formats import FORMATS, to_text
        from emotone.recognition.timelines import timeline

        assert self.form is not None and self.columns is not None
        if FORMATS[self.form].holds != "timeline":
            yield from to_text(answers, self.form, self.columns)
            return
        for _, group in groupby(answers, key=lambda answer: answer.file):
            yield timeline(list(group), self.form)

    def _put_each(self, answers: Iterator["Answer"]) -> None:
        """Write a file for each recording that could be read."""
        from emotone.files import write_text

        assert self.folder is not None and self.names is not None
        for name, group in groupby(answers, key=lambda answer: answer.file):
            told = list(group)
            if any(answer.result for answer in told):
                write_text(self.folder / self.names[name], "".join(self._text(told)))

    @staticmethod
    def _as_seen_from(folder: Path, answers: Iterable["Answer"]) -> Iterator["Answer"]:
        """Name recordings so that the file which names them is a manifest that works from its own folder."""
        home = folder.resolve()
        for answer in answers:
            path = Path(answer.file).absolute()
            if answer.file != "<stdin>":
                inside = path.is_relative_to(home)
                answer = replace(answer, file=path.relative_to(home).as_posix() if inside else str(path))
            yield answer


def _file_names(recordings: Sequence[str], suffix: str) -> dict[str, Path]:
    """Return a file name for each recording: its own below the folder that holds them all, none twice."""
    paths = [Path(name.strip("<>")).absolute() for name in recordings]
    common = os.path.commonpath([path.parent for path in paths]) if paths else ""
    inside = [path.relative_to(common) for path in paths]
    short = [path.with_suffix(suffix) for path in inside]
    return {
        name: own if short.count(own) == 1 else whole.with_name(whole.name + suffix)
        for name, whole, own in zip(recordings, inside, short, strict=True)
    }
