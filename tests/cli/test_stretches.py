"""A row with `start` and `end` is that stretch in every command: the same as if it had been cut into a file."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from emotone.corpora.synthetic import synthesise
from emotone.corpora.times import clip_times
from emotone.evaluation.record import read_records

Emotone = Callable[..., Any]
RATE = 16_000
EMOTIONS = ("neutral", "happy", "sad", "angry")
PAUSE = np.zeros(RATE // 2, "i2")


@pytest.fixture(scope="module", params=["csv", "timedelta"])
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Two manifests of the same clips: `cut`, a file each; `whole`, stretches of one recording a speaker."""
    folder = tmp_path_factory.mktemp("pair")
    cut, whole = ["file,emotion,speaker"], ["file,start,end,emotion,speaker"]
    for speaker in ("01", "02", "03"):
        pieces, at = [], 0
        for emotion in EMOTIONS:
            for repetition in (1, 2, 3):
                clip = synthesise(emotion, "normal", "01", repetition, int(speaker))
                start, end = at / RATE, (at + len(clip)) / RATE
                name = f"{speaker}{clip_times(start, end)}.wav"  # as the stretch is called, on which copies depend
                soundfile.write(folder / name, clip, RATE, subtype="PCM_16")
                cut.append(f"{name},{emotion},{speaker}")
                if request.param == "timedelta":  # as pandas and audformat write times
                    start, end = (f"0 days 00:00:{seconds:09.6f}" for seconds in (start, end))
                whole.append(f"{speaker}.wav,{start},{end},{emotion},{speaker}")
                pieces += [clip, PAUSE]
                at += len(clip) + len(PAUSE)
        soundfile.write(folder / f"{speaker}.wav", np.concatenate(pieces), RATE, subtype="PCM_16")
    for name, rows in (("cut", cut), ("whole", whole)):
        (folder / f"{name}.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return {name: folder / f"{name}.csv" for name in ("cut", "whole")}


def test_features_of_a_stretch_are_those_of_the_samples_in_it(
    emotone: Emotone, small: dict[str, Path], pair: dict[str, Path], tmp_path: Path
) -> None:
    tables = {}
    for name, manifest in pair.items():
        done = emotone("features", "--system", small["net"], "--data", manifest, "--out", tmp_path / f"{name}.csv")
        assert done.code == 0, done.err
        with (tmp_path / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            tables[name] = list(csv.DictReader(file))
    assert len(tables["whole"]) == 36 and {"start", "end"} <= set(tables["whole"][0])
    shared = sorted(set(tables["cut"][0]) - {"clip", "corpus"})
    rows = {name: sorted([row[column] for column in shared] for row in table) for name, table in tables.items()}
    assert rows["cut"] == rows["whole"]


def test_a_comparison_of_stretches_is_that_of_the_files(
    emotone: Emotone, small: dict[str, Path], pair: dict[str, Path], tmp_path: Path, without_pictures: None
) -> None:
    found = {}
    for name, manifest in pair.items():
        out = tmp_path / name
        done = emotone(
            "compare", small["copies"], "--data", manifest, "--protocol", "loso", "--jobs", "1", "--out", out
        )
        assert done.code == 0, done.err
        records = (record.predictions for record in read_records(out / "runs"))
        found[name] = [sorted(zip(each.speaker, each.true, each.predicted, strict=True)) for each in records]
    assert found["cut"] == found["whole"] and found["cut"]


def test_training_hears_the_stretches(
    emotone: Emotone, small: dict[str, Path], pair: dict[str, Path], tmp_path: Path
) -> None:
    said = {}
    for name, manifest in pair.items():
        done = emotone("train", small["copies"], "--data", manifest, "--out", tmp_path / name)
        assert done.code == 0, done.err
        said[name] = [line.replace(name, "") for line in done.out.splitlines()]
    assert said["cut"] == said["whole"]


def test_the_check_hears_each_stretch(emotone: Emotone, pair: dict[str, Path]) -> None:
    done = emotone("corpora", "check", pair["whole"])
    assert done.code == 0 and "36 files" in done.out, done.out
    rows = pair["whole"].read_text(encoding="utf-8").splitlines()
    damaged = pair["whole"].with_name("damaged.csv")
    beyond, pause = "01.wav,500,501,sad,01", "02.wav,0,0.001,sad,02"
    damaged.write_text("\n".join([*rows, beyond, pause]) + "\n", encoding="utf-8")
    done = emotone("corpora", "check", damaged)
    assert done.code == 1 and "01.wav[500-501]" in done.out and "02.wav[0-0.001]" in done.out, done.out


@pytest.mark.parametrize(
    ("tested", "leaking"),
    [
        ("0.2,1.2", True),  # all of it was trained on
        ("0.5,3", True),  # some of it
        ("2.0,3.0", False),  # another stretch of the same recording
    ],
)
def test_the_audit_knows_what_a_stretch_is_a_piece_of(
    emotone: Emotone, pair: dict[str, Path], tmp_path: Path, tested: str, leaking: bool
) -> None:
    table = pair["whole"].with_name("split.csv")
    rows = ["01.wav,0,1.5,neutral,01,train", f"01.wav,{tested},neutral,01,test", "02.wav,0,1.4,sad,02,train"]
    table.write_text("\n".join(["file,start,end,emotion,speaker,split", *rows]) + "\n", encoding="utf-8")
    done = emotone("audit", "--manifest", table)
    assert done.code == (1 if leaking else 0), done.out
    assert ("copies of the same recordings stand on both sides" in done.out) == leaking
    assert ("stretches of recordings of which another stretch was seen" in done.out) != leaking
