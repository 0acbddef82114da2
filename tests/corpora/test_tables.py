"""Tables as people keep them: every delimiter, encoding, spelling and program gives the same rows."""

import datetime
import zipfile
from contextlib import suppress
from pathlib import Path

import openpyxl
import pandas as pd
import pyarrow
import pyarrow.parquet
import pytest

from emotone import corpora
from emotone.corpora.manifest import Listed, list_files, read_manifest
from emotone.errors import CorpusError

HEAD, ROW = ("file", "emotion", "speaker", "room"), ("a.wav", "sad", "s1", "the hall")


def text(sign: str, head: tuple[str, ...] = HEAD, row: tuple[str, ...] = ROW, end: str = "\n") -> str:
    return sign.join(head) + end + sign.join(row) + end


def excel(path: Path, rows: list[tuple[object, ...]]) -> Path:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(path)
    return path


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("comma.csv", text(",").encode()),
        ("semicolon.csv", text(";").encode()),
        ("tab.csv", text("\t").encode()),
        ("bar.csv", text("|").encode()),
        ("tab.tsv", text("\t").encode()),
        ("comma.tsv", text(",").encode()),
        ("bom.csv", text(";").encode("utf-8-sig")),
        ("utf16.csv", text("\t").encode("utf-16")),
        ("utf16be.csv", b"\xfe\xff" + text(",").encode("utf-16-be")),
        ("windows.csv", text(",", end="\r\n").encode()),
        ("old mac.csv", text(",", end="\r").encode()),
        ("capitals.csv", text(",", head=("File", " EMOTION ", "Speaker", "room")).encode()),
        ("capitals.CSV", text(",", head=("FILE", "Emotion", "SPEAKER", " room ")).encode()),
        ("quoted.csv", text(",", row=('"a.wav"', "sad", "s1", '"the hall"')).encode()),
        ("empty lines.csv", ("\n".join(text(",").splitlines()[:1]) + "\n\n" + ",".join(ROW) + "\n\n").encode()),
        ("backslash.csv", text(",", row=(".\\a.wav", *ROW[1:])).encode()),
        ("capitals.jsonl", b'{"File": "a.wav", "Emotion": "sad", "SPEAKER": "s1", "room": "the hall"}\n'),
    ],
)
def test_text_in_any_dress(name: str, content: bytes, tmp_path: Path, record) -> None:
    record(tmp_path / "a.wav")
    (tmp_path / name).write_bytes(content)
    (found,) = corpora.load(str(tmp_path / name)).utterances
    assert (found.clip, found.emotion, found.speaker, dict(found.extra)) == ("a", "sad", "s1", {"room": "the hall"})


