"""Time recordings to log-mels, cold and from the cache, beside librosa doing the same: python features.py FOLDER."""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import joblib
import librosa
import numpy as np

from emotone.audio import AUDIO_SUFFIXES
from emotone.augment import ORIGINAL, AugmentConfig, copies
from emotone.features.config import AudioConfig, FeatureConfig
from emotone.features.extract import Item, extract

AUDIO = AudioConfig(rate=16_000)
FEATURES = FeatureConfig(streams=("logmel",))


def seconds(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def by_librosa(path: Path) -> np.ndarray:
    samples, rate = librosa.load(path, sr=AUDIO.rate)
    return librosa.power_to_db(librosa.feature.melspectrogram(y=samples, sr=rate))


def by_emotone(items: list[Item], augment: AugmentConfig | None = None, workers: int | None = None) -> float:
    return seconds(lambda: extract(items, audio=AUDIO, features=FEATURES, augment=augment, workers=workers))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where the recordings lie")
    parser.add_argument("--sample", type=int, default=100, help="clips that librosa and the copies are timed on")
    options = parser.parse_args()
    paths = sorted(path for path in options.folder.rglob("*") if path.suffix.lower() in AUDIO_SUFFIXES)
    if not paths:
        parser.error(f"no recordings in {options.folder}")
    items = [(path, path.stem, ORIGINAL) for path in paths]
    some = items[:: max(1, len(items) // options.sample)]
    boucheta = AugmentConfig(kind="boucheta")
    made = [(path, clip, variant) for path, clip, _ in some for variant in copies(boucheta)]
    with tempfile.TemporaryDirectory() as folder:
        os.environ["EMOTONE_CACHE"] = str(Path(folder) / "first")
        by_librosa(paths[0])  # the first call of either compiles and plans
        by_emotone(items[:1])
        os.environ["EMOTONE_CACHE"] = str(Path(folder) / "one")
        alone = by_emotone(some, workers=1)
        peer = seconds(lambda: [by_librosa(path) for path, _, _ in some])
        os.environ["EMOTONE_CACHE"] = str(Path(folder) / "all")
        cold, cached = by_emotone(items), by_emotone(items)
        copied = by_emotone(made, boucheta)
    print(f"{len(items)} clips to log-mels at {AUDIO.rate} Hz on {joblib.cpu_count()} cores")
    print(f"cold                {cold:8.2f} s  ({1e3 * cold / len(items):.2f} ms per clip)")
    print(f"from the cache      {cached:8.2f} s  ({1e3 * cached / len(items):.2f} ms per clip)")
    print(f"one worker, {len(some):4} clips {1e3 * alone / len(some):6.2f} ms per clip")
    print(f"librosa, the same   {1e3 * peer / len(some):8.2f} ms per clip: {peer / alone:.1f} x one worker's")
    print(
        f"boucheta's copies   {1e3 * copied / len(made):8.2f} ms per copy, of {len(made)}, start of processes included"
    )


if __name__ == "__main__":
    main()
