"""The clips that the recogniser is shown with are chosen evenly, and its answers are those that it gives."""

from pathlib import Path

import pytest

from emotone import Recognizer
from emotone.bundle.hub import DEFAULT
from emotone.comparison.listen import choose, listen
from emotone.corpora.base import Corpus, Utterance


def clips(emotions: int, speakers: int, *, each: int = 2) -> list[Utterance]:
    return [
        Utterance(
            Path(f"{speaker}-{emotion}-{take}.wav"), "made", f"{speaker}-{emotion}-{take}", f"e{emotion}", f"{speaker}"
        )
        for speaker in range(speakers)
        for emotion in range(emotions)
        for take in range(each)
    ]


def test_every_emotion_and_as_many_speakers_as_can_be() -> None:
    chosen = choose(clips(8, 24))
    assert [each.emotion for each in chosen] == [f"e{number}" for number in range(8)]
    assert [each.speaker for each in chosen] == [str(number) for number in range(0, 24, 3)]
    assert choose(clips(8, 24)) == chosen


@pytest.mark.parametrize(("emotions", "speakers", "many"), [(2, 3, 8), (16, 16, 8), (1, 1, 2), (3, 1, 6), (8, 2, 8)])
def test_a_corpus_of_any_shape_gives_different_clips(emotions: int, speakers: int, many: int) -> None:
    chosen = choose(clips(emotions, speakers))
    assert len({each.clip for each in chosen}) == len(chosen) == many
    assert len({each.emotion for each in chosen}) == min(emotions, 8)
    assert len({each.speaker for each in chosen}) == min(speakers, many)


def test_the_answers_are_the_recognisers(corpus: Corpus) -> None:
    heard = listen(corpus)
    assert heard is not None and heard.model == DEFAULT and heard.known == ()
    chosen = {each.clip: each for each in choose(corpus.utterances)}
    assert [clip.name for clip in heard.clips] == list(chosen)
    first = heard.clips[0]
    answer = Recognizer.load()(chosen[first.name].part)
    assert (first.emotion, first.confidence) == (answer.emotion, pytest.approx(answer.confidence, abs=1e-4))
    for clip in heard.clips:
        assert clip.stated == chosen[clip.name].emotion
        ends = [0.0, *(span.end for span in clip.spans)]
        assert [span.start for span in clip.spans] == ends[:-1] and ends[-1] == clip.duration
