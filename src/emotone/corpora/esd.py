"""ESD: 0011/Angry/0011_000351.wav: speaker, and a number that counts through the emotions, which the folder names."""

import re
from pathlib import PurePosixPath

from emotone.corpora.base import CorpusInfo
from emotone.corpora.source import Fields, Source, look_up, matched

__all__ = ["ESD", "parse"]

_EMOTIONS = {"neutral": "neutral", "angry": "angry", "happy": "happy", "sad": "sad", "surprise": "surprised"}
_MEN = (4, 5, 6, 8, 10, 11, 12, 13, 14, 20)
_SPEAKERS = {f"{number:04d}": "male" if number in _MEN else "female" for number in range(1, 21)}
_SENTENCES = 350  # each said in every emotion
_CHINESE = 10  # the first speakers
_NAME = re.compile(r"(?P<speaker>\d{4})_(?P<number>\d{6})")


def parse(path: PurePosixPath) -> Fields:
    """Read a path of ESD, with or without its folders of training, evaluation and test."""
    match = matched(path, _NAME, "0011_000351.wav: speaker and number")
    folder = next((part for part in reversed(path.parts[:-1]) if part.lower() in _EMOTIONS), path.parent.name)
    return Fields(
        emotion=look_up(path, "emotion", folder.lower(), _EMOTIONS),
        speaker=match["speaker"],
        gender=look_up(path, "speaker", match["speaker"], _SPEAKERS),
        statement=str((int(match["number"]) - 1) % _SENTENCES + 1),
        language="zh" if int(match["speaker"]) <= _CHINESE else "en",
    )


ESD = Source(
    info=CorpusInfo(
        name="esd",
        title="ESD: Emotional Speech Database",
        licence="research use, after an agreement",
        citation="Zhou K, Sisman B, Liu R, Li H (2022). Emotional voice conversion: Theory, databases and ESD. Speech "
        "Communication 137, 1-18.",
        languages=("zh", "en"),
        url="https://hltsingapore.github.io/ESD/",
        speakers=20,
        emotions=5,
        speech="acted",
        use="train",
    ),
    clips=35_000,
    how_to_get="Sign its agreement at https://hltsingapore.github.io/ESD/ and unpack it.",
    parse=parse,
)
