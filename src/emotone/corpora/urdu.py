"""URDU: Angry/SM1_F1_A01.wav: speaker, the speaker's file, emotion and the emotion's file."""

import re
from pathlib import PurePosixPath

from emotone.corpora.base import CorpusInfo
from emotone.corpora.source import Fields, Source, look_up, matched

__all__ = ["URDU", "parse"]

_GENDERS = {"SM": "male", "SF": "female"}
_EMOTIONS = {"A": "angry", "H": "happy", "N": "neutral", "S": "sad"}
_NAME = re.compile(r"(?P<speaker>(?P<gender>[A-Z]+)\d+)_F\d+_(?P<emotion>[A-Z])0*(?P<number>\d+)")


def parse(path: PurePosixPath) -> Fields:
    """Read a name of URDU. What is said is not stated: each file is cut from a talk show."""
    match = matched(path, _NAME, "SM1_F1_A01.wav: speaker, file, emotion and number")
    return Fields(
        emotion=look_up(path, "emotion", match["emotion"], _EMOTIONS),
        speaker=match["speaker"],
        gender=look_up(path, "speaker", match["gender"], _GENDERS),
        language="ur",
        extra={"number": match["number"]},
    )


URDU = Source(
    info=CorpusInfo(
        name="urdu",
        title="URDU: emotional utterances from Urdu talk shows",
        licence="research use only",
        citation="Latif S, Qayyum A, Usman M, Qadir J (2018). Cross Lingual Speech Emotion Recognition: Urdu vs. "
        "Western Languages. Proc. FIT 2018, 88-93.",
        languages=("ur",),
        url="https://github.com/siddiquelatif/URDU-Dataset",
        speakers=38,
        emotions=4,
        speech="talk shows",
        use="test only",
    ),
    clips=400,
    how_to_get="Clone https://github.com/siddiquelatif/URDU-Dataset.",
    parse=parse,
)
