"""Homes and caches that cannot be written: recognition needs none, the rest says which setting names another."""

import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from emotone.audit.similar import similar_pairs
from emotone.corpora.fetch import unpack
from emotone.errors import DownloadError

Emotone = Callable[..., Any]


@pytest.fixture
def blocked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache that cannot be made, as a file is in its place, which bars root too."""
    (tmp_path / "cache").write_text("")
    monkeypatch.setenv("EMOTONE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.mark.parametrize("place", ["/proc/nowhere", "a file", ""])
@pytest.mark.parametrize("form", ["table", "csv"])
def test_recognition_needs_no_home_no_cache_and_no_temporary_folder(
    synthetic: Path, tmp_path: Path, place: str, form: str
) -> None:
    if place == "a file":
        (tmp_path / "file").write_text("")
        place = str(tmp_path / "file")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "EMOTONE_"))}
    environment |= dict.fromkeys(("HOME", "TMPDIR", "EMOTONE_CACHE"), place)
    clip = next((synthetic / "synthetic").rglob("*.wav"))
    arguments = () if form == "table" else ("--format", form)
    command = [sys.executable, "-m", "emotone", "predict", clip, "--min-confidence", "0", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd="/")
    assert (done.returncode, done.stderr) == (0, "") and str(clip) in done.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("features", "--system", "NET", "--out", "OUT/x.csv", "--corpus", "synthetic", "--data", "DATA"),
        ("train", "TREE", "--out", "OUT/run", "--corpus", "synthetic", "--data", "DATA", "--preset", "quick"),
        ("audit", "TREE", "--corpus", "synthetic", "--data", "DATA"),
        ("features", "--system", "NET", "--out", "OUT/x.csv", "--corpus", "synthetic"),
        ("corpora", "check", "synthetic"),
        ("corpora", "fetch", "ravdess"),
    ],
)
def test_what_the_cache_cannot_take_names_it_the_reason_and_the_setting(
    emotone: Emotone, small: dict[str, Path], synthetic: Path, tmp_path: Path, blocked: Path, arguments: tuple[str, ...]
) -> None:
    (tmp_path / "out").mkdir()
    meant = {"NET": small["net"], "TREE": small["tree"], "DATA": synthetic, "OUT/x.csv": tmp_path / "out" / "x.csv",
             "OUT/run": tmp_path / "out" / "run"}  # fmt: skip
    done = emotone(*(meant.get(word, word) for word in arguments))
    assert done.code == 1
    first = next(line for line in done.err.splitlines() if line.startswith("emotone: "))
    assert str(blocked) in first and "EMOTONE_CACHE" in first and "Traceback" not in done.err
    assert "Not a directory" in first or "File exists" in first


def test_likeness_that_cannot_be_kept_names_the_setting(synthetic: Path, blocked: Path) -> None:
    from emotone.errors import EmotoneError

    clips = sorted((synthetic / "synthetic").rglob("*.wav"))[:2]
    with pytest.raises(EmotoneError, match="EMOTONE_CACHE"):
        similar_pairs(clips, ["a", "b"])


@pytest.mark.parametrize(
    "arguments", [("features", "--system", "NET", "--out", "x.csv"), ("corpora", "check", "synthetic")]
)
def test_a_cache_that_is_full(small: dict[str, Path], tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """By a limit on how large a file may grow, which fails within a write, as a full disk does."""
    command = [sys.executable, "-m", "emotone", *(str(small["net"]) if word == "NET" else word for word in arguments)]
    if arguments[0] == "features":
        command += ["--corpus", "synthetic"]
    environment = os.environ | {"EMOTONE_CACHE": str(tmp_path / "cache")}
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=tmp_path, env=environment,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000)),
    )  # fmt: skip
    assert done.returncode == 1 and len(done.stderr.splitlines()) == 1, done.stderr
    assert str(tmp_path / "cache") in done.stderr and "EMOTONE_CACHE" in done.stderr
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_an_archive_that_cannot_be_unpacked_names_the_setting(synthetic: Path, tmp_path: Path) -> None:
    zipped = Path(shutil.make_archive(str(tmp_path / "a"), "zip", synthetic / "synthetic", "Actor_01"))
    (tmp_path / "file").write_text("")
    with pytest.raises(DownloadError, match=r"file.*Not a directory.*EMOTONE_CACHE"):
        unpack(zipped, tmp_path / "file" / "ravdess")
