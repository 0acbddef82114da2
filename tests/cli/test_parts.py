"""`emotone predict` of channels and of stretches: whose answer is whose, also from a pipe."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from emotone.audio import load
from emotone.recognition import Recognizer

from ..made_bundles import make_bundle
from ..recognition.test_speaker import HEAD

Predict = Callable[..., Any]
RATE = 16_000


@pytest.fixture(scope="module")
def voices(clips: list[Path]) -> list[np.ndarray]:
    """Two clips, at 16 kHz."""
    return [load(clips[at], rate=RATE)[0] for at in (0, 1)]


@pytest.fixture(scope="module")
def call(voices: list[np.ndarray], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A call: the first speaker on the left, then the second on the right, then the first again."""
    one, other = voices
    sides = np.zeros((2, 2 * len(one) + len(other)), "f4")
    sides[0, : len(one)] = sides[0, -len(one) :] = one
    sides[1, len(one) : len(one) + len(other)] = other
    path = tmp_path_factory.mktemp("call") / "call.wav"
    soundfile.write(path, sides.T, RATE, subtype="FLOAT")
    return path


@pytest.fixture
def predict(emotone: Callable[..., Any], bundle: Path) -> Predict:
    def run(*arguments: object) -> Any:
        done = emotone("predict", "--model", bundle, *arguments, "--format", "jsonl")
        return done.code, [json.loads(line) for line in done.out.splitlines()], done.err

    return run


def test_each_channel_has_an_answer(predict: Predict, recognizer: Recognizer, call: Path) -> None:
    code, rows, _ = predict(call, "--channels", "each")
    assert code == 0 and [row["channel"] for row in rows] == [0, 1]
    samples = soundfile.read(call, dtype="float32")[0].T
    for row, side in zip(rows, samples, strict=True):
        assert row["scores"] == pytest.approx(recognizer((side, RATE)).scores, abs=1e-3)
    assert [row["channel"] for row in predict(call, "--channels", "1")[1]] == [1]
    (mixed,) = predict(call)[1]
    assert "channel" not in mixed and mixed["scores"] == pytest.approx(recognizer(call).scores, abs=1e-4)


def test_a_channel_that_is_not_there_fails_and_the_others_are_answered(
    predict: Predict, call: Path, clips: list[Path]
) -> None:
    code, rows, said = predict(call, clips[0], "--channels", "0,1")
    assert code == 1 and [("error" in row, row["channel"]) for row in rows] == [
        (False, 0), (False, 1), (False, 0), (True, 1),
    ]  # fmt: skip
    assert said.count("channel") >= 1 and str(clips[0]) in said


@pytest.mark.parametrize("how", ["stdin", "pipe"])
def test_channels_and_turns_of_what_comes_through_a_pipe(call: Path, bundle: Path, tmp_path: Path, how: str) -> None:
    """It can be read once only."""
    start = [sys.executable, "-m", "emotone", "predict", "--model", bundle, "--format", "jsonl", "--channels", "each"]
    if how == "stdin":
        done = subprocess.run([*start, "-"], input=call.read_bytes(), capture_output=True)
    else:
        os.mkfifo(tmp_path / "call.wav")
        writer = threading.Thread(target=lambda: (tmp_path / "call.wav").write_bytes(call.read_bytes()))
        writer.start()
        done = subprocess.run([*start, tmp_path / "call.wav"], capture_output=True, timeout=60)
        writer.join()
    through = [json.loads(line) for line in done.stdout.splitlines()]
    direct = subprocess.run([*start, call], capture_output=True, check=True)
    assert done.returncode == 0 and [row | {"file": ""} for row in through] == [
        json.loads(line) | {"file": ""} for line in direct.stdout.splitlines()
    ]


def test_diarised_turns_give_an_answer_each_and_one_for_each_speaker(
    predict: Predict, recognizer: Recognizer, call: Path, voices: list[np.ndarray], tmp_path: Path
) -> None:
    first, second = (len(voice) / RATE for voice in voices)
    turns = [(0, first, "anna"), (first, second, "ben"), (first + second, first, "anna")]
    rttm = tmp_path / "calls.rttm"
    rttm.write_text(
        "".join(f"SPEAKER call 1 {at:.6f} {long:.6f} <NA> <NA> {who} <NA> <NA>\n" for at, long, who in turns)
    )
    code, rows, _ = predict(call, "--segments-from", rttm)
    assert code == 0
    assert [(row["scope"], row["speaker"]) for row in rows] == [
        ("stretch", "anna"), ("stretch", "ben"), ("stretch", "anna"), ("speaker", "anna"), ("speaker", "ben"),
    ]  # fmt: skip
    mixed = [(0.5 * voice, RATE) for voice in voices]  # a turn on one side, the other silent
    for row, voice in zip(rows, (mixed[0], mixed[1], mixed[0]), strict=False):
        assert row["scores"] == pytest.approx(recognizer(voice).scores, abs=0.02)
    assert rows[3]["scores"] == pytest.approx(rows[0]["scores"], abs=0.02), "said twice, she is heard as once"


