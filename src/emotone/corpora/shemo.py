"""ShEMO: female/F01A02.wav: gender and number of the speaker, emotion, number."""

import re
from pathlib import PurePosixPath

from emotone.corpora.base import CorpusInfo
from emotone.corpora.source import Fields, Source, look_up, matched

__all__ = ["SHEMO", "parse"]

_GENDERS = {"F": "female", "M": "male"}
_EMOTIONS = {"A": "angry", "F": "fearful", "H": "happy", "N": "neutral", "S": "sad", "W": "surprised"}
_NAME = re.compile(r"(?P<speaker>(?P<gender>[A-Z])\d\d)(?P<emotion>[A-Z])(?P<number>\d+)")


def parse(path: PurePosixPath) -> Fields:
    """Read a name of ShEMO. What is said is not stated in it."""
    match = matched(path, _NAME, "F01A02.wav: speaker, emotion, number")
    return Fields(
        emotion=look_up(path, "emotion", match["emotion"], _EMOTIONS),
        speaker=match["speaker"],
        gender=look_up(path, "gender", match["gender"], _GENDERS),
        language="fa",
        extra={"number": match["number"]},
    )


SHEMO = Source(
    info=CorpusInfo(
        name="shemo",
        title="ShEMO: Sharif Emotional Speech Database",
        licence="academic use",
        citation="Mohamad Nezami O, Jamshid Lou P, Karami M (2019). ShEMO: a large-scale validated database for "
        "Persian speech emotion detection. Language Resources and Evaluation 53, 1-16. doi:10.1007/s10579-018-9427-x.",
        languages=("fa",),
        url="https://github.com/mansourehk/ShEMO",
        speakers=87,
        emotions=6,
        speech="radio plays",
        use="train",
    ),
    clips=3000,
    how_to_get="Download it as https://github.com/mansourehk/ShEMO says and unpack it.",
    parse=parse,
)
