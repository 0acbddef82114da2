"""What the command line shows: tables, and progress with time left."""

import io
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

__all__ = ["bars", "console", "counting", "speak_utf8", "table", "warn"]

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
    _beside_bars().print(text)


def _beside_bars() -> Console:
    """Return where bars and errors go: on one terminal, the console of all else, which lifts its lines above a bar."""
    return console if sys.stdout.isatty() and sys.stderr.isatty() else _errors


def table(columns: Sequence[str], rows: Sequence[Sequence[object]], *, numbers: Sequence[str] = ()) -> None:
    """Print a table; the columns named in `numbers` are right-aligned. None shows as a dash."""
    drawn = Table(box=None, header_style="bold", pad_edge=False)
    for column in columns:
        first = column == columns[0]
        drawn.add_column(column, justify="right" if column in numbers else "left", overflow="fold", no_wrap=first)
    for row in rows:
        drawn.add_row(*("-" if cell is None else str(cell) for cell in row))
    console.print(drawn, soft_wrap=False)


def bars() -> Progress:
    """Return bars with time left on standard error, which show nothing where that is no terminal."""
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=_beside_bars(),
        disable=not sys.stderr.isatty(),
        transient=True,
    )


@contextmanager
def counting(what: str) -> Iterator[Callable[[int, int], None]]:
    """Show one bar while something is counted; gives the function (done, total) that moves it."""
    with bars() as progress:
        bar = progress.add_task(what, total=None)
        yield lambda done, total: progress.update(bar, completed=done, total=total)
