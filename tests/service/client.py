"""What asks a service in the tests, and starts one as a program."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from emotone.service.engine import Engine


@dataclass
class Reply:
    """What came of a request."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Client:
    """Where a service is; and its engine, where it runs in this process."""

    url: str
    engine: Engine | None = None

    @property
    def address(self) -> tuple[str, int]:
        host, port = self.url.removeprefix("http://").split(":")
        return host, int(port)

    def call(
        self, path: str, body: bytes | Iterator[bytes] | None = None, *, method: str | None = None, **headers: str
    ) -> Reply:
        """Send a request; headers' names have _ for -."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(self.url + path, body, named, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return Reply(answer.status, lower(answer.headers), answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return Reply(error.code, lower(error.headers), error.read())

    def post(self, path: str, *files: Path | tuple[str, bytes], name: str = "file", **headers: str) -> Reply:
        """Upload files."""
        body, kind = form(*files, name=name)
        return self.call(path, body, content_type=kind, **headers)

    def recognize(self, file: Path | tuple[str, bytes], query: str = "") -> Any:
        """Upload a recording; return its answers."""
        reply = self.post(f"/v1/recognize{query}", file)
        assert reply.status == 200, reply.body
        return reply.json["answers"]

    def open(self, **options: Any) -> ClientConnection:
        """Open a stream, to which nothing was said yet."""
        return connect(self.url.replace("http", "ws") + "/v1/stream", open_timeout=60, **options)

    def listen(self, blocks: Iterator[bytes] | list[bytes], **start: Any) -> tuple[list[dict[str, Any]], int]:
        """Send a whole stream; return all that it says, and the code it is closed with."""
        with self.open() as stream:
            sender = threading.Thread(target=_send, args=(stream, start, blocks))
            sender.start()  # beside receiving: else both sides could wait for each other
            said = heard(stream)
            sender.join()
            return said, stream.close_code


def _send(stream: ClientConnection, start: dict[str, Any], blocks: Iterator[bytes] | list[bytes]) -> None:
    with contextlib.suppress(ConnectionClosed):
        stream.send(json.dumps({"type": "start", **start}))
        for block in blocks:
            stream.send(block)
        stream.send('{"type": "end"}')


def heard(stream: ClientConnection) -> list[dict[str, Any]]:
    """Return all that a stream says until it is closed."""
    said = []
    with contextlib.suppress(ConnectionClosed):
        while True:
            said.append(json.loads(stream.recv(timeout=60)))
    return said


def lower(headers: Any) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def form(*files: Path | tuple[str, bytes], name: str = "file") -> tuple[bytes, str]:
    """A multipart body, and its type."""
    boundary = uuid.uuid4().hex
    body = b""
    for each in files:
        called, content = each if isinstance(each, tuple) else (each.name, each.read_bytes())
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="{called}"\r\n\r\n'
        body += head.encode() + content + b"\r\n"
    return body + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"


@dataclass
class Program(Client):
    """`emotone serve` as a program of its own."""

    process: Any = None
    said: list[str] = field(default_factory=list)

    def stop(self, number: int = signal.SIGINT) -> int:
        """Tell it to stop, by Ctrl+C; return its exit code."""
        self.process.send_signal(number)
        return int(self.process.wait(60))


@contextlib.contextmanager
def serving(*options: object, model: str = "emotone/tiny", **environment: str) -> Iterator[Program]:
    """Run `emotone serve` on a free port until the end of the block."""
    command = [sys.executable, "-m", "emotone", "serve", "--model", model, "--port", "0", *map(str, options)]
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env={**os.environ, **environment})
    assert process.stdout and process.stderr
    said: list[str] = []
    listening = threading.Thread(target=said.extend, args=(process.stderr,), daemon=True)
    listening.start()  # else a full pipe would stop it
    try:
        found = re.search(r"http://\S+", process.stdout.readline())
        assert found, f"it did not start: {said}"
        yield Program(found[0], None, process, said)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        listening.join(10)
        process.stdout.close()
        process.stderr.close()
