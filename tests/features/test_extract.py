"""Extraction gives every item's frames in order, from the cache where it can, and names the recording it cannot use."""

import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from emotone.audio import load
from emotone.augment import ORIGINAL, AugmentConfig, augment, copies
from emotone.errors import AudioError, UsageError
from emotone.features import cache
from emotone.features import extract as module
from emotone.features.config import AudioConfig, FeatureConfig
from emotone.features.extract import Item, extract, take_features
from emotone.features.frontend import FrontEnd
from emotone.features.prepare import prepare

AUDIO = AudioConfig(rate=16_000, trim_db=30, normalise="peak")
FEATURES = FeatureConfig(streams=("logmel", "rms"), window=512, hop=256, mels=20)
BOUCHETA = AugmentConfig(kind="boucheta")


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EMOTONE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def clips(tmp_path: Path) -> list[Path]:
    paths = []
    for number in range(6):
        random = np.random.default_rng(number)
        samples = 0.1 * random.standard_normal(8_000 + 1_000 * number) * np.linspace(0, 1, 8_000 + 1_000 * number)
        paths.append(tmp_path / f"clip-{number}.wav")
        soundfile.write(paths[-1], samples, 22_050)
    return paths


def expected(item: Item, config: AugmentConfig | None = None) -> np.ndarray:
    """The frames of an item, step by step."""
    path, clip, variant = item
    samples = prepare(load(path, rate=16_000)[0], AUDIO)
    if variant != ORIGINAL:
        assert config is not None
        samples = augment(samples, 16_000, config=config, variant=variant, clip_key=clip)
    return take_features(samples, 16_000, FEATURES)


