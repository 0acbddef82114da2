"""EMOVO: f1/dis-f1-b1.wav: emotion (three Italian letters), speaker, sentence."""

from pathlib import PurePosixPath

from emotone.corpora.base import CorpusInfo
from emotone.corpora.source import Fields, Source, look_up, parts_of

__all__ = ["EMOVO", "parse"]

_SPEAKERS = {"f1": "female", "f2": "female", "f3": "female", "m1": "male", "m2": "male", "m3": "male"}
_EMOTIONS = {
    "dis": "disgust",  # disgusto
    "gio": "happy",  # gioia
    "neu": "neutral",
    "pau": "fearful",  # paura
    "rab": "angry",  # rabbia
    "sor": "surprised",  # sorpresa
    "tri": "sad",  # tristezza
}
_SENTENCES = dict.fromkeys(
    ("b1", "b2", "b3", "l1", "l2", "l3", "l4", "n1", "n2", "n3", "n4", "n5", "d1", "d2")
)  # short, long, nonsense, questions


def parse(path: PurePosixPath) -> Fields:
    """Read a name of EMOVO. The sentences are known by their codes only."""
    emotion, speaker, sentence = parts_of(path, "-", "emotion-speaker-sentence")
    look_up(path, "sentence", sentence, _SENTENCES)
    return Fields(
        emotion=look_up(path, "emotion", emotion, _EMOTIONS),
        speaker=speaker,
        gender=look_up(path, "speaker", speaker, _SPEAKERS),
        statement=sentence,
        language="it",
    )


EMOVO = Source(
    info=CorpusInfo(
        name="emovo",
        title="EMOVO: an Italian Emotional Speech Database",
        licence="research use",
        citation="Costantini G, Iaderola I, Paoloni A, Todisco M (2014). EMOVO Corpus: an Italian Emotional Speech "
        "Database. Proc. LREC 2014, 3501-3504.",
        languages=("it",),
        url="http://voice.fub.it/activities/corpora/emovo/index.html",
        speakers=6,
        emotions=7,
        speech="acted",
        use="train",
    ),
    clips=588,
    how_to_get="Download it at http://voice.fub.it/activities/corpora/emovo/index.html and unpack it.",
    parse=parse,
    channel=0,  # a microphone on each: their mean would be a comb filter
)
