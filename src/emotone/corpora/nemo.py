"""nEMO: samples/EB0_anger_12.wav: speaker, emotion, sentence."""

from pathlib import PurePosixPath

from emotone.corpora.base import CorpusInfo
from emotone.corpora.source import Fields, Source, look_up, parts_of

__all__ = ["NEMO", "parse"]

_SPEAKERS = {
    "EB0": ("female", "27"),
    "IC0": ("female", "28"),
    "KD0": ("female", "28"),
    "KS0": ("male", "23"),
    "MK0": ("female", "23"),
    "MP0": ("male", "24"),
    "SM0": ("male", "24"),
    "TP0": ("male", "26"),
    "WR0": ("male", "23"),
}
_EMOTIONS = {
    "anger": "angry",
    "fear": "fearful",
    "happiness": "happy",
    "neutral": "neutral",
    "sadness": "sad",
    "surprised": "surprised",
}


def parse(path: PurePosixPath) -> Fields:
    """Read a name of nEMO. The sentences' texts stand in its data.tsv, which is not read; their numbers are the same
    for all speakers.
    """
    speaker, emotion, sentence = parts_of(path, "_", "speaker_emotion_sentence")
    gender, age = look_up(path, "speaker", speaker, _SPEAKERS)
    return Fields(
        emotion=look_up(path, "emotion", emotion, _EMOTIONS),
        speaker=speaker,
        gender=gender,
        statement=sentence,
        language="pl",
        extra={"age": age},
    )


NEMO = Source(
    info=CorpusInfo(
        name="nemo",
        title="nEMO: Dataset of Emotional Speech in Polish",
        licence="CC BY-NC-SA 4.0",
        citation="Christop I (2024). nEMO: Dataset of Emotional Speech in Polish. Proc. LREC-COLING 2024, 12111-12116.",
        languages=("pl",),
        url="https://huggingface.co/datasets/amu-cai/nEMO",
        speakers=9,
        emotions=6,
        speech="acted",
        use="train and ship",
    ),
    clips=4481,
    how_to_get="Run `hf download --repo-type dataset amu-cai/nEMO`, or clone https://github.com/amu-cai/nEMO.",
    parse=parse,
)
