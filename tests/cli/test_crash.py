"""Commands that are killed, run at the same time, and run out of disk: what is there is whole, a rerun completes it."""

import os
import random
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ..processes import wait_until_none_is_left

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(few: Path, tmp_path: Path) -> Start:
    """Return a function that starts a command on 45 clips, with a cache below `tmp_path`."""
    environment = os.environ | {"EMOTONE_DATA": str(few), "CUDA_VISIBLE_DEVICES": ""}

    def run(*arguments: object, cache: object = "cache", **changes: Any) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-m", "emotone", *map(str, arguments)],
            env=environment | {"EMOTONE_CACHE": str(tmp_path / str(cache)), "HOME": str(tmp_path / "home")},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
            start_new_session=True,
            **changes,
        )

    return run


def done(process: "subprocess.Popen[str]") -> str:
    """Wait for a command that succeeds; return what it said as errors."""
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 0 and "Traceback" not in errors, errors
    return errors


def held(place: Path) -> dict[str, bytes]:
    """What a file or folder holds, but for hidden files, which a kill may leave."""
    files = [place] if place.is_file() else sorted(path for path in place.rglob("*") if path.is_file())
    return {path.name: path.read_bytes() for path in files if not path.name.startswith(".")}


def kill_after(seconds: float, process: "subprocess.Popen[str]") -> None:
    """Kill a command that is not done by then, and see that it leaves no process behind."""
    try:
        process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
    wait_until_none_is_left(process.pid)


def without_a_trace(start: Start, command: list[object], tmp_path: Path, kills: int) -> None:
    """Kill a command `kills` times, at any moment; its file is there whole or not at all, and a rerun makes it."""
    begun = time.monotonic()
    done(start(*command, "--out", "calm.csv", cache="another"))
    took, calm = time.monotonic() - begun, held(tmp_path / "calm.csv")["calm.csv"]
    moment, target = random.Random(7), tmp_path / "killed.csv"
    for _ in range(kills):
        kill_after(took * moment.uniform(0.1, 0.95), start(*command, "--out", target))
        assert not target.exists() or target.read_bytes() == calm
    done(start(*command, "--out", target))
    assert target.read_bytes() == calm


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for orphans in /proc")
@pytest.mark.parametrize("kills", [2, pytest.param(12, marks=pytest.mark.soak)])
def test_predict_killed_at_any_moment(start: Start, few: Path, tmp_path: Path, kills: int) -> None:
    without_a_trace(start, ["predict", few / "synthetic", "--model", "emotone/tiny"], tmp_path, kills)


@pytest.mark.soak
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for orphans in /proc")
def test_features_killed_at_any_moment(start: Start, tmp_path: Path) -> None:
    command = ["features", "--system", "nguyen/cnn-lstm", "--corpus", "synthetic"]
    without_a_trace(start, command, tmp_path, 12)


@pytest.mark.soak
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for orphans in /proc")
def test_train_killed_at_any_moment(start: Start, small: dict[str, Path], tmp_path: Path) -> None:
    command = ["train", small["net"], "--preset", "quick", "--corpus", "synthetic", "--device", "cpu", "--out"]
    begun = time.monotonic()
    done(start(*command, "calm", cache="another"))
    took, moment = time.monotonic() - begun, random.Random(3)
    for _ in range(6):
        kill_after(took * moment.uniform(0.1, 0.95), start(*command, "killed"))
    done(start(*command, "killed"))
    calm, killed = held(tmp_path / "calm"), held(tmp_path / "killed")
    assert calm["weights.safetensors"] == killed["weights.safetensors"]
    assert calm["system.json"] == killed["system.json"] and killed.keys() == calm.keys()


@pytest.mark.soak
def test_two_comparisons_at_once_into_one_folder(start: Start, small: dict[str, Path], tmp_path: Path) -> None:
    command = ["compare", small["tree"], small["net"], "--corpus", "synthetic", "--jobs", "1", "--out"]
    both = [start(*command, "both") for _ in range(2)]
    for process in both:
        done(process)
    assert len(list((tmp_path / "both" / "runs").rglob("[!.]*.json"))) == 2
    assert "2 of them are there already" in start(*command, "both").communicate(timeout=300)[0]


def test_two_at_once_share_a_cache(start: Start, tmp_path: Path) -> None:
    command = ["features", "--system", "nguyen/cnn-lstm", "--corpus", "synthetic", "--out"]
    both = [start(*command, name) for name in ("one.csv", "other.csv")]
    for process in both:
        done(process)
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "other.csv").read_bytes()
    assert not list((tmp_path / "cache").rglob(".*")), "nothing half-written is left"


def test_a_file_that_the_disk_has_no_room_for_is_not_there_and_the_old_one_is(
    start: Start, few: Path, tmp_path: Path
) -> None:
    (tmp_path / "a.csv").write_text("of yesterday")
    process = start(
        *("predict", few / "synthetic", "--model", "emotone/tiny", "--out", "a.csv"),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100)),
    )
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 1 and "Traceback" not in errors and "File too large" in errors
    assert held(tmp_path)["a.csv"] == b"of yesterday"
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a folder that nobody may write, root neither")
def test_a_cache_and_a_home_that_cannot_be_written_do_not_keep_it_from_recognising(start: Start, few: Path) -> None:
    done(start("predict", next(few.rglob("*.wav")), "--model", "emotone/tiny", cache="/proc/nowhere"))
