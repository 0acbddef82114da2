"""Bodies and frames that nobody means: no fault of the service, nothing that hangs, nothing that is left behind.

A few hundred in `make test`; thousands, and half a minute of everything at once, in `make soak`.
"""

import contextlib
import json
import random
import socket
import struct
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.specs.openapi import checks
from websockets.exceptions import ConnectionClosed

from .client import Client, form, heard, serving
from .test_live import webm
from .test_running import Talk, children

FEW, MANY = 150, 5_000
QUIETLY = settings(deadline=None, database=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
CONFORMS = [
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
ALLOWED = {200, 201, 400, 401, 403, 404, 405, 408, 413, 415, 422, 429, 503}


@contextlib.contextmanager
def nothing_left(pid: int, service: Client, *, megabytes: float) -> Iterator[None]:
    """Check that a service ends with the files, threads and memory that it began with; a first round is let pass."""
    files, processes, memory = used(pid)
    yield
    end = time.monotonic() + 30
    while left := what_is_left(pid, service, files, processes):
        assert time.monotonic() < end, left
        time.sleep(0.2)
    grown = used(pid)[2] - memory
    assert grown < megabytes, f"{grown:.0f} MB more than before"
    assert 'status="500"' not in service.call("/metrics").body.decode()


def what_is_left(pid: int, service: Client, files: int, processes: int) -> list[str]:
    figures = service.call("/metrics").body.decode()
    names = ("requests_at_work", "streams", "network_waiting", "upload_bytes")
    left = [name for name in names if f"\nemotone_{name} 0.0\n" not in figures]
    now = used(pid)
    if now[0] > files + 2:
        left.append(f"{now[0]} open files, {files} before")
    if now[1] > processes:
        left.append(f"{now[1]} processes, {processes} before")
    return left


def used(pid: int) -> tuple[int, int, float]:
    """Open files, processes, and MB of memory of a service with its workers."""
    pids = [pid, *children(pid)]
    pages = sum(int(Path(f"/proc/{each}/statm").read_text().split()[1]) for each in pids)
    return len(list(Path(f"/proc/{pid}/fd").iterdir())), len(pids), pages * 4096 / 1e6


@pytest.fixture(scope="module")
def program() -> Iterator[Client]:
    with serving("--workers", "2", "--max-duration", "60", "--max-size", "4", "--max-waiting", "8") as found:
        yield found
        assert found.said == []  # no traceback


def fuzz_documented(service: Client, examples: int) -> None:
    """Send what the OpenAPI document allows, and what it does not; check each answer by it."""
    schema = schemathesis.openapi.from_url(f"{service.url}/openapi.json")
    checked = [fuzz_operation(service, each.ok(), examples) for each in schema.get_all_operations()]
    assert {"POST /v1/recognize", "POST /v1/recognize/batch", "POST /v1/adapt", "GET /v1/model"} <= set(checked)


def fuzz_operation(service: Client, operation: Any, examples: int) -> str:
    kinds = (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE)

    @given(case=st.one_of(*(operation.as_strategy(generation_mode=kind) for kind in kinds)))
    @settings(QUIETLY, max_examples=examples)
    def ask(case: schemathesis.Case) -> None:
        reply = case.call(base_url=service.url, timeout=30)
        assert reply.status_code in ALLOWED, (reply.status_code, reply.text[:300])
        if reply.status_code >= 400:
            assert reply.headers["content-type"] == ["application/problem+json"]
            assert reply.json()["status"] == reply.status_code
        if reply.status_code != 405:  # of another method than the document's
            case.validate_response(reply, checks=CONFORMS)

    ask()
    return str(operation.label)


def mangled(draws: random.Random, originals: list[bytes]) -> bytes:
    """Return a file as accidents and enemies make it: bits turned, pieces lost, doubled, from another."""
    data = bytearray(draws.choice(originals))
    for _ in range(draws.randint(1, 8)):
        at = draws.randrange(len(data) + 1)
        match draws.randrange(6):
            case 0:
                del data[at:]
            case 1:
                data[at : at + draws.randint(0, 300)] = b""
            case 2:
                data[at:at] = draws.randbytes(draws.randint(1, 300))
            case 3:
                data[at:at] = draws.choice(originals)[: draws.randint(0, 3_000)]
            case 4:
                data[:4] = draws.choice((b"RIFF", b"OggS", b"fLaC", b"ID3\3", b"\x1aE\xdf\xa3", b"FORM"))
            case _:
                for _ in range(20):
                    where = draws.randrange(min(len(data), 200) + 1)
                    data[where : where + 1] = bytes([draws.randrange(256)])
        data = data or bytearray(b"\0")
    return bytes(data)


def fuzz_bodies(service: Client, originals: list[bytes], seed: int, times: int) -> None:
    draws = random.Random(seed)
    for _ in range(times):
        body = mangled(draws, originals)
        kind = draws.choice(("audio/wav", "application/octet-stream", None, "multipart/form-data; boundary=x"))
        if kind is None:
            body, kind = form(("a", body))
            if draws.random() < 0.5:
                body = mangled(draws, [body])
        reply = service.call("/v1/recognize?channels=" + draws.choice(("mix", "each", "0")), body, content_type=kind)
        assert reply.status in ALLOWED, reply.body
        json.loads(reply.body)


def cut_off(service: Client, body: bytes, draws: random.Random, times: int) -> None:
    """Leave in the middle of a request, in whatever way."""
    whole, kind = form(("a", body))
    head = f"POST /v1/recognize HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\nContent-Length: {len(whole)}\r\n\r\n"
    request = head.encode() + whole
    for _ in range(times):
        with socket.create_connection(service.address, timeout=10) as connection:
            connection.sendall(request[: draws.randrange(len(request) + 1)])
            if draws.random() < 0.5:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


START = st.fixed_dictionaries(
    {"type": st.just("start"), "format": st.sampled_from(["s16le", "f32le", "webm"])},
    optional={
        "rate": st.sampled_from([1_000, 8_000, 16_000, 44_100, 768_000, 0, -1]),
        "channels": st.integers(0, 9),
        "hop": st.sampled_from([None, 0.5, 1.0, 0.0]),
        "window": st.sampled_from([None, 1.0, 60.0]),
        "attention": st.booleans(),
        "speaker": st.sampled_from([None, "x"]),
    },
)
SPOKEN = st.sampled_from(['{"type": "ping"}', '{"type": "end"}', "", "{}", "[", '{"type": "start"}'])
FRAMES = st.lists(st.binary(max_size=3_000) | st.integers(0, 9) | SPOKEN, max_size=6)
FIRST = START.map(json.dumps) | st.text(max_size=30) | st.binary(max_size=30)


def fuzz_streams(service: Client, talk: Talk, examples: int) -> None:
    """Say anything: each stream is answered and closed, by a code of the protocol."""
    file = webm(talk[0][: 2 * talk[1]], talk[1])

    @given(first=FIRST, frames=FRAMES, leave=st.booleans())
    @settings(QUIETLY, max_examples=examples)
    def say(first: str | bytes, frames: list[bytes | int | str], leave: bool) -> None:
        with service.open() as stream:
            with contextlib.suppress(ConnectionClosed):
                stream.send(first)
                for frame in frames:  # a number is a piece of a real stream
                    stream.send(file[frame * 1_000 : (frame + 1) * 1_000] if isinstance(frame, int) else frame)
                if not leave:
                    stream.send('{"type": "end"}')
            if leave:
                with contextlib.suppress(OSError):  # it was closed by the service
                    stream.socket.shutdown(socket.SHUT_RDWR)
                return
            said = heard(stream)
        assert stream.close_code in (1000, 1008, 1009, 1013), (stream.close_code, said[-1:])
        assert said[-1]["type"] == ("summary" if stream.close_code == 1000 else "error")
        assert said[-1].get("status", 400) in ALLOWED

    say()


@pytest.fixture(scope="module")
def originals(clips: list[Path], talk: Talk) -> list[bytes]:
    return [clips[0].read_bytes(), clips[1].read_bytes()[:20_000], webm(talk[0][: talk[1]], talk[1])]


def test_requests_by_the_document(program: Client) -> None:
    fuzz_documented(program, 6)


def test_recordings_that_are_damaged(program: Client, originals: list[bytes]) -> None:
    fuzz_bodies(program, originals, 0, FEW)


def test_streams_that_say_anything(program: Client, talk: Talk) -> None:
    fuzz_streams(program, talk, FEW // 3)


@pytest.mark.soak
@pytest.mark.timeout(3_000)
def test_all_of_it_for_long_leaves_nothing_behind(originals: list[bytes], talk: Talk, clips: list[Path]) -> None:
    """5,000 bodies, 5,000 streams, 5,000 that break off, and the document's; then the service is as it was."""
    with serving("--workers", "2", "--max-duration", "60", "--max-size", "4", "--max-waiting", "16") as program:
        expected = program.recognize(clips[0])

        def everything(share: float) -> None:
            few, many = round(300 * share), round(MANY * share)
            with ThreadPoolExecutor(5) as threads:
                beside = [threads.submit(fuzz_bodies, program, originals, seed, many // 4) for seed in range(4)]
                beside.append(threads.submit(cut_off, program, originals[0], random.Random(0), many))
                fuzz_documented(program, few)  # in this thread: Hypothesis is not made for several
                fuzz_streams(program, talk, many)
                for each in beside:
                    each.result()

        everything(0.1)  # arenas, caches and the like are there then
        with nothing_left(program.process.pid, program, megabytes=100):
            everything(1.0)
        assert program.recognize(clips[0]) == expected
        assert program.stop() == 0 and program.said == []


def test_a_while_of_it_leaves_nothing_behind(program: Client, originals: list[bytes], clips: list[Path]) -> None:
    expected = program.recognize(clips[0])
    with nothing_left(program.process.pid, program, megabytes=60):  # type: ignore[attr-defined]
        fuzz_bodies(program, originals, 1, 30)
        cut_off(program, originals[0], random.Random(1), 60)
    assert program.recognize(clips[0]) == expected
