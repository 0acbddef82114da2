"""Whose speech is whose in what `emotone predict --adapt` is given, and a recogniser that knows each voice."""

from collections.abc import Hashable, Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from emotone.errors import AudioError, UsageError, unknown

if TYPE_CHECKING:
    from emotone.recognition.asked import Asked, Channels
    from emotone.recognition.recognizer import Options, Recognizer

__all__ = ["VOICES", "by_voice", "check_voices"]

VOICES = ("recording", "folder", "speaker")
"""What may be of one voice."""
_ENOUGH = 8  # windows of speech: as evaluation has it, fewer may all be of one emotion, taken for the voice


def check_voices(by: str | None, asked: "Sequence[Asked]") -> None:
    """Refuse what is no kind of voice, and speakers where none are stated."""
    if by is None:
        return
    if by not in VOICES:
        raise unknown("voice", by, VOICES, where="--adapt")
    if by == "speaker" and (nameless := next((each for each in asked if each.speaker is None), None)):
        raise UsageError(
            f"--adapt speaker: {nameless.name} states none. Give a table with a column `speaker`, or --segments-from."
        )


def by_voice(
    asked: "Sequence[Asked]",
    channels: "Channels",
    recogniser: "Recognizer",
    by: str | None,
    options: "Options",
    *,
    diarised: bool,
) -> "Iterator[tuple[Recognizer, list[Asked]]]":
    """Yield, in their order, recordings of one voice that follow each other, and the recogniser that knows it.

    A voice is known by all its recordings, which are listened to before the first of them is answered, and forgotten
    after the last. One with fewer than 8 windows of speech is answered as it comes, which is said.

    Args:
        asked: the recordings.
        channels: which of theirs are voices of their own.
        recogniser: for anybody.
        by: one of `VOICES`; None for no voice at all.
        options: of the answers; their window and hop hold for listening too.
        diarised: whether speakers are an RTTM's, whose names hold within one recording.
    """
    if by is None:
        yield recogniser, list(asked)
        return
    from emotone.recognition.asked import kept, split_by_channels

    parts = [part for one in asked for part in split_by_channels(kept(one), channels)]
    voices: dict[Hashable, list[Asked]] = {}
    for part in parts:
        voices.setdefault(_voice(part, by, diarised=diarised), []).append(part)
    left = {voice: len(its) for voice, its in voices.items()}
    known: dict[Hashable, Recognizer] = {}
    for voice, each in groupby(parts, key=lambda part: _voice(part, by, diarised=diarised)):
        group = list(each)
        if voice not in known:
            known[voice] = _acquainted(recogniser, voices[voice], options)
        left[voice] -= len(group)
        yield (known[voice] if left[voice] else known.pop(voice)), group


def _acquainted(recogniser: "Recognizer", parts: "Sequence[Asked]", options: "Options") -> "Recognizer":
    """Return a recogniser that knows the voice of these recordings, or the same where there is too little speech."""
    from emotone.bundle.adaptation import Moments
    from emotone.cli.terminal import warn

    heard = Moments()
    for part in parts:
        try:
            found = recogniser.embed(part.part, window=options.get("window"), hop=options.get("hop"))
        except AudioError:  # which is said when it is answered
            continue
        heard.add(found.vectors)
    if heard.count >= _ENOUGH:
        return recogniser.knowing(heard)
    others = f" and {len(parts) - 1} more of the same voice" if len(parts) > 1 else ""
    warn(
        f"emotone: {parts[0].name}{others}: too little speech to know the voice by, {heard.count} of at least "
        f"{_ENOUGH} windows; answered as it comes"
    )
    return recogniser


def _voice(part: "Asked", by: str, *, diarised: bool) -> Hashable:
    """Return what tells a voice from others; a channel of a recording is a voice of its own."""
    if by == "speaker":
        return (part.name, part.speaker) if diarised else part.speaker
    return (part.name if by == "recording" else part.name.rpartition("/")[0]), part.channel
