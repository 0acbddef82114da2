"""What the command line shows: tables, and progress with time left."""

import io
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from textwrap import wrap
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

__all__ = ["bars", "console", "counting", "speak_utf8", "table", "warn"]

_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Control characters but tab and newline, and those that turn the direction of writing: names may hold them."""


_GAP = 2
"""Between the columns of a table."""


def _shown(text: str) -> str:
    return _UNSEEN.sub(lambda sign: ascii(sign[0])[1:-1], text)


class _Console(Console):
    """A console that shows control characters of names as their escapes, so that none moves the cursor."""

    def render_str(self, text: str, **options: Any) -> Text:
        return super().render_str(_shown(text), **options)


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
    """Print a table; the columns named in `numbers` are right-aligned. None shows as a dash.

    Where the terminal is too narrow for its words, each row is shown as a paragraph.
    """
    cells = [["-" if cell is None else str(cell) for cell in row] for row in rows]
    widths = _widths([*zip(columns, *cells, strict=True)], console.width)
    if widths is None:
        for row in cells:
            console.print(row[0], style="bold")
            console.print("\n".join(_paragraph(columns[1:], row[1:])))
        return
    drawn = Table(box=None, header_style="bold", pad_edge=False)
    for column, width in zip(columns, widths, strict=True):
        drawn.add_column(column, justify="right" if column in numbers else "left", width=width)
    for row in cells:
        drawn.add_row(*row)
    console.print(drawn, soft_wrap=False)


def _widths(columns: Sequence[Sequence[str]], width: int) -> list[int] | None:
    """Share a width out to columns, given by their texts, so that no word is broken, and of the first one no line.

    None where it is too little. Rich would take it from the widest, words or not.
    """
    least = [
        _longest(columns[0]),
        *(_longest(word for text in texts for word in text.split()) for texts in columns[1:]),
    ]
    spare = width - sum(least) - _GAP * (len(columns) - 1)
    if spare < 0:
        return None
    wanted = [_longest(texts) - few for texts, few in zip(columns, least, strict=True)]
    for left, at in enumerate(sorted(range(len(columns)), key=lambda at: wanted[at]), start=-len(columns)):
        given = min(wanted[at], spare // -left)
        least[at] += given
        spare -= given
    return least


def _longest(texts: Iterable[str]) -> int:
    """Return the cells of a terminal that the longest text takes."""
    return max((cell_len(_shown(text)) for text in texts), default=0)


def _paragraph(columns: Sequence[str], row: Sequence[str]) -> Iterator[str]:
    """Yield the lines of what a row says, as many cells to a line as it holds."""
    line = ""
    for column, cell in zip(columns, row, strict=True):
        told = f"{column}: {cell}" if column and cell else cell
        if line and cell_len(line) + 3 + cell_len(told) > console.width - 2:
            yield f"  {line}"
            line = ""
        line = f"{line}   {told}" if line and told else line or told
        if cell_len(line) > console.width - 2:
            yield from wrap(
                line,
                console.width,
                initial_indent="  ",
                subsequent_indent="    ",
                break_long_words=False,
                break_on_hyphens=False,
            )
            line = ""
    if line:
        yield f"  {line}"


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
