"""RAVDESS: modality-channel-emotion-intensity-statement-repetition-actor, as in 03-01-06-01-02-01-12.wav."""

from collections.abc import Iterator
from pathlib import PurePosixPath

from emotone.corpora.base import CorpusInfo
from emotone.corpora.source import Fields, Source, look_up, parts_of
from emotone.emotions import EMOTIONS
from emotone.errors import CorpusError

__all__ = ["RAVDESS", "STATEMENTS", "expected", "parse", "wanted"]

STATEMENTS = {"01": "Kids are talking by the door", "02": "Dogs are sitting by the door"}

_PATTERN = "modality-channel-emotion-intensity-statement-repetition-actor"
_MODALITIES = {"01": "audio-video", "02": "video", "03": "audio"}
_CHANNELS = {"01": "speech", "02": "song"}
_EMOTIONS = {f"{code:02}": emotion for code, emotion in enumerate(EMOTIONS, start=1)}
_INTENSITIES = {"01": "normal", "02": "strong"}
_REPETITIONS = {"01": 1, "02": 2}
_ACTORS = {f"{actor:02}": ("female", "male")[actor % 2] for actor in range(1, 25)}


def parse(path: PurePosixPath) -> Fields:
    """Read a name of RAVDESS: speech or song, audio or video."""
    modality, channel, emotion, intensity, statement, repetition, actor = parts_of(path, "-", _PATTERN)
    fields = Fields(
        emotion=look_up(path, "emotion", emotion, _EMOTIONS),
        speaker=actor,
        gender=look_up(path, "actor", actor, _ACTORS),
        intensity=look_up(path, "intensity", intensity, _INTENSITIES),
        statement=look_up(path, "statement", statement, STATEMENTS),
        repetition=look_up(path, "repetition", repetition, _REPETITIONS),
        language="en",
        extra={
            "modality": look_up(path, "modality", modality, _MODALITIES),
            "channel": look_up(path, "channel", channel, _CHANNELS),
        },
    )
    if fields["emotion"] == "neutral" and intensity != "01":
        raise CorpusError(f"{path}: intensity {intensity!r} does not exist for neutral, which has 01 only")
    return fields


def wanted(path: PurePosixPath, fields: Fields) -> bool:
    """Keep speech, audio only: the 1,440 clips that the field calls RAVDESS."""
    return fields["extra"] == {"modality": "audio", "channel": "speech"}


def expected() -> Iterator[str]:
    """Yield the names, without suffix, of the 1,440 clips of audio-only speech."""
    for actor in _ACTORS:
        for emotion in _EMOTIONS:
            for intensity in _INTENSITIES if emotion != "01" else ("01",):
                for statement in STATEMENTS:
                    for repetition in _REPETITIONS:
                        yield f"03-01-{emotion}-{intensity}-{statement}-{repetition}-{actor}"


RAVDESS = Source(
    info=CorpusInfo(
        name="ravdess",
        title="Ryerson Audio-Visual Database of Emotional Speech and Song, speech, audio only",
        licence="CC BY-NC-SA 4.0",
        citation="Livingstone SR, Russo FA (2018). The Ryerson Audio-Visual Database of Emotional Speech and Song "
        "(RAVDESS). PLoS ONE 13(5): e0196391.",
        languages=("en",),
        url="https://zenodo.org/records/1188976",
        speakers=24,
        emotions=8,
        speech="acted",
        use="train and ship",
    ),
    clips=1440,
    how_to_get="Fetch it with `emotone corpora fetch ravdess`.",
    parse=parse,
    wanted=wanted,
    expected=expected,
)
