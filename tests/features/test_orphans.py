"""A process that is killed while it makes copies leaves none of its workers behind."""

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from ..processes import left_of, wait_until_none_is_left

SCRIPT = """
import sys
from pathlib import Path
from emotone.augment import AugmentConfig
from emotone.features.config import AudioConfig, FeatureConfig
from emotone.features.extract import extract
clip, augment = Path(sys.argv[1]), AugmentConfig(kind="boucheta")
items = [(clip, str(number), "pitch") for number in range(400)]
extract(items, audio=AudioConfig(rate=16_000), features=FeatureConfig(streams=("rms",)), augment=augment, workers=2)
"""


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for orphans in /proc")
def test_a_kill_leaves_no_worker(tmp_path: Path) -> None:
    clip = tmp_path / "clip.wav"
    soundfile.write(clip, np.random.default_rng(0).normal(scale=0.1, size=48_000), 16_000)
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(clip)],
        env=os.environ | {"EMOTONE_CACHE": str(tmp_path / "cache")},
        start_new_session=True,
    )
    end = time.monotonic() + 120
    while not list((tmp_path / "cache").rglob("*.npy")):  # the workers are at work
        assert process.poll() is None and time.monotonic() < end
        time.sleep(0.05)
    assert any("LokyProcess" in command for command in left_of(process.pid))
    process.kill()
    process.wait()
    wait_until_none_is_left(process.pid)
