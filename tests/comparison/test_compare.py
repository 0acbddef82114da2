"""`emotone compare` as a user runs it: killed and run again it ends as if it had never been killed."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from emotone import recipes
from emotone.comparison.sweep import cores
from emotone.evaluation.record import read_records

from ..processes import wait_until_none_is_left
from .conftest import but_times

Start = Callable[..., "subprocess.Popen[str]"]
SEVERAL = (pytest.mark.soak, pytest.mark.skipif(cores() < 2, reason="a device here is a core"))


@pytest.fixture
def start(synthetic: Path, tmp_path: Path) -> Start:
    """Return a function that starts `emotone compare` on the three speakers, in a session of its own."""
    environment = os.environ | {"EMOTONE_DATA": str(synthetic), "EMOTONE_CACHE": str(tmp_path / "cache")}

    def run(*arguments: object, cache: str = "cache", **changes: Any) -> "subprocess.Popen[str]":
        command = [sys.executable, "-c", "from emotone.cli import main; main()", "compare", *map(str, arguments)]
        return subprocess.Popen(
            [*command, "--corpus", "synthetic", "--jobs", "2"],
            env=environment | {"EMOTONE_CACHE": str(tmp_path / cache)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            **changes,
        )

    return run


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for orphans in /proc")
@pytest.mark.parametrize(
    ("kills", "devices"), [(1, 1), pytest.param(8, 1, marks=pytest.mark.soak), pytest.param(3, 2, marks=SEVERAL)]
)
def test_killed_at_any_moment_it_ends_with_the_same_records(
    start: Start, small: dict[str, Path], tmp_path: Path, kills: int, devices: int
) -> None:
    systems = small["net"], small["copies" if devices == 1 else "frames"], "--devices", devices
    begun = time.monotonic()
    undisturbed = start(*systems, "--out", tmp_path / "calm", cache="another")
    out, errors = undisturbed.communicate()
    took = time.monotonic() - begun
    assert undisturbed.returncode == 0, errors
    assert out.splitlines()[-1] == str(tmp_path / "calm" / "report" / "index.html")
    for path in (tmp_path / "calm" / "runs").rglob("*.json"):
        json.loads(path.read_text(encoding="utf-8"), parse_constant=pytest.fail)  # NaN is no JSON

    moment, killed = random.Random(20), 0
    while killed < kills:
        process = start(*systems, "--out", tmp_path / "killed")
        try:
            process.communicate(timeout=took * moment.uniform(0.05, 0.5))
            took /= 2  # it was done before it could be killed: the machine has become faster
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            killed += 1
        wait_until_none_is_left(process.pid)
    last = start(*systems, "--out", tmp_path / "killed")
    _, errors = last.communicate()
    assert last.returncode == 0, errors

    expected, found = (read_records(tmp_path / name / "runs") for name in ("calm", "killed"))
    assert [record.system for record in expected] == ["small/copies" if devices == 1 else "small/frames", "small/net"]
    assert all((", trained on 2" in record.device) == (devices == 2) for record in found)
    for one, other in zip(map(but_times, found), map(but_times, expected), strict=True):
        assert {key: (one[key], other[key]) for key in one if one[key] != other[key] and key != "commit"} == {}
    names = [
        sorted(path.name for path in (tmp_path / name / "runs").rglob("[!.]*.json")) for name in ("calm", "killed")
    ]
    assert names[0] == names[1]
    assert (tmp_path / "killed" / "report" / "index.html").stat().st_size > 10_000


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it_soon_and_says_how_to_go_on(
    start: Start, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    endless = tmp_path / "endless.yaml"
    endless.write_text(
        "extends: kakadiya/lstm\nid: small/endless\naudio: {rate: 16000}\n"
        "training: {patience: null, plateau: null}\nquick_epochs: 100000\n"
    )
    process = start(endless, "--out", tmp_path / "out", preexec_fn=_heed_interrupts)
    _wait_for_training(process.pid)
    begun = time.monotonic()
    os.killpg(process.pid, number)  # to all of the group, as a terminal does
    _, errors = process.communicate(timeout=60)
    assert time.monotonic() - begun < 10
    assert process.returncode == code
    assert errors.splitlines()[-1] == (
        "emotone: Interrupted. Finished runs are kept; the same command goes on from here."
    )
    assert "Traceback" not in errors
    wait_until_none_is_left(process.pid)


def _heed_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a process in the background would ignore them


def _wait_for_training(session: int) -> None:
    """Wait until a worker has burnt so much processor time that it must be training."""
    end = time.monotonic() + 120
    while time.monotonic() < end:
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = stat.read_text().rpartition(")")[2].split()
                command = (stat.parent / "cmdline").read_text()
            except OSError:
                continue
            seconds = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
            if int(fields[3]) == session and "spawn_main" in command and seconds > 10:
                return
        time.sleep(0.2)
    raise AssertionError("no worker ever trained")


def test_a_run_that_fails_is_reported_and_the_report_is_written(
    emotone: Callable[..., Any], small: dict[str, Path], synthetic: Path, tmp_path: Path
) -> None:
    late = tmp_path / "late.yaml"
    late.write_text(f"{small['tree'].read_text()}audio: {{offset: 60}}\n".replace("small/tree", "small/late"))
    data = ("--corpus", "synthetic", "--data", synthetic)
    done = emotone("compare", late, small["tree"], "--out", tmp_path / "out", "--jobs", "1", *data)
    assert done.code == 1
    assert "small/late published seed 0 failed: " in done.err and "the first 60 s" in done.err
    assert "small/tree published seed 0: " in done.out
    assert done.out.splitlines()[-1] == str(tmp_path / "out" / "report" / "index.html")

    nothing = emotone("compare", late, "--out", tmp_path / "nothing", "--jobs", "1", *data)
    assert nothing.code == 1
    assert "small/late published seed 0 failed: " in nothing.err
    assert not (tmp_path / "nothing" / "report").exists()


def test_a_corpus_of_ones_own_stands_beside_the_others_unless_a_clip_cannot_be_read(
    emotone: Callable[..., Any], small: dict[str, Path], synthetic: Path, tmp_path: Path
) -> None:
    clips = sorted((synthetic / "synthetic").rglob("*.wav"))[:40]
    broken = tmp_path / "broken.wav"
    broken.write_bytes(clips[0].read_bytes()[:60] + b"no audio")
    lines = [f"{path},{('sad', 'happy')[number % 2]},one" for number, path in enumerate([*clips, broken])]
    manifest = tmp_path / "mine.csv"
    manifest.write_text("\n".join(["file,emotion,speaker", *lines]))
    done = emotone("compare", small["tree"], "--data", manifest, "--out", tmp_path / "out", "--jobs", "1")
    assert done.code == 1 and str(broken) in done.err
    assert not list((tmp_path / "out").rglob("*.json")), "something was trained before"

    manifest.write_text("\n".join(["file,emotion,speaker", *lines[:-1]]))
    done = emotone("compare", small["tree"], "--data", manifest, "--out", tmp_path / "out", "--jobs", "1")
    assert done.code == 0
    (record,) = read_records(tmp_path / "out" / "runs")
    assert (record.corpus, record.classes, record.synthetic) == ("mine", ("happy", "sad"), False)
    assert list((tmp_path / "out" / "runs" / "mine").rglob("*.json"))


def test_systems_that_need_what_a_corpus_does_not_state_are_left_out_in_words(
    emotone: Callable[..., Any], synthetic: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recipes, "names", lambda: ("kakadiya/cnn-lstm", "onah/cnn"))  # all is much
    clips = sorted((synthetic / "synthetic").rglob("*.wav"))[:40]
    manifest = tmp_path / "mine.csv"
    rows = [f"{path},{('sad', 'happy')[number % 2]},one" for number, path in enumerate(clips)]
    manifest.write_text("\n".join(["file,emotion,speaker", *rows]))
    done = emotone("compare", "--data", manifest, "--out", tmp_path / "out", "--jobs", "1")
    assert done.code == 0
    assert "onah/cnn is left out: onah/cnn tells genders apart, and 40 clip(s) of mine state none" in done.err
    assert [record.system for record in read_records(tmp_path / "out" / "runs")] == ["kakadiya/cnn-lstm"]
    named = emotone("compare", "onah/cnn", "--data", manifest, "--out", tmp_path / "out", "--jobs", "1")
    assert named.code == 1 and "tells genders apart" in named.err
