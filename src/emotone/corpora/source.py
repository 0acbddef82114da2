"""What a published corpus states in its file names, and how one file per corpus reads it."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Required, TypedDict, TypeVar

from emotone.corpora.base import CorpusInfo
from emotone.errors import CorpusError

__all__ = ["Fields", "Source", "look_up", "matched", "parts_of"]

T = TypeVar("T")


class Fields(TypedDict, total=False):
    """What a file's name states: the fields of an `Utterance` but path, corpus and clip."""

    emotion: Required[str]
    speaker: str | None
    gender: str | None
    intensity: str | None
    statement: str | None
    repetition: int | None
    language: str | None
    extra: Mapping[str, str]


def _all(path: PurePosixPath, fields: Fields) -> bool:
    return True


def _unread(path: PurePosixPath) -> Fields:
    raise CorpusError(f"{path}: its name is explained by a table, which is not here")


@dataclass(frozen=True)
class Source:
    """A published corpus: its description, and how its file names become utterances.

    Attributes:
        info: title, licence, citation.
        clips: how many clips the published corpus has.
        how_to_get: one sentence for a user who does not have it.
        parse: path relative to the corpus's folder -> what its name states; a name that does not follow the corpus's
            convention is a `CorpusError`. Two files whose names state the same are the same recording.
        reader: folder of the corpus -> the same, for a corpus whose names are explained by a table in it.
        wanted: whether a file whose name parses belongs to what is loaded.
        expected: the file names, without suffix, of the complete corpus, where they are known.
        cached_as: the folder in the user's cache, where it is not the corpus's name.
        channel: of its files, which is the recording; None for all of them, mixed.
    """

    info: CorpusInfo
    clips: int
    how_to_get: str
    parse: Callable[[PurePosixPath], Fields] = _unread
    reader: Callable[[Path], Callable[[PurePosixPath], Fields]] | None = None
    wanted: Callable[[PurePosixPath, Fields], bool] = _all
    expected: Callable[[], Iterable[str]] | None = None
    cached_as: str | None = None
    channel: int | None = None

    def parser(self, root: Path) -> Callable[[PurePosixPath], Fields]:
        """Return what reads the names of the corpus's files under `root`."""
        return self.reader(root) if self.reader else self.parse


def parts_of(path: PurePosixPath, separator: str, pattern: str) -> list[str]:
    """Split a file's name at `separator` into as many parts as `pattern`, the convention, has.

    >>> parts_of(PurePosixPath("1001_DFA_ANG_XX.wav"), "_", "actor_sentence_emotion_intensity")
    ['1001', 'DFA', 'ANG', 'XX']
    """
    parts = path.stem.split(separator)
    wanted = len(pattern.split(separator))
    if len(parts) != wanted:
        raise CorpusError(f"{path}: the name has {len(parts)} parts, not the {wanted} of {pattern}")
    return parts


def matched(path: PurePosixPath, pattern: re.Pattern[str], like: str) -> re.Match[str]:
    """Return how a file's name follows a pattern; `like` is such a name and what its parts are, for the error."""
    match = pattern.fullmatch(path.stem)
    if not match:
        raise CorpusError(f"{path}: the name is not like {like}")
    return match


def look_up(path: PurePosixPath, what: str, code: str, table: Mapping[str, T]) -> T:
    """Return what `code`, the part `what` of a file's name, stands for."""
    if code not in table:
        raise CorpusError(f"{path}: {what} {code!r} is not one of {', '.join(table)}")
    return table[code]
