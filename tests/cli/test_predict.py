"""`emotone predict` as a user meets it: in a process of its own."""

import csv
import io
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet
import pytest
import soundfile

from emotone.recognition import Recognizer

from ..made_bundles import LABELS

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def predict(bundle: Path) -> Run:
    """Return the function that runs `emotone predict` with the small bundle."""

    def run(*arguments: object, stdin: bytes = b"", before: str = "") -> "subprocess.CompletedProcess[str]":
        script = f"import sys\n{before}\nfrom emotone.cli import main\nmain()"
        command = [sys.executable, "-c", script, "predict", "--model", bundle, *map(str, arguments)]
        done = subprocess.run(command, input=stdin, capture_output=True)
        return subprocess.CompletedProcess(command, done.returncode, done.stdout.decode(), done.stderr.decode())

    return run


@pytest.fixture(scope="module")
def mixed(clips: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with good recordings, also in a folder inside, bad ones, and a file that is none."""
    folder = tmp_path_factory.mktemp("mixed")
    shutil.copy(clips[0], folder / "a.flac")
    (folder / "inside").mkdir()
    shutil.copy(clips[1], folder / "inside" / "b ö.flac")
    soundfile.write(folder / "silence.wav", np.zeros(16_000), 16_000)
    (folder / "text.wav").write_text("these are words\n" * 100)
    (folder / "empty.mp3").touch()
    (folder / "notes.txt").write_text("no recording, by its name")
    return folder


def test_one_recording_for_a_person(predict: Run, recognizer: Recognizer, clips: list[Path]) -> None:
    done = predict(clips[0])
    assert (done.returncode, done.stderr) == (0, "")
    result = recognizer(clips[0])
    likeliest = sorted(LABELS, key=lambda label: -result.scores[label])
    first, *bars = done.stdout.splitlines()
    assert first == f"{clips[0]}: {result.emotion}, {result.speech:.1f} s of speech in {result.duration:.1f} s"
    assert [line.split()[0] for line in bars[:3]] == likeliest[:3]
    assert [line.split()[-1] for line in bars[:3]] == [f"{result.scores[label]:.0%}" for label in likeliest[:3]]
    lengths = [line.count("█") for line in bars[:3]]
    assert lengths == sorted(lengths, reverse=True) and lengths[0] > 0
    assert len(predict(clips[0], "--top", 1).stdout.splitlines()) == 2


def test_a_long_recording_has_a_timeline(
    predict: Run, recognizer: Recognizer, conversation: tuple[Path, object]
) -> None:
    path = conversation[0]
    done = predict(path)
    result = recognizer(path)
    times = re.findall(r"(\d+):(\d\d\.\d) - (\d+):(\d\d\.\d) +(\w+)", done.stdout)
    assert [each[4] for each in times] == [each.emotion for each in result.segments]
    for (minutes, seconds, *_), segment in zip(times, result.segments, strict=True):
        assert 60 * int(minutes) + float(seconds) == pytest.approx(segment.start, abs=0.06)


def test_a_folder_goes_on_past_bad_files(predict: Run, mixed: Path) -> None:
    done = predict(mixed)
    assert done.returncode == 1
    assert [line.split()[0].removeprefix(f"{mixed}/") for line in done.stdout.splitlines()[1:]] == [
        "a.flac", "silence.wav", "inside/b",
    ]  # fmt: skip
    assert "no speech" in done.stdout
    told = done.stderr.splitlines()
    assert len(told) == 3 and "Traceback" not in done.stderr
    assert told.pop(0) == f"emotone: {mixed}: passed over 1 file that is no recording: 1 .txt"
    assert told[0].startswith(f"emotone: {mixed / 'empty.mp3'}: the file is empty")
    assert told[1].startswith(f"emotone: {mixed / 'text.wav'}: not audio")


def test_standard_input(predict: Run, recognizer: Recognizer, clips: list[Path]) -> None:
    done = predict("-", "--format", "json", stdin=clips[0].read_bytes())
    assert done.returncode == 0
    (told,) = json.loads(done.stdout)
    assert told.pop("file") == "<stdin>"
    assert told == recognizer(clips[0]).to_dict()
    empty = predict("-", stdin=b"")
    assert empty.returncode == 1
    assert empty.stderr == "emotone: <stdin>: the file is empty (0 bytes)\n"


@pytest.mark.parametrize("form", ["json", "jsonl"])
def test_json(predict: Run, recognizer: Recognizer, mixed: Path, tmp_path: Path, form: str) -> None:
    out = tmp_path / "new folder" / f"out.{form}"
    done = predict(mixed, "--out", out)
    assert (done.returncode, done.stdout) == (1, "")
    text = out.read_text(encoding="utf-8")
    told = json.loads(text) if form == "json" else [json.loads(line) for line in text.splitlines()]
    by_name = {Path(each["file"]).name: each for each in told}
    assert list(by_name) == ["a.flac", "empty.mp3", "silence.wav", "text.wav", "b ö.flac"]
    assert by_name["empty.mp3"]["error"] == "the file is empty (0 bytes)"
    assert by_name["silence.wav"]["emotion"] == "no speech"
    result = recognizer(mixed / "inside" / "b ö.flac")
    assert by_name["b ö.flac"]["emotion"] == result.emotion
    assert by_name["b ö.flac"]["scores"] == pytest.approx(dict(result.scores), abs=1e-5)
    assert len(by_name["b ö.flac"]["segments"]) == len(result.segments)
    assert [path.name for path in out.parent.iterdir()] == [out.name]


def table(form: str, text: str, path: Path) -> list[dict[str, object]]:
    if form == "parquet":
        return list(pyarrow.parquet.read_table(path).to_pylist())
    kept = ("file", "speaker", "emotion", "error")
    rows = csv.DictReader(io.StringIO(text))
    return [
        {name: (cell or None) if name in kept else float(cell or "nan") for name, cell in row.items()} for row in rows
    ]


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_tables(predict: Run, recognizer: Recognizer, mixed: Path, tmp_path: Path, form: str) -> None:
    out = tmp_path / f"out.{form}"
    assert predict(mixed, "--out", out).returncode == 1
    rows = table(form, "" if form == "parquet" else out.read_text(encoding="utf-8"), out)
    assert list(rows[0]) == ["file", "speaker", "emotion", "confidence", "duration", "speech", *LABELS, "error"]
    assert [row["error"] is None for row in rows] == [True, False, True, False, True]
    result = recognizer(mixed / "a.flac")
    assert rows[0]["emotion"] == result.emotion
    for label in LABELS:
        assert rows[0][label] == pytest.approx(result.scores[label], abs=1e-5)
    assert (rows[2]["emotion"], rows[2]["confidence"], rows[2]["duration"]) == ("no speech", 0.0, 1.0)

    assert predict(mixed / "a.flac", "--out", out, "--segments").returncode == 0
    rows = table(form, "" if form == "parquet" else out.read_text(encoding="utf-8"), out)
    assert [(row["start"], row["end"], row["emotion"]) for row in rows] == [
        (each.start, each.end, each.emotion) for each in result.segments
    ]


def test_labels_for_audacity(predict: Run, recognizer: Recognizer, conversation: tuple[Path, object]) -> None:
    done = predict(conversation[0], "--format", "audacity")
    spoken = [each for each in recognizer(conversation[0]).segments if each.emotion != "silence"]
    lines = [line.split("\t") for line in done.stdout.splitlines()]
    assert [(float(start), float(end)) for start, end, _ in lines] == [(each.start, each.end) for each in spoken]
    assert [text.split()[0] for _, _, text in lines] == [each.emotion for each in spoken]


def test_webvtt(predict: Run, recognizer: Recognizer, conversation: tuple[Path, object]) -> None:
    """By its structure: the header, then blocks of a number, a timing line and a text, each after an empty line."""
    done = predict(conversation[0], "--format", "vtt")
    spoken = [each for each in recognizer(conversation[0]).segments if each.emotion != "silence"]
    head, *cues = done.stdout.rstrip("\n").split("\n\n")
    assert head == "WEBVTT"
    last = 0.0
    for number, (cue, segment) in enumerate(zip(cues, spoken, strict=True), start=1):
        name, timing, text = cue.split("\n")
        assert name == str(number)
        found = re.fullmatch(r"(\d\d):(\d\d):(\d\d\.\d{3}) --> (\d\d):(\d\d):(\d\d\.\d{3})", timing)
        assert found
        hours, minutes, seconds = (float(each) for each in found.groups()[:3])
        start = 3600 * hours + 60 * minutes + seconds
        assert start == pytest.approx(segment.start, abs=0.001) and start >= last
        last = start
        assert text.startswith(segment.emotion) and "-->" not in text


def test_manifests(predict: Run, mixed: Path, tmp_path: Path) -> None:
    names = ["inside/b ö.flac", "a.flac"]
    (mixed / "list.csv").write_text("speaker,file\n" + "".join(f"x,{name}\n" for name in names), encoding="utf-8")
    (mixed / "list.jsonl").write_text("".join(json.dumps({"file": name}) + "\n" for name in names))
    pyarrow.parquet.write_table(pyarrow.table({"file": names}), mixed / "list.parquet")
    try:
        for suffix in ("csv", "jsonl", "parquet"):
            done = predict(mixed / f"list.{suffix}", "--format", "jsonl")
            assert done.returncode == 0, done.stderr
            assert [json.loads(line)["file"] for line in done.stdout.splitlines()] == [
                str(mixed / name) for name in names
            ]
    finally:
        for suffix in ("csv", "jsonl", "parquet"):
            (mixed / f"list.{suffix}").unlink()
    (tmp_path / "no.csv").write_text("path\na.wav\n")
    done = predict(tmp_path / "no.csv")
    assert done.returncode == 1
    told = "column 'file' is missing. Found: path. Rename 'path' if that is what it holds."
    assert done.stderr == f"emotone: {tmp_path / 'no.csv'}: {told}\n"


def test_window_hop_and_least_confidence_reach_the_recognizer(
    predict: Run, recognizer: Recognizer, conversation: tuple[Path, object]
) -> None:
    options = {"window": 1.5, "hop": 0.75, "min_confidence": 0.9}
    words = [word for name, value in options.items() for word in (f"--{name.replace('_', '-')}", value)]
    (told,) = json.loads(predict(conversation[0], "--format", "json", *words).stdout)
    expected = recognizer(conversation[0], **options).to_dict()
    assert [each["emotion"] for each in told["segments"]] == [each["emotion"] for each in expected["segments"]]
    assert "uncertain" in {each["emotion"] for each in told["segments"]}
    assert told["scores"] == pytest.approx(expected["scores"], abs=1e-5)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--format", "jsn"), "Unknown format 'jsn'. Valid: json, "),
        (("--format", "parquet"), "--format parquet needs --out FILE"),
        (("--out", "x.docx"), "names no format"),
        (("--segments",), "--segments goes with --format csv or parquet"),
        (("--top", "0"), "--top is 0"),
        (("--threads", "0"), "threads is 0"),
        (("--window", "0"), "window is 0 s"),
        (("--hop", "9"), "hop is 9 s"),
        (("--min-confidence", "2"), "min_confidence is 2"),
        (("--model", "nonsense"), "nonsense: no such model"),
        (("--model", "emotone/prob"), "emotone/prob: no such model"),
    ],
)
def test_wrong_usage(
    emotone: Callable[..., object], bundle: Path, clips: list[Path], arguments: tuple[str, ...], words: str
) -> None:
    model = () if "--model" in arguments else ("--model", bundle)
    done = emotone("predict", clips[0], *model, *arguments)
    assert done.code == 2 and done.err.startswith("emotone: ") and words in done.err
    assert done.out == ""


def test_a_timeline_is_of_one_recording(predict: Run, mixed: Path) -> None:
    done = predict(mixed, "--format", "vtt")
    assert done.returncode == 2
    assert "timeline of one recording; 5 are given" in done.stderr
    assert predict().returncode == 2


def test_nothing_is_written_where_the_work_fails(predict: Run, clips: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    out.write_text("before")
    done = predict(clips[0], "--window", 0, "--out", out)
    assert done.returncode == 2
    assert out.read_text() == "before"
    assert list(tmp_path.iterdir()) == [out]


def test_a_folder_without_audio_is_said_and_the_others_go_on(predict: Run, clips: list[Path], tmp_path: Path) -> None:
    done = predict(tmp_path, clips[0], "--format", "jsonl")
    assert done.returncode == 1
    assert done.stderr == f"emotone: {tmp_path}: the folder holds no audio\n"
    assert json.loads(done.stdout)["file"] == str(clips[0])


def test_a_base_install_is_enough(predict: Run, clips: list[Path], tmp_path: Path) -> None:
    without = "".join(
        f"sys.modules[{name!r}] = None\n"
        for name in ("torch", "pandas", "librosa", "scipy", "matplotlib", "pyarrow", "av")
    )
    assert predict(clips[0], "--format", "csv", before=without).returncode == 0
    done = predict(clips[0], "--out", tmp_path / "out.parquet", before=without)
    assert done.returncode == 2
    assert done.stderr == "emotone: Parquet needs pyarrow: pip install pyarrow; or choose another format.\n"
    assert list(tmp_path.iterdir()) == []
