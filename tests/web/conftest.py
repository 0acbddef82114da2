"""A browser, a service and the page as a folder, which all tests of the page share."""

import functools
import http.server
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from emotone.errors import DownloadError
from emotone.files import cache_folder

KEPT = cache_folder("npm")
"""The user's own cache, before the tests get theirs: tarballs are large."""

REAL = bool(os.environ.get("EMOTONE_DATA"))
"""Whether people speak; of computer-made voices models are not sure, and what they say hangs by little."""

Browser = Any
Page = Any


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep these tests in one process of pytest-xdist: they share a browser."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("web"))


@pytest.fixture(scope="session")
def clips(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Ten clips of different emotions and speakers: of RAVDESS where it is, else of the synthetic corpus."""
    if REAL:
        found = sorted(request.getfixturevalue("ravdess").glob("Actor_*/03-01-*"))
        return found[::149][:10]
    from emotone.corpora.synthetic import write

    folder = write(tmp_path_factory.mktemp("clips"), actors=(1, 2))
    return sorted(folder.rglob("*.wav"))[::10][:10]


@pytest.fixture(scope="session")
def talk(clips: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip as wav, with silence around it, which is what the microphone hears."""
    samples, rate = soundfile.read(clips[2], dtype="float32", always_2d=True)
    path = tmp_path_factory.mktemp("talk") / "talk.wav"
    soundfile.write(path, np.pad(samples[:, 0], rate // 2), rate, subtype="PCM_16")
    return path


@pytest.fixture(scope="session")
def call(clips: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two speakers, one on each channel, one after the other."""
    rate = soundfile.info(clips[0]).samplerate
    said = (soundfile.read(clips[at], dtype="float32", always_2d=True)[0][:, 0] for at in (2, 7))
    first, second = (np.pad(samples, rate // 2) for samples in said)
    left = np.concatenate([first, np.zeros_like(second)])
    right = np.concatenate([np.zeros_like(first), second])
    path = tmp_path_factory.mktemp("call") / "call.wav"
    soundfile.write(path, np.stack([left, right], axis=1), rate, subtype="PCM_16")
    return path


@pytest.fixture(scope="session")
def tarballs() -> list[Path]:
    """The npm packages that the page in the browser needs, downloaded once for all runs of the tests."""
    from emotone.corpora.download import download
    from emotone.site import PACKAGES

    found = []
    for package in PACKAGES:
        target = KEPT / package.tarball
        if not target.is_file():
            try:
                download(package.url, target, size=package.size, sha512=package.sha512_hex)
            except DownloadError as error:
                pytest.skip(f"needs the npm registry: {error}")
        found.append(target)
    return found


@contextmanager
def launched(talk: Path) -> Iterator[Browser]:
    """Start Chromium, whose microphone hears `talk` once."""
    if importlib.util.find_spec("playwright") is None:
        pytest.skip("needs playwright: pip install -e '.[dev]'")
    from playwright.sync_api import sync_playwright

    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("needs Chromium: apt-get install chromium")
    arguments = [
        "--no-sandbox",  # which root cannot have
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-audio-capture={talk}%noloop",
        "--autoplay-policy=no-user-gesture-required",
    ]
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=arguments)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def browser(talk: Path) -> Iterator[Browser]:
    """Chromium, whose microphone hears `talk`."""
    with launched(talk) as chromium:
        yield chromium


@pytest.fixture(scope="session")
def site(tarballs: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page as a folder, with the default model."""
    from emotone.site import write_site

    folder = tmp_path_factory.mktemp("site") / "page"
    write_site(folder, model="emotone/probe", runtime=tarballs)
    return folder


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


class _Server(http.server.ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """Say nothing of pages that are closed while they load."""


@pytest.fixture(scope="session")
def static(site: Path) -> Iterator[str]:
    """The address of the page as a folder, shown by a plain web server."""
    handler = functools.partial(_Quiet, directory=str(site))
    with _Server(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://localhost:{server.server_port}/"
        server.shutdown()


@pytest.fixture(scope="session")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., str]]:
    """Return a function that starts `emotone serve` with further arguments and returns its address."""
    pytest.importorskip("emotone.service", reason="this emotone has no service")
    pytest.importorskip("fastapi", reason="needs the extra `serve`")
    running: list[subprocess.Popen[str]] = []
    folder = tmp_path_factory.mktemp("served")

    def start(*arguments: object) -> str:
        command = [sys.executable, "-m", "emotone", "serve", "--port", "0", *map(str, arguments)]
        said = (folder / f"{len(running)}.txt").open("w+")
        running.append(subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT, text=True))
        for _ in range(600):
            found = re.search(r"http://[\d.]+:\d+", Path(said.name).read_text())
            if found:
                return found[0].replace("127.0.0.1", "localhost") + "/"
            if running[-1].poll() is not None:
                break
            threading.Event().wait(0.1)
        raise AssertionError(f"emotone serve did not start: {Path(said.name).read_text()}")

    yield start
    for process in running:
        process.terminate()
    for process in running:
        process.wait(30)


@pytest.fixture(scope="session")
def served(serve: Callable[..., str]) -> str:
    """The address of `emotone serve`; its model has attention."""
    return serve("--model", "emotone/base")


@contextmanager
def opened(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Give the function of `open_page`."""
    contexts = []
    wrong: list[str] = []

    def start(address: str, *, ready: str = "#record:enabled", allowed: str = "nothing", **options: Any) -> Page:
        context = browser.new_context(**({"permissions": ["microphone"]} | options))
        context.set_default_timeout(60_000)
        contexts.append(context)
        page = context.new_page()

        def note(text: str) -> None:
            if allowed not in text:
                wrong.append(text)

        page.on("pageerror", lambda error: note(str(error)))
        page.on("console", lambda said: note(said.text) if said.type == "error" else None)
        page.goto(address)
        page.wait_for_selector(ready)
        return page

    yield start
    for context in contexts:
        context.close()
    assert wrong == []


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Return a function that opens an address in a context of its own, and waits until it is `ready`.

    What goes wrong in the page fails the test, but for errors that hold the text `allowed`.
    """
    with opened(browser) as start:
        yield start


def answered(page: Page, path: Path | None = None) -> None:
    """Wait until the answer to a recording, that of `path` if given, is shown; a problem fails."""
    title = "" if path is None else f":has(h2:text-is({json.dumps(path.name)}))"
    page.wait_for_selector(f"#recording:not([hidden]){title}, #problem:not([hidden])")
    assert not page.is_visible("#problem"), page.inner_text("#problem")


def hears(page: Page, emotion: str) -> None:
    """Wait until the page shows, live, the emotion; of a computer-made voice, any."""
    page.wait_for_function(
        """([emotion, any]) => {
          const { dataset } = document.getElementById("now");
          return dataset.state === "sure" && (any || document.getElementById("now-emotion").textContent === emotion);
        }""",
        arg=[emotion, not REAL],
    )


def downloaded(page: Page, form: str) -> str:
    """Return the text that is downloaded as a format."""
    with page.expect_download() as download:
        page.get_by_role("button", name=form, exact=True).click()
    return str(download.value.path().read_text(encoding="utf-8"))
