"""EmoGator: data/mp3/000001-03-2.mp3: contributor, category, instance: vocal bursts, no words."""

from pathlib import PurePosixPath

from emotone.corpora.base import CorpusInfo
from emotone.corpora.source import Fields, Source, look_up, parts_of

__all__ = ["EMOGATOR", "parse"]

_EMOTIONS = dict(
    zip(
        (f"{number:02d}" for number in range(1, 31)),
        (
            "adoration", "amusement", "angry", "awe", "confusion", "contempt", "contentment", "desire",
            "disappointment", "disgust", "distress", "ecstasy", "elation", "embarrassment", "fearful", "guilt",
            "interest", "neutral", "pain", "pride", "realization", "relief", "romantic love", "sad", "serenity",
            "shame", "surprised", "surprised", "sympathy", "triumph",
        ),
        strict=True,
    )
)  # fmt: skip
_TONE = {"27": "negative", "28": "positive"}  # of the surprise
_TAKES = {"1": 1, "2": 2, "3": 3}


def parse(path: PurePosixPath) -> Fields:
    """Read a name of EmoGator. Both of its surprises are "surprised"; `extra` tells them apart."""
    contributor, category, take = parts_of(path, "-", "contributor-category-instance")
    return Fields(
        emotion=look_up(path, "category", category, _EMOTIONS),
        speaker=contributor,
        repetition=look_up(path, "instance", take, _TAKES),
        language="zxx",  # no linguistic content
        extra={"surprise": _TONE[category]} if category in _TONE else {},
    )


EMOGATOR = Source(
    info=CorpusInfo(
        name="emogator",
        title="EmoGator: vocal bursts in 30 categories",
        licence="not stated",
        citation="Buhl F (2023). EmoGator: A New Open Source Vocal Burst Dataset with Baseline Machine Learning "
        "Classification Methodologies. arXiv:2301.00508.",
        languages=("zxx",),
        url="https://github.com/fredbuhl/EmoGator",
        speakers=357,
        emotions=29,
        speech="acted",
        use="test only",
    ),
    clips=32_130,
    how_to_get="Clone https://github.com/fredbuhl/EmoGator.",
    parse=parse,
)
