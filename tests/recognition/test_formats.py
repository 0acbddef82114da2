"""What is written for other programs is read by them, or by the letter of their formats."""

import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet
import pytest

from emotone.recognition import Result
from emotone.recognition.formats import FORMATS, Answer, Columns, format_of, to_text, write_parquet
from emotone.recognition.result import Segment, combine
from emotone.recognition.timelines import timeline

LABELS = ("happy", "sad")


def said(start: float, end: float, emotion: str = "happy", confidence: float = 0.75) -> Segment:
    other = "sad" if emotion == "happy" else "happy"
    return Segment(start, end, emotion, {emotion: confidence, other: 1 - confidence}, confidence)


def quiet(start: float, end: float) -> Segment:
    return Segment(start, end, "silence", {}, 0.0)


def answer(*segments: Segment, file: str = "calls/a b.wav", **options: object) -> Answer:
    begin, end = segments[0].start, segments[-1].end
    result = Result("happy", {"happy": 0.75, "sad": 0.25}, 0.75, segments, end - begin, start=begin)
    return Answer(file, result, **options)


LONG = answer(quiet(0, 1), said(1, 2.5), said(2.5, 3599.9996, "sad"), quiet(3599.9996, 90_000), said(90_000, 90_001.25))


def test_subtitles_count_hours_on_and_round_up_to_the_next_minute() -> None:
    assert timeline([LONG], "srt") == (
        "1\n00:00:01,000 --> 00:00:02,500\nhappy (75%)\n\n"
        "2\n00:00:02,500 --> 01:00:00,000\nsad (75%)\n\n"
        "3\n25:00:00,000 --> 25:00:01,250\nhappy (75%)\n"
    )
    assert timeline([LONG], "vtt").startswith("WEBVTT\n\n1\n00:00:01.000 --> 00:00:02.500\nhappy (75%)\n")


@pytest.mark.parametrize("form", ["srt", "vtt", "audacity", "textgrid", "rttm"])
def test_who_speaks_stands_beside_and_breaks_no_line(form: str) -> None:
    name = 'a --> "b"\n1\t'
    text = timeline([answer(said(0, 1), speaker=name), answer(said(1, 2, "sad"), channel=1)], form)
    if form in ("srt", "vtt"):
        cues = text.removeprefix("WEBVTT\n\n").rstrip("\n").split("\n\n")
        assert [len(cue.splitlines()) for cue in cues] == [3, 3]
        assert cues[0].splitlines()[2] == 'a -> "b" 1: happy (75%)' and cues[1].endswith("channel 1: sad (75%)")
    elif form == "audacity":
        assert [line.split("\t")[:2] for line in text.splitlines()] == [
            ["0.000000", "1.000000"],
            ["1.000000", "2.000000"],
        ]
        assert all(line.count("\t") == 2 for line in text.splitlines())
    elif form == "textgrid":
        assert 'name = "a --> ""b"" 1"' in text and 'name = "channel 1"' in text
    else:
        assert [len(line.split()) for line in text.splitlines()] == [10, 10]
        assert text.splitlines()[1].split()[:5] == ["SPEAKER", "a_b", "2", "1.000", "1.000"]


def test_webvtt_alone_escapes_what_would_be_a_tag() -> None:
    shown = {form: timeline([answer(said(0, 1), speaker='"a&<b>c"')], form) for form in ("vtt", "srt", "audacity")}
    assert shown["vtt"].endswith('\n"a&amp;&lt;b>c": happy (75%)\n')
    assert all('"a&<b>c": happy (75%)' in shown[form] for form in ("srt", "audacity"))


def intervals(text: str) -> dict[str, list[tuple[float, float, str]]]:
    """Praat's long text format, read strictly: every line in its place."""
    lines = [line.strip() for line in text.splitlines()]
    assert lines[:3] == ['File type = "ooTextFile"', 'Object class = "TextGrid"', ""]
    assert lines[3] == "xmin = 0" and lines[5] == "tiers? <exists>" and lines[7] == "item []:"
    tiers: dict[str, list[tuple[float, float, str]]] = {}
    at = 8
    for tier in range(1, int(lines[6].removeprefix("size = ")) + 1):
        assert lines[at : at + 2] == [f"item [{tier}]:", 'class = "IntervalTier"']
        name = lines[at + 2].removeprefix("name = ").strip('"')
        assert lines[at + 3] == "xmin = 0" and lines[at + 4] == lines[4]
        count, at = int(lines[at + 5].removeprefix("intervals: size = ")), at + 6
        tiers[name] = []
        for number in range(1, count + 1):
            assert lines[at] == f"intervals [{number}]:"
            start, end = (float(lines[at + 1 + place].split(" = ")[1]) for place in (0, 1))
            tiers[name].append((start, end, lines[at + 3].removeprefix("text = ").strip('"')))
            at += 4
    assert at == len(lines)
    return tiers


