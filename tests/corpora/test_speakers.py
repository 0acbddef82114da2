"""Names that are nearly one are found among thousands, and no others."""

import random
import re
from itertools import combinations

from emotone.corpora.speakers import near_names


def near(one: str, other: str) -> bool:
    """As `near_names` has it, of two names: but for punctuation, for letters that look like digits, for a letter."""
    plain = [re.sub(r"[\W_]", "", name.casefold()) for name in (one, other)]
    if len({name.translate(str.maketrans("oil", "011")) for name in plain}) == 1:
        return True
    letters, digits = ([re.sub(what, "", name) for name in plain] for what in (r"\d", r"\D"))
    short, long = sorted(letters, key=len)
    changed = len(short) == len(long) and sum(a != b for a, b in zip(short, long, strict=True)) <= 1
    more = any(short == long[:at] + long[at + 1 :] for at in range(len(long)))
    return digits[0] == digits[1] and len(short) >= 4 and (changed or more)


def test_every_pair_that_is_near_and_no_other() -> None:
    drawn = random.Random(0)
    found = 0
    for _ in range(300):
        names = {"".join(drawn.choice("abO0l1 _") for _ in range(drawn.randint(0, 7))) for _ in range(25)}
        pairs = near_names(names)
        assert pairs == [pair for pair in combinations(sorted(names), 2) if near(*pair)]
        found += len(pairs)
    assert found > 300


def test_a_large_corpus_names_thousands() -> None:
    names = [f"speaker {number}" for number in range(5_000)]
    assert near_names([*names, "Speaker_77"]) == [("Speaker_77", "speaker 77")]
