"""Forty things in a folder, ten of them hostile: thirty are answered, ten named, nothing else is touched."""

import json
import os
import re
import shutil
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import soundfile

from emotone.audio import load

ENDINGS = ("wav", "flac", "ogg", "mp3", "aiff", "au", "caf", "w64", "opus", "WAV", "oga", "mp2", "m4a", "webm", "mka")


@contextmanager
def hostile(folder: Path) -> Iterator[set[str]]:
    """Put into a folder what cannot be read; gives the names that must be told."""
    (folder / "empty.wav").touch()
    (folder / "words.mp3").write_text("these are words\n" * 100)
    (folder / "noise.ogg").write_bytes(np.random.default_rng(0).bytes(50_000))
    (folder / "head only.flac").write_bytes((folder / "a01.flac").read_bytes()[:60])
    (folder / "nan.wav").write_bytes(b"")
    soundfile.write(folder / "nan.wav", np.full(16_000, np.nan), 16_000, subtype="FLOAT")
    (folder / "to nowhere.wav").symlink_to(folder / "absent.wav")
    (folder / "itself.wav").symlink_to(folder / "itself.wav")
    (folder / "picture.m4a").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(200))
    (folder / "\x1b[2Jred.wav").write_text("moves the cursor")
    header = struct.pack("<4sI8sIHHIIHH4sI", b"RIFF", 36, b"WAVEfmt ", 16, 1, 1, 0, 0, 2, 16, b"data", 32_000)
    (folder / "no rate.wav").write_bytes(header + bytes(32_000))
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(folder / "socket.wav"))
        yield {
            "empty.wav", "words.mp3", "noise.ogg", "head only.flac", "nan.wav", "to nowhere.wav", "itself.wav",
            "picture.m4a", "\\x1b[2Jred.wav", "no rate.wav",
        }  # fmt: skip


@pytest.fixture
def folder(clips: list[Path], tmp_path: Path) -> Path:
    """Thirty recordings in fifteen formats."""
    calls = tmp_path / "calls"
    (calls / "inside" / "deeper").mkdir(parents=True)
    for at in range(30):
        ending = ENDINGS[at % len(ENDINGS)]
        place = calls / ("" if at < 20 else "inside" if at < 25 else "inside/deeper")
        samples = load(clips[at % len(clips)], rate=16_000)[0]
        soundfile.write(tmp_path / "clip.wav", samples, 16_000)
        target = place / f"a{at:02}.{ending}"
        command = ["ffmpeg", "-v", "error", "-i", tmp_path / "clip.wav", "-ar", "48000", target]
        subprocess.run(command, check=True)
    (tmp_path / "clip.wav").unlink()
    return calls


@pytest.mark.skipif(not shutil.which("ffmpeg"), reason="needs ffmpeg to write the formats")
def test_thirty_are_answered_and_ten_named(folder: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    unwanted = re.compile(r"CI$|ORT_|XDG_|EMOTONE_|TMP|TEMP")
    environment = {name: value for name, value in os.environ.items() if not unwanted.match(name)}
    environment |= {"HOME": str(home), "TMPDIR": str(home), "PYTHONDONTWRITEBYTECODE": "1"}
    with hostile(folder) as told:
        before = sorted(tmp_path.rglob("*"))
        command = [sys.executable, "-m", "emotone", "predict", folder, "--format", "jsonl"]
        done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=tmp_path)
        assert sorted(tmp_path.rglob("*")) == before, "nothing is written"
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 1 and "Traceback" not in done.stderr and len(rows) == 40
    answered = {Path(row["file"]).name for row in rows if "error" not in row}
    assert answered == {f"a{at:02}.{ENDINGS[at % len(ENDINGS)]}" for at in range(30)}
    for name in told:
        lines = [line for line in done.stderr.splitlines() if f"/{name}: " in line]
        assert len(lines) == 1, (name, done.stderr)
    assert "\x1b" not in done.stderr
    assert "passed over 1 file that is no recording: 1 .wav (a pipe, socket or device)" in done.stderr
