"""EMO-DB: wav/03a01Fa.wav: speaker, sentence, emotion (a German initial), version."""

import re
from pathlib import PurePosixPath

from emotone.corpora.base import CorpusInfo
from emotone.corpora.source import Fields, Source, look_up, matched

__all__ = ["EMODB", "parse"]

_SPEAKERS = {
    "03": ("male", "31"),
    "08": ("female", "34"),
    "09": ("female", "21"),
    "10": ("male", "32"),
    "11": ("male", "26"),
    "12": ("male", "30"),
    "13": ("female", "32"),
    "14": ("female", "35"),
    "15": ("male", "25"),
    "16": ("female", "31"),
}
_SENTENCES = {
    "a01": "Der Lappen liegt auf dem Eisschrank.",
    "a02": "Das will sie am Mittwoch abgeben.",
    "a04": "Heute abend könnte ich es ihm sagen.",
    "a05": "Das schwarze Stück Papier befindet sich da oben neben dem Holzstück.",
    "a07": "In sieben Stunden wird es soweit sein.",
    "b01": "Was sind denn das für Tüten, die da unter dem Tisch stehen?",
    "b02": "Sie haben es gerade hochgetragen und jetzt gehen sie wieder runter.",
    "b03": "An den Wochenenden bin ich jetzt immer nach Hause gefahren und habe Agnes besucht.",
    "b09": "Ich will das eben wegbringen und dann mit Karl was trinken gehen.",
    "b10": "Die wird auf dem Platz sein, wo wir sie immer hinlegen.",
}
_EMOTIONS = {
    "W": "angry",  # Wut
    "L": "bored",  # Langeweile
    "E": "disgust",  # Ekel
    "A": "fearful",  # Angst
    "F": "happy",  # Freude
    "T": "sad",  # Trauer
    "N": "neutral",
}
_NAME = re.compile(r"(?P<speaker>\d\d)(?P<sentence>[a-z]\d\d)(?P<emotion>[A-Z])(?P<version>[a-z])")


def parse(path: PurePosixPath) -> Fields:
    """Read a name of EMO-DB. Versions are lettered and not all were kept: "c" can be the only one."""
    match = matched(path, _NAME, "03a01Fa.wav: speaker, sentence, emotion, version")
    gender, age = look_up(path, "speaker", match["speaker"], _SPEAKERS)
    return Fields(
        emotion=look_up(path, "emotion", match["emotion"], _EMOTIONS),
        speaker=match["speaker"],
        gender=gender,
        statement=look_up(path, "sentence", match["sentence"], _SENTENCES),
        repetition=ord(match["version"]) - ord("a") + 1,
        language="de",
        extra={"age": age},
    )


EMODB = Source(
    info=CorpusInfo(
        name="emodb",
        title="EMO-DB: Berlin Database of Emotional Speech",
        licence="CC0 1.0",
        citation="Burkhardt F, Paeschke A, Rolfes M, Sendlmeier WF, Weiss B (2005). A Database of German Emotional "
        "Speech. Proc. Interspeech 2005, 1517-1520.",
        languages=("de",),
        url="http://emodb.bilderbar.info/",
        speakers=10,
        emotions=7,
        speech="acted",
        use="train and ship",
    ),
    clips=535,
    how_to_get="Download http://emodb.bilderbar.info/download/download.zip and unpack it.",
    parse=parse,
)
