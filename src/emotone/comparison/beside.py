"""The finished full runs that a comparison's report opens with; their place is kept beside the page."""

from pathlib import Path

from emotone.comparison.watcher import Watcher
from emotone.errors import UsageError
from emotone.files import write_text
from emotone.report.full import Full, read_full

__all__ = ["find_full", "remember"]

_MEMO = Path("report", "beside.txt")


def find_full(beside: Path | None, out: Path, watcher: Watcher) -> Full | None:
    """Read the full runs of a folder, without one those that the report in `out` had before, if any.

    Raises:
        UsageError: `beside` holds no full runs. Where they have gone since, that is said, and there are none.
    """
    if beside is not None:
        return read_full(beside)
    if not (out / _MEMO).is_file():
        return None
    try:
        return read_full(Path((out / _MEMO).read_text(encoding="utf-8").strip()))
    except UsageError as error:
        watcher.warn(f"{out / _MEMO}: {error} The report opens without full runs.")
        return None


def remember(full: Full, out: Path) -> None:
    """Let later reports in `out` open with these full runs too."""
    write_text(out / _MEMO, f"{full.folder.resolve()}\n")
