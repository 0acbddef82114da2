"""Splits into shares of all clips, stratified by class: at random, or by the order of recording."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from emotone.errors import ProtocolError
from emotone.protocols.task import Indices, Task
from emotone.recipes.schema import SplitConfig

__all__ = ["fractions"]


def fractions(clips: Sequence[int], task: Task, split: SplitConfig) -> tuple[Indices, Indices, Indices]:
    """Split units (the clip of each given) into train, validation and test, stratified by class."""
    labels = task.labels[np.asarray(clips)]
    need = 3 if split.validation else 2
    few = {label: count for label, count in sorted(Counter(labels.tolist()).items()) if count < need}
    if few:
        label, count = next(iter(few.items()))
        raise ProtocolError(
            f"Class {label!r} has {count} clip(s): protocol {task.protocol!r} needs at least {need} a class."
        )
    if split.order == "temporal":
        return _temporal(clips, labels, task, split)
    from sklearn.model_selection import train_test_split

    units = np.arange(len(labels))

    def taken(share: float, of: NDArray[np.intp]) -> float | int:
        """Return the share, or where that is less than a clip of every class, as many clips."""
        classes = len(set(labels.tolist()))
        return share if share * len(of) >= classes else classes

    try:
        size = taken(split.test, units)
        rest, test = train_test_split(units, test_size=size, stratify=labels, random_state=task.seed)
        if not split.validation:
            return rest, units[:0], test
        size = taken(split.validation / (split.train + split.validation), rest)
        train, validation = train_test_split(rest, test_size=size, stratify=labels[rest], random_state=task.seed)
    except ValueError as error:  # scikit-learn names what is too small
        raise ProtocolError(f"Protocol {task.protocol!r} cannot split {len(labels)} clips: {error}") from None
    return train, validation, test


def _temporal(
    clips: Sequence[int], labels: NDArray[np.str_], task: Task, split: SplitConfig
) -> tuple[Indices, Indices, Indices]:
    """Per class, first repetitions first; within a repetition no order is stated, so it is drawn."""
    repetitions = [task.utterances[clip].repetition for clip in clips]
    if None in repetitions:
        clip = task.utterances[clips[repetitions.index(None)]].clip
        raise ProtocolError(f"Protocol {task.protocol!r} orders clips by repetition, and clip {clip!r} states none.")
    order = np.lexsort((np.random.default_rng(task.seed).permutation(len(clips)), np.asarray(repetitions)))
    parts: tuple[list[int], list[int], list[int]] = ([], [], [])
    for label in sorted(set(labels.tolist())):
        own = [int(unit) for unit in order if labels[unit] == label]
        tested = max(1, round(split.test * len(own)))
        validated = max(1, round(split.validation * len(own))) if split.validation else 0
        first = len(own) - tested - validated
        for part, units in zip(
            parts, (own[:first], own[first : first + validated], own[first + validated :]), strict=True
        ):
            part.extend(units)
    return np.asarray(parts[0], dtype=np.intp), np.asarray(parts[1], dtype=np.intp), np.asarray(parts[2], dtype=np.intp)
