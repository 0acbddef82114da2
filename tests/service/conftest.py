"""Servers that all tests of the service share, and what they are asked."""

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import soundfile

from emotone.recognition import Recognizer
from emotone.service.server import make_server
from emotone.service.settings import Settings

from .client import Client

MODEL = "emotone/tiny"


def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool:
    """Run each test in a thread of its own: a browser of Playwright, which other tests keep open, has an event loop in
    this one, beside which no other can run.
    """
    arguments = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}
    with ThreadPoolExecutor(1, "test") as thread:
        thread.submit(pyfuncitem.obj, **arguments).result()
    return True


@pytest.fixture(scope="session")
def clips(request: pytest.FixtureRequest) -> list[Path]:
    """Eight clips of different speakers: of RAVDESS's where it is found, else of synthetic voices."""
    if os.environ.get("EMOTONE_DATA"):
        return sorted(request.getfixturevalue("ravdess").glob("Actor_*/03-01-*"))[::180]
    return sorted(request.getfixturevalue("synthetic").rglob("*.wav"))[::10][:8]


@pytest.fixture(scope="session")
def library() -> Recognizer:
    """What answers without the service."""
    return Recognizer.load(MODEL)


@pytest.fixture(scope="session")
def talk(clips: list[Path]) -> tuple[np.ndarray, int]:
    """About ten seconds of speech with pauses, int16 (samples,), and its rate."""
    parts = [soundfile.read(path, dtype="int16", always_2d=True)[0][:, 0] for path in clips[:3]]
    return np.concatenate(parts), soundfile.info(clips[0]).samplerate


@pytest.fixture(scope="module")
def start() -> Iterator[Callable[..., Client]]:
    """Return a function that starts a server of this process with the settings that are given, on a free port."""
    running = []

    def begin(**settings: object) -> Client:
        server, listening = make_server(Settings(model=MODEL, port=0, **{"workers": 2, **settings}), print)  # type: ignore[arg-type]
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        running.append((server, thread))
        while not server.started:
            assert thread.is_alive()
            thread.join(0.02)
        return Client("http://{}:{}".format(*listening.getsockname()[:2]), server.engine)

    yield begin
    for server, _ in running:
        server.should_exit = True
    for _, thread in running:
        thread.join(60)
        assert not thread.is_alive()


@pytest.fixture(scope="module")
def service(start: Callable[..., Client]) -> Client:
    """A server as it comes."""
    return start()
