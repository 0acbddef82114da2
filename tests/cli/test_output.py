"""Where answers are written: a file for each recording, never two onto one, never onto what is read."""

import csv
import io
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest

from emotone.recognition import Recognizer

Predict = Callable[..., Any]


@pytest.fixture
def predict(emotone: Callable[..., Any], bundle: Path) -> Predict:
    return lambda *arguments: emotone("predict", "--model", bundle, *arguments)


@pytest.fixture
def calls(clips: list[Path], tmp_path: Path) -> Path:
    """A folder of recordings whose names are alike in many ways, and one that cannot be read."""
    folder = tmp_path / "calls"
    names = ("a.flac", "a.wav", "a.wav.flac", "B c.flac", "b C.wav", "one/x.flac", "two/x.flac", "two/é ☃.flac")
    for number, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(clips[number], folder / name)
    (folder / "broken.wav").write_text("no audio")
    return folder


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    ("form", "ending"),
    [("srt", "srt"), ("vtt", "vtt"), ("audacity", "txt"), ("textgrid", "TextGrid"), ("rttm", "rttm"), ("json", "json")],
)
def test_a_folder_gets_a_file_for_each_recording_that_can_be_read(
    predict: Predict, calls: Path, tmp_path: Path, form: str, ending: str
) -> None:
    before = {path: (calls / path).read_bytes() for path in files(calls)}
    done = predict(calls, "--format", form, "--out", f"{tmp_path / 'out'}/")
    assert (done.code, done.out) == (1, "")
    assert f"emotone: {calls / 'broken.wav'}: not audio" in done.err
    written = files(tmp_path / "out")
    assert written == sorted(
        f"{name}.{ending}"
        for name in (
            "a.flac", "a.wav", "a.wav.2", "B c.flac", "b C.wav", "one/x", "two/x", "two/é ☃"
        )
    )  # fmt: skip
    assert {path: (calls / path).read_bytes() for path in files(calls)} == before
    if form == "json":
        for path in written:
            ((answer,),) = [json.loads((tmp_path / "out" / path).read_text(encoding="utf-8"))]
            assert Path(answer["file"]).is_file() and answer["emotion"]


def test_names_do_not_depend_on_capitals_and_spaces_alone(predict: Predict, clips: list[Path], tmp_path: Path) -> None:
    for name in ("talk.flac", "Talk.flac", "TALK.wav"):
        shutil.copy(clips[0], tmp_path / name)
    named = [tmp_path / name for name in ("talk.flac", "Talk.flac", "TALK.wav")]
    assert predict(*named, "--format", "srt", "--out", tmp_path / "out").code == 0
    assert len({name.casefold() for name in files(tmp_path / "out")}) == 3


@pytest.mark.parametrize("how", ["ends with a slash", "is there", "many recordings"])
def test_what_makes_a_folder_of_a_name(predict: Predict, calls: Path, tmp_path: Path, how: str) -> None:
    out = tmp_path / "subtitles"
    given = [calls / "one" / "x.flac", calls / "two" / "x.flac"]
    if how == "is there":
        out.mkdir()
    elif how == "ends with a slash":
        given = given[:1]
    done = predict(*given, "--format", "srt", "--out", f"{out}/" if how == "ends with a slash" else out)
    assert (done.code, done.err) == (0, "")
    assert files(out) == (["x.srt"] if len(given) == 1 else ["one/x.srt", "two/x.srt"])


def test_a_name_that_ends_as_the_format_is_no_folder(predict: Predict, calls: Path, tmp_path: Path) -> None:
    done = predict(calls, "--out", tmp_path / "all.SRT")
    assert done.code == 2 and "--out FOLDER/" in done.err
    assert not (tmp_path / "all.SRT").exists()


