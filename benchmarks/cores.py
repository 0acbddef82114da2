"""Where the service's time goes: python benchmarks/cores.py FOLDER [MODEL ...], for recordings and models; on Linux.

serve.py measures by the clock, and so the machine's other programs, too. This counts the time of cores that requests
take, from one client and from 16, and how many threads want a core; other programs change neither. Written to
results/benchmarks/cores.json.
"""

import argparse
import asyncio
import json
import os
import statistics
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
from serve import CLIPS, MODELS, Load, serving

from emotone.audio import AUDIO_SUFFIXES
from emotone.bundle import Bundle
from emotone.bundle.hub import locate
from emotone.files import write_text
from emotone.recognition import Recognizer

TARGET = Path(__file__).parents[1] / "results" / "benchmarks" / "cores.json"
ROUNDS, SECONDS = 5, 4.0
BATCHES, CALLS, WINDOW = (1, 2, 4, 8), 40, 2.0


def family(pid: int) -> list[Path]:
    """Return the folders under /proc of a process and of those that it has begun."""
    found = [Path(f"/proc/{pid}")]
    for each in found:
        for task in (each / "task").iterdir():
            found += [Path("/proc") / child for child in (task / "children").read_text().split()]
    return found


def spent(processes: list[Path]) -> float:
    """Return the seconds of cores that processes have taken so far."""
    ticks = 0
    for each in processes:
        fields = (each / "stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def wanting(process: Path) -> int:
    """Return how many threads of a process have or want a core."""
    found = 0
    for task in (process / "task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):  # it has ended
            found += (task / "stat").read_text().rpartition(")")[2].split()[0] == "R"
    return found


@contextmanager
def watched(processes: list[Path]) -> Iterator[list[int]]:
    """Count, fifty times a second, how many threads of processes have or want a core."""
    counts: list[int] = []
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.02):
            counts.append(sum(map(wanting, processes)))

    watching = threading.Thread(target=watch)
    watching.start()
    yield counts
    over.set()
    watching.join()


def of_requests(model: str, paths: list[Path]) -> dict[str, float]:
    """Return what requests take, and how many of their threads want a core."""
    recognizer = Recognizer.load(model)
    bodies = [path.read_bytes() for path in paths]
    scores = [dict(recognizer(body).scores) for body in bodies]
    figures: dict[str, list[float]] = {}
    with serving(model) as (url, pid):
        load = Load(url, bodies, scores)
        asyncio.run(load.run(4, SECONDS))  # the first calls plan
        service, *others = family(pid)
        for _ in range(ROUNDS):
            for clients in (1, 16):
                before = spent([service]), spent(others)
                with watched([service, *others]) as counts:
                    run = asyncio.run(load.run(clients, SECONDS))
                answering, decoding = spent([service]) - before[0], spent(others) - before[1]
                found = {
                    "ms of a core for a request": 1e3 * (answering + decoding) / len(run.answered),
                    "of these in the processes that decode": 1e3 * decoding / len(run.answered),
                    "% of the time with two threads or more for cores": 100 * np.mean(np.array(counts) > 1),
                }
                for name, value in found.items():
                    figures.setdefault(f"{name}; {clients} client{'s' if clients > 1 else ''}", []).append(float(value))
    return {name: statistics.median(values) for name, values in figures.items()}


def of_windows(model: str) -> dict[str, float]:
    """Return what the network takes for a window: alone, with another one on the next core, and in batches."""
    bundle = Bundle.load(locate(model), threads=1)
    draws = np.random.default_rng(0)
    sound = draws.normal(0, 0.1, (max(BATCHES), round(WINDOW * bundle.info.rate))).astype(np.float32)

    def call(size: int) -> float:
        begun = time.thread_time()
        bundle.run(sound[:size])
        return 1e3 * (time.thread_time() - begun) / size

    def several(size: int) -> list[float]:
        return [call(size) for _ in range(CALLS // size)]

    several(1)
    figures = {
        f"ms of a core for a window of {WINDOW:g} s, in batches of {size}": statistics.median(several(size))
        for size in BATCHES
    }
    with ThreadPoolExecutor(2) as threads:
        both = [each for found in threads.map(several, (1, 1)) for each in found]
    return figures | {"the same, one by one, two at a time": statistics.median(both)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where the recordings lie")
    parser.add_argument("models", nargs="*", default=MODELS, help="names or files")
    options = parser.parse_args()
    paths = sorted(path for path in options.folder.rglob("*") if path.suffix.lower() in AUDIO_SUFFIXES)
    if not paths:
        parser.error(f"no recordings in {options.folder}")
    chosen = paths[:: max(1, len(paths) // CLIPS)][:CLIPS]
    found = {}
    for name in options.models:
        found[name] = of_requests(name, chosen) | of_windows(name)
        print(f"{name}: {json.dumps(found[name])}", flush=True)
    write_text(TARGET, json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
