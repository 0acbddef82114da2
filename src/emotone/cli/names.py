"""What recordings are called in a folder of answers and in RTTM: by their paths, none as another."""

from collections import Counter
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path, PurePath

__all__ = ["names_of", "one_word"]


def names_of(recordings: Sequence[str]) -> dict[str, PurePath]:
    """Return a name for each recording: its path below the folder that holds them all, without its ending, none twice.

    Two that are told apart by their endings alone keep these; capitals tell nothing apart, as on many disks.
    """
    paths = [Path(name.strip("<>")).absolute() for name in recordings]
    parents = [path.parent.parts for path in paths]
    shared = max(1, len(list(takewhile(lambda names: len(set(names)) == 1, zip(*parents, strict=False)))))
    whole = [PurePath(*path.parts[shared:]) for path in paths]
    short = [path.with_suffix("") for path in whole]
    alike = Counter(map(_folded, short))
    names: dict[str, PurePath] = {}
    taken: set[str] = set()
    for name, long, own in zip(recordings, whole, short, strict=True):
        wanted = own if alike[_folded(own)] == 1 else long
        free, number = wanted, 1
        while _folded(free) in taken:
            number += 1
            free = wanted.with_name(f"{wanted.name}.{number}")
        taken.add(_folded(free))
        names[name] = free
    return names


def one_word(text: str) -> str:
    """Return a name as RTTM holds it, whose fields end at white space."""
    return "_".join(text.split())


def _folded(path: PurePath) -> str:
    return one_word(path.as_posix().casefold())
