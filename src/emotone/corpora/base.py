"""What a corpus is: utterances with what their names state, and where they come from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from emotone.audio.part import Part

__all__ = ["Corpus", "CorpusInfo", "Utterance"]


@dataclass(frozen=True, slots=True)
class Utterance:
    """One recording of one speaker, with what its name or manifest states.

    Attributes:
        path: the audio file.
        corpus: the corpus's name.
        clip: the clip's identity in the corpus: its path without root and suffix, `/` between folders. The same for
            a `.wav` and its `.flac` copy.
        emotion: one of `emotone.emotions.EMOTIONS`, or a corpus's own further one.
        speaker: the speaker's identity in the corpus; None where unknown.
        gender: "female", "male" or None.
        intensity: "normal", "strong" or the corpus's own term.
        statement: what is said: an identity or the text.
        repetition: which take, from 1.
        language: BCP 47 tag.
        start, end: of the utterance in its file, in seconds; `end` is None where it goes on to the file's end.
        channel: of the file, from 0, that is the recording; None for all of them, mixed.
        extra: whatever else the name or manifest states.
    """

    path: Path
    corpus: str
    clip: str
    emotion: str
    speaker: str | None = None
    gender: str | None = None
    intensity: str | None = None
    statement: str | None = None
    repetition: int | None = None
    language: str | None = None
    start: float = 0.0
    end: float | None = None
    channel: int | None = None
    extra: Mapping[str, str] = field(default_factory=dict)

    @property
    def part(self) -> Part:
        """What of its file the utterance is."""
        return Part(self.path, self.start, self.end, self.channel)


@dataclass(frozen=True)
class CorpusInfo:
    """Where a corpus comes from and on what terms."""

    name: str
    title: str
    licence: str
    citation: str
    languages: tuple[str, ...]
    url: str
    synthetic: bool = False
    speakers: int | None = None
    emotions: int | None = None
    speech: str = ""
    """How it came about: acted, elicited, of the radio."""
    use: Literal["train and ship", "train", "test only"] = "train"
    """What its terms let be done with it: models trained on it given away; trained for oneself; only measured."""


@dataclass(frozen=True)
class Corpus:
    """A corpus found on disk: its description, its folder, its utterances sorted by clip.

    `tested` is for corpora that are joined to train on some and test on the others: those that are tested on, as the
    utterances' `corpus` names them. `notes` are for the user: what was read another way than it is written.
    """

    info: CorpusInfo
    root: Path
    utterances: tuple[Utterance, ...]
    tested: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