def entries(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.npy"))


def test_frames_of_every_item_in_order_with_progress(clips: list[Path], own_cache: Path) -> None:
    items = [(path, path.stem, variant) for path in clips for variant in ("pitch", ORIGINAL, "shift")]
    told: list[tuple[int, int]] = []
    for _ in range(2):
        told.clear()
        frames = extract(
            items,
            audio=AUDIO,
            features=FEATURES,
            augment=BOUCHETA,
            on_progress=lambda done, total: told.append((done, total)),
        )
        for got, item in zip(frames, items, strict=True):
            assert got.dtype == np.float32
            assert got.shape[0] == 21
            np.testing.assert_array_equal(got, expected(item, BOUCHETA))
        assert told == [(n, 18) for n in range(1, 19)]
        assert len(entries(own_cache)) == 18


def test_processes_give_what_one_process_gives(clips: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_WORTH_PROCESSES", 1)
    config = AugmentConfig(kind="nguyen", copies=2)
    items = [(path, path.stem, variant) for path in clips for variant in copies(config)]
    frames = extract(items, audio=AUDIO, features=FEATURES, augment=config, workers=2)
    for got, item in zip(frames, items, strict=True):
        np.testing.assert_array_equal(got, expected(item, config))


def test_the_cache_knows_the_content_not_the_name(
    clips: list[Path], own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = extract([(clips[0], "a", ORIGINAL)], audio=AUDIO, features=FEATURES)
    renamed = shutil.copy(clips[0], clips[0].with_name("renamed.wav"))
    monkeypatch.setattr(module, "load_prepared", lambda *_: pytest.fail("decoded again"))
    again = extract(
        [(Path(renamed), "b", ORIGINAL)], audio=AUDIO, features=FEATURES.model_copy(update={"layout": "flat"})
    )
    np.testing.assert_array_equal(first[0], again[0])
    monkeypatch.undo()
    monkeypatch.setenv("EMOTONE_CACHE", str(own_cache))
    shutil.copy(clips[1], renamed)
    changed = extract([(Path(renamed), "b", ORIGINAL)], audio=AUDIO, features=FEATURES)
    np.testing.assert_array_equal(changed[0], expected((clips[1], "", ORIGINAL)))


def test_a_damaged_entry_is_made_again(clips: list[Path], own_cache: Path) -> None:
    items = [(clips[0], "a", ORIGINAL), (clips[0], "a", "noise")]
    first = extract(items, audio=AUDIO, features=FEATURES, augment=BOUCHETA)
    for entry in entries(own_cache):
        entry.write_bytes(entry.read_bytes()[:-100])
    second = extract(items, audio=AUDIO, features=FEATURES, augment=BOUCHETA)
    for one, two in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, two)
    assert all(cache.load(entry.stem) is not None for entry in entries(own_cache))


@pytest.mark.parametrize("variant", [ORIGINAL, "noise"])
def test_a_bad_recording_is_named(clips: list[Path], tmp_path: Path, variant: str) -> None:
    bad = tmp_path / "bad.wav"
    bad.write_text("not audio at all")
    for path, words in ((bad, "not audio"), (tmp_path / "gone.wav", "no such file"), (tmp_path, "is a folder")):
        items = [(clips[0], "a", ORIGINAL), (path, "b", variant), (clips[1], "c", ORIGINAL)]
        with pytest.raises(AudioError, match=words) as error:
            extract(items, audio=AUDIO, features=FEATURES, augment=BOUCHETA)
        assert str(path) in str(error.value)


def test_unknown_variants_are_refused(clips: list[Path]) -> None:
    with pytest.raises(UsageError, match=r"Unknown variant 'noise'. Valid: original"):
        extract([(clips[0], "a", "noise")], audio=AUDIO, features=FEATURES)
    with pytest.raises(UsageError, match=r"Unknown variant 'nois'. Valid: noise,"):
        extract([(clips[0], "a", "nois")], audio=AUDIO, features=FEATURES, augment=BOUCHETA)


def test_torch_keeps_its_threads(clips: list[Path]) -> None:
    before = torch.get_num_threads()
    extract([(path, "", ORIGINAL) for path in clips], audio=AUDIO, features=FEATURES, workers=2)
    assert torch.get_num_threads() == before


def test_no_items_give_no_frames() -> None:
    assert extract([], audio=AUDIO, features=FEATURES) == []


def test_the_front_end_is_made_once_before_the_threads_start(
    clips: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Made by two threads at once, a window now and then was another in its last digit."""
    made_by = []

    class Slow(FrontEnd):
        def __init__(self, config: FeatureConfig, rate: int) -> None:
            time.sleep(0.2)
            super().__init__(config, rate)
            made_by.append(threading.current_thread())

    module._front_end.cache_clear()
    monkeypatch.setattr(module, "FrontEnd", Slow)
    extract([(path, "", ORIGINAL) for path in clips], audio=AUDIO, features=FEATURES, workers=2)
    module._front_end.cache_clear()
    assert made_by == [threading.main_thread()]


def test_two_processes_at_once_share_the_cache(clips: list[Path], own_cache: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from emotone.features.extract import extract\n"
        "from emotone.features.config import AudioConfig, FeatureConfig\n"
        "audio = AudioConfig(rate=16_000, trim_db=30, normalise='peak')\n"
        "features = FeatureConfig(streams=('logmel', 'rms'), window=512, hop=256, mels=20)\n"
        "frames = extract([(Path(p), '', 'original') for p in sys.argv[1:]], audio=audio, features=features)\n"
        "sys.stdout.buffer.write(b''.join(f.tobytes() for f in frames))"
    )
    command = [sys.executable, "-c", code, *map(str, clips)]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(2)]
    wanted = b"".join(expected((path, "", ORIGINAL)).tobytes() for path in clips)
    assert [process.communicate()[0] == wanted for process in both] == [True, True]
    assert len(entries(own_cache)) == len(clips)
    assert all(cache.load(entry.stem) is not None for entry in entries(own_cache))


def test_real_clips_of_one_actor(ravdess: Path) -> None:
    folder = next(path for path in sorted(ravdess.rglob("*")) if path.is_dir() and any(path.glob("*-01.*")))
    items = [(path, path.stem, ORIGINAL) for path in sorted(folder.glob("*.*"))]
    frames = extract(items, audio=AudioConfig(rate=16_000), features=FeatureConfig(streams=("logmel",)))
    assert len(frames) == len(items) == 60
    assert all(clip.shape[0] == 128 and 80 < clip.shape[1] < 180 for clip in frames)
    assert all(np.ptp(clip) == pytest.approx(80, abs=25) for clip in frames)
