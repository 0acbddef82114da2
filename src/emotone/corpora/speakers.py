"""Speakers' names: which are spellings of one, and which are near enough to be looked at."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import combinations

__all__ = ["near_names", "unified"]

_NUMBER = re.compile(r"[+-]?\d+(?:\.0+)?")
_ALIKE = str.maketrans("oil", "011")  # letters that are taken for digits
_LEAST = 4  # letters of names that are compared letter by letter

Key = tuple[str | int, ...]


def unified(names: Iterable[str]) -> tuple[dict[str, str], list[tuple[str, ...]]]:
    """Return what each spelling stands for, and the groups of spellings that were taken for one, that one first.

    The same integer ("1", "01", "1.0") is one speaker, and so is the same text but for capitals and space. It is called
    by its most usual spelling, the first among equals.

    >>> unified(["01", "1", "01", "S1", "s1 "])
    ({'01': '01', '1': '01', 'S1': 'S1', 's1 ': 'S1'}, [('01', '1'), ('S1', 's1 ')])
    """
    groups: dict[str, Counter[str]] = {}
    for name in names:
        groups.setdefault(_key(name), Counter())[name] += 1
    meant: dict[str, str] = {}
    told: list[tuple[str, ...]] = []
    for spellings in groups.values():
        first = max(spellings, key=spellings.__getitem__)  # of equals, the one that was seen first
        called = _whole(first)
        meant |= dict.fromkeys(spellings, called)
        if len(spellings) > 1:
            told.append((called, *(name for name in spellings if name != first)))
    return meant, told


def near_names(names: Iterable[str]) -> list[tuple[str, str]]:
    """Return the pairs of different names that may be one: but for punctuation, for O and 0, for a letter.

    >>> near_names(["anna", "ana maria", "Speaker 1", "speaker_1", "speaker_2", "O7", "07", "anne"])
    [('07', 'O7'), ('Speaker 1', 'speaker_1'), ('anna', 'anne')]
    """
    alike: dict[Key, list[str]] = {}
    known = sorted(set(names))
    for name in known:
        for key in _keys(name):
            alike.setdefault(key, []).append(name)
    found = {pair for group in alike.values() for pair in combinations(group, 2)}
    for name in known:
        for key in _keys(name, shorter=True):
            found.update((min(name, other), max(name, other)) for other in alike.get(key, ()))
    return sorted(found)


def _keys(name: str, *, shorter: bool = False) -> Iterator[Key]:
    """Yield what a name has in common with those that are near it, with no need to compare thousands one by one; or
    what those have in common that are a letter `shorter`.
    """
    plain = re.sub(r"[\W_]", "", name.casefold())
    letters, digits = re.sub(r"\d", "", plain), re.sub(r"\D", "", plain)
    without = [letters[:at] + letters[at + 1 :] for at in range(len(letters))]
    if shorter:
        yield from ((digits, rest) for rest in without)
        return
    yield (plain.translate(_ALIKE),)
    if len(letters) >= _LEAST:
        yield digits, letters
        yield from ((digits, rest, at) for at, rest in enumerate(without))  # another letter stands there


def _key(name: str) -> str:
    text = " ".join(name.split()).casefold()
    return str(int(float(text))) if _NUMBER.fullmatch(text) else text


def _whole(name: str) -> str:
    """Return a name without the fraction that tables give integers beside empty cells."""
    return name.split(".")[0] if _NUMBER.fullmatch(name) else name
