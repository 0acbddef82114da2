"""Splits by speaker: those under test are never heard in training."""

from collections.abc import Mapping, Sequence
from itertools import zip_longest

import numpy as np

from emotone.errors import ProtocolError
from emotone.protocols.task import Indices, Task

__all__ = ["EMOBOX6", "LUNA5", "by_speaker", "in_turn", "tested_groups", "validation_speakers"]

LUNA5 = ((2, 5, 14, 15, 16), (3, 6, 7, 13, 18), (10, 11, 12, 19, 20), (8, 17, 21, 23, 24), (1, 4, 9, 22))
"""Test actors of Luna-Jimenez et al. (2021), doi:10.3390/s21227665."""
EMOBOX6 = ((1, 11, 20, 21), (4, 10, 12, 14), (8, 9, 19, 23), (3, 5, 7, 24), (2, 15, 16, 18), (6, 13, 17, 22))
"""Test actors of EmoBox (Ma et al., 2024), arXiv:2406.07162."""

_OF_ACTORS = "ravdess"
_ENOUGH = 3  # speakers of a corpus, of whom one can be spared
_VALIDATED = 4  # of about 19 training speakers; two women and two men where the corpus tells


def tested_groups(task: Task) -> list[tuple[str, ...]]:
    """Return the speakers that each fold of the task's protocol tests on."""
    speakers = {utterance.speaker for utterance in task.utterances}
    if None in speakers:
        clip = next(utterance.clip for utterance in task.utterances if utterance.speaker is None)
        raise ProtocolError(f"Protocol {task.protocol!r} needs every clip's speaker, and clip {clip!r} states none.")
    found = sorted(str(speaker) for speaker in speakers)
    need = 2 if task.monitor is None else 3
    if len(found) < need:
        raise ProtocolError(
            f"Protocol {task.protocol!r} holds speakers out and needs at least {need}; "
            f"the corpus has {len(found)}: {', '.join(found)}."
        )
    if task.protocol == "loso":
        return [(speaker,) for speaker in found]
    groups = LUNA5 if task.protocol == "luna5" else EMOBOX6
    of = f"{_OF_ACTORS}:" if len(task.corpora) > 1 else ""  # other corpora beside it are trained on in every fold
    actors = [speaker for speaker in found if speaker.startswith(of)]
    if {f"{of}{actor:02d}" for group in groups for actor in group} != set(actors):
        raise ProtocolError(
            f"Protocol {task.protocol!r} is defined on RAVDESS's actors 01 to 24; "
            f"the corpus has {len(found)} speakers: {', '.join(found[:8])}{', ...' if len(found) > 8 else ''}. "
            "For other corpora use 'loso'."
        )
    return [tuple(f"{of}{actor:02d}" for actor in group) for group in groups]


def by_speaker(group: Sequence[str], number: int, task: Task) -> tuple[Indices, Indices, Indices]:
    """Hold out `group`, and as validation a few of the others: women and men in turn, drawn by seed and fold."""
    speakers = np.asarray([utterance.speaker for utterance in task.utterances])
    held = validation_speakers(sorted(set(speakers.tolist()) - set(group)), number, task)
    test, validation = np.isin(speakers, group), np.isin(speakers, held)
    return np.flatnonzero(~test & ~validation), np.flatnonzero(validation), np.flatnonzero(test)


def validation_speakers(others: Sequence[str], number: int, task: Task) -> list[str]:
    """Draw some of the speakers that are not tested in fold `number`; of several corpora, some of each that has three
    or more.
    """
    genders = {utterance.speaker: utterance.gender for utterance in task.utterances}
    corpora = {utterance.speaker: utterance.corpus for utterance in task.utterances}
    groups = [[speaker for speaker in others if corpora[speaker] == corpus] for corpus in task.corpora]
    groups = [group for group in groups if len(group) >= _ENOUGH] or [list(others)]
    drawn, held = np.random.default_rng((task.seed, number)), []
    for group in groups:
        order = [group[index] for index in drawn.permutation(len(group))]
        held += in_turn(order, genders)[: min(_VALIDATED, max(1, len(group) // 5))]
    return held


def in_turn(speakers: Sequence[str], genders: Mapping[str | None, str | None]) -> list[str]:
    """Return speakers with women and others in turn, each in the order given."""
    women = [speaker for speaker in speakers if genders[speaker] == "female"]
    rest = [speaker for speaker in speakers if genders[speaker] != "female"]
    return [speaker for pair in zip_longest(women, rest) for speaker in pair if speaker is not None]
