"""A frozen encoder's frames are made once for a clip and an encoder, and found again by content."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from emotone.errors import EmotoneError
from emotone.features import cache
from emotone.features.embed import embed
from emotone.models.pretrained import FrozenEncoder

Make = Callable[..., Path]


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EMOTONE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def clips(*lengths: int) -> list[NDArray[np.float32]]:
    return [np.random.default_rng(length).normal(size=(1, length)).astype(np.float32) for length in lengths]


def frozen(folder: Path, *, mean: bool = False) -> FrozenEncoder:
    return FrozenEncoder(folder, rate=16_000, mean=mean, device="cpu")


def test_frames_are_made_once(encoders: dict[str, Path], tmp_path: Path) -> None:
    folder = shutil.copytree(encoders["hubert"], tmp_path / "hubert")
    encoder, told = frozen(folder), []
    first = embed(clips(8_000, 12_000), encoder, on_progress=lambda *now: told.append(now))
    assert [frames.shape for frames in first] == [(32, 24), (32, 37)] and told == [(1, 2), (2, 2)]

    shutil.rmtree(folder)  # whatever would have to be made now cannot be
    told.clear()
    again = embed(
        [clip.copy() for clip in clips(12_000, 8_000, 12_000)], encoder, on_progress=lambda *n: told.append(n)
    )
    assert all(np.array_equal(one, other) for one, other in zip(again, [first[1], first[0], first[1]], strict=True))
    assert told == [(3, 3)]
    with pytest.raises(EmotoneError):
        embed(clips(8_000, 9_000), encoder)


def test_another_encoder_or_sample_or_mean_gives_other_frames(
    encoders: dict[str, Path], tmp_path: Path, make_encoder: Make
) -> None:
    clip = clips(8_000)
    first = embed(clip, frozen(encoders["hubert"]))[0]
    other = embed(clip, frozen(make_encoder("hubert", tmp_path / "other", seed=1)))[0]
    assert not np.array_equal(first, other)
    mean = embed(clip, frozen(encoders["hubert"], mean=True))[0]
    np.testing.assert_allclose(mean[:, 0], first.mean(1), atol=1e-5)
    clip[0][0, 100] += 0.5
    assert not np.array_equal(first, embed(clip, frozen(encoders["hubert"]))[0])


def test_how_many_work_changes_nothing(encoders: dict[str, Path], tmp_path: Path, own_cache: Path) -> None:
    wanted = clips(8_000, 9_000, 10_000, 11_000)
    one = embed(wanted, frozen(encoders["wav2vec2"]), workers=1)
    shutil.rmtree(own_cache)
    three = embed(wanted, frozen(encoders["wav2vec2"]), workers=3)
    assert all(np.array_equal(a, b) for a, b in zip(one, three, strict=True))


def test_a_broken_entry_is_made_anew(encoders: dict[str, Path], own_cache: Path) -> None:
    first = embed(clips(8_000), frozen(encoders["hubert"]))[0]
    entry = next(own_cache.rglob("*.npy"))
    entry.write_bytes(entry.read_bytes()[:100])
    assert cache.load(entry.stem) is None
    assert np.array_equal(embed(clips(8_000), frozen(encoders["hubert"]))[0], first)
    assert cache.load(entry.stem) is not None


def test_no_clips(encoders: dict[str, Path]) -> None:
    assert embed([], frozen(encoders["hubert"])) == []
