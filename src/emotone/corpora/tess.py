"""TESS: OAF_back_angry.wav: actress, word, emotion."""

from pathlib import PurePosixPath

from emotone.corpora.base import CorpusInfo
from emotone.corpora.source import Fields, Source, look_up, parts_of

__all__ = ["TESS", "parse"]

_SPEAKERS = {"OAF": "64", "YAF": "26"}  # the older and the younger actress, and their ages
_MISSPELT = {"OA": "OAF"}  # the published corpus holds OA_bite_neutral.wav
_EMOTIONS = {
    "angry": "angry",
    "disgust": "disgust",
    "fear": "fearful",
    "happy": "happy",
    "neutral": "neutral",
    "ps": "surprised",  # "pleasant surprise"
    "sad": "sad",
}


def parse(path: PurePosixPath) -> Fields:
    """Read a name of TESS. Folders differ from copy to copy and are not read."""
    speaker, word, emotion = parts_of(path, "_", "speaker_word_emotion")
    speaker = _MISSPELT.get(speaker, speaker)
    return Fields(
        emotion=look_up(path, "emotion", emotion.lower(), _EMOTIONS),
        speaker=speaker,
        gender="female",
        statement=f"Say the word {word.lower()}",
        language="en-CA",
        extra={"age": look_up(path, "speaker", speaker, _SPEAKERS)},
    )


TESS = Source(
    info=CorpusInfo(
        name="tess",
        title="Toronto emotional speech set",
        licence="CC BY-NC-ND 4.0",
        citation="Pichora-Fuller MK, Dupuis K (2020). Toronto emotional speech set (TESS). Borealis. "
        "doi:10.5683/SP2/E8H2MF.",
        languages=("en-CA",),
        url="https://doi.org/10.5683/SP2/E8H2MF",
        speakers=2,
        emotions=7,
        speech="acted",
        use="test only",
    ),
    clips=2800,
    how_to_get="Download it at https://doi.org/10.5683/SP2/E8H2MF and unpack it.",
    parse=parse,
)
