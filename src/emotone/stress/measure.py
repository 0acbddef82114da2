"""What a recogniser names rightly under each condition."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from statistics import mean
from typing import Any

import numpy as np

from emotone.audio import load
from emotone.bundle import BundleInfo
from emotone.corpora.base import Corpus, Utterance
from emotone.errors import AudioError, UsageError
from emotone.evaluation.intervals import bootstrap, clusters
from emotone.evaluation.metrics import summary
from emotone.protocols.labels import Asked, asked, comparable
from emotone.recognition import Recognizer
from emotone.recognition.result import NO_SPEECH
from emotone.stress.conditions import CONDITIONS, Condition

__all__ = ["Measured", "Stress", "askable", "stress"]

_VOICES = 5  # that babble


@dataclass(frozen=True, slots=True)
class Measured:
    """What is left under one condition.

    Attributes:
        kind, degree: of the condition.
        uar, low, high: with its 95 % interval, as fractions of 1.
        accuracy: as a fraction of 1. What is taken for no speech counts as wrong.
        unheard: the share of clips in which no speech was found.
    """

    kind: str
    degree: str
    uar: float
    low: float
    high: float
    accuracy: float
    unheard: float


@dataclass(frozen=True)
class Stress:
    """What a recogniser names rightly under each condition.

    Attributes:
        model: its name.
        corpus: the corpus of the clips.
        classes: that both know.
        clips, speakers: how many, none of them heard in training.
        conditions: what was measured, the recordings as they are first.
    """

    model: str
    corpus: str
    classes: tuple[str, ...]
    clips: int
    speakers: int
    conditions: tuple[Measured, ...]

    @property
    def hard(self) -> float:
        """The mean UAR over all conditions but the first, as a fraction of 1."""
        return mean(each.uar for each in self.conditions[1:])

    def to_dict(self) -> dict[str, Any]:
        """Return what JSON can hold."""
        return asdict(self) | {"mean_of_hard_conditions": self.hard}


def askable(info: BundleInfo, corpus: Corpus) -> list[tuple[Utterance, Asked]]:
    """Return the clips that a model may be tested on, and what each asks of it.

    These are clips of emotions that it knows, by speakers whom it was not trained on.

    Raises:
        UsageError: there are none.
    """
    named = [each.corpus for each in corpus.utterances]
    everything = [*named, *["" for _ in info.labels]]
    labels = comparable(everything, [*(each.emotion for each in corpus.utterances), *info.labels])
    wanted = asked(info.labels, labels[: len(named)])
    trained = str(info.trained_on.get("corpus", "")).split("+")
    heard = {str(name) for name in info.trained_on.get("speakers", ())}

    def was_heard(clip: Utterance) -> bool:
        return clip.corpus in trained and bool({str(clip.speaker), f"{clip.corpus}:{clip.speaker}"} & heard)

    known = [(clip, wanted[label]) for clip, label in zip(corpus.utterances, labels, strict=False) if label in wanted]
    found = [(clip, told) for clip, told in known if not was_heard(clip)]
    if not known:
        raise UsageError(f"{corpus.info.name} has no clip of an emotion that {info.name} knows.")
    if not found:
        raise UsageError(
            f"{info.name} was trained on every speaker of {corpus.info.name}: name another corpus, as --corpus tess."
        )
    return found


def stress(
    recogniser: Recognizer,
    corpus: Corpus,
    *,
    clips: int,
    conditions: Sequence[Condition] = CONDITIONS,
    on_progress: Callable[[int, int], None] | None = None,
) -> Stress:
    """Measure a recogniser on clips of a corpus under conditions.

    The same clips are taken for all, and what is drawn for a clip depends on the clip and the condition alone.

    Args:
        recogniser: for anybody.
        corpus: see `askable`.
        clips: at most so many, evenly chosen over speakers and emotions.
        conditions: the first is what the others are compared with.
        on_progress: called with (clips done, clips in all).

    Raises:
        UsageError: no clips to test on.
        AudioError: a recording that cannot be read.
    """
    if clips < 1:
        raise UsageError(f"--clips is {clips}; it must be at least 1.")
    info = recogniser.model.info
    chosen = _evenly(askable(info, corpus), clips)
    sounds = [load(clip.part, rate=info.rate)[0] for clip, _ in chosen]
    true = [told.name for _, told in chosen]
    classes = tuple(dict.fromkeys(true))
    counted = {told.name: told.counted for _, told in chosen}
    found: list[Measured] = []
    for condition in conditions:
        predicted: list[str] = []
        for at, ((clip, _), samples) in enumerate(zip(chosen, sounds, strict=True)):
            draw = _generator(clip, condition)
            changed = condition.change((samples, info.rate), _others(chosen, sounds, at), draw)
            predicted.append(_named(recogniser, changed, counted))
            if on_progress is not None:
                on_progress(len(found) * len(chosen) + at + 1, len(conditions) * len(chosen))
        found.append(_measured(condition, true, predicted, classes, [clip for clip, _ in chosen]))
    speakers = {(clip.corpus, clip.speaker) for clip, _ in chosen}
    return Stress(info.name, corpus.info.name, classes, len(chosen), len(speakers), tuple(found))


def _named(recogniser: Recognizer, sound: tuple[Any, int], counted: dict[str, tuple[str, ...]]) -> str:
    try:
        scores = recogniser(sound, min_confidence=0).scores
    except AudioError:  # nothing is left of it
        scores = {}
    if not scores:
        return NO_SPEECH
    return max(counted, key=lambda name: sum(scores[label] for label in counted[name]))


def _measured(
    condition: Condition,
    true: Sequence[str],
    predicted: Sequence[str],
    classes: Sequence[str],
    clips: Sequence[Utterance],
) -> Measured:
    known = [*classes, NO_SPEECH] if NO_SPEECH in predicted else list(classes)
    told = summary(true, predicted, known)
    groups = clusters([clip.speaker for clip in clips], [clip.clip for clip in clips])
    low, high = bootstrap(true, predicted, groups, known, metrics=["uar"])["uar"]
    unheard = mean(name == NO_SPEECH for name in predicted)
    return Measured(condition.kind, condition.degree, told["uar"], low, high, told["accuracy"], unheard)


def _evenly(clips: list[tuple[Utterance, Asked]], count: int) -> list[tuple[Utterance, Asked]]:
    ordered = sorted(clips, key=lambda each: (str(each[0].speaker), each[1].name, each[0].clip))
    if len(ordered) <= count:
        return ordered
    return [ordered[int(place)] for place in (np.arange(count) + 0.5) * len(ordered) / count]


def _others(chosen: Sequence[tuple[Utterance, Asked]], sounds: Sequence[Any], at: int) -> list[Any]:
    """Return clips of other speakers, the next ones round about."""
    own, found = chosen[at][0].speaker, []
    for step in range(1, len(chosen)):
        other = (at + step * 7919) % len(chosen)  # a prime, so that neighbours, who are one speaker, come late
        if chosen[other][0].speaker != own or own is None:
            found.append(sounds[other])
        if len(found) == _VOICES:
            break
    return found


def _generator(clip: Utterance, condition: Condition) -> np.random.Generator:
    digest = hashlib.blake2b(f"{clip.clip}\0{condition.name}".encode(), digest_size=8).digest()
    return np.random.default_rng(int.from_bytes(digest, "little"))
