"""Time features beside librosa's: python benchmarks/features.py FOLDER, where RAVDESS lies.

On some clips, one core's time, each the least of several: decoding and resampling, the transforms, the whole way. On
all of them, by the clock: `extract` on all cores, and librosa on as many by joblib. Written to
results/benchmarks/features.json.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import joblib
import librosa
import numpy as np
import soundfile
import soxr
import torch
from librosa.effects import trim
from recognise import as_wav, cpu
from torch.nn import functional as F

from emotone import recipes
from emotone.audio import AUDIO_SUFFIXES, load
from emotone.augment import ORIGINAL, AugmentConfig, copies
from emotone.features.config import AudioConfig, FeatureConfig
from emotone.features.extract import Item, extract, take_features
from emotone.features.prepare import load_prepared
from emotone.files import write_text

TARGET = Path(__file__).parents[1] / "results" / "benchmarks" / "features.json"
TIMES = 9
QUALITIES = ("QQ", "LQ", "MQ", "HQ", "VHQ")

Samples = np.ndarray
Settings = tuple[AudioConfig, FeatureConfig]


def settings() -> dict[str, Settings]:
    """What is taken: log-mels, and what two of the papers take."""
    found = {"log-mels, 16 kHz": (AudioConfig(rate=16_000), FeatureConfig(streams=("logmel",)))}
    for name, values in {"kakadiya/cnn": "160 values, 48 kHz", "boucheta/cnn": "42 values, 22 kHz"}.items():
        recipe = recipes.load(name)
        found[f"{name}, {values}"] = recipe.audio, recipe.features
    return found


def by_librosa(samples: Samples, rate: int, config: FeatureConfig) -> Samples:
    """The streams as a user of librosa takes them, the MFCCs once for all that is made of them."""
    frame, shape = {"hop_length": config.hop}, {"hop_length": config.hop, "n_fft": config.window}
    parts: dict[str, Samples] = {}
    for stream in config.streams:
        if stream == "zcr":
            parts[stream] = librosa.feature.zero_crossing_rate(samples, frame_length=config.window, **frame)
        elif stream == "rms":
            parts[stream] = librosa.feature.rms(y=samples, frame_length=config.window, **frame)
        elif stream == "mfcc":
            parts[stream] = librosa.feature.mfcc(y=samples, sr=rate, n_mfcc=config.mfcc, **shape)
        elif stream == "logmel":
            mel = librosa.feature.melspectrogram(y=samples, sr=rate, n_mels=config.mels, **shape)
            parts[stream] = librosa.power_to_db(mel, ref=np.max if config.reference == "max" else 1.0)
        else:
            parts[stream] = librosa.feature.delta(parts["mfcc"], order=2 if stream == "delta2" else 1)
    return np.asarray(np.concatenate(list(parts.values())))


def file_by_librosa(path: Path, audio: AudioConfig, features: FeatureConfig) -> Samples:
    samples, rate = librosa.load(path, sr=audio.rate, offset=audio.offset, duration=audio.seconds)
    if audio.trim_db is not None:
        samples, _ = trim(samples, top_db=audio.trim_db)
    if audio.normalise == "peak":
        samples = librosa.util.normalize(samples)
    return by_librosa(samples, rate, features)


def decoded(path: Path, rate: int) -> Samples:
    """What libsndfile and soxr need, and nothing else."""
    samples, own = soundfile.read(path, dtype="float32")
    samples = samples if samples.ndim == 1 else samples.mean(1)
    return samples if own == rate else np.asarray(soxr.resample(samples, own, rate, "HQ"))


def spent(action: Callable[[Any], object], items: Iterable[Any]) -> float:
    """The mean over items of the least time in milliseconds."""
    return 1e3 * statistics.mean(cpu(lambda item=item: action(item), TIMES) for item in items)


def transforms(paths: list[Path], audio: AudioConfig, features: FeatureConfig) -> dict[str, float]:
    """What is done to samples, and its Fourier transforms alone."""
    clips = [load_prepared(path, audio) for path in paths]
    half, window = features.window // 2, torch.hann_window(features.window)
    frames = [F.pad(torch.from_numpy(clip), (half, half)).unfold(0, 2 * half, features.hop) * window for clip in clips]
    ours = spent(lambda clip: take_features(clip, audio.rate, features), clips)
    theirs = spent(lambda clip: by_librosa(clip, audio.rate, features), clips)
    fourier = spent(torch.fft.rfft, frames)
    off = max(
        float(np.abs(take_features(clip, audio.rate, features) - by_librosa(clip, audio.rate, features)).max())
        for clip in clips
    )
    return {
        "milliseconds a clip": ours,
        "librosa": theirs,
        "times as fast as librosa": theirs / ours,
        "the Fourier transforms alone": fourier,
        "times as fast, were there nothing else": theirs / fourier,
        "largest difference from librosa": off,
    }


def whole_way(paths: list[Path], audio: AudioConfig, features: FeatureConfig) -> dict[str, float]:
    """From the file to the features, the cache left aside."""
    alone = spent(lambda path: decoded(path, audio.rate), paths)
    read = spent(lambda path: load(path, rate=audio.rate), paths)
    ours = spent(lambda path: take_features(load_prepared(path, audio), audio.rate, features), paths)
    theirs = spent(lambda path: file_by_librosa(path, audio, features), paths)
    return {
        "libsndfile and soxr alone": alone,
        "emotone's load": read,
        "file to features": ours,
        "times libsndfile and soxr": ours / alone,
        "librosa": theirs,
        "times as fast as librosa": theirs / ours,
    }


def qualities(paths: list[Path], rate: int) -> dict[str, dict[str, float]]:
    """What soxr's qualities cost, and how far they are from VHQ in double precision, in dB of the sound."""
    clips = [decoded(path, 48_000) for path in paths]
    best = [soxr.resample(clip.astype(np.float64), 48_000, rate, "VHQ") for clip in clips]
    found = {}
    for quality in QUALITIES:
        off = [soxr.resample(clip, 48_000, rate, quality) - exact for clip, exact in zip(clips, best, strict=True)]
        share = sum(np.square(each).sum() for each in off) / sum(np.square(each).sum() for each in best)
        took = spent(lambda clip, quality=quality: soxr.resample(clip, 48_000, rate, quality), clips)
        found[quality] = {"milliseconds a clip": took, "error in dB": 10 * float(np.log10(share))}
    return found


