"""CREMA-D: 1001_DFA_ANG_XX.wav: actor, sentence, emotion, intensity."""

from pathlib import PurePosixPath

from emotone.corpora.base import CorpusInfo
from emotone.corpora.source import Fields, Source, look_up, parts_of

__all__ = ["CREMAD", "parse", "wanted"]

_SENTENCES = {
    "IEO": "It's eleven o'clock",
    "TIE": "That is exactly what happened",
    "IOM": "I'm on my way to the meeting",
    "IWW": "I wonder what this is about",
    "TAI": "The airplane is almost full",
    "MTI": "Maybe tomorrow it will be cold",
    "IWL": "I would like a new alarm clock",
    "ITH": "I think I have a doctor's appointment",
    "DFA": "Don't forget a jacket",
    "ITS": "I think I've seen this before",
    "TSI": "The surface is slick",
    "WSI": "We'll stop in a couple of minutes",
}
_EMOTIONS = {
    "ANG": "angry",
    "DIS": "disgust",
    "FEA": "fearful",
    "HAP": "happy",
    "NEU": "neutral",
    "SAD": "sad",
}
# XX: unspecified. X: so spelt in 1040_ITH_SAD_X.wav of the published corpus.
_INTENSITIES = {"LO": "low", "MD": "medium", "HI": "high", "XX": None, "X": None}
# From the corpus's VideoDemographics.csv.
_WOMEN = frozenset(
    "1002 1003 1004 1006 1007 1008 1009 1010 1012 1013 1018 1020 1021 1024 1025 "  # noqa: SIM905
    "1028 1029 1030 1037 1043 1046 1047 1049 1052 1053 1054 1055 1056 1058 1060 "
    "1061 1063 1072 1073 1074 1075 1076 1078 1079 1082 1084 1089 1091".split()
)
_ACTORS = {str(actor): "female" if str(actor) in _WOMEN else "male" for actor in range(1001, 1092)}


def parse(path: PurePosixPath) -> Fields:
    """Read a name of CREMA-D."""
    actor, sentence, emotion, intensity = parts_of(path, "_", "actor_sentence_emotion_intensity")
    return Fields(
        emotion=look_up(path, "emotion", emotion, _EMOTIONS),
        speaker=actor,
        gender=look_up(path, "actor", actor, _ACTORS),
        intensity=look_up(path, "intensity", intensity, _INTENSITIES),
        statement=look_up(path, "sentence", sentence, _SENTENCES),
        language="en-US",
    )


def wanted(path: PurePosixPath, fields: Fields) -> bool:
    """Leave out the lossy copies in AudioMP3: the same recordings as in AudioWAV."""
    return "AudioMP3" not in path.parts


CREMAD = Source(
    info=CorpusInfo(
        name="cremad",
        title="CREMA-D: Crowd-sourced Emotional Multimodal Actors Dataset",
        licence="ODbL 1.0, its contents DbCL 1.0",
        citation="Cao H, Cooper DG, Keutmann MK, Gur RC, Nenkova A, Verma R (2014). CREMA-D: Crowd-sourced Emotional "
        "Multimodal Actors Dataset. IEEE Transactions on Affective Computing 5(4), 377-390.",
        languages=("en-US",),
        url="https://github.com/CheyneyComputerScience/CREMA-D",
        speakers=91,
        emotions=6,
        speech="acted",
        use="train and ship",
    ),
    clips=7442,
    how_to_get="Clone https://github.com/CheyneyComputerScience/CREMA-D with git-lfs; its folder AudioWAV is enough.",
    parse=parse,
    wanted=wanted,
)
