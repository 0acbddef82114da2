"""IESC: Speaker-1/Anger/1.wav: speaker and emotion by folder."""

import re
from pathlib import PurePosixPath

from emotone.corpora.base import CorpusInfo
from emotone.corpora.source import Fields, Source, look_up
from emotone.errors import CorpusError

__all__ = ["IESC", "parse"]

_EMOTIONS = {"anger": "angry", "fear": "fearful", "happy": "happy", "neutral": "neutral", "sad": "sad"}
_SPEAKER = re.compile(r"Speaker[-_ ]?(?P<number>\d+)", re.IGNORECASE)


def parse(path: PurePosixPath) -> Fields:
    """Read a path of IESC. Which of the speakers are the three women is not stated."""
    match = _SPEAKER.fullmatch(path.parent.parent.name)
    if not match:
        raise CorpusError(f"{path}: does not lie in folders like Speaker-1/Anger: speaker and emotion")
    return Fields(
        emotion=look_up(path, "emotion", path.parent.name.lower(), _EMOTIONS),
        speaker=match["number"],
        language="en-IN",
        extra={"file": path.stem},
    )


IESC = Source(
    info=CorpusInfo(
        name="iesc",
        title="IESC: Indian Emotional Speech Corpora",
        licence="not stated",
        citation="Singh YB, Goel S (2021). Indian Emotional Speech Corpora (IESC). Kaggle.",
        languages=("en-IN",),
        url="https://www.kaggle.com/datasets/ybsingh/indian-emotional-speech-corpora-iesc",
        speakers=8,
        emotions=5,
        speech="acted",
        use="test only",
    ),
    clips=600,
    how_to_get="Download it at https://www.kaggle.com/datasets/ybsingh/indian-emotional-speech-corpora-iesc.",
    parse=parse,
)