def test_an_error_of_a_stretch_says_which(emotone: Callable[..., Any], predict: Predict, tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text("file,start,end\nlost.wav,1,2.5\nlost.wav,3,\nlost.wav,,\n")
    code, rows, said = predict(tmp_path / "m.csv")
    assert code == 1 and [(row.get("start"), row.get("end")) for row in rows] == [(1, 2.5), (3, None), (None, None)]
    assert [line.split(": ")[1].rpartition("/")[2] for line in said.splitlines()] == [
        "lost.wav[1-2.5]", "lost.wav[3-]", "lost.wav",
    ]  # fmt: skip
    for form in ("csv", "parquet"):
        out = tmp_path / f"out.{form}"
        assert emotone("predict", tmp_path / "m.csv", "--out", out).code == 1
        assert predict(out)[1] == rows, "what could not be done is asked for again"


def test_a_speaker_unlike_those_of_training_is_uncertain_as_each_turn_is(
    emotone: Callable[..., Any], voices: list[np.ndarray], tmp_path: Path
) -> None:
    one, other = (voice / np.abs(voice).max() for voice in voices)
    sound = np.concatenate([0.4 * one, 0.002 * other, 0.4 * one, 0.002 * other])
    soundfile.write(tmp_path / "call.wav", sound, RATE, subtype="FLOAT")
    lines, at = [], 0.0
    for speaker, voice in (("loud", one), ("quiet", other)) * 2:
        lines.append(f"SPEAKER call 1 {at:.4f} {len(voice) / RATE:.4f} <NA> <NA> {speaker} <NA> <NA>\n")
        at += len(voice) / RATE
    (tmp_path / "call.rttm").write_text("".join(lines))
    narrow = HEAD.model_copy(update={"deviation": (1.0, 0.3), "reach": 3.0})
    model = make_bundle(tmp_path / "wary.onnx", head=narrow)

    def told(*options: object) -> list[dict[str, Any]]:
        given = (tmp_path / "call.wav", "--segments-from", tmp_path / "call.rttm", "--model", model, *options)
        return [json.loads(line) for line in emotone("predict", *given, "--format", "jsonl").out.splitlines()]

    *turns, loud, quiet = told()
    assert (loud["scope"], loud["speaker"], quiet["speaker"]) == ("speaker", "loud", "quiet")
    assert [row["emotion"] == "uncertain" for row in (*turns, loud, quiet)] == [False, True, False, True, False, True]
    assert loud["notes"] == [] and "unlike what the model was trained on" in quiet["notes"][0]
    assert quiet["emotion"] == turns[1]["emotion"] == "uncertain" and quiet["scores"]
    assert "uncertain" not in {row["emotion"] for row in told("--min-confidence", "0")}


def test_turns_in_a_mixed_order_have_one_total_a_speaker(predict: Predict, call: Path, tmp_path: Path) -> None:
    (tmp_path / "call.wav").symlink_to(call)
    (tmp_path / "other.wav").symlink_to(call)
    rows = "call.wav,0,1,anna\nother.wav,0,1,anna\ncall.wav,1,2,anna\nother.wav,1,2,anna\n"
    (tmp_path / "m.csv").write_text(f"file,start,end,speaker\n{rows}")
    found = predict(tmp_path / "m.csv")[1]
    assert [Path(row["file"]).name for row in found if row.get("scope") == "speaker"] == ["call.wav", "other.wav"]


def test_a_recording_without_turns_and_turns_without_a_recording_are_said(
    predict: Predict, call: Path, clips: list[Path], tmp_path: Path
) -> None:
    rttm = tmp_path / "calls.rttm"
    rttm.write_text("SPEAKER call 1 0 1 <NA> <NA> anna <NA> <NA>\nSPEAKER nobody 1 0 1 <NA> <NA> anna <NA> <NA>\n")
    code, rows, said = predict(call, clips[0], "--segments-from", rttm)
    assert code == 1 and {Path(row["file"]).name for row in rows} == {"call.wav"}
    assert f"{clips[0]}: {rttm} has no turn of it" in said and "no recording is called nobody" in said


def test_turns_are_cut_to_what_a_table_asks_for(
    predict: Predict, recognizer: Recognizer, call: Path, voices: list[np.ndarray], tmp_path: Path
) -> None:
    first = len(voices[0]) / RATE
    rttm, table = tmp_path / "calls.rttm", tmp_path / "m.csv"
    rttm.write_text(
        f"SPEAKER call 1 0 {first:.6f} <NA> <NA> anna <NA> <NA>\nSPEAKER call 1 {first:.6f} 1 <NA> <NA> ben <NA> <NA>\n"
    )
    table.write_text(f"file,channel\n{call},1\n{call},0\n")
    code, rows, _ = predict(table, "--segments-from", rttm)
    anna = [row for row in rows if row["speaker"] == "anna"]
    assert code == 0 and [(row["scope"], row["channel"], row["emotion"] == "no speech") for row in anna] == [
        ("stretch", 1, True), ("stretch", 0, False), ("speaker", 0, False), ("speaker", 1, True),
    ]  # fmt: skip
    assert anna[1]["scores"] == pytest.approx(recognizer((voices[0], RATE)).scores, abs=0.02)
    assert [row["duration"] for row in anna] == pytest.approx([first] * 4, abs=0.01), "no time counts twice"
    table.write_text(f"file,start,end\n{call},0.5,{first + 0.25}\n{call},{first + 1.5},{first + 2}\n")
    code, rows, said = predict(table, "--segments-from", rttm)
    assert [(row["speaker"], row["start"], row["duration"]) for row in rows if row["scope"] == "stretch"] == [
        ("anna", 0.5, pytest.approx(first - 0.5, abs=0.01)),
        ("ben", pytest.approx(first, abs=0.01), pytest.approx(0.25, abs=0.01)),
    ]  # fmt: skip
    assert code == 1 and f"call.wav[{first + 1.5:.4f}".rstrip("0") in said and "has no turn of it" in said


def test_turns_of_other_channels_than_a_row_asks_for_are_left_out(predict: Predict, call: Path, tmp_path: Path) -> None:
    rttm, table = tmp_path / "calls.rttm", tmp_path / "m.csv"
    rttm.write_text("SPEAKER call 1 0 1 <NA> <NA> anna <NA> <NA>\nSPEAKER call 2 4 1 <NA> <NA> ben <NA> <NA>\n")
    table.write_text(f"file,channel\n{call},1\n")
    code, rows, _ = predict(table, "--segments-from", rttm)
    assert code == 0 and [(row["speaker"], row["channel"]) for row in rows] == [("ben", 1), ("ben", 1)]


def test_the_rttm_that_was_written_gives_each_recording_its_own_turns(
    predict: Predict, emotone: Callable[..., Any], call: Path, tmp_path: Path
) -> None:
    for number, name in enumerate(("mon/call.wav", "tue/call.wav", "tue/my call.wav", "tue/call.flac"), start=1):
        (tmp_path / "all" / name).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(tmp_path / "all" / name, soundfile.read(call)[0][: -number * RATE // 4], RATE)
    for given in (tmp_path / "all", tmp_path / "all" / "tue"):
        rttm = tmp_path / "all.rttm"
        assert emotone("predict", given, "--out", rttm).code == 0
        code, rows, said = predict(given, "--segments-from", rttm)
        assert code == 0 and "recording" not in said, said
        lines = [line.split() for line in rttm.read_text().splitlines()]
        turns = [(line[1].replace("_", " "), float(line[3])) for line in lines]
        stretches = [(row["file"], row["start"]) for row in rows if row["scope"] == "stretch"]
        assert len(stretches) == len(turns) == len({*turns})
        for name, start in turns:
            file = given / name if Path(name).suffix else given / f"{name}.wav"
            assert (str(file), start) in stretches


def test_turns_that_several_recordings_may_be_meant_by_are_warned_of(
    predict: Predict, call: Path, tmp_path: Path
) -> None:
    for day in ("mon", "tue"):
        (tmp_path / day).mkdir()
        (tmp_path / day / "call.wav").symlink_to(call)
    rttm, others = tmp_path / "calls.rttm", "SPEAKER mon/call 1 1 1 <NA> <NA> ben <NA> <NA>\n"
    for text, warned in (("", True), (others, False)):
        rttm.write_text("SPEAKER call 1 0 1 <NA> <NA> anna <NA> <NA>\n" + text)
        code, rows, said = predict(tmp_path / "mon", tmp_path / "tue", "--segments-from", rttm)
        assert code == 0 and len(rows) == 4
        assert ("turns of call are taken for each of 2 recordings" in said) == warned
        assert ("as mon/call and tue/call they are told apart" in said) == warned
        assert [row["speaker"] for row in rows[::2]] == (["anna", "anna"] if warned else ["ben", "anna"])


@pytest.mark.parametrize("value", ["left", "0;1", "-1", ""])
def test_wrong_channels_are_told_what_is_allowed(predict: Predict, call: Path, value: str) -> None:
    code, _, said = predict(call, f"--channels={value}")
    assert code == 2 and "allowed are mix, each, or numbers from 0 with commas" in said
