"""ASED: 01Neutral/n1-04-02-01-29.wav: emotion, sentence, repetition, gender, speaker."""

import re
from pathlib import PurePosixPath

from emotone.corpora.base import CorpusInfo
from emotone.corpora.source import Fields, Source, look_up, matched

__all__ = ["ASED", "parse"]

_EMOTIONS = {"n": "neutral", "f": "fearful", "h": "happy", "s": "sad", "a": "angry"}
_GENDERS = {"01": "female", "02": "male"}
_NAME = re.compile(
    r"(?P<emotion>[A-Za-z])\d-(?P<sentence>\d\d)-(?P<repetition>\d\d)-(?P<gender>\d\d)-(?P<speaker>\d\d)"
)


def parse(path: PurePosixPath) -> Fields:
    """Read a name of ASED, of which some begin with a capital."""
    match = matched(path, _NAME, "n1-04-02-01-29.wav: emotion, sentence, repetition, gender, speaker")
    return Fields(
        emotion=look_up(path, "emotion", match["emotion"].lower(), _EMOTIONS),
        speaker=match["speaker"],
        gender=look_up(path, "gender", match["gender"], _GENDERS),
        statement=match["sentence"],
        repetition=int(match["repetition"]),
        language="am",
    )


ASED = Source(
    info=CorpusInfo(
        name="ased",
        title="ASED: Amharic Speech Emotion Dataset",
        licence="not stated",
        citation="Retta EA, Almekhlafi E, Sutcliffe R, Mhamed M, Ali H, Feng J (2023). A New Amharic Speech Emotion "
        "Dataset and Classification Benchmark. ACM TALLIP 22(1). doi:10.1145/3529759.",
        languages=("am",),
        url="https://github.com/wgwangang/ASED_V1",
        speakers=65,
        emotions=5,
        speech="acted",
        use="test only",
    ),
    clips=2474,
    how_to_get="Clone https://github.com/wgwangang/ASED_V1.",
    parse=parse,
)
