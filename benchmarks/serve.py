"""Load the service: python benchmarks/serve.py FOLDER [MODEL ...], for recordings and models.

`emotone serve` is a process, the clients are another, on loopback. Every client sends a clip, waits for the answer, and
sends the next; who is refused waits as long as it is told. Each answer is compared with the library's. Written to
results/benchmarks/serve.json.
"""

import argparse
import asyncio
import json
import os
import re
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from emotone.audio import AUDIO_SUFFIXES
from emotone.bundle.hub import DEFAULT
from emotone.files import write_text
from emotone.recognition import Recognizer

TARGET = Path(__file__).parents[1] / "results" / "benchmarks" / "serve.json"
MODELS = ("emotone/base", DEFAULT)
CLIPS, ROUNDS = 60, 5
CLOSE = 1e-6  # scores; what is asked together is rounded otherwise, but by emotone/large


@dataclass
class Run:
    """What came of requests: their milliseconds, and by how much scores differed at most."""

    clients: int
    seconds: float = 0.0
    answered: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    largest: float = 0.0

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.answered) / self.seconds


def told(runs: list[Run]) -> dict[str, Any]:
    """Return the figures of runs of as many clients."""
    answered, refused = ([each for run in runs for each in getattr(run, name)] for name in ("answered", "refused"))
    seconds = sum(run.seconds for run in runs)
    return {
        "clients": runs[0].clients,
        "seconds": seconds,
        "answered": len(answered),
        "refused": len(refused),
        "statuses": {
            str(status): times for status, times in sorted(sum((r.statuses for r in runs), Counter()).items())
        },
        "requests a second": len(answered) / seconds,
        "answered in ms": quantiles(answered),
        "refused in ms": quantiles(refused),
        "largest difference of scores": max(run.largest for run in runs),
    }


class Load:
    """Clients of a service, and what came of their requests.

    Args:
        url: of the service.
        bodies: of the clips.
        scores: what the library says of each.
    """

    def __init__(self, url: str, bodies: list[bytes], scores: list[dict[str, float]]) -> None:
        self._where = urlsplit(url)
        self._bodies, self._scores, self._next = bodies, scores, count()

    async def run(self, clients: int, seconds: float) -> "Run":
        """Let so many clients go on for so long."""
        self._run = Run(clients)
        begun = time.perf_counter()
        await asyncio.gather(*(self._client(begun + seconds) for _ in range(clients)))
        self._run.seconds = time.perf_counter() - begun
        return self._run

    async def _client(self, end: float) -> None:
        reader, writer = await asyncio.open_connection(self._where.hostname, self._where.port)
        while time.perf_counter() < end:
            which = next(self._next) % len(self._bodies)
            begun = time.perf_counter()
            status, headers, body = await self._ask(reader, writer, self._bodies[which])
            took = 1e3 * (time.perf_counter() - begun)
            self._run.statuses[status] += 1
            if status == 200:
                self._run.answered.append(took)
                self._compare(json.loads(body), self._scores[which])
            else:
                self._run.refused.append(took)
                await asyncio.sleep(float(headers.get("retry-after", 1)))
        writer.close()
        await writer.wait_closed()

    async def _ask(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        head = f"POST /v1/recognize HTTP/1.1\r\nHost: {self._where.netloc}\r\nContent-Type: audio/flac\r\n"
        writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        await writer.drain()
        first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        return int(first.split()[1]), headers, await reader.readexactly(int(headers["content-length"]))

    def _compare(self, told: dict[str, Any], scores: dict[str, float]) -> None:
        found = told["answers"][0]["scores"]
        assert found.keys() == scores.keys()
        self._run.largest = max(self._run.largest, *(abs(found[label] - score) for label, score in scores.items()))


def quantiles(times: list[float]) -> dict[str, float] | None:
    if not times:
        return None
    return {f"p{each}": float(np.percentile(times, each)) for each in (50, 95, 99)}


@contextmanager
def serving(model: str) -> Iterator[tuple[str, int]]:
    """Run the service; give its address, and its process's number."""
    command = [sys.executable, "-m", "emotone", "serve", "--model", model, "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            found = re.search(r"http://\S+", process.stdout.readline())
            assert found, "emotone serve did not start"
            yield found[0], process.pid
        finally:
            process.terminate()


def measure(model: str, paths: list[Path], *, clients: int, seconds: float, short: float) -> dict[str, Any]:
    """Load one model; print the figures."""
    recognizer = Recognizer.load(model)
    bodies = [path.read_bytes() for path in paths]
    scores = [dict(recognizer(body).scores) for body in bodies]
    with serving(model) as (url, _):
        load = Load(url, bodies, scores)
        asyncio.run(load.run(4, short / ROUNDS))  # the first calls plan
        # By turns, since what else the machine does changes.
        turns = [[asyncio.run(load.run(many, short / ROUNDS)) for many in (1, 16)] for _ in range(ROUNDS)]
        alone, together = ([turn[which] for turn in turns] for which in (0, 1))
        found = {"one at a time": told(alone), "16 clients": told(together)}
        found["load"] = told([asyncio.run(load.run(clients, seconds))])
        found["twice the load"] = told([asyncio.run(load.run(2 * clients, short))])
    gains = [each.rate / own.rate for own, each in zip(alone, together, strict=True)]
    for name, figures in found.items():
        print(f"{model}, {name}: {json.dumps(figures)}")
    print(f"{model}, 16 clients over one, by turns: {gains}", flush=True)
    return {**found, "gain of 16 clients": statistics.median(gains)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where the recordings lie")
    parser.add_argument("models", nargs="*", default=MODELS, help="names or files")
    parser.add_argument("--clients", type=int, default=50, help="of the load test")
    parser.add_argument("--seconds", type=float, default=120, help="of the load test")
    parser.add_argument("--short", type=float, default=20, help="seconds of each other measurement")
    options = parser.parse_args()
    paths = sorted(path for path in options.folder.rglob("*") if path.suffix.lower() in AUDIO_SUFFIXES)
    if not paths:
        parser.error(f"no recordings in {options.folder}")
    chosen = paths[:: max(1, len(paths) // CLIPS)][:CLIPS]
    settings = {"clients": options.clients, "seconds": options.seconds, "short": options.short}
    models = {name: measure(name, chosen, **settings) for name in options.models}
    about = {"clips": len(chosen), "cores": len(os.sched_getaffinity(0)), "close": CLOSE, "models": models}
    write_text(TARGET, json.dumps(about, indent=1) + "\n")


if __name__ == "__main__":
    main()
