"""Stretches of one recording are what the whole has there, in whichever order, and decode it once if they follow."""

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from emotone.audio import Part, open_part, read
from emotone.audio.media import Media
from emotone.errors import AudioError

from .test_blocks import RATE, written

SUFFIXES = ("m4a", "webm", "mp3", "ogg", "flac")
ORDERS = {
    "in turn": [(0.1 * at, 0.1 * at + 0.08) for at in range(95)],
    "overlapping": [(0.1 * at, 0.1 * at + 1.3) for at in range(80)],
    "backwards": [(8.0, 8.5), (0.0, 0.4), (4.0, 9.9), (3.9, 4.1)],
    "to the end": [(1.0, None), (9.0, None), (9.0, 12.0), (0.0, 9.95)],
}


@pytest.fixture(scope="module")
def noise() -> np.ndarray:
    return np.random.default_rng(0).uniform(-0.5, 0.5, (2, 10 * RATE)).astype("f4")


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("order", ORDERS)
def test_stretches_are_those_of_the_whole(noise: np.ndarray, tmp_path: Path, suffix: str, order: str) -> None:
    path = written(tmp_path / f"noise.{suffix}", noise)
    whole, rate = read(path)
    for start, end in ORDERS[order]:
        stretch, _ = read(Part(path, start, end))
        expected = whole[:, round(start * rate) : None if end is None else round(end * rate)]
        np.testing.assert_array_equal(stretch, expected)


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many samples each opened recording has decoded."""
    counts: list[int] = []
    blocks = Media.blocks

    def counted(self: Media, frames: int) -> Iterator[np.ndarray]:
        counts.append(0)
        for block in blocks(self, frames):
            counts[-1] += block.shape[1]
            yield block

    monkeypatch.setattr(Media, "blocks", counted)
    return counts


def test_what_cannot_seek_is_decoded_once(noise: np.ndarray, tmp_path: Path, decoded: list[int]) -> None:
    path = written(tmp_path / "noise.m4a", noise)
    for start, end in ORDERS["overlapping"]:
        read(Part(path, start, end))
    assert len(decoded) == 1 and decoded[0] <= 11 * RATE


def test_a_recording_that_has_changed_is_read_anew(noise: np.ndarray, tmp_path: Path) -> None:
    path = written(tmp_path / "noise.m4a", noise)
    read(Part(path, 1, 2))
    time.sleep(0.02)
    written(path, np.zeros_like(noise))
    assert np.abs(read(Part(path, 3, 4))[0]).max() < 1e-3


def test_a_stretch_that_is_not_there_says_the_same_however_often(noise: np.ndarray, tmp_path: Path) -> None:
    path = written(tmp_path / "noise.webm", noise)
    for start in (2.0, 20.0, 30.0, 2.0, 20.0):
        if start == 2:
            read(Part(path, start, 3.0))
            continue
        with pytest.raises(AudioError, match=rf"ends at 10\.\d\d s; the stretch begins at {start:g} s"):
            read(Part(path, start, start + 1))


def test_notes_are_of_the_stretch_that_reaches_the_end(noise: np.ndarray, tmp_path: Path) -> None:
    path = written(tmp_path / "noise.m4a", noise)
    for _ in range(2):
        for end, notes in ((2.0, 0), (60.0, 1), (3.0, 0)):
            with open_part(Part(path, 1.0, end)) as recording:
                for _ in recording.blocks(1 << 16):
                    pass
                assert len(recording.notes) == notes, recording.notes