def test_excel(tmp_path: Path, record) -> None:
    record(tmp_path / "a.wav")
    path = excel(tmp_path / "list.xlsx", [(*HEAD, "start", None), (*ROW, 0.1, None), (None,) * 6])
    (found,) = corpora.load(str(path)).utterances
    assert (found.emotion, found.speaker, found.start, dict(found.extra)) == ("sad", "s1", 0.1, {"room": "the hall"})


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("latin.csv", b"file,emotion,speaker\na.wav,sad,x\nb.wav,\xe4rger,a\n", "line 3: not UTF-8 text"),
        ("twice.csv", b"file,File,emotion,speaker\na,b,sad,x\n", "column 'file' stands there twice, once as 'File'"),
        ("list.ods", b"PK", "OpenDocument; save it as CSV"),
        ("list.xls", b"\xd0\xcf", "Excel's old format; save it as CSV"),
        ("list.json", b"[]", "JSON, not JSON Lines"),
        ("cut.xlsx", b"PK\x03\x04", "not an Excel file"),
        ("p.csv", b"path,emotion,speaker\na.wav,sad,x\n", "Found: path, emotion, speaker. Rename 'path'"),
        ("l.csv", b"file,label,actor\na.wav,sad,x\n", "Found: file, label, actor. Rename 'label'"),
        ("a.csv", b"file,emotion,Actor\na.wav,sad,x\n", "Found: file, emotion, Actor. Rename 'Actor'"),
        ("c.csv", b"file,colour,speaker\na.wav,red,x\n", "Found: file, colour, speaker. Required"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_told_as_what_it_is(name: str, content: bytes, words: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CorpusError) as error:
        read_manifest(tmp_path / name)
    assert str(error.value).startswith(str(tmp_path / name)) and words in str(error.value)


NOTHING = ["", " ", "nan", "NaN", "None", "null", "<NA>", "n/a", "NA"]


@pytest.mark.parametrize("word", NOTHING)
def test_nothing_is_no_speaker_and_no_emotion_in_any_spelling(word: str, tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text(f"file,emotion,speaker\na.wav,sad,{word}\n")
    assert read_manifest(tmp_path / "m.csv").utterances[0].speaker is None
    (tmp_path / "m.csv").write_text(f"file,emotion,speaker\na.wav,sad,x\nb.wav,{word},x\n")
    with pytest.raises(CorpusError, match=r"m\.csv: line 3: 'emotion' is "):
        read_manifest(tmp_path / "m.csv")


def test_nothing_of_pandas_and_json(tmp_path: Path) -> None:
    frame = pd.DataFrame({"file": ["a.wav", "b.wav"], "emotion": ["sad", "happy"], "speaker": [1.0, float("nan")]})
    frame.to_parquet(tmp_path / "m.parquet")
    frame.to_json(tmp_path / "m.jsonl", orient="records", lines=True)
    frame.to_csv(tmp_path / "m.csv")
    (tmp_path / "n.jsonl").write_text(
        '{"file": "a.wav", "emotion": "sad", "speaker": 1}\n{"file": "b.wav", "emotion": "happy", "speaker": NaN}\n'
    )
    for name in ("m.parquet", "m.jsonl", "m.csv", "n.jsonl"):
        assert [each.speaker for each in read_manifest(tmp_path / name).utterances] == ["1", None], name
    frame.emotion = ["sad", None]
    frame.to_parquet(tmp_path / "m.parquet")
    with pytest.raises(CorpusError, match=r"row 2: 'emotion' is empty"):
        read_manifest(tmp_path / "m.parquet")
    (tmp_path / "n.jsonl").write_text('{"file": "b.wav", "emotion": NaN, "speaker": 1}\n')
    with pytest.raises(CorpusError, match="line 1: 'emotion' is NaN"):
        read_manifest(tmp_path / "n.jsonl")


@pytest.mark.parametrize(
    "values", [["0.12", "0.57"], ["1", "2.5"], ["-1e-3", "4"], ["sad", "0.5"], [str(each) for each in range(30)]]
)
def test_numbers_that_are_no_classes_are_refused(values: list[str], tmp_path: Path) -> None:
    rows = "".join(f"{at}.wav,{value},x\n" for at, value in enumerate(values))
    (tmp_path / "m.csv").write_text(f"file,emotion,speaker\n{rows}")
    with pytest.raises(CorpusError, match=r"line \d+: 'emotion' holds numbers, such as .*arousal or valence values\?"):
        read_manifest(tmp_path / "m.csv")


def test_numbers_that_may_be_classes_are_taken_with_a_note(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text("file,emotion,speaker\na.wav,03,x\nb.wav,04,x\nc.wav,03,y\n")
    found = read_manifest(tmp_path / "m.csv")
    assert [each.emotion for each in found.utterances] == ["03", "04", "03"]
    assert found.notes == (
        "'emotion' holds numbers (03, 04), taken for names of classes; words, as sad, can be compared",
    )


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("", "", (0.0, None)),
        ("0.5", "1.25", (0.5, 1.25)),
        ("0,5", "1,25", (0.5, 1.25)),
        ("1", "", (1.0, None)),
        ("", "2", (0.0, 2.0)),
        ("nan", "NaT", (0.0, None)),
        ("0 days 00:00:01.500000", "0 days 00:01:00", (1.5, 60.0)),
        ("1 day, 0:00:01", "1 days 00:00:02", (86_401.0, 86_402.0)),
        ("0:01.5", "01:02:03.25", (1.5, 3723.25)),
        ("1e-1", "2e0", (0.1, 2.0)),
    ],
)
def test_times_as_people_and_programs_write_them(
    start: str, end: str, expected: tuple[float, float | None], tmp_path: Path
) -> None:
    (tmp_path / "m.csv").write_text(f"file;emotion;speaker;start;end\na.wav;sad;x;{start};{end}\n")
    (found,) = read_manifest(tmp_path / "m.csv").utterances
    assert (found.start, found.end) == expected
    assert list_files(tmp_path / "m.csv") == [Listed((tmp_path / "a.wav").resolve(), *expected, "x", None)]


def test_durations_of_parquet_and_excel(tmp_path: Path) -> None:
    seconds = [datetime.timedelta(seconds=1.5), datetime.timedelta(seconds=2)]
    table = pyarrow.table({"file": ["a.wav"], "start": [seconds[0]], "end": [seconds[1]]})
    pyarrow.parquet.write_table(table, tmp_path / "m.parquet")
    frame = pd.DataFrame({"file": ["a.wav"], "start": pd.to_timedelta([1.5], "s"), "end": pd.to_timedelta([2], "s")})
    frame.set_index(["file", "start", "end"]).to_csv(tmp_path / "audformat.csv")  # the segmented index of audformat
    frame.to_parquet(tmp_path / "frame.parquet")
    excel(tmp_path / "m.xlsx", [("file", "start", "end"), ("a.wav", 1.5, 2)])
    for name in ("m.parquet", "audformat.csv", "frame.parquet", "m.xlsx"):
        assert list_files(tmp_path / name)[0][1:3] == (1.5, 2.0), name


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [
        ("-1", "", "start '-1' is no time"),
        ("soon", "", "start 'soon' is no time; allowed: seconds from 0, or hours:minutes:seconds"),
        ("inf", "", "start 'inf' is no time"),
        ("2", "1", "end '1' does not lie after start '2'"),
        ("1", "1", "end '1' does not lie after start '1'"),
        ("", "0", "end '0' does not lie after start '0'"),
    ],
)
def test_bad_times_are_named_with_their_row(start: str, end: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text(f"file,emotion,speaker,start,end\na.wav,sad,x,{start},{end}\n")
    for read in (read_manifest, list_files):
        with pytest.raises(CorpusError) as error:
            read(tmp_path / "m.csv")
        assert str(error.value) == f"{tmp_path / 'm.csv'}: line 2: {words}" or words in str(error.value)


def test_stretches_of_a_file_are_utterances_of_their_own(tmp_path: Path) -> None:
    rows = "a.wav,sad,x,0,1\na.wav,happy,y,1,2.5\na.wav,sad,x,2.5,\nb.wav,sad,x,,\n"
    (tmp_path / "m.csv").write_text(f"file,emotion,speaker,start,end\n{rows}")
    found = read_manifest(tmp_path / "m.csv").utterances
    assert [each.clip for each in found] == ["a[0-1]", "a[1-2.5]", "a[2.5-]", "b"]
    (tmp_path / "m.csv").write_text(f"file,emotion,speaker,start,end\n{rows}a.wav,sad,x,1.0,2.50\n")
    with pytest.raises(CorpusError, match=r"line 6: a\.wav is already in line 3"):
        read_manifest(tmp_path / "m.csv")


def test_spellings_of_one_speaker(tmp_path: Path) -> None:
    names = ["01", "1", "01", "S 1", "s  1 ", "1.0", "anna", "Anna", "Anna", "nan", "2"]
    rows = "".join(f"{at:02}.wav,sad,{name}\n" for at, name in enumerate(names))
    (tmp_path / "m.csv").write_text(f"file,emotion,speaker\n{rows}")
    found = read_manifest(tmp_path / "m.csv")
    assert [each.speaker for each in found.utterances] == [
        "01", "01", "01", "S 1", "S 1", "01", "Anna", "Anna", "Anna", None, "2",
    ]  # fmt: skip
    assert found.notes == (
        "speakers '01', '1', '1.0' are taken for one, '01'",
        "speakers 'S 1', 's  1' are taken for one, 'S 1'",
        "speakers 'Anna', 'anna' are taken for one, 'Anna'",
    )


def test_files_that_differ_in_their_ending_are_rightly_named(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text("file,emotion,speaker\n1.wav,sad,1\n1.mp3,happy,1\n")
    with pytest.raises(CorpusError, match=r"line 3: 1\.mp3 is called as 1\.wav in line 2 but for its ending"):
        read_manifest(tmp_path / "m.csv")
    assert [each.file.name for each in list_files(tmp_path / "m.csv")] == ["1.wav", "1.mp3"]


@pytest.mark.parametrize("value", ["1" * 5000, "[" * 100_000, '"\\ud800"'], ids=["digits", "deep", "half a character"])
def test_json_lines_that_python_itself_stumbles_over(value: str, tmp_path: Path) -> None:
    path = tmp_path / "m.jsonl"
    path.write_text('{"file": "a.wav"}\n{"file": ' + value + "}\n")
    with pytest.raises(CorpusError, match=r"m\.jsonl: line 2: not JSON: "):
        list_files(path)


def test_a_damaged_parquet_file_is_said_to_be_one(tmp_path: Path) -> None:
    path = tmp_path / "m.parquet"
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist([{"file": f"{at}.wav"} for at in range(9)]), path)
    whole = path.read_bytes()
    for at in range(4, len(whole), 7):
        path.write_bytes(whole[:at] + b"\xff\xff\xff" + whole[at + 3 :])
        with suppress(CorpusError):
            list_files(path)


def test_a_sheet_with_a_billionth_row_is_no_sheet(tmp_path: Path) -> None:
    excel(tmp_path / "whole.xlsx", [("file", "room"), ("a.wav", "hall")])
    with zipfile.ZipFile(tmp_path / "whole.xlsx") as old, zipfile.ZipFile(tmp_path / "m.xlsx", "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(b'<row r="2"', b'<row r="99999999999"'))
    with pytest.raises(CorpusError, match="more than the 1,048,576 rows"):
        list_files(tmp_path / "m.xlsx")


def test_a_sheet_is_as_wide_as_its_cells_whatever_it_states(tmp_path: Path) -> None:
    excel(tmp_path / "whole.xlsx", [("file",), *[(f"{at}.wav",) for at in range(300)]])
    with zipfile.ZipFile(tmp_path / "whole.xlsx") as old, zipfile.ZipFile(tmp_path / "m.xlsx", "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(b'ref="A1:A301"', b'ref="A1:XFD1048576"'))
    assert len(list_files(tmp_path / "m.xlsx")) == 300
