"""What is asked about a recording, and the answer: the whole of it, a stretch, a channel, all that one speaker says."""

import io
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import BinaryIO, Literal

from emotone.audio import Part, name_of, open_blocks
from emotone.errors import EmotoneError
from emotone.recognition.formats import Answer
from emotone.recognition.result import Result, combine

__all__ = ["Asked", "Channels", "answer", "kept", "split_by_channels", "with_speakers"]

Channels = tuple[int, ...] | None
"""Which channels are to be listened to by themselves: none, the mix of all, is None; () is each."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A recording, or a part of one: what to call it, where it is (as text, a URL), and who speaks.

    A name that is no text, as file systems allow, is made one.
    """

    name: str
    source: Path | str | bytes | BinaryIO
    start: float = 0.0
    end: float | None = None
    channel: int | None = None
    speaker: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", self.name.encode(errors="backslashreplace").decode())

    @property
    def is_stretch(self) -> bool:
        """Whether it is less than the whole length of a recording."""
        return self.start > 0 or self.end is not None

    @property
    def part(self) -> Part:
        """The same for a recogniser."""
        return Part(self.source, self.start, self.end, self.channel)


def split_by_channels(asked: Asked, channels: Channels) -> list[Asked]:
    """Return the channels of a recording that are to be listened to by themselves."""
    if channels is None or asked.channel is not None:
        return [asked]
    whole = kept(asked)
    if not channels:
        try:
            with open_blocks(whole.source, strict=False) as recording:
                channels = tuple(range(recording.channels))
        except EmotoneError:
            return [whole]  # which is said when it is read
    return [replace(whole, channel=channel) for channel in channels]


def kept(asked: Asked) -> Asked:
    """Return the same of a source that can be opened more than once: what comes through a pipe is read."""
    source = asked.source
    if isinstance(source, str | bytes | io.BytesIO):
        return asked
    if not isinstance(source, Path):
        return replace(asked, source=source.read())
    try:
        piped = stat.S_ISFIFO(source.stat().st_mode)
        return replace(asked, source=source.read_bytes()) if piped else asked
    except (OSError, ValueError):
        return asked


def answer(one: Asked, result: Result | EmotoneError) -> Answer:
    """Return what came of a part."""
    scope: Literal["recording", "stretch"] = "stretch" if one.is_stretch else "recording"
    if isinstance(result, Result):
        return Answer(one.name, result, speaker=one.speaker, channel=one.channel, scope=scope)
    reason = str(result).removeprefix(f"{name_of(one.source)}: ")
    return Answer(one.name, None, reason, one.speaker, one.channel, scope, one.start, one.end)


def with_speakers(answers: Iterable[Answer], min_confidence: float | None) -> Iterator[Answer]:
    """Add, after the stretches of a recording, an answer for each speaker in it, on each channel heard by itself."""
    for _, group in groupby(answers, key=lambda answer: answer.file):
        by_speaker: dict[tuple[str, int], list[Answer]] = {}
        for each in group:
            yield each
            if each.scope == "stretch" and each.speaker is not None and each.result:
                by_speaker.setdefault((each.speaker, -1 if each.channel is None else each.channel), []).append(each)
        for _, stretches in sorted(by_speaker.items()):
            results = [each.result for each in stretches if each.result]
            whole = combine(results, min_confidence=min_confidence)
            yield replace(stretches[0], result=whole, scope="speaker")
