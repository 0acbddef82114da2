"""A few clips of a corpus, chosen evenly, and what the recogniser hears in them."""

from collections.abc import Sequence

from emotone.corpora.base import Corpus, Utterance
from emotone.recognition import Recognizer, Result
from emotone.report.heard import Clip, Heard, Span

__all__ = ["choose", "listen"]

_CLIPS = 8


def listen(corpus: Corpus) -> Heard | None:
    """Return what the model that comes with emotone hears in a few clips, of joined corpora those that are tested on.

    Clips that cannot be read are left out; None where that is all of them.
    """
    recogniser = Recognizer.load()
    tested = corpus.tested or {utterance.corpus for utterance in corpus.utterances}
    chosen = choose([utterance for utterance in corpus.utterances if utterance.corpus in tested])
    answers = recogniser.each(utterance.part for utterance in chosen)
    clips = [
        _clip(utterance, answer)
        for utterance, answer in zip(chosen, answers, strict=True)
        if isinstance(answer, Result)
    ]
    if not clips:
        return None
    info = recogniser.model.info
    trained = str(info.trained_on.get("corpus", "")).split("+")
    known = sorted({utterance.corpus for utterance in chosen}.intersection(trained))
    return Heard(info.name, tuple(known), corpus.info.synthetic, tuple(clips))


def choose(utterances: Sequence[Utterance], most: int = _CLIPS) -> list[Utterance]:
    """Choose evenly over emotions and speakers, always the same: emotions in turn, each of a speaker further on."""
    emotions = list(dict.fromkeys(utterance.emotion for utterance in utterances))
    speakers = list(dict.fromkeys((utterance.corpus, utterance.speaker or "") for utterance in utterances))
    chosen: list[Utterance] = []
    for place in range(most):
        emotion = emotions[place * max(len(emotions), most) // most % len(emotions)]
        first = place * len(speakers) // most
        order = [*speakers[first:], *speakers[:first]]
        left = [each for each in utterances if each.emotion == emotion and each not in chosen]
        if left:
            chosen.append(min(left, key=lambda each: order.index((each.corpus, each.speaker or ""))))
    return chosen


def _clip(utterance: Utterance, answer: Result) -> Clip:
    return Clip(
        name=utterance.clip,
        speaker=utterance.speaker,
        stated=utterance.emotion,
        emotion=answer.emotion,
        confidence=answer.confidence,
        duration=answer.duration,
        spans=tuple(
            Span(each.start - answer.start, each.end - answer.start, each.emotion, each.confidence)
            for each in answer.segments
        ),
    )
