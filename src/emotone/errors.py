"""Errors that a user reads: each names the value, where it came from and what is allowed."""

from collections.abc import Iterable
from difflib import SequenceMatcher
from reprlib import Repr

__all__ = [
    "AudioError",
    "BundleError",
    "CorpusError",
    "DownloadError",
    "EmotoneError",
    "ProtocolError",
    "RecipeError",
    "UsageError",
    "nearest_first",
    "quoted",
    "unknown",
]

_COMPARED = 200  # letters of a name; what is longer is no slip of the pen
_BRIEF = Repr()
_BRIEF.maxlevel, _BRIEF.maxstring, _BRIEF.maxother, _BRIEF.maxlong = 3, 200, 200, 60
_BRIEF.maxlist = _BRIEF.maxtuple = _BRIEF.maxdict = 8


class EmotoneError(Exception):
    """Anything that emotone refuses or cannot do. `exit_code` is what the command line returns."""

    exit_code = 1


class UsageError(EmotoneError):
    """What was asked for cannot be: an unknown name, a contradictory option."""

    exit_code = 2


class RecipeError(UsageError):
    """A recipe that does not follow the schema."""


class AudioError(EmotoneError):
    """A recording that cannot be used: missing, empty, truncated, not audio."""


class CorpusError(EmotoneError):
    """A corpus or manifest that cannot be used."""


class ProtocolError(EmotoneError):
    """A corpus that a protocol cannot split: one speaker, too few clips, a fold that lacks a class."""


class BundleError(EmotoneError):
    """A bundle that cannot be used: missing, broken, of an unknown format."""


class DownloadError(EmotoneError):
    """A download that failed: unreachable, wrong size, wrong checksum."""


def nearest_first(value: str, choices: Iterable[str]) -> list[str]:
    """Return `choices`, the most similar to `value` first, ties in alphabetical order.

    >>> nearest_first("boucheta/cn", ["onah/cnn", "boucheta/cnn", "boucheta/knn"])
    ['boucheta/cnn', 'boucheta/knn', 'onah/cnn']
    """
    near = value[:_COMPARED].lower()
    return sorted(sorted(choices), key=lambda choice: -SequenceMatcher(None, near, choice.lower()).ratio())


def quoted(value: object) -> str:
    """Return a value as an error shows it: its `repr`, cut where nobody would read on.

    >>> quoted("sad"), len(quoted("x" * 1_000_000))
    ("'sad'", 200)
    """
    return _BRIEF.repr(value)


def unknown(what: str, value: str, choices: Iterable[str], *, where: str | None = None) -> UsageError:
    """Return the error for a name that does not exist, with the valid ones, nearest first.

    >>> str(unknown("protocol", "lose", ["loso", "clean"]))
    "Unknown protocol 'lose'. Valid: loso, clean."
    """
    place = f" in {where}" if where else ""
    return UsageError(f"Unknown {what} {quoted(value)}{place}. Valid: {', '.join(nearest_first(value, choices))}.")