def test_a_textgrid_covers_all_of_the_time_in_each_tier() -> None:
    one = answer(quiet(0, 1), said(1, 2), said(2, 3, "sad"), channel=0)
    other = answer(said(0.5, 2.5), quiet(2.5, 3.25), channel=1)
    tiers = intervals(timeline([one, other], "textgrid"))
    assert tiers == {
        "channel 1": [(0, 0.5, ""), (0.5, 2.5, "happy"), (2.5, 3.25, "")],
        "channel 0": [(0, 1, ""), (1, 2, "happy"), (2, 3, "sad"), (3, 3.25, "")],
    }
    assert intervals(timeline([answer(quiet(0, 2))], "textgrid")) == {"emotion": [(0, 2, "")]}
    overlapping = [answer(said(0, 2), speaker="x", scope="stretch"), answer(said(1, 3), speaker="x", scope="stretch")]
    assert intervals(timeline(overlapping, "textgrid")) == {"x": [(0, 2, "happy"), (2, 3, "happy")]}


@pytest.mark.parametrize("form", ["srt", "vtt", "audacity", "textgrid", "rttm"])
def test_a_speaker_as_a_whole_is_no_second_entry(form: str) -> None:
    stretch = answer(said(0, 1), speaker="x", scope="stretch")
    assert timeline([stretch, answer(said(0, 1), speaker="x", scope="speaker")], form) == timeline([stretch], form)


def test_a_real_parser_reads_the_textgrid(tmp_path: Path) -> None:
    textgrid = pytest.importorskip("praatio.textgrid")
    path = tmp_path / "a.TextGrid"
    path.write_text(timeline([answer(quiet(0, 1), said(1, 2), speaker='say "x"')], "textgrid"), encoding="utf-8")
    read = textgrid.openTextgrid(str(path), includeEmptyIntervals=True)
    (name,) = read.tierNames
    assert [(each.start, each.end, each.label) for each in read.getTier(name).entries] == [(0, 1, ""), (1, 2, "happy")]


def test_a_table_of_audformat() -> None:
    columns = Columns(LABELS)
    failed = Answer("b.wav", None, "the file is empty (0 bytes)")
    rows = list(csv.DictReader(io.StringIO("".join(to_text([LONG, failed], "audformat", columns)))))
    assert list(rows[0])[:3] == ["file", "start", "end"]
    assert [(row["start"], row["end"], row["emotion"]) for row in rows] == [
        ("0 days 00:00:01.000000", "0 days 00:00:02.500000", "happy"),
        ("0 days 00:00:02.500000", "0 days 00:59:59.999600", "sad"),
        ("1 days 01:00:00.000000", "1 days 01:00:01.250000", "happy"),
    ]


def test_audformat_reads_its_table(tmp_path: Path) -> None:
    audformat = pytest.importorskip("audformat")
    path = tmp_path / "t.csv"
    path.write_text("".join(to_text([LONG], "audformat", Columns(LABELS))))
    frame = audformat.utils.read_csv(path)
    assert audformat.utils.is_segmented_index(frame.index) if hasattr(audformat.utils, "is_segmented_index") else True
    assert list(frame.index.names) == ["file", "start", "end"]
    assert frame.index.get_level_values("end")[0].total_seconds() == 2.5


