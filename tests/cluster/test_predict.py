"""`emotone predict --engine ray`: what local gives, once each, resumed; poison is a row; what cannot be is said."""

import importlib
import json
import os
import pickle
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from emotone.cluster import listening
from emotone.cluster.listening import Job, Listener
from emotone.cluster.predict import recordings_of
from emotone.recognition.asked import Asked
from emotone.recognition.formats import Columns

from ..made_bundles import LABELS
from ..processes import wait_until_none_is_left
from .rows import like, rows_of

Run = Callable[..., Any]


@pytest.fixture
def calls(clips: list[Path], tmp_path: Path) -> Path:
    """A folder of recordings, three of which are none."""
    folder = tmp_path / "calls"
    (folder / "inside").mkdir(parents=True)
    for at, clip in enumerate(clips[:6]):
        shutil.copy(clip, folder / ("inside" if at % 2 else ".") / f"{at}{clip.suffix}")
    (folder / "garbage.wav").write_bytes(os.urandom(3000))
    (folder / "empty.flac").touch()
    (folder / "half.flac").write_bytes(clips[6].read_bytes()[:2000])
    return folder


@pytest.fixture
def served(calls: Path) -> Iterator[str]:
    """The same folder over HTTP, which fsspec reads as it reads s3://."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(calls)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.mark.soak  # Ray gives up starting after 30 s, which a busy machine takes
@pytest.mark.timeout(1800)
def test_it_gives_what_local_gives_and_goes_on(
    emotone: Run, bundle: Path, calls: Path, served: str, tmp_path: Path
) -> None:
    local, wide = tmp_path / "local.parquet", tmp_path / "wide"
    assert emotone("predict", calls, "--model", bundle, "--out", local).code == 1
    (calls / "half.flac").rename(tmp_path / "half.flac")
    done = emotone("predict", calls, "--model", bundle, "--out", wide, "--engine", "ray")
    assert (done.code, done.out) == (1, f"{wide}: 8 recordings; errors: 2\n")
    assert sorted(line.split(": ")[1] for line in done.err.splitlines()) == [
        str(calls / "empty.flac"),
        str(calls / "garbage.wav"),
    ]
    begun = {path: path.stat().st_mtime_ns for path in wide.glob("*.parquet")}
    (tmp_path / "half.flac").rename(calls / "half.flac")

    listed = tmp_path / "listed.csv"  # the same recordings by other words, and one that is at a URL
    elsewhere = next(path for path in calls.glob("0.*"))
    names = [path for path in sorted(calls.rglob("*.*")) if path.is_file()]
    listed.write_text("\n".join(["file", *map(str, names), f"{served}/{elsewhere.name}", f"{served}/none.wav"]))
    done = emotone("predict", listed, "--model", bundle, "--out", wide, "--engine", "ray")
    assert (done.code, done.out) == (1, f"{wide}: 11 recordings, 8 of them before; errors: 4\n")
    assert all(path.stat().st_mtime_ns == time for path, time in begun.items())
    rows = rows_of(wide)
    here = [row for row in rows if "://" not in row["file"]]
    assert here == like(rows_of(local))
    there, none = (row for row in rows if "://" in row["file"])
    assert (none["file"], none["error"]) == (f"{served}/none.wav", "no such file")
    twin = next(row for row in here if row["file"] == str(elsewhere))
    assert [there] == like([twin | {"file": f"{served}/{elsewhere.name}"}])

    again = emotone("predict", listed, "--model", bundle, "--out", wide, "--engine", "ray")
    assert (again.code, again.err) == (1, ""), "nothing is left to do, and some cannot be read"
    assert again.out == f"{wide}: 11 recordings, 11 of them before; errors: 4\n"
    assert rows_of(wide) == rows

    other = emotone("predict", listed, "--model", bundle, "--out", wide, "--engine", "ray", "--window", 2)
    assert other.code == 2
    assert other.err.splitlines() == [
        f"emotone: --out {wide}: was begun with window 3.0, not 2.0.",
        "Ask as before to go on with it, or name another folder.",
    ]


@pytest.mark.parametrize("segments", [False, True])
def test_a_file_that_kills_who_reads_it_is_a_row(
    bundle: Path, clips: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, segments: bool
) -> None:
    monkeypatch.setattr(sys.modules["__main__"], "__file__", None, raising=False)
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    monkeypatch.setattr(listening, "_Listening", importlib.import_module("deadly").Deadly)
    deadly = tmp_path / "deadly.flac"
    shutil.copy(clips[0], deadly)
    asked = [Asked(str(path), path) for path in (clips[0], deadly, clips[1], tmp_path / "none.wav")]
    job = Job(str(bundle), 1, None, {}, Columns(LABELS, segments))
    recordings = recordings_of(asked, None)
    batch = pyarrow.table(
        {"key": [key for key, _ in recordings], "asked": [pickle.dumps(parts) for _, parts in recordings]}
    )
    rows, lines = (Listener(job)(batch)[name].to_pylist() for name in ("rows", "lines"))
    assert [[row["error"] for row in some if row["error"]] for some in rows] == [
        [],
        ["cannot be decoded: it ends the program that tries"],
        [],
        ["no such file"],
    ]
    assert lines[1] == [f"{deadly}: cannot be decoded: it ends the program that tries"]
    assert rows[0][0]["emotion"] and rows[2][0]["emotion"]


def test_stretches_keep_their_speakers_and_their_recording_is_one_piece(tmp_path: Path) -> None:
    asked = [
        Asked("a.wav", tmp_path / "a.wav", 0, 1, None, "x"),
        Asked("b.wav", tmp_path / "b.wav"),
        Asked("a.wav", tmp_path / "a.wav", 1, 2, None, "x"),
    ]
    (first, parts), (second, _) = recordings_of(asked, tmp_path)
    assert [(one.name, one.start) for one in parts] == [("a.wav", 0), ("a.wav", 1)]
    assert first != second and first != recordings_of(asked[:1], tmp_path)[0][0]


WORDS = {
    ("--out", "x.csv", "--address", "auto"): "--address auto: goes with --engine ray.",
    ("--engine", "spark"): "Unknown engine 'spark'. Valid: ray, local.",
    ("--engine", "ray"): "--engine ray needs --out FOLDER",
    ("--engine", "ray", "--out", "w", "--format", "csv"): "--format csv: --engine ray writes parquet.",
    ("--engine", "ray", "--out", "w", "--adapt", "folder"): "--adapt folder: --engine ray answers each recording by",
    ("--engine", "ray", "--out", "w", "--address", "nowhere"): "--address nowhere: is none.",
    ("--engine", "ray", "--out", "w", "--address", "127.0.0.1:1"): "--address 127.0.0.1:1: no cluster answers at",
    ("--engine", "ray", "--out", "w", "abc://calls"): "abc://calls: abc:// is no scheme that is known.",
    ("--engine", "ray", "--out", "abc://w"): "abc://w: abc:// is no scheme that is known.",
}


@pytest.mark.soak
@pytest.mark.parametrize("seconds", [6, 8, 20])  # while Ray starts, and while it works
def test_a_supervisor_ends_it_as_a_shell_expects(bundle: Path, calls: Path, tmp_path: Path, seconds: int) -> None:
    words = ("predict", calls, "--model", bundle, "--window", 3, "--hop", 0.05, "--engine", "ray")
    for at in range(200):
        shutil.copy(calls / "inside" / "1.flac", calls / f"more{at}.flac")
    command = [sys.executable, "-m", "emotone", *map(str, words), "--out", tmp_path / "wide"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
        time.sleep(seconds)
        process.terminate()
        _, err = process.communicate(timeout=60)
    assert process.returncode == 143 and "Traceback" not in err and "address" not in err
    wait_until_none_is_left(process.pid)
    assert not list((tmp_path / "wide").rglob(".*"))


@pytest.mark.parametrize("words", WORDS, ids=" ".join)
def test_what_cannot_be_is_said_in_two_lines(
    emotone: Run, clips: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    done = emotone("predict", clips[0], *words)
    assert done.code == 2 and done.out == ""
    assert done.err.startswith(f"emotone: {WORDS[words]}") and len(done.err.splitlines()) <= 2
    assert not list(tmp_path.rglob("*.parquet"))


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        ("ray", ["emotone: --engine ray needs Ray.", "Get it by: pip install 'emotone[ray]'"]),
        (
            "s3fs",
            ["emotone: s3://bucket/a.wav: s3:// needs a package that is not here.", "Get it by: pip install s3fs"],
        ),
    ],
)
def test_a_package_that_is_missing_is_named(
    emotone: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str, said: list[str]
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    done = emotone("predict", "s3://bucket/a.wav", "--engine", "ray", "--out", tmp_path / "w")
    assert (done.code, done.err.splitlines()) == (2, said)


def test_what_others_put_into_the_folder_is_refused(
    emotone: Run, clips: list[Path], bundle: Path, tmp_path: Path
) -> None:
    pyarrow.parquet.write_table(pyarrow.table({"error": ["x"]}), tmp_path / "theirs.parquet")
    done = emotone("predict", clips[0], "--model", bundle, "--engine", "ray", "--out", tmp_path)
    assert done.code == 1 and "theirs.parquet: is no file that --engine ray wrote." in done.err
    assert json.loads((tmp_path / "_asked.json").read_text())["model"] == "made/by-hand 0"
