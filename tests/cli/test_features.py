"""`emotone features --model`: a corpus as a table of embeddings, for a classifier of one's own."""

import csv
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet
import pytest
import soundfile

from emotone import Recognizer, corpora

Emotone = Callable[..., Any]


@pytest.fixture
def manifest(clips: list[Path], tmp_path: Path) -> Path:
    """Eight clips with labels, then one without speech and one that is no sound."""
    soundfile.write(tmp_path / "silence.wav", np.zeros(32_000), 16_000)
    (tmp_path / "text.wav").write_text("no sound")
    rows = [(path, label, "a") for path, label in zip(clips[:8], ["sad", "happy"] * 4, strict=True)]
    rows += [(tmp_path / "silence.wav", "sad", "b"), (tmp_path / "text.wav", "happy", "b")]
    with (tmp_path / "mine.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("file", "emotion", "speaker"), *rows])
    return tmp_path / "mine.csv"


def test_a_row_a_clip_with_its_labels_and_what_has_none_is_named(
    emotone: Emotone, manifest: Path, bundle: Path, recognizer: Recognizer, tmp_path: Path
) -> None:
    out = tmp_path / "x.parquet"
    done = emotone("features", "--model", bundle, "--data", manifest, "--out", out)
    assert done.code == 1 and "Traceback" not in done.err
    assert "silence.wav" in done.err and "no speech" in done.err and "text.wav" in done.err
    rows = pyarrow.parquet.read_table(out).to_pylist()
    known = [each for each in corpora.load(str(manifest)).utterances if each.speaker == "a"]
    assert [(row["clip"], row["emotion"]) for row in rows] == [(each.clip, each.emotion) for each in known]
    expected = np.stack([recognizer.embed(each.part).mean for each in known])
    vectors = np.array([[row[f"e{at}"] for at in range(expected.shape[1])] for row in rows])
    np.testing.assert_allclose(vectors, expected, rtol=1e-5, atol=1e-6)
    assert f"8 clips, {vectors.shape[1]} values each; 2 left out" in done.out


def test_a_row_a_window_with_its_times(emotone: Emotone, manifest: Path, bundle: Path, tmp_path: Path) -> None:
    out = tmp_path / "x.csv"
    emotone("features", "--model", bundle, "--windows", "--data", manifest, "--out", out)
    with out.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    known = {each.clip for each in corpora.load(str(manifest)).utterances if each.speaker == "a"}
    assert {row["clip"] for row in rows} == known
    times = np.array([(float(row["window_start"]), float(row["window_end"])) for row in rows])
    assert (times[:, 0] < times[:, 1]).all() and times.min() >= 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((), ["either a --system", "or a --model"]),
        (("--system", "nguyen/cnn", "--model", "emotone/base"), ["either a --system"]),
        (("--system", "nguyen/cnn", "--windows"), ["--windows goes with --model"]),
        (("--model", "emotone/base", "--out", "x.txt"), ["'.txt'", ".csv", ".parquet"]),
        (("--model", "no model"), ["no model", "emotone/probe", ".onnx"]),
    ],
)
def test_usage_errors_are_one_line(
    emotone: Emotone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], words: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    done = emotone("features", "--out", "x.csv", *options)
    assert (done.code, done.out, len(done.err.splitlines())) == (2, "", 1)
    assert all(word in done.err for word in words) and not list(tmp_path.iterdir())


def test_without_speech_anywhere_nothing_is_written(emotone: Emotone, bundle: Path, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "silence.wav", np.zeros(32_000), 16_000)
    (tmp_path / "mine.csv").write_text("file,emotion,speaker\nsilence.wav,sad,a\n")
    done = emotone("features", "--model", bundle, "--data", tmp_path / "mine.csv", "--out", tmp_path / "x.csv")
    assert done.code == 1 and "not written" in done.err and not (tmp_path / "x.csv").exists()


def test_it_needs_no_torch(manifest: Path, bundle: Path, tmp_path: Path) -> None:
    code = (
        "import sys\nfor name in ('torch', 'librosa', 'sklearn'): sys.modules[name] = None\n"
        "from emotone.cli import main\nmain()"
    )
    command = [sys.executable, "-c", code, "features", "--model", bundle, "--data", manifest, "--out", "x.parquet"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "8 clips" in done.stdout, done.stderr