def test_columns_say_what_there_is(tmp_path: Path) -> None:
    whole = answer(said(0, 1))
    stretch = answer(said(1, 2), speaker="x", scope="stretch")
    speaker = answer(said(1, 2), speaker="x", scope="speaker")
    failed = Answer("b.wav", None, "no such file", channel=1)
    assert Columns(LABELS).names == [
        "file", "speaker", "emotion", "confidence", "duration", "speech", "happy", "sad", "error",
    ]  # fmt: skip
    columns = Columns(LABELS, stretches=True, channels=True)
    rows = list(csv.DictReader(io.StringIO("".join(to_text([whole, stretch, speaker, failed], "csv", columns)))))
    assert [(row["start"], row["end"], row["channel"], row["speaker"], row["error"]) for row in rows] == [
        ("", "", "", "", ""), ("1", "2", "", "x", ""), ("", "", "", "x", ""), ("", "", "1", "", "no such file"),
    ]  # fmt: skip
    lost = Answer("b.wav", None, "no such file", scope="stretch", start=1.5, end=3.0)
    (row,) = csv.DictReader(io.StringIO("".join(to_text([lost], "csv", columns))))
    assert (row["start"], row["end"], row["error"]) == ("1.5", "3.0", "no such file")
    by_segment = columns._replace(segments=True)
    rows = list(csv.DictReader(io.StringIO("".join(to_text([whole, stretch, speaker], "csv", by_segment)))))
    assert [(row["start"], row["end"]) for row in rows] == [("0", "1"), ("1", "2")]
    write_parquet([whole, stretch, failed], tmp_path / "t.parquet", columns)
    table = pyarrow.parquet.read_table(tmp_path / "t.parquet")
    assert table.column_names == columns.names
    assert table["channel"].to_pylist() == [None, None, 1]
    (line,) = to_text([stretch], "jsonl", columns)
    assert {name: json.loads(line)[name] for name in ("scope", "speaker", "start")} == {
        "scope": "stretch", "speaker": "x", "start": 1,
    }  # fmt: skip


def test_rows_of_parquet_are_written_as_they_come(tmp_path: Path) -> None:
    path, sizes = tmp_path / "many.parquet", list[int]()

    def answers() -> Iterator[Answer]:
        for at in range(25_000):
            if at == 24_999:
                sizes.append(path.stat().st_size)
            yield Answer(f"{at}.wav", None, "no such file")

    write_parquet(answers(), path, Columns(LABELS))
    assert sizes[0] > 20_000, "nothing was written before the last answer came"
    assert pyarrow.parquet.read_table(path)["file"].to_pylist() == [f"{at}.wav" for at in range(25_000)]
    write_parquet([], path, Columns(LABELS))
    assert pyarrow.parquet.read_table(path).column_names == Columns(LABELS).names


def test_stretches_together_count_by_their_speech() -> None:
    def result(seconds: float, happy: float) -> Result:
        scores = {"happy": happy, "sad": 1 - happy}
        return Result("?", scores, 1.0, (Segment(0, seconds, "happy", scores, happy),), seconds)

    silent = Result("no speech", {}, 0.0, (quiet(0, 5),), 5.0)
    both = combine([result(1, 0.9), result(3, 0.3), silent], min_confidence=None)
    assert both.scores["happy"] == pytest.approx((0.9 + 3 * 0.3) / 4)
    assert (both.emotion, both.duration, both.speech) == ("sad", 9.0, 4.0)
    assert combine([result(1, 0.6)], min_confidence=0.7).emotion == "uncertain"
    assert combine([silent], min_confidence=None).emotion == "no speech"


def test_stretches_that_are_mostly_uncertain_are_so_together_and_say_why() -> None:
    def result(seconds: float, emotion: str, *notes: str) -> Result:
        scores = {"happy": 0.9, "sad": 0.1}
        return Result(emotion, scores, 0.9, (Segment(0, seconds, emotion, scores, 0.9),), seconds, notes=notes)

    short, unlike, sure = result(2, "uncertain", "short"), result(3, "uncertain", "unlike"), result(4, "happy", "cut")
    both = combine([short, sure, unlike, short], min_confidence=None)
    assert (both.emotion, both.confidence, both.notes) == ("uncertain", pytest.approx(0.9), ("short", "unlike"))
    for stretches in ([short, sure], [short, short, sure]):  # no more than half
        half = combine(stretches, min_confidence=None)
        assert (half.emotion, half.notes) == ("happy", ())
    assert combine([short, unlike], min_confidence=0).emotion == "happy", "as it is for each stretch"


def test_every_ending_names_a_format() -> None:
    for name, form in FORMATS.items():
        assert format_of(Path(f"x{form.suffix}")) == ("csv" if name == "audformat" else name)
        assert re.fullmatch(r"\.\w+", form.suffix)
    assert format_of(Path("x.docx")) is None
    assert format_of(Path("X.TEXTGRID")) == "textgrid"
