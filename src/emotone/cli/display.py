"""Results for a person: bars and a timeline in the terminal."""

from collections.abc import Iterable, Sequence

from rich.table import Table
from rich.text import Text

from emotone.cli.terminal import console
from emotone.recognition.formats import Answer
from emotone.recognition.result import NO_SPEECH, SILENCE, Result, Segment

__all__ = ["show"]

_BAR = "blue"  # told from its ground by everyone; nothing is told by colour alone
_EIGHTHS = " ▏▎▍▌▋▊▉"


def show(answers: Sequence[Answer], *, top: int) -> None:
    """Print the answers; those without result, whose reasons were given, are left out.

    Args:
        answers: one per recording.
        top: how many of the likeliest emotions.
    """
    done = [(_name(answer), answer.result) for answer in answers if answer.result]
    if len(answers) == 1 and done:
        _show_one(*done[0], top)
    elif done:
        _show_many(done, top)


def _name(answer: Answer) -> str:
    """Return what an answer is about: the file, the part of it, and who speaks."""
    of = [answer.file]
    if answer.channel is not None:
        of.append(f"channel {answer.channel}")
    if answer.scope == "stretch" and answer.result:
        end = answer.result.start + answer.result.duration
        of.append(f"{_clock(answer.result.start)} - {_clock(end)}")
    return ", ".join([*of, *([answer.speaker] if answer.speaker else [])])


def _show_one(file: str, result: Result, top: int) -> None:
    console.print(f"{file}: {result.emotion}, {result.speech:.1f} s of speech in {result.duration:.1f} s")
    if result.emotion == NO_SPEECH:
        return
    bars = _table()
    for label, score in _likeliest(result)[:top]:
        bars.add_row(label, _bar(score, 24), f"{score:.0%}")
    console.print(bars, soft_wrap=False)
    if sum(each.emotion != SILENCE for each in result.segments) > 1:
        console.print()
        console.print(_timeline(result.segments), soft_wrap=False)


def _timeline(segments: Iterable[Segment]) -> Table:
    lines = _table(justify="right")
    for each in segments:
        time = f"{_clock(each.start)} - {_clock(each.end)}"
        if each.emotion == SILENCE:
            lines.add_row(time, Text(SILENCE, style="dim"), "", "")
        else:
            lines.add_row(time, each.emotion, _bar(each.confidence, 16), f"{each.confidence:.0%}")
    return lines


def _show_many(done: Sequence[tuple[str, Result]], top: int) -> None:
    lines = Table(box=None, header_style="bold", pad_edge=False)
    lines.add_column("File", overflow="fold")
    for name in ("Emotion", "Confidence", "", "Then", "Speech"):
        lines.add_column(name, justify="right" if name == "Speech" else "left", no_wrap=name != "Then")
    for file, result in done:
        then = [f"{label} {score:.0%}" for label, score in _likeliest(result)[1:top]]
        spoken = f"{result.speech:.1f} of {result.duration:.1f} s"
        if result.emotion == NO_SPEECH:
            lines.add_row(file, NO_SPEECH, "", "", "", spoken)
        else:
            confidence = f"{result.confidence:.0%}"
            lines.add_row(file, result.emotion, _bar(result.confidence, 12), confidence, ", ".join(then), spoken)
    console.print(lines, soft_wrap=False)


def _likeliest(result: Result) -> list[tuple[str, float]]:
    return sorted(result.scores.items(), key=lambda item: -item[1])


def _table(*, justify: str = "left") -> Table:
    lines = Table(box=None, show_header=False, pad_edge=False)
    lines.add_column(justify="right" if justify == "right" else "left", no_wrap=True)
    return lines


def _bar(share: float, width: int) -> Text:
    if not console.encoding.lower().startswith("utf"):
        return Text(("#" * round(share * width)).ljust(width))
    eighths = round(share * width * 8)
    bar = "█" * (eighths // 8) + (_EIGHTHS[eighths % 8] if eighths % 8 else "")
    return Text(bar.ljust(width), style=_BAR)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds, 1), 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours}:{minutes:02d}:{rest:04.1f}" if hours else f"{minutes}:{rest:04.1f}"
