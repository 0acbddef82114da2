"""Errors: one shape for all, and each is met."""

import http.client
import io
import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from .client import Client, Reply, form


def check(reply: Reply, status: int, words: str) -> None:
    assert reply.status == status, reply.body
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.json.keys() == {"type", "title", "status", "detail"}
    assert reply.json["status"] == status and words in reply.json["detail"], reply.json


def silence(seconds: float, *, channels: int = 1, rate: int = 8_000, form: str = "FLAC") -> bytes:
    sound = io.BytesIO()
    soundfile.write(sound, np.zeros((round(seconds * rate), channels)), rate, format=form)
    return sound.getvalue()


@pytest.fixture(scope="module")
def small(start: Callable[..., Client]) -> Client:
    """A service that takes little."""
    return start(size=300_000, duration=20.0, waiting=2, files=2, stalled=1.0, workers=1)


@pytest.mark.parametrize(
    ("body", "kind", "status", "words"),
    [
        (b"", "audio/wav", 400, "empty"),
        (form(("a.wav", b""))[0], None, 400, "empty"),
        (form(("a.wav", b"x"), name="other")[0], None, 400, "no file in a field `file`"),
        (b"no form", "multipart/form-data; boundary=b", 400, "multipart"),
        (b"no form", "multipart/form-data", 400, "boundary"),
        (b"--b\r\n\r\nx\r\n--b--", "multipart/form-data; boundary=b", 400, "name"),
        (b"{}", "application/json", 415, "allowed: multipart/form-data"),
        (b"x", "text/plain", 415, "text/plain"),
        (b"no sound", "audio/wav", 422, "not audio"),
        (silence(1, form="WAV")[:44], "audio/wav", 422, "holds no samples"),
    ],
    ids=["nothing", "empty", "field", "no-form", "boundary", "name", "json", "text", "no-sound", "head-alone"],
)
def test_bodies_that_are_no_recording(small: Client, body: bytes, kind: str | None, status: int, words: str) -> None:
    boundary = body.partition(b"\r")[0][2:]
    kind = kind or f"multipart/form-data; boundary={boundary.decode()}"
    check(small.call("/v1/recognize", body, content_type=kind), status, words)


@pytest.mark.parametrize(
    ("charset", "called", "told"),
    [
        ("unicode_escape", "\\ud800.wav", "?.wav"),
        ("utf-7", "+2AA-.wav", "?.wav"),
        ("unicode_escape", "\\u00e4.wav", "\u00e4.wav"),
        ("nonsense", "a.wav", "a.wav"),
        ("hex", "a.wav", "a.wav"),
    ],
)
def test_a_file_name_of_any_charset_is_told(small: Client, charset: str, called: str, told: str) -> None:
    (body, kind), (more, of_more) = (form((called, silence(1)), name=name) for name in ("file", "files"))
    one = small.call("/v1/recognize", body, content_type=f"{kind}; charset={charset}")
    several = small.call("/v1/recognize/batch", more, content_type=f"{of_more}; charset={charset}")
    assert (one.status, several.status) == (200, 200), (one.body, several.body)
    assert one.json["file"] == several.json["results"][0]["file"] == told


def test_a_charset_that_no_form_can_be_in_is_refused(small: Client) -> None:
    body, kind = form(("a.wav", silence(1)))
    check(small.call("/v1/recognize", body, content_type=f"{kind}; charset=undefined"), 400, "undefined encoding")


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("channels=left", "channels is 'left'"),
        ("window=long", "window is 'long'"),
        ("window=99", "window is 99 s; it must lie in"),
        ("window=nan", "window is nan s"),
        ("hop=9", "hop is 9 s; it must lie in"),
        ("window=4&hop=0.1", "for a window of 4 s it must be 0.25 s or more"),
        ("min_confidence=2", "min_confidence is '2'"),
        ("speaker=nobody", "speaker 'nobody' is not known"),
        ("timeline=perhaps", "timeline is 'perhaps'"),
        ("windows=2", "windows is '2'"),
        ("channels=3", "has no channel 3; allowed: 0 to 0"),
    ],
)
def test_options_that_cannot_be(small: Client, query: str, words: str) -> None:
    check(small.post(f"/v1/recognize?{query}", ("a.flac", silence(1))), 422, words)


def test_what_is_too_large_is_refused_unread(small: Client) -> None:
    check(small.call("/v1/recognize", bytes(300_001), content_type="audio/wav"), 413, "larger than 300,000 bytes")


def test_what_is_too_large_and_does_not_say_so_is_not_read_to_its_end(small: Client) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(4):
            yield bytes(100_000)

    check(small.call("/v1/recognize", chunks(), content_type="audio/wav"), 413, "larger than 300,000 bytes")


def test_a_recording_that_is_too_long_is_not_decoded_whole(small: Client) -> None:
    check(small.post("/v1/recognize", ("long.flac", silence(30))), 413, "longer than 20 s")
    bomb = silence(3_000)
    assert len(bomb) < 100_000
    begun = time.perf_counter()
    check(small.post("/v1/recognize", ("bomb.flac", bomb)), 413, "longer than 20 s")
    assert time.perf_counter() - begun < 5
    headless = bytearray(bomb)  # a stream whose length is not stated
    headless[21] &= 0xF0
    headless[22:26] = bytes(4)
    check(small.call("/v1/recognize", bytes(headless), content_type="audio/flac"), 413, "longer than 20 s")


def test_each_channel_counts(small: Client) -> None:
    sound = ("call.flac", silence(8, channels=3))
    assert small.post("/v1/recognize", sound).status == 200
    check(small.post("/v1/recognize?channels=each", sound), 413, "for each of 3 channels 6.66667 s")
    many = ("many.flac", silence(0.1, channels=8))
    assert len(small.recognize(many, "?channels=each")) == 8
    wav = ("many.wav", silence(0.1, channels=9, form="WAV"))
    check(small.post("/v1/recognize?channels=each", wav), 422, "at most 8 are listened to by themselves")


