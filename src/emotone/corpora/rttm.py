"""Who speaks when, as diarisers write it: RTTM (NIST, Rich Transcription 2009 evaluation plan, appendix A)."""

import math
from dataclasses import dataclass
from pathlib import Path

from emotone.errors import CorpusError

__all__ = ["Turn", "read_rttm"]


@dataclass(frozen=True, slots=True)
class Turn:
    """A stretch in which one speaker speaks: times in seconds, the channel from 1."""

    channel: int
    start: float
    end: float
    speaker: str


def read_rttm(path: Path) -> dict[str, list[Turn]]:
    """Return the turns of each file by its identity there, in their order.

    Lines of other kinds than SPEAKER, comments, and turns without length are passed over.

    Raises:
        CorpusError: no such file; a line that is none of RTTM; no turn in it.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except FileNotFoundError:
        raise CorpusError(f"{path}: no such file") from None
    except OSError as error:
        raise CorpusError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise CorpusError(f"{path}: not UTF-8 text (byte {error.start})") from None
    turns: dict[str, list[Turn]] = {}
    for number, line in enumerate(lines, start=1):
        fields = line.split()
        if not fields or fields[0].startswith(";;"):
            continue
        if len(fields) < 9:
            raise CorpusError(
                f"{path}: line {number}: {len(fields)} fields; RTTM has SPEAKER, file, channel, start, duration, <NA>, "
                "<NA>, speaker, <NA>"
            )
        if fields[0] == "SPEAKER" and (turn := _turn(fields, f"{path}: line {number}")):
            turns.setdefault(fields[1], []).append(turn)
    if not turns:
        raise CorpusError(f"{path}: no line begins with SPEAKER")
    return {file: sorted(each, key=lambda turn: (turn.start, turn.end)) for file, each in turns.items()}


def _turn(fields: list[str], where: str) -> Turn | None:
    try:
        channel, start, length = int(fields[2]), float(fields[3]), float(fields[4])
    except ValueError:
        channel, start, length = 0, math.nan, math.nan
    if channel < 1 or not (0 <= start < math.inf and 0 <= length < math.inf):
        raise CorpusError(
            f"{where}: channel {fields[2]}, start {fields[3]}, duration {fields[4]}; allowed: a channel from 1, "
            "seconds from 0"
        )
    return Turn(channel, start, start + length, fields[7]) if start + length > start else None
