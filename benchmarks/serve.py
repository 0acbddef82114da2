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
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from emotone.audio import AUDIO_SUFFIXES
from emotone.files import write_text
from emotone.recognition import Recognizer

TARGET = Path(__file__).parents[1] / "results" / "benchmarks" / "serve.json"
MODELS = ("emotone/base", "emotone/large")
CLIPS = 60
CLOSE = 1e-6  # scores; what is asked together is rounded otherwise, but by emotone/large


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

    async def run(self, clients: int, seconds: float) -> dict[str, Any]:
        """Let so many clients go on for so long; return the figures."""
        self._answered: list[float] = []
        self._refused: list[float] = []
        self._statuses: Counter[int] = Counter()
        self._largest = 0.0
        begun = time.perf_counter()
        await asyncio.gather(*(self._client(begun + seconds) for _ in range(clients)))
        took = time.perf_counter() - begun
        return {
            "clients": clients,
            "seconds": took,
            "answered": len(self._answered),
            "refused": len(self._refused),
            "statuses": {str(status): times for status, times in sorted(self._statuses.items())},
            "requests a second": len(self._answered) / took,
            "answered in ms": quantiles(self._answered),
            "refused in ms": quantiles(self._refused),
            "largest difference of scores": self._largest,
        }

    async def _client(self, end: float) -> None:
        reader, writer = await asyncio.open_connection(self._where.hostname, self._where.port)
        while time.perf_counter() < end:
            which = next(self._next) % len(self._bodies)
            begun = time.perf_counter()
            status, headers, body = await self._ask(reader, writer, self._bodies[which])
            took = 1e3 * (time.perf_counter() - begun)
            self._statuses[status] += 1
            if status == 200:
                self._answered.append(took)
                self._compare(json.loads(body), self._scores[which])
            else:
                self._refused.append(took)
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
        self._largest = max(self._largest, *(abs(found[label] - score) for label, score in scores.items()))


def quantiles(times: list[float]) -> dict[str, float] | None:
    if not times:
        return None
    return {f"p{each}": float(np.percentile(times, each)) for each in (50, 95, 99)}


@contextmanager
def serving(model: str) -> Iterator[str]:
    """Run the service; give its address."""
    command = [sys.executable, "-m", "emotone", "serve", "--model", model, "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            found = re.search(r"http://\S+", process.stdout.readline())
            assert found, "emotone serve did not start"
            yield found[0]
        finally:
            process.terminate()


def measure(model: str, paths: list[Path], *, clients: int, seconds: float, short: float) -> dict[str, Any]:
    """Load one model; print the figures as they come."""
    recognizer = Recognizer.load(model)
    bodies = [path.read_bytes() for path in paths]
    scores = [dict(recognizer(body).scores) for body in bodies]
    found: dict[str, Any] = {}
    with serving(model) as url:
        load = Load(url, bodies, scores)
        asyncio.run(load.run(4, min(2.0, short)))  # the first calls plan
        for name, many, long in (
            ("one at a time", 1, short),
            ("16 clients", 16, short),
            ("load", clients, seconds),
            ("twice the load", 2 * clients, short),
        ):
            found[name] = asyncio.run(load.run(many, long))
            print(f"{model}, {name}: {json.dumps(found[name])}", flush=True)
    alone, together = (found[name]["requests a second"] for name in ("one at a time", "16 clients"))
    found["gain of 16 clients"] = together / alone
    return found


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
