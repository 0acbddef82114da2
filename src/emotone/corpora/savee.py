"""SAVEE: ALL/DC_a01.wav or AudioData/DC/a01.wav: speaker, then emotion and sentence number."""

import re
from pathlib import PurePosixPath

from emotone.corpora.base import CorpusInfo
from emotone.corpora.source import Fields, Source, look_up
from emotone.errors import CorpusError

__all__ = ["SAVEE", "parse"]

_SPEAKERS = dict.fromkeys(("DC", "JE", "JK", "KL"), "male")
_EMOTIONS = {
    "a": "angry",
    "d": "disgust",
    "f": "fearful",
    "h": "happy",
    "n": "neutral",
    "sa": "sad",
    "su": "surprised",
}
_NAME = re.compile(r"(?:(?P<speaker>[^_]+)_)?(?P<emotion>[A-Za-z]+)(?P<number>\d\d)")


def parse(path: PurePosixPath) -> Fields:
    """Read a name of SAVEE in either layout. The sentences are known by number only: `statement` is "a01"."""
    match = _NAME.fullmatch(path.stem)
    if not match:
        raise CorpusError(f"{path}: the name is neither like DC_a01.wav nor like DC/a01.wav")
    speaker = match["speaker"] or path.parent.name
    return Fields(
        emotion=look_up(path, "emotion", match["emotion"], _EMOTIONS),
        speaker=speaker,
        gender=look_up(path, "speaker", speaker, _SPEAKERS),
        statement=match["emotion"] + match["number"],
        language="en-GB",
    )


SAVEE = Source(
    info=CorpusInfo(
        name="savee",
        title="Surrey Audio-Visual Expressed Emotion database",
        licence="research use only, after registration with the University of Surrey",
        citation="Haq S, Jackson PJB (2010). Multimodal Emotion Recognition. In: Wang W (ed.), Machine Audition: "
        "Principles, Algorithms and Systems. IGI Global, 398-423.",
        languages=("en-GB",),
        url="http://kahlan.eps.surrey.ac.uk/savee/",
        speakers=4,
        emotions=7,
        speech="acted",
        use="train",
    ),
    clips=480,
    how_to_get="Register at http://kahlan.eps.surrey.ac.uk/savee/ and unpack its audio.",
    parse=parse,
)
