"""An entry is found by content and settings alone, and is never read half, whoever writes it."""

import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emotone.augment import AugmentConfig
from emotone.errors import EmotoneError
from emotone.features import cache
from emotone.features.config import AudioConfig, FeatureConfig

AUDIO = AudioConfig(rate=16_000)
FEATURES = FeatureConfig(streams=("logmel",))
OTHER: dict[type, dict[str, Any]] = {
    AudioConfig: {"rate": 8_000, "offset": 0.5, "seconds": 2.0, "trim_db": 20.0, "normalise": "peak"},
    FeatureConfig: {
        "streams": ("mfcc",),
        "window": 1024,
        "fft": 4096,
        "hop": 256,
        "mels": 40,
        "mfcc_mels": 64,
        "mfcc": 13,
        "htk": True,
        "fmin": 50.0,
        "fmax": 7_000.0,
        "reference": "max",
        "layout": "flat",
        "normalise": "clip",
    },
}


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EMOTONE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_every_setting_changes_the_key_but_those_applied_later() -> None:
    assert set(OTHER[AudioConfig]) == set(AudioConfig.model_fields)
    assert set(OTHER[FeatureConfig]) == set(FeatureConfig.model_fields)
    usual = cache.settings_digest(AUDIO, FEATURES)
    seen = {usual}
    for name, value in OTHER[AudioConfig].items():
        seen.add(cache.settings_digest(AUDIO.model_copy(update={name: value}), FEATURES))
    for name, value in OTHER[FeatureConfig].items():
        digest = cache.settings_digest(AUDIO, FEATURES.model_copy(update={name: value}))
        assert (digest == usual) == (name == "layout"), name
        seen.add(digest)
    assert len(seen) == 1 + len(OTHER[AudioConfig]) + len(OTHER[FeatureConfig]) - 1


def test_content_and_copy_change_the_key_but_not_how_many_copies_are_made() -> None:
    settings = cache.settings_digest(AUDIO, FEATURES)
    awgn = AugmentConfig(kind="awgn")
    keys = {
        cache.key(b"a", settings, None, "original", "clip"),
        cache.key(b"b", settings, None, "original", "clip"),
        cache.key(b"a", settings, awgn, "awgn-1", "clip"),
        cache.key(b"a", settings, awgn, "awgn-2", "clip"),
        cache.key(b"a", settings, awgn, "awgn-1", "other"),
        cache.key(b"a", settings, AugmentConfig(kind="awgn", seed=1), "awgn-1", "clip"),
        cache.key(b"a", settings, AugmentConfig(kind="uniform"), "awgn-1", "clip"),
    }
    assert len(keys) == 7
    assert cache.key(b"a", settings, None, "original", "clip") == cache.key(b"a", settings, None, "original", "other")
    more = AugmentConfig(kind="awgn", copies=5, placement="before_split", keep_original=False)
    assert cache.key(b"a", settings, more, "awgn-1", "clip") in keys


def test_what_was_stored_is_loaded_and_numpy_reads_it_too() -> None:
    frames = np.random.default_rng(0).normal(size=(40, 117)).astype("f4")
    assert cache.load("ab12") is None
    cache.store("ab12", frames)
    loaded = cache.load("ab12")
    assert loaded is not None
    np.testing.assert_array_equal(loaded, frames)
    np.testing.assert_array_equal(np.load(cache.entry_path("ab12")), frames)
    assert [path.name for path in cache.entry_path("ab12").parent.iterdir()] == ["ab12.npy"]


def test_a_cut_or_altered_entry_is_no_entry() -> None:
    cache.store("ab12", np.ones((3, 20), "f4"))
    path = cache.entry_path("ab12")
    whole = path.read_bytes()
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        assert cache.load("ab12") is None
    for place in range(0, len(whole), 5):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        assert cache.load("ab12") is None
    path.write_bytes(whole)
    assert cache.load("ab12") is not None


def test_a_cache_that_cannot_be_written_is_named(own_cache: Path) -> None:
    own_cache.write_text("a file where the folder should be")
    with pytest.raises(EmotoneError, match=r"cache/features/ab: the cache cannot be written.*EMOTONE_CACHE"):
        cache.store("ab12", np.ones((1, 1), "f4"))


def test_a_reader_never_sees_half_an_entry_while_two_processes_write() -> None:
    write = (
        "import sys, numpy as np; from emotone.features import cache\n"
        "for n in range(300): cache.store('ab12', np.full((400, 500), float(sys.argv[1]), 'f4'))"
    )
    writers = [subprocess.Popen([sys.executable, "-c", write, str(number)]) for number in (1, 2)]
    seen = set()
    while any(writer.poll() is None for writer in writers):
        frames = cache.load("ab12")
        if frames is None:
            assert not seen, "an entry that was there is gone or broken"
            continue
        assert frames.shape == (400, 500)
        assert frames.min() == frames.max()
        seen.add(float(frames[0, 0]))
    assert [writer.returncode for writer in writers] == [0, 0]
    assert seen == {1.0, 2.0}


def test_an_entry_that_holds_something_else_is_no_entry() -> None:
    cache.store("ab12", np.ones((3, 20), "f4"))
    path = cache.entry_path("ab12")
    whole = path.read_bytes()[: -cache._CHECKSUM]
    doubles = io.BytesIO()
    np.save(doubles, np.ones((3, 20)))
    for other in (
        whole.replace(b"(3, 20)", b"(3, (("),
        whole.replace(b"<f4", b"<zz"),
        whole[:20],
        b"",
        doubles.getvalue(),
    ):
        path.write_bytes(other + cache._checksum(other))
        assert cache.load("ab12") is None
