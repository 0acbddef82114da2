"""`emotone serve` as a program: it starts, stops in order, and keeps nothing."""

import json
import os
import signal
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from .client import Reply, heard, serving

Talk = tuple[np.ndarray, int]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_finishes_what_it_took_when_it_is_stopped(number: int, clips: list[Path], talk: Talk) -> None:
    """Recordings that are being worked on are answered, streams get their summary, nothing stays behind."""
    samples, rate = talk
    replies: list[Reply] = []
    with serving("--workers", "1") as program:
        workers = children(program.process.pid)
        assert len(workers) >= 2  # one that decodes, one that makes them
        asking = [
            threading.Thread(target=lambda: replies.append(program.post("/v1/recognize", clips[0]))) for _ in range(6)
        ]
        with program.open() as stream:
            stream.send(json.dumps({"type": "start", "format": "s16le", "rate": rate}))
            stream.send(samples.tobytes()[: 4 * rate])
            while json.loads(stream.recv(30)).get("until", 0) < 1.99:
                pass
            for thread in asking:
                thread.start()
            deadline = time.monotonic() + 10
            while at_work(program.call("/metrics").body) < 1 and not replies and time.monotonic() < deadline:
                time.sleep(0.005)
            begun = at_work(program.call("/metrics").body)
            assert program.stop(number) == 0
            said = heard(stream)
        for thread in asking:
            thread.join()
        assert said[-1]["type"] == "summary" and said[-1]["result"]["duration"] == pytest.approx(2, abs=0.01)
        assert stream.close_code == 1012
        assert begun <= sum(reply.status == 200 for reply in replies)
        assert {reply.status for reply in replies} <= {200, 503, 0}
        wait_until_gone(workers)
    assert program.said == []


def at_work(metrics: bytes) -> float:
    (line,) = (each for each in metrics.decode().splitlines() if each.startswith("emotone_requests_at_work "))
    return float(line.split()[-1])


def children(pid: int) -> list[int]:
    """Every process that a process has started, and those that these have."""
    own = [
        int(each) for task in Path(f"/proc/{pid}/task").iterdir() for each in (task / "children").read_text().split()
    ]
    return own + [each for child in own for each in children(child)]


def wait_until_gone(pids: list[int]) -> None:
    end = time.monotonic() + 10
    while left := [pid for pid in pids if is_alive(pid)]:
        assert time.monotonic() < end, f"still alive: {left}"
        time.sleep(0.05)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_nothing_of_a_caller_is_written_or_logged(clips: list[Path], tmp_path: Path) -> None:
    """The home, the cache and the folder for temporary files stay as they are; names are in no log."""
    places = {"HOME": str(tmp_path), "TMPDIR": str(tmp_path), "EMOTONE_CACHE": str(tmp_path / "cache")}
    with serving("--workers", "1", **places) as program:
        assert program.post("/v1/recognize", ("secret.flac", clips[0].read_bytes())).status == 200
        assert program.post("/v1/recognize", ("secret.flac", b"no sound")).status == 422
        assert program.post("/v1/adapt", ("secret.flac", clips[0].read_bytes()), name="files").status == 201
        files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert files == [] and program.said == []


def test_who_kills_the_service_kills_its_workers(clips: list[Path]) -> None:
    with serving("--workers", "2") as program:
        assert program.post("/v1/recognize", clips[0]).status == 200
        workers = children(program.process.pid)
        os.kill(program.process.pid, signal.SIGKILL)
        program.process.wait()
        wait_until_gone(workers)
