"""EmoV-DB: bea/Angry/anger_1-28_0011.wav, or bea_Angry/...: speaker and emotion by folder, then the sentence."""

import re
from pathlib import PurePosixPath

from emotone.corpora.base import CorpusInfo
from emotone.corpora.source import Fields, Source, look_up, matched

__all__ = ["EMOVDB", "parse"]

_SPEAKERS = {"bea": "female", "jenie": "female", "josh": "male", "sam": "male"}
_EMOTIONS = {
    "amused": "amused",
    "anger": "angry",
    "angry": "angry",
    "disgust": "disgust",
    "disgusted": "disgust",
    "neutral": "neutral",
    "sleepiness": "sleepy",
    "sleepy": "sleepy",
}
_NAME = re.compile(r"[A-Za-z]+_\d+-\d+_(?P<sentence>\d{4})")


def parse(path: PurePosixPath) -> Fields:
    """Read a path of EmoV-DB in either layout. The sentences are CMU ARCTIC's, known by number."""
    match = matched(path, _NAME, "anger_1-28_0011.wav: emotion, range, sentence")
    folders = [word.lower() for part in path.parts[:-1] for word in part.split("_")]
    speaker, emotion = ([""] * 2 + folders)[-2:]
    return Fields(
        emotion=look_up(path, "emotion", emotion, _EMOTIONS),
        speaker=speaker,
        gender=look_up(path, "speaker", speaker, _SPEAKERS),
        statement=match["sentence"],
        language="en",
        extra={"file": path.stem},
    )


EMOVDB = Source(
    info=CorpusInfo(
        name="emovdb",
        title="EmoV-DB: Emotional Voices Database",
        licence="non-commercial research use",
        citation="Adigwe A, Tits N, El Haddad K, Ostadabbas S, Dutoit T (2018). The Emotional Voices Database: Towards "
        "Controlling the Emotion Dimension in Voice Generation Systems. arXiv:1806.09514.",
        languages=("en",),
        url="https://www.openslr.org/115/",
        speakers=4,
        emotions=5,
        speech="acted",
        use="train",
    ),
    clips=7000,
    how_to_get="Download it at https://www.openslr.org/115/ and unpack it, a folder for each speaker and emotion.",
    parse=parse,
)