def test_more_files_than_are_taken(small: Client) -> None:
    many = [("a.flac", silence(1))] * 3
    check(small.post("/v1/recognize/batch", *many, name="files"), 400, "Maximum number of files is 2")
    check(small.post("/v1/recognize/batch", many[0], name="file"), 400, "no file in a field `files`")
    check(small.call("/v1/recognize/batch", many[0][1], content_type="audio/flac"), 415, "with the field `files`")
    check(small.post("/v1/adapt", many[0], name="files"), 422, "no speech")


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/v1/nothing", 404), ("GET", "/v1/recognize", 405), ("PUT", "/healthz", 405)]
)
def test_what_is_not_there(small: Client, method: str, path: str, status: int) -> None:
    check(small.call(path, method=method), status, "")


def test_surplus_is_told_when_to_come_again_and_soon(start: Callable[..., Client], clips: list[Path]) -> None:
    service = start(waiting=2, workers=1)
    replies: list[tuple[Reply, float]] = []

    def ask() -> None:
        begun = time.perf_counter()
        replies.append((service.post("/v1/recognize", clips[0]), time.perf_counter() - begun))

    assert service.engine
    service.engine.at_work += 2  # as if two recordings were long
    try:
        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for reply, _ in replies:
            check(reply, 503, "2 requests are being worked on")
            assert reply.headers["retry-after"] == "1"
        assert service.call("/readyz").status == 503 and service.call("/healthz").status == 200
    finally:
        service.engine.at_work -= 2
    assert service.call("/readyz").status == 200
    assert service.post("/v1/recognize", clips[0]).status == 200


def test_who_is_refused_unread_can_go_on_with_the_connection(start: Callable[..., Client]) -> None:
    service = start(waiting=1, workers=1)
    assert service.engine
    service.engine.at_work += 1
    connection = http.client.HTTPConnection(*service.address, timeout=20)
    for _ in range(3):
        connection.request("POST", "/v1/recognize", bytes(3_000_000), {"Content-Type": "audio/wav"})
        with connection.getresponse() as reply:
            assert reply.status == 503 and reply.read()
    service.engine.at_work -= 1
    own = connection.sock
    connection.request("POST", "/v1/recognize", silence(1), {"Content-Type": "audio/flac"})
    with connection.getresponse() as reply:
        assert reply.status == 200 and connection.sock is own
    connection.close()


def test_uploads_share_a_memory(start: Callable[..., Client]) -> None:
    service = start(bodies=1000, workers=1)
    reply = service.call("/v1/recognize", bytes(1001), content_type="audio/wav")
    check(reply, 503, "Too much is being uploaded")
    assert reply.headers["retry-after"] == "1"
    assert service.engine and service.engine.bodies.taken == 0


def begun(service: Client, *, length: int = 100_000) -> socket.socket:
    """Send a request's head and the beginning of its body."""
    connection = socket.create_connection(service.address, timeout=30)
    head = f"POST /v1/recognize HTTP/1.1\r\nHost: x\r\nContent-Type: audio/wav\r\nContent-Length: {length}\r\n\r\n"
    connection.sendall(head.encode() + bytes(1000))
    return connection


def test_a_body_that_does_not_come_is_not_waited_for(small: Client) -> None:
    with begun(small) as connection:
        said = b"".join(iter(lambda: connection.recv(65_536), b""))
    head, _, body = said.partition(b"\r\n\r\n")
    assert b" 408 " in head and b"application/problem+json" in head
    assert "longer than 1 s" in json.loads(body)["detail"]


def test_clients_that_leave_or_are_slow_keep_nobody_waiting(small: Client, clips: list[Path]) -> None:
    slow = [begun(small) for _ in range(30)]
    for _ in range(50):
        with begun(small) as connection:  # a reset, in the middle of an upload
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    started = time.perf_counter()
    assert small.post("/v1/recognize", ("a.flac", silence(1))).status == 200
    assert time.perf_counter() - started < 2
    for connection in slow:
        connection.close()
    assert small.engine
    for _ in range(100):
        if not small.engine.bodies.taken:
            break
        time.sleep(0.05)
    assert small.engine.bodies.taken == small.engine.at_work == 0


@pytest.mark.parametrize("sent", [b"", b"GET /healthz HT", b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /he"])
def test_connections_without_a_request_are_closed(start: Callable[..., Client], sent: bytes) -> None:
    service = start(quiet=1, workers=1)
    with socket.create_connection(service.address, timeout=20) as connection:
        connection.sendall(sent)
        said = b"".join(iter(lambda: connection.recv(65_536), b""))
    assert said.startswith(b"HTTP/1.1 200") if b"\r\n\r\n" in sent else said == b""


def test_a_head_without_end_is_not_read_to_its_end(small: Client) -> None:
    with socket.create_connection(small.address, timeout=20) as connection, pytest.raises(OSError):
        connection.sendall(b"GET /healthz HTTP/1.1\r\nX: ")
        for _ in range(2_000):
            connection.sendall(bytes(65_536).replace(b"\0", b"x"))


def test_a_fault_of_the_service_is_a_problem_too(start: Callable[..., Client], monkeypatch: pytest.MonkeyPatch) -> None:
    service = start(workers=1)
    assert service.engine

    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(service.engine, "recognize", fail)
    reply = service.post("/v1/recognize", ("a.flac", silence(1)))
    check(reply, 500, "operator")
    assert "content-security-policy" in reply.headers
