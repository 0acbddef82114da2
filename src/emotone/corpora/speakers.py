"""Speakers' names: which are spellings of one, and which are near enough to be looked at."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import combinations

__all__ = ["near_names", "unified"]

_NUMBER = re.compile(r"[+-]?\d+(?:\.0+)?")
_ALIKE = str.maketrans("oil", "011")  # letters that are taken for digits
_LEAST = 4  # letters of names that are compared letter by letter


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
    return [(one, other) for one, other in combinations(sorted(set(names)), 2) if _near(one, other)]


def _near(one: str, other: str) -> bool:
    first, second = (re.sub(r"[\W_]", "", name.casefold()) for name in (one, other))
    if first == second or first.translate(_ALIKE) == second.translate(_ALIKE):
        return True
    letters, others = (re.sub(r"\d", "", name) for name in (first, second))
    digits = [re.sub(r"\D", "", name) for name in (first, second)]
    return digits[0] == digits[1] and min(len(letters), len(others)) >= _LEAST and _one_apart(letters, others)


def _one_apart(one: Sequence[str], other: Sequence[str]) -> bool:
    """Tell whether a letter more, less or changed makes one text of the other."""
    short, long = sorted((one, other), key=len)
    if len(long) - len(short) > 1:
        return False
    at = next((place for place, letter in enumerate(short) if letter != long[place]), len(short))
    return short[at + (len(short) == len(long)) :] == long[at + 1 :]


def _key(name: str) -> str:
    text = " ".join(name.split()).casefold()
    return str(int(float(text))) if _NUMBER.fullmatch(text) else text


def _whole(name: str) -> str:
    """Return a name without the fraction that tables give integers beside empty cells."""
    return name.split(".")[0] if _NUMBER.fullmatch(name) else name
