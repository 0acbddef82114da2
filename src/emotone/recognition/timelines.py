"""The timeline of one recording for players and annotation programs: Audacity, WebVTT, SubRip, Praat and ELAN, RTTM."""

from collections.abc import Iterable, Sequence
from pathlib import PurePath

from emotone.recognition.formats import Answer
from emotone.recognition.result import SILENCE, Segment

__all__ = ["timeline"]


def timeline(answers: Sequence[Answer], form: str, *, name: str | None = None) -> str:
    """Return a recording's timeline.

    Args:
        answers: of the recording: one, or one for each of its stretches or channels; those without result are left out.
        form: one of `FORMATS` that holds a timeline.
        name: of the recording, in RTTM. [default: its file's, without ending]
    """
    told = [answer for answer in answers if answer.result and answer.scope != "speaker"]
    if form == "rttm":
        return _rttm(told, name)
    return {"audacity": _audacity, "vtt": _vtt, "srt": _srt, "textgrid": _textgrid}[form](told)


def _spoken(answers: Iterable[Answer]) -> list[tuple[Answer, Segment]]:
    """Return all segments of speech, in the order of their beginnings."""
    segments = [(answer, each) for answer in answers if answer.result for each in answer.result.segments]
    return sorted((pair for pair in segments if pair[1].emotion != SILENCE), key=lambda pair: pair[1].start)


def _who(answer: Answer) -> str:
    """Return what a part is called; nothing for a whole recording."""
    channel = None if answer.channel is None else f"channel {answer.channel}"
    return ", ".join(filter(None, (answer.speaker, channel)))


def _caption(answer: Answer, segment: Segment) -> str:
    """Return a line of text that no format takes for something else."""
    who = " ".join(_who(answer).replace("-->", "->").split())
    return (f"{who}: " if who else "") + f"{segment.emotion} ({segment.confidence:.0%})"


def _audacity(answers: Sequence[Answer]) -> str:
    return "".join(
        f"{segment.start:.6f}\t{segment.end:.6f}\t{_caption(answer, segment)}\n" for answer, segment in _spoken(answers)
    )


def _vtt(answers: Sequence[Answer]) -> str:
    cues = []
    for number, (answer, segment) in enumerate(_spoken(answers), start=1):
        text = _caption(answer, segment).replace("&", "&amp;").replace("<", "&lt;")
        cues.append(f"\n{number}\n{_stamp(segment.start, '.')} --> {_stamp(segment.end, '.')}\n{text}\n")
    return "WEBVTT\n" + "".join(cues)


def _srt(answers: Sequence[Answer]) -> str:
    return "\n".join(
        f"{number}\n{_stamp(segment.start, ',')} --> {_stamp(segment.end, ',')}\n{_caption(answer, segment)}\n"
        for number, (answer, segment) in enumerate(_spoken(answers), start=1)
    )


def _rttm(answers: Sequence[Answer], name: str | None) -> str:
    """As NIST's RTTM has speakers, with the emotion in the place of the name."""
    lines = []
    for answer, segment in _spoken(answers):
        file, emotion = ("_".join(text.split()) for text in (name or PurePath(answer.file).stem, segment.emotion))
        times = f"{segment.start:.3f} {segment.end - segment.start:.3f}"
        channel = (answer.channel or 0) + 1
        lines.append(f"SPEAKER {file} {channel} {times} <NA> <NA> {emotion} {segment.confidence:.3f} <NA>\n")
    return "".join(lines)


def _textgrid(answers: Sequence[Answer]) -> str:
    """Praat's long text format; a tier per speaker or channel, each from the beginning to the end without gaps."""
    end = max((segment.end for answer in answers if answer.result for segment in answer.result.segments), default=0.0)
    tiers: dict[str, list[tuple[float, float, str]]] = {}
    for answer, segment in _spoken(answers):
        tiers.setdefault(_who(answer) or "emotion", []).append((segment.start, segment.end, segment.emotion))
    lines = ['File type = "ooTextFile"', 'Object class = "TextGrid"', "", "xmin = 0", f"xmax = {end:.4f}"]
    lines += ["tiers? <exists>", f"size = {max(1, len(tiers))}", "item []:"]
    for number, (name, spoken) in enumerate((tiers or {"emotion": []}).items(), start=1):
        intervals = _filled(spoken, end)
        lines += [f"    item [{number}]:", '        class = "IntervalTier"', f"        name = {_quoted(name)}"]
        lines += ["        xmin = 0", f"        xmax = {end:.4f}", f"        intervals: size = {len(intervals)}"]
        for at, (start, stop, text) in enumerate(intervals, start=1):
            lines += [f"        intervals [{at}]:", f"            xmin = {start:.4f}", f"            xmax = {stop:.4f}"]
            lines += [f"            text = {_quoted(text)}"]
    return "\n".join(lines) + "\n"


def _filled(spoken: Sequence[tuple[float, float, str]], end: float) -> list[tuple[float, float, str]]:
    """Return intervals from 0 to `end`, with empty ones between; where two overlap, the later one waits."""
    filled: list[tuple[float, float, str]] = []
    reached = 0.0
    for start, stop, text in spoken:
        begin = max(start, reached)
        if stop <= begin:
            continue
        if begin > reached:
            filled.append((reached, begin, ""))
        filled.append((begin, stop, text))
        reached = stop
    return [*filled, (reached, end, "")] if end > reached else filled


def _quoted(text: str) -> str:
    return '"' + " ".join(text.replace('"', '""').split()) + '"'


def _stamp(seconds: float, point: str) -> str:
    milliseconds = round(seconds * 1000)
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{rest // 1000:02d}{point}{rest % 1000:03d}"
