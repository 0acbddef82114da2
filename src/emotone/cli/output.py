"""Where the answers of `emotone predict` go: to the terminal, into one file, into a file for each recording."""

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Self

from emotone.cli.names import names_of
from emotone.errors import UsageError, unknown

if TYPE_CHECKING:
    from emotone.recognition.asked import Asked
    from emotone.recognition.formats import Answer, Columns

__all__ = ["Output"]

_NAMING = ("json", "jsonl", "csv", "parquet", "audformat")  # formats that name the recordings by their paths


@dataclass(frozen=True)
class Output:
    """What was asked for.

    Attributes:
        form: the format; None for a table to look at.
        file: to write into; None for standard output.
        folder: to write a file for each recording into.
        segments: whether tables have a row per segment.
        columns: of tables, once `ready`.
        names: what recordings are called in the folder, and in RTTM, without an ending, once `ready`.
    """

    form: str | None
    file: Path | None = None
    folder: Path | None = None
    segments: bool = False
    columns: "Columns | None" = None
    names: "dict[str, PurePath] | None" = None

    @property
    def by_recording(self) -> bool:
        """Whether all that is said of a recording stands together."""
        from emotone.recognition.formats import FORMATS

        return self.form is not None and (self.folder is not None or FORMATS[self.form].holds == "timeline")

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

    def arranged(self, asked: Sequence["Asked"]) -> "list[Asked]":
        """Return what is asked about in the order in which it is written: the stretches of a recording together.

        No part comes twice where a file holds all that is said of a recording.
        """
        parts = list(dict.fromkeys(asked) if self.by_recording else asked)
        if not self.by_recording and not any(one.is_stretch for one in parts):
            return parts
        first = {one.name: at for at, one in reversed(list(enumerate(parts)))}
        return sorted(parts, key=lambda one: first[one.name])

    def ready(
        self, names: Sequence[str], *, read: Iterable[Path], labels: Sequence[str], stretches: bool, channels: bool
    ) -> Self:
        """Return the same for recordings of these names.

        Args:
            names: of all parts, in their order.
            read: files that nothing may be written over.
            labels: of the model.
            stretches, channels: whether there are answers about such.
        """
        from emotone.recognition.formats import FORMATS, Columns

        output = replace(self, columns=Columns(labels, self.segments, stretches, channels))
        recordings = list(dict.fromkeys(names))
        if self.form is not None and self.by_recording:
            output = replace(output, names=names_of(recordings))
            form = FORMATS[self.form]
            if self.folder is None and len(recordings) > 1 and self.form != "rttm":
                if self.file is None or self.file.suffix.lower() == form.suffix.lower():
                    raise UsageError(
                        f"--format {self.form} is the timeline of one recording; {len(recordings)} are given. Name a "
                        "folder: --out FOLDER/"
                    )
                output = replace(output, file=None, folder=self.file)
        output._refuse_to_write_over(read)
        return output

    def _refuse_to_write_over(self, read: Iterable[Path]) -> None:
        targets = [self.file] if self.file else []
        if self.folder:
            targets = [self._file_of(name) for name in self.names or ()]
        kept = {_identity(path) for path in read} - {None}
        for target in targets:
            if _identity(target) in kept:
                raise UsageError(f"--out: {target} would be written over, and it is read; name another place.")

    def _file_of(self, recording: str) -> Path:
        """Return the file in the folder for a recording."""
        from emotone.recognition.formats import FORMATS

        assert self.folder is not None and self.names is not None and self.form is not None
        own = self.names[recording]
        return self.folder / own.with_name(own.name + FORMATS[self.form].suffix)

    def put(self, answers: Iterator["Answer"], *, top: int, failed: list[str]) -> None:
        """Write the answers; those for a person show the `top` likeliest emotions.

        Recordings whose own file cannot be written are said, and noted in `failed`.
        """
        if self.form is None:
            from emotone.cli.display import show

            show(list(answers), top=top)
        elif self.folder is not None:
            self._put_each(answers, failed)
        elif self.file is None:
            for text in self._text(answers):
                sys.stdout.write(text)
        elif not self.by_recording:
            self._put_file(self.file, answers)
        else:
            told = list(answers)
            if any(answer.result for answer in told):
                self._put_file(self.file, iter(told))

    def _put_file(self, file: Path, answers: Iterator["Answer"]) -> None:
        """Write one file."""
        from emotone.files import atomic_path
        from emotone.recognition.formats import write_parquet

        seen = _as_seen_from(file.parent, answers)
        with atomic_path(file) as temporary:
            if self.form == "parquet":
                assert self.columns is not None
                write_parquet(seen, temporary, self.columns)
                return
            with temporary.open("w", encoding="utf-8", newline="") as opened:
                opened.writelines(self._text(seen if self.form in _NAMING else answers))

    def _put_each(self, answers: Iterator["Answer"], failed: list[str]) -> None:
        """Write a file for each recording that could be read; go on past one that cannot be written."""
        from emotone.cli.terminal import warn
        from emotone.files import make_folder

        assert self.folder is not None
        for name, group in groupby(answers, key=lambda answer: answer.file):
            told = list(group)
            if not any(answer.result for answer in told):
                continue
            make_folder(self.folder)  # without it there is nothing to go on with
            file = self._file_of(name)
            try:
                self._put_file(file, iter(told))
            except OSError as error:
                failed.append(name)
                warn(f"emotone: {file}: cannot be written: {error.strerror or error}")

    def _text(self, answers: Iterable["Answer"]) -> Iterator[str]:
        from emotone.recognition.formats import FORMATS, to_text
        from emotone.recognition.timelines import timeline

        assert self.form is not None and self.columns is not None
        if FORMATS[self.form].holds != "timeline":
            yield from to_text(answers, self.form, self.columns)
            return
        for name, group in groupby(answers, key=lambda answer: answer.file):
            told = list(group)
            if any(answer.result for answer in told):
                assert self.names is not None
                yield timeline(told, self.form, name=self.names[name].as_posix())


def _as_seen_from(folder: Path, answers: Iterable["Answer"]) -> Iterator["Answer"]:
    """Name recordings so that the file which names them is a manifest that works from its own folder."""
    home = folder.resolve()
    for answer in answers:
        if answer.file != "<stdin>":
            given = Path(answer.file)
            path = given.parent.resolve() / given.name
            inside = path.is_relative_to(home)
            answer = replace(answer, file=path.relative_to(home).as_posix() if inside else str(path))
        yield answer


def _identity(path: Path) -> tuple[int, int] | None:
    """Return what tells a file from all others, by whichever name; None where there is none."""
    try:
        found = path.stat()
    except (OSError, ValueError):
        return None
    return (found.st_dev, found.st_ino)
