"""TurEV-DB: Sound Source/Angry/1157_kz_acik.wav: speaker, emotion (two Turkish letters, and the folder), word."""

from pathlib import PurePosixPath

from emotone.corpora.base import CorpusInfo
from emotone.corpora.source import Fields, Source, look_up, parts_of

__all__ = ["TUREV", "parse"]

_EMOTIONS = {"angry": "angry", "calm": "calm", "happy": "happy", "sad": "sad"}


def parse(path: PurePosixPath) -> Fields:
    """Read a path of TurEV-DB, the emotion by its folder. Which speakers are the three women is not stated."""
    speaker, _, word = parts_of(path, "_", "speaker_emotion_word")
    return Fields(
        emotion=look_up(path, "emotion", path.parent.name.lower(), _EMOTIONS),
        speaker=speaker,
        statement=word,
        language="tr",
    )


TUREV = Source(
    info=CorpusInfo(
        name="turev",
        title="TurEV-DB: Turkish Emotion-Voice Database",
        licence="CC BY-NC-ND 4.0",
        citation="Canpolat SF, Ormanoglu Z, Zeyrek D (2020). Turkish Emotion Voice Database (TurEV-DB). Proc. "
        "SLTU-CCURL 2020, 368-375.",
        languages=("tr",),
        url="https://github.com/Xeonen/TurEV-DB",
        speakers=6,
        emotions=4,
        speech="acted",
        use="test only",
    ),
    clips=1735,
    how_to_get="Clone https://github.com/Xeonen/TurEV-DB.",
    parse=parse,
)
