"""Times in manifests: seconds, and the ways in which tables write durations."""

import math
import re

from emotone.errors import CorpusError

__all__ = ["clip_times", "stretch"]

_CLOCK = re.compile(r"(?:(\d+) days?,? )?(?:(\d+):)?(\d{1,2}):(\d{1,2}(?:[.,]\d+)?)")


def stretch(start: str, end: str, *, where: str) -> tuple[float, float | None]:
    """Return the stretch that two cells name, in seconds; its end is None where that is the file's.

    Args:
        start, end: seconds ("1.5", "1,5"), a clock ("0:01.5", "00:00:01.5"), or what pandas makes of a duration
            ("0 days 00:00:01.500000"); empty for the file's beginning and end.
        where: what an error begins with.

    Raises:
        CorpusError: neither; an end that does not lie after its start.
    """
    first = _seconds("start", start, where) if start else 0.0
    last = _seconds("end", end, where) if end else None
    if last is not None and last <= first:
        raise CorpusError(f"{where}: end {end!r} does not lie after start {start or '0'!r}")
    return first, last


def clip_times(start: float, end: float | None) -> str:
    """Return how a stretch is written behind the name of its file; nothing for a whole one.

    >>> clip_times(1.5, 3.25), clip_times(2, None), clip_times(0, None)
    ('[1.5-3.25]', '[2-]', '')
    """
    if start == 0 and end is None:
        return ""
    return f"[{_short(start)}-{'' if end is None else _short(end)}]"


def _short(seconds: float) -> str:
    return f"{seconds:.4f}".rstrip("0").rstrip(".")


def _seconds(name: str, text: str, where: str) -> float:
    clock = _CLOCK.fullmatch(text)
    if clock:
        days, hours, minutes, seconds = clock.groups()
        whole = int(days or 0) * 86_400 + int(hours or 0) * 3600 + int(minutes) * 60
        return whole + float(seconds.replace(",", "."))
    try:
        value = float(text.replace(",", ".") if text.count(",") == 1 else text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or value < 0:
        raise CorpusError(f"{where}: {name} {text!r} is no time; allowed: seconds from 0, or hours:minutes:seconds")
    return value
