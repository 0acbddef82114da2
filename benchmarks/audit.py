"""Measure what the audit hears as near-identical on RAVDESS: which copies it finds, what else it takes for one."""

import argparse
import json
import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile
import soxr
from librosa.effects import pitch_shift, time_stretch

from emotone import corpora
from emotone.audio import load
from emotone.audit.similar import THRESHOLD, compare
from emotone.audit.sound import draw
from emotone.augment import AugmentConfig, augment
from emotone.files import write_text

TARGET = Path(__file__).parents[1] / "results" / "benchmarks" / "audit.json"
OTHERS = 240  # clips, beside those that are copied
RATE = 24_000
Made = tuple[np.ndarray, int, str]


def noisy(samples: np.ndarray, decibels: float) -> np.ndarray:
    noise = np.random.default_rng(0).standard_normal(samples.size)
    ratio = np.square(samples).mean() / np.square(noise).mean()
    return np.asarray(samples + noise * np.sqrt(ratio * 10 ** (-decibels / 10)))


def copy(kind: str, variant: str) -> Callable[[np.ndarray, str], Made]:
    config = AugmentConfig(kind=kind)  # type: ignore[arg-type]
    return lambda x, clip: (augment(x, RATE, config=config, variant=variant, clip_key=clip), RATE, "wav")


COPIES: dict[str, Callable[[np.ndarray, str], Made]] = {
    "resampled to 16 kHz": lambda x, _: (soxr.resample(x, RATE, 16_000), 16_000, "wav"),
    "resampled to 8 kHz": lambda x, _: (soxr.resample(x, RATE, 8_000), 8_000, "wav"),
    "mp3": lambda x, _: (x, RATE, "mp3"),
    "ogg": lambda x, _: (x, RATE, "ogg"),
    **{f"noise, {snr} dB": lambda x, _, snr=snr: (noisy(x, snr), RATE, "wav") for snr in (30, 20, 15, 10)},
    **{
        f"stretched, {rate}": lambda x, _, rate=rate: (time_stretch(x, rate=rate), RATE, "wav")
        for rate in (0.8, 0.9, 1.1, 1.2)
    },
    **{
        f"pitched, {steps:+d} semitones": lambda x, _, n=steps: (pitch_shift(x, sr=RATE, n_steps=n), RATE, "wav")
        for steps in (-4, -2, -1, 1, 2, 4)
    },
    "without the first 0.25 s": lambda x, _: (x[RATE // 4 :], RATE, "wav"),
    "at 0.3 of its level": lambda x, _: (0.3 * x, RATE, "wav"),
    "nguyen's chain": copy("nguyen", "chain-1"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=60, help="how many to make copies of")
    parser.add_argument("--seed", type=int, default=0, help="of the choice of clips")
    options = parser.parse_args()
    clips = corpora.load("ravdess").utterances
    start = time.perf_counter()
    maps = [draw(clip.path) for clip in clips]
    pairs = compare(maps)
    seconds = time.perf_counter() - start
    print(f"{len(clips)} clips, {seconds:.0f} s. Pairs of similarity {THRESHOLD} and more:\n")
    named = [(clips[pair.first].clip, clips[pair.second].clip, pair.similarity) for pair in pairs]
    print(*named, sep="\n")
    chosen = random.Random(options.seed).sample(range(len(clips)), options.clips)
    speakers = sorted({clips[index].speaker or "" for index in chosen})
    print(f"\nCopies of {len(chosen)} clips of {len(speakers)} actors, each kind among them and {OTHERS} others:\n")
    others = random.Random(options.seed + 1).sample(sorted(set(range(len(clips))) - set(chosen)), OTHERS)
    base = [maps[index] for index in (*chosen, *others)]
    measured = {}
    with tempfile.TemporaryDirectory() as folder:
        for kind, make in COPIES.items():
            copied = []
            for index in chosen:
                samples, rate = load(clips[index].path)
                made, rate, suffix = make(soxr.resample(samples, rate, RATE), clips[index].clip)
                path = Path(folder, f"copy.{suffix}")
                soundfile.write(path, np.clip(made, -1, 1), rate)
                copied.append(draw(path))
            found, wrong = [], 0
            for pair in compare([*base, *copied]):
                if pair.second >= len(base):
                    right = pair.first == pair.second - len(base)
                    found += [pair.similarity] if right else []
                    wrong += not right
            lowest, median = (float(min(found)), float(np.median(found))) if found else (None, None)
            measured[kind] = {"found": len(found), "lowest": lowest, "median": median, "mistaken": wrong}
            print(kind, measured[kind], flush=True)
    about = {"clips": len(clips), "copied": len(chosen), "among": len(base), "pairs": named, "copies": measured}
    write_text(TARGET, json.dumps(about, indent=1) + "\n")


if __name__ == "__main__":
    main()