def clock(action: Callable[[], object], times: int) -> float:
    found = []
    for _ in range(times):
        start = time.perf_counter()
        action()
        found.append(time.perf_counter() - start)
    return min(found)


def on_all_cores(paths: list[Path], audio: AudioConfig, features: FeatureConfig) -> dict[str, float]:
    """All clips, cold and from the cache, and librosa by joblib: seconds by the clock, the least of three."""
    items: list[Item] = [(path, path.stem, ORIGINAL) for path in paths]

    def ours() -> None:
        extract(items, audio=audio, features=features)

    def cold() -> None:
        with tempfile.TemporaryDirectory() as folder:
            os.environ["EMOTONE_CACHE"] = folder
            ours()

    def theirs() -> None:
        with joblib.parallel_config("loky", n_jobs=joblib.cpu_count(), inner_max_num_threads=1):
            joblib.Parallel()(joblib.delayed(file_by_librosa)(path, audio, features) for path in paths)

    found = {"seconds, cold": clock(cold, 3), "librosa by joblib": clock(theirs, 3)}
    with tempfile.TemporaryDirectory() as folder:
        os.environ["EMOTONE_CACHE"] = folder
        ours()
        found["from the cache"] = clock(ours, 3)
    return found | {"times as fast as librosa": found["librosa by joblib"] / found["seconds, cold"]}


def copied(paths: list[Path], audio: AudioConfig, features: FeatureConfig) -> float:
    """Milliseconds a copy of boucheta's, on all cores, the start of processes included."""
    made = AugmentConfig(kind="boucheta")
    items: list[Item] = [(path, path.stem, variant) for path in paths for variant in copies(made)]
    with tempfile.TemporaryDirectory() as folder:
        os.environ["EMOTONE_CACHE"] = folder
        return 1e3 * clock(lambda: extract(items, audio=audio, features=features, augment=made), 1) / len(items)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where the recordings lie")
    parser.add_argument("--sample", type=int, default=40, help="clips that one core's time is taken on")
    options = parser.parse_args()
    paths = sorted(path for path in options.folder.rglob("*") if path.suffix.lower() in AUDIO_SUFFIXES)
    if not paths:
        parser.error(f"no recordings in {options.folder}")
    torch.set_num_threads(1)
    some, taken = paths[:: max(1, len(paths) // options.sample)], settings()
    found: dict[str, Any] = {"clips": len(paths), "sample": len(some), "cores": joblib.cpu_count()}
    found["transforms"] = {name: transforms(some, *each) for name, each in taken.items()}
    found["whole way"] = {some[0].suffix[1:]: {name: whole_way(some, *each) for name, each in taken.items()}}
    with tempfile.TemporaryDirectory() as folder:
        waves = as_wav(some, Path(folder))
        found["whole way"]["wav"] = {name: whole_way(waves, *each) for name, each in taken.items()}
    found["soxr"] = qualities(some, 16_000)
    found["all cores"] = {name: on_all_cores(paths, *each) for name, each in taken.items()}
    found["milliseconds a copy"] = copied(some, *taken["log-mels, 16 kHz"])
    print(json.dumps(found, indent=1))
    write_text(TARGET, json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
