"""Measure how time and memory grow with a corpus: its features, its audit, the plan of a comparison."""

import argparse
import csv
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile

from emotone import corpora, recipes
from emotone.cli.terminal import counting
from emotone.comparison.audit import audit_manifest
from emotone.comparison.plan import plan
from emotone.emotions import EMOTIONS
from emotone.features.table import write_table
from emotone.files import write_text

TARGET = Path(__file__).parents[1] / "results" / "benchmarks" / "grows.json"
SIZES = (100, 1_000, 10_000)
FULL = 100_000
OF_A_SPEAKER = 20  # utterances, so that speakers grow with the corpus
SYSTEM = "boucheta/cnn"
RATE = 16_000


def voice(number: int) -> np.ndarray:
    """Return one to two seconds of harmonics that glide as no other utterance's do."""
    random = np.random.default_rng(number)
    samples = random.integers(RATE, 2 * RATE)
    steps = np.interp(np.arange(samples), np.linspace(0, samples, 12), random.normal(0, 0.12, 12).cumsum())
    pitch = np.random.default_rng([1, number // OF_A_SPEAKER]).uniform(90, 240) * np.exp(steps - steps.mean())
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    loud = np.interp(np.arange(samples), np.linspace(0, samples, 8), random.uniform(0.2, 1, 8))
    tone = sum(np.sin(harmonic * phase) / harmonic for harmonic in range(1, 16))
    return 0.1 * loud * tone + 0.002 * random.standard_normal(samples)


def write_corpus(folder: Path, utterances: int) -> Path:
    """Write recordings and their manifest, whose split keeps speakers apart."""
    manifest = folder / "calls.csv"
    with manifest.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(("file", "emotion", "speaker", "split"))
        for number in range(utterances):
            speaker = number // OF_A_SPEAKER
            path = folder / f"{speaker:05}" / f"{number:07}.wav"
            path.parent.mkdir(exist_ok=True)
            soundfile.write(path, voice(number), RATE)
            split = "test" if speaker % 5 == 0 else "validation" if speaker % 5 == 1 else "train"
            rows.writerow((path.relative_to(folder), EMOTIONS[number % len(EMOTIONS)], f"speaker {speaker}", split))
    return manifest


def take_features(manifest: Path) -> None:
    recipe = recipes.load(SYSTEM)
    write_table(recipe.audio, recipe.features, corpora.load(str(manifest)).utterances, manifest.with_suffix(".parquet"))


def audit(manifest: Path) -> None:
    audit_manifest(manifest, corpora.load(str(manifest)), counting, protocol="loso")


def make_plan(protocol: str) -> Callable[[Path], None]:
    def make(manifest: Path) -> None:
        plan([recipes.load(SYSTEM)], corpora.load(str(manifest)), protocols=[protocol], preset="paper", seeds=1)

    return make


TASKS = {
    "features": take_features,
    "audit": audit,
    "plan, clean": make_plan("clean"),
    "plan, leave one speaker out": make_plan("loso"),
}


def measure(task: str, manifest: Path) -> dict[str, float]:
    """Run a task in this process, which has done nothing else: seconds of all cores, and the most memory it held."""
    start = time.process_time()
    TASKS[task](manifest)
    seconds = time.process_time() - start
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"seconds": round(seconds, 2), "megabytes": round(held / 1024)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help=f"measure {FULL:,} utterances too: hours, and 4 GB of disk")
    parser.add_argument("--one", nargs=2, metavar=("TASK", "MANIFEST"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(options.one[0], Path(options.one[1]))))
        return
    found: dict[str, dict[str, dict[str, float]]] = {task: {} for task in TASKS}
    for size in (*SIZES, *([FULL] if options.full else [])):
        with tempfile.TemporaryDirectory() as folder:
            manifest = write_corpus(Path(folder), size)
            for task in TASKS:
                environment = os.environ | {"EMOTONE_CACHE": str(Path(folder, "cache", task))}
                command = [sys.executable, __file__, "--one", task, str(manifest)]
                done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=environment)
                found[task][str(size)] = json.loads(done.stdout.splitlines()[-1])
                print(f"{task:30} {size:7,}  {found[task][str(size)]}", flush=True)
        about = {"system": SYSTEM, "utterances of a speaker": OF_A_SPEAKER, "tasks": found}
        write_text(TARGET, json.dumps(about, indent=1) + "\n")


if __name__ == "__main__":
    main()
