"""What the command line shows: tables, and progress with time left."""

import io
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from emotone.comparison.plan import RunSpec
    from emotone.evaluation.record import RunRecord

__all__ = ["SweepProgress", "console", "counting", "speak_utf8", "table", "warn"]

_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Control characters but tab and newline, and those that turn the direction of writing: names may hold them."""


class _Console(Console):
    """A console that shows control characters of names as their escapes, so that none moves the cursor."""

    def render_str(self, text: str, **options: Any) -> Text:
        return super().render_str(_UNSEEN.sub(lambda sign: ascii(sign[0])[1:-1], text), **options)


console = _Console(highlight=False, markup=False, soft_wrap=True, width=None if sys.stdout.isatty() else 160)
_errors = _Console(stderr=True, highlight=False, markup=False, soft_wrap=True)


def speak_utf8() -> None:
    """Write UTF-8 to files and pipes, whatever the locale says; escape what a terminal cannot show."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            encoding = None if stream.isatty() else "utf-8"
            stream.reconfigure(encoding=encoding, errors="backslashreplace")


def warn(text: str) -> None:
    """Print to standard error."""
    _errors.print(text)


def table(columns: Sequence[str], rows: Sequence[Sequence[object]], *, numbers: Sequence[str] = ()) -> None:
    """Print a table; the columns named in `numbers` are right-aligned. None shows as a dash."""
    drawn = Table(box=None, header_style="bold", pad_edge=False)
    for column in columns:
        first = column == columns[0]
        drawn.add_column(column, justify="right" if column in numbers else "left", overflow="fold", no_wrap=first)
    for row in rows:
        drawn.add_row(*("-" if cell is None else str(cell) for cell in row))
    console.print(drawn, soft_wrap=False)


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=_errors,
        disable=not sys.stderr.isatty(),
        transient=True,
    )


@contextmanager
def counting(what: str) -> Iterator[Callable[[int, int], None]]:
    """Show one bar while something is counted; gives the function (done, total) that moves it."""
    with _progress() as progress:
        bar = progress.add_task(what, total=None)
        yield lambda done, total: progress.update(bar, completed=done, total=total)


class SweepProgress:
    """Shows a sweep: the features, all runs, the runs at work, and a line for every run that is done."""

    def __init__(self, specs: Sequence["RunSpec"]) -> None:
        self._work = {spec: spec.epochs or 1 for spec in specs}
        self._done = dict.fromkeys(specs, 0)
        self._finished = 0
        self._bars: dict[RunSpec, TaskID] = {}
        self._features: TaskID | None = None
        self._progress = _progress()
        self._all: TaskID | None = None

    def __enter__(self) -> "SweepProgress":
        self._progress.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._progress.stop()

    def features(self, done: int, total: int) -> None:
        """Move the bar of the features."""
        if self._features is None:
            self._features = self._progress.add_task("Features")
        self._progress.update(self._features, completed=done, total=total)
        if done == total:
            self._progress.remove_task(self._features)
            self._features = None

    def epoch(self, spec: "RunSpec", epoch: int, epochs: int) -> None:
        """Move the bars of a run and of all runs."""
        if spec not in self._bars:
            self._bars[spec] = self._progress.add_task(spec.name)
        self._progress.update(self._bars[spec], completed=epoch, total=epochs)
        self._move(spec, epoch)

    def finish(self, spec: "RunSpec", record: "RunRecord") -> None:
        """Print the run's result."""
        if spec in self._bars:
            self._progress.remove_task(self._bars.pop(spec))
        self._move(spec, self._work[spec])
        self._finished += 1
        published = "" if record.published.accuracy is None else f", published {record.published.accuracy:.1%}"
        console.print(
            f"{self._finished:>3}/{len(self._work)}  {spec.name}: {record.metrics['accuracy']:.1%}{published}"
            f" ({record.seconds['train']:.0f} s)"
        )

    def _move(self, spec: "RunSpec", done: int) -> None:
        if self._all is None:
            self._all = self._progress.add_task("All runs (epochs)", total=sum(self._work.values()))
        self._done[spec] = done
        self._progress.update(self._all, completed=sum(self._done.values()))
