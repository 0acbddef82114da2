"""eNTERFACE'05: subject 1/anger/sentence 1/s1_an_1.avi: speaker, emotion, sentence."""

import re
from pathlib import PurePosixPath

from emotone.corpora.base import CorpusInfo
from emotone.corpora.source import Fields, Source, look_up
from emotone.errors import CorpusError

__all__ = ["ENTERFACE", "parse"]

_EMOTIONS = {"an": "angry", "di": "disgust", "fe": "fearful", "ha": "happy", "sa": "sad", "su": "surprised"}
_FOLDER = re.compile(r"subject[ _]?(?P<number>\d+)", re.IGNORECASE)
_NAME = re.compile(r"s_?\d+_(?P<emotion>[a-z]{2})(?:_(?P<sentence>\d))?(?:avi)?", re.IGNORECASE)


def parse(path: PurePosixPath) -> Fields:
    """Read a path of eNTERFACE'05. The speaker is the folder's: some names have another's number (subject 11's), an
    underscore too many (subject 3's) or no dot ("s16_su_3avi.avi"). Subject 6's sentences are not parted.
    """
    match = _NAME.fullmatch(path.stem)
    folder = next((found for part in path.parts[:-1] if (found := _FOLDER.fullmatch(part))), None)
    if not match or not folder:
        raise CorpusError(f"{path}: not like subject 1/anger/sentence 1/s1_an_1.avi: speaker, emotion, sentence")
    return Fields(
        emotion=look_up(path, "emotion", match["emotion"].lower(), _EMOTIONS),
        speaker=folder["number"],
        statement=match["sentence"],
        language="en",
        extra={"file": path.stem},
    )


ENTERFACE = Source(
    info=CorpusInfo(
        name="enterface",
        title="eNTERFACE'05 Audio-Visual Emotion Database",
        licence="research use",
        citation="Martin O, Kotsia I, Macq B, Pitas I (2006). The eNTERFACE'05 Audio-Visual Emotion Database. Proc. "
        "ICDE Workshops 2006.",
        languages=("en",),
        url="http://www.enterface.net/results/",
        speakers=44,
        emotions=6,
        speech="elicited",
        use="train",
    ),
    clips=1293,
    how_to_get="Download it at http://www.enterface.net/results/ and unpack it; its videos need pip install "
    "emotone[media].",
    parse=parse,
)