@pytest.mark.parametrize("form", ["csv", "parquet", "jsonl", "audformat"])
def test_tables_go_into_no_folder(predict: Predict, calls: Path, tmp_path: Path, form: str) -> None:
    done = predict(calls, "--format", form, "--out", f"{tmp_path / 'out'}/")
    assert done.code == 2 and "name a file" in done.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("inputs", "form", "out"),
    [
        (["calls/one/x.flac"], "json", "calls/one/x.flac"),
        (["calls/one/x.flac"], "srt", "link.flac"),
        (["list.csv"], "csv", "list.csv"),
        (["calls/one"], "jsonl", "calls/one/x.flac"),
        (["speech.txt"], "audacity", "./"),
        (["calls/one/x.flac", "speech.txt"], "audacity", "."),
    ],
)
def test_what_is_read_is_not_written_over(
    predict: Predict, calls: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inputs: list[str], form: str,
    out: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    Path("link.flac").symlink_to("calls/one/x.flac")
    Path("list.csv").write_text("file\ncalls/one/x.flac\n")
    shutil.copy("calls/one/x.flac", "speech.txt")
    before = {path: Path(path).read_bytes() for path in files(tmp_path)}
    done = predict(*inputs, "--format", form, "--out", out)
    assert (done.code, done.out) == (2, "") and "it is read" in done.err
    assert {path: Path(path).read_bytes() for path in files(tmp_path)} == before


@pytest.mark.parametrize("form", ["srt", "vtt", "audacity", "textgrid", "rttm"])
def test_a_recording_that_cannot_be_read_leaves_no_timeline(
    predict: Predict, calls: Path, tmp_path: Path, form: str
) -> None:
    out = tmp_path / "out"
    for before in (None, "of an earlier run"):
        if before:
            out.write_text(before)
        done = predict(calls / "broken.wav", "--format", form, "--out", out)
        assert done.code == 1 and "broken.wav" in done.err
        assert (out.read_text() if out.exists() else None) == before
    done = predict(calls / "broken.wav", "--format", form)
    assert (done.code, done.out) == (1, "")


def test_rttm_tells_many_recordings_apart_in_one_file(predict: Predict, calls: Path, tmp_path: Path) -> None:
    assert predict(calls, "--out", tmp_path / "all.rttm").code == 1
    lines = [line.split() for line in (tmp_path / "all.rttm").read_text(encoding="utf-8").splitlines()]
    assert {len(line) for line in lines} == {10} and {line[0] for line in lines} == {"SPEAKER"}
    assert len({line[1] for line in lines}) == 8 and {"one/x", "two/x", "two/é_☃"} <= {line[1] for line in lines}
    (one,) = {line.split()[1] for line in predict(calls / "one", "--format", "rttm").out.splitlines()}
    assert one == "x"


@pytest.mark.parametrize("form", ["srt", "rttm", "json"])
def test_stretches_of_one_recording_stand_together_however_the_table_is_sorted(
    predict: Predict, conversation: tuple[Path, object], clips: list[Path], tmp_path: Path, form: str
) -> None:
    shutil.copy(conversation[0], tmp_path / "long.wav")
    shutil.copy(clips[0], tmp_path / "short.flac")
    rows = ("long.wav,0,4", "short.flac,,", "long.wav,8,12", "long.wav,0,4")
    (tmp_path / "list.csv").write_text("file,start,end\n" + "\n".join(rows))
    assert predict(tmp_path / "list.csv", "--format", form, "--out", f"{tmp_path / 'out'}/").code == 0
    assert len(files(tmp_path / "out")) == 2
    text = (tmp_path / "out" / f"long.{form}").read_text()
    if form == "json":
        assert [(each["start"], each["duration"]) for each in json.loads(text)] == [(0, 4), (8, 4)]
    else:
        times = [
            line.split()[3 if form == "rttm" else 0] for line in text.splitlines() if form == "rttm" or ">" in line
        ]
        assert len(times) == len(set(times)) and len(times) >= 2
        assert times == sorted(times, key=lambda time: float(time.replace(":", "").replace(",", ".")))


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
@pytest.mark.parametrize("out", ["calls", "elsewhere/deep", ".", "link"])
def test_a_result_is_a_manifest_that_works_from_its_own_folder(
    predict: Predict, calls: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str, out: str
) -> None:
    monkeypatch.chdir(calls)
    (tmp_path / "link").symlink_to(calls)
    place = tmp_path / out / f"out.{form}"
    given = ["one", "../calls/two", "a.flac"]
    assert predict(*given, "--out", place).code == 0
    monkeypatch.chdir("/")
    done = predict(place, "--format", "jsonl")
    assert done.code == 0, done.err
    found = [Path(json.loads(line)["file"]) for line in done.out.splitlines()]
    wanted = [calls / name for name in ("one/x.flac", "two/x.flac", "two/é ☃.flac", "a.flac")]
    assert [path.resolve() for path in found] == wanted
    named = {
        "csv": lambda: [row["file"] for row in csv.DictReader(io.StringIO(place.read_text(encoding="utf-8")))],
        "jsonl": lambda: [json.loads(line)["file"] for line in place.read_text(encoding="utf-8").splitlines()],
        "parquet": lambda: pyarrow.parquet.read_table(place)["file"].to_pylist(),
    }[form]()
    inside = {"calls": "", ".": "calls/", "link": ""}.get(out)
    assert named == [str(path) if inside is None else inside + path.relative_to(calls).as_posix() for path in wanted]


def test_on_standard_output_recordings_are_called_as_they_were_given(
    predict: Predict, calls: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(calls / "one")
    out = predict("x.flac", "../two/x.flac", "--format", "csv").out
    assert [row["file"] for row in csv.DictReader(io.StringIO(out))] == ["x.flac", "../two/x.flac"]


@pytest.mark.parametrize("form", ["json", "srt"])
def test_long_names_are_written_and_one_that_is_too_long_ends_nothing(
    predict: Predict, clips: list[Path], tmp_path: Path, form: str
) -> None:
    most = os.pathconf(tmp_path, "PC_NAME_MAX")
    names = ["1" + "ж" * 120, "2" + "я" * ((most - 6) // 2), "3" * (most - 3), "4"]
    (tmp_path / "calls").mkdir()
    for name in names:
        shutil.copy(clips[0], tmp_path / "calls" / (f"{name}.au" if name.startswith("3") else f"{name}.wav"))
    done = predict(tmp_path / "calls", "--format", form, "--out", f"{tmp_path / 'out'}/")
    too_long = tmp_path / "out" / f"{names[2]}.{form}"
    assert (done.code, done.out) == (1, "") and f"{too_long}: cannot be written: File name too long" in done.err
    assert files(tmp_path / "out") == sorted(f"{name}.{form}" for name in names if name != names[2])


def test_a_folder_that_cannot_be_made_is_said_once(predict: Predict, calls: Path, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file where a folder is wanted")
    done = predict(calls / "one", calls / "two", "--format", "srt", "--out", f"{tmp_path / 'out' / 'deep'}/")
    assert done.code == 1 and len(done.err.splitlines()) == 1 and str(tmp_path / "out") in done.err


def test_a_failed_write_leaves_what_was_there(
    predict: Predict, calls: Path, tmp_path: Path, recognizer: Recognizer
) -> None:
    (tmp_path / "out" / "one").mkdir(parents=True)
    (tmp_path / "out" / "two").write_text("a file where a folder is wanted")
    done = predict(calls / "two", calls / "one", "--format", "srt", "--out", tmp_path / "out")
    assert done.code == 1 and str(tmp_path / "out" / "two") in done.err and "Traceback" not in done.err
    assert files(tmp_path / "out") == ["one/x.srt", "two"]
