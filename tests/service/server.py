"""A real server, on loopback, for the tests of this folder."""

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
class Server:
    """A running service: where it is, and its process."""

    url: str
    process: subprocess.Popen[str]
    said: list[str] = field(default_factory=list)

    @property
    def address(self) -> tuple[str, int]:
        host, port = self.url.removeprefix("http://").split(":")
        return host, int(port)

    @property
    def stream(self) -> str:
        return self.url.replace("http", "ws") + "/v1/stream"

    def call(self, path: str, body: bytes | None = None, *, method: str | None = None, **headers: str) -> Reply:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(self.url + path, body, named, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return Reply(answer.status, dict(answer.headers), answer.read())
        except urllib.error.HTTPError as error:
            return Reply(error.code, dict(error.headers), error.read())

    def post(self, path: str, *files: Path | tuple[str, bytes], name: str = "file", **headers: str) -> Reply:
        body, kind = form(*files, name=name)
        return self.call(path, body, content_type=kind, **headers)

    def stop(self) -> int:
        """Tell it to stop, as Ctrl+C does; return its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        return self.process.wait(60)


def form(*files: Path | tuple[str, bytes], name: str = "file") -> tuple[bytes, str]:
    """A multipart body, and its type."""
    boundary = uuid.uuid4().hex
    body = b""
    for each in files:
        called, content = each if isinstance(each, tuple) else (each.name, each.read_bytes())
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="{called}"\r\n\r\n'
        body += head.encode() + content + b"\r\n"
    return body + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"


@contextlib.contextmanager
def serving(*options: object, model: str = "emotone/tiny", **environment: str) -> Iterator[Server]:
    """Run `emotone serve` on a free port until the end of the block."""
    command = [sys.executable, "-m", "emotone", "serve", "--model", model, "--port", "0", *map(str, options)]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **environment}
    )
    assert process.stdout and process.stderr
    said: list[str] = []
    listening = threading.Thread(target=lambda stream: said.extend(stream), args=(process.stderr,), daemon=True)
    listening.start()  # else a full pipe would stop it
    try:
        found = re.search(r"http://\S+", process.stdout.readline())
        assert found, f"it did not start: {said}"
        yield Server(found[0], process, said)
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
