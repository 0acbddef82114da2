"""JL: female1_angry_10a_1.wav: speaker, emotion, sentence, repetition."""

import re
from pathlib import PurePosixPath

from emotone.corpora.base import CorpusInfo
from emotone.corpora.source import Fields, Source, look_up, matched

__all__ = ["JL", "parse"]

_EMOTIONS = {
    name: name
    for name in (
        "angry", "happy", "neutral", "sad", "excited", "anxious", "apologetic", "assertive", "concerned", "encouraging"
    )
}  # fmt: skip
_NAME = re.compile(r"(?P<speaker>(?P<gender>(?:fe)?male)[12])_(?P<emotion>[a-z]+)_(?P<sentence>\d+[ab])_(?P<take>[12])")


def parse(path: PurePosixPath) -> Fields:
    """Read a name of JL. The sentences are known by their codes only."""
    match = matched(path, _NAME, "female1_angry_10a_1.wav: speaker, emotion, sentence, repetition")
    return Fields(
        emotion=look_up(path, "emotion", match["emotion"], _EMOTIONS),
        speaker=match["speaker"],
        gender=match["gender"],
        statement=match["sentence"],
        repetition=int(match["take"]),
        language="en-NZ",
    )


JL = Source(
    info=CorpusInfo(
        name="jl",
        title="JL corpus: emotional speech of New Zealand",
        licence="CC0 1.0",
        citation="James J, Tian L, Watson CI (2018). An Open Source Emotional Speech Corpus for Human Robot "
        "Interaction Applications. Proc. Interspeech 2018, 2768-2772.",
        languages=("en-NZ",),
        url="https://www.kaggle.com/datasets/tli725/jl-corpus",
        speakers=4,
        emotions=10,
        speech="acted",
        use="train and ship",
    ),
    clips=2400,
    how_to_get="Download it at https://www.kaggle.com/datasets/tli725/jl-corpus and unpack it.",
    parse=parse,
)
