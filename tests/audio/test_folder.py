"""Folders: whatever is read when it is named is found, what is passed over is counted, links and pipes do no harm."""

import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from emotone.audio import list_folder


def test_every_format_that_is_written_is_found(tmp_path: Path) -> None:
    no_endings = ("RAW", "MAT4", "MAT5", "MPC2K")
    names = [f"a.{form.lower()}" for form in soundfile.available_formats() if form not in no_endings]
    names += ["b.WAV", "c.Flac", "d.m4a", "e.oga", "f.aif", "g.snd", "h.wma", "i.amr", "j.mkv", "k.opus", "l.3gp"]
    for name in names:
        (tmp_path / name).touch()
    assert sorted(map(str, list_folder(tmp_path).recordings)) == sorted(set(names))


def test_what_is_passed_over_is_counted(tmp_path: Path) -> None:
    for name in ("a.wav", "b.txt", "c.TXT", "README", "d.pdf", ".hidden.wav", ".DS_Store"):
        (tmp_path / name).touch()
    os.mkfifo(tmp_path / "pipe.wav")
    found = list_folder(tmp_path)
    assert [str(path) for path in found.recordings] == ["a.wav"]
    assert found.passed_over == {".txt": 2, "": 1, ".pdf": 1, ".wav (a pipe, socket or device)": 1}
    assert str(found) == (
        "passed over 5 files that are no recordings: 2 .txt, 1 without an ending, 1 .pdf, "
        "1 .wav (a pipe, socket or device)"
    )


def test_links_are_followed_once_and_circles_are_cut(tmp_path: Path) -> None:
    inside, outside = tmp_path / "in", tmp_path / "out"
    (inside / "sub").mkdir(parents=True)
    outside.mkdir()
    for path in (inside / "a.wav", inside / "sub" / "b.wav", outside / "c.wav"):
        path.touch()
    (inside / "linked").symlink_to(outside)
    (inside / "again").symlink_to(outside)
    (inside / "sub" / "up").symlink_to(inside)
    (outside / "back").symlink_to(inside)
    (inside / "self").symlink_to(inside / "self")
    (inside / "gone.wav").symlink_to(inside / "nowhere.wav")
    (inside / "d.wav").symlink_to(outside / "c.wav")
    assert [str(path) for path in list_folder(inside).recordings] == [
        "a.wav", "d.wav", "gone.wav", "again/c.wav", "sub/b.wav",
    ]  # fmt: skip


def test_a_folder_that_cannot_be_entered_is_named_and_the_others_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "locked").mkdir()
    (tmp_path / "open").mkdir()
    soundfile.write(tmp_path / "open" / "a.wav", np.zeros(9), 16_000)
    real = os.scandir

    def scandir(path: Path) -> object:  # as root, permissions lock nobody out
        if Path(path).name == "locked":
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    found = list_folder(tmp_path)
    assert [str(path) for path in found.recordings] == ["open/a.wav"]
    assert found.unreadable == ((str(tmp_path / "locked"), "Permission denied"),)
