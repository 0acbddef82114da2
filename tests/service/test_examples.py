"""The examples run as they are."""

import csv
import functools
import http.server
import importlib.util
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from emotone.recognition import Recognizer

from .client import Client

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"


def run(script: str, *arguments: object) -> list[str]:
    done = subprocess.run(
        [sys.executable, EXAMPLES / script, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return done.stdout.splitlines()


def test_the_client_says_what_the_library_says(service: Client, library: Recognizer, clips: list[Path]) -> None:
    result = library(clips[0])
    assert run("client.py", clips[0], "--url", service.url) == [f"{result.emotion} {result.confidence:.0%}"]
    *updates, last = run("client.py", clips[0], "--url", service.url, "--live")
    assert last == f"all: {result.emotion} {result.confidence:.0%}"
    assert updates and all(re.fullmatch(r" *[\d.]+ - +[\d.]+ s  \w+ \d+%", line) for line in updates)


def test_a_folder_is_labelled(
    start: Callable[..., Client], library: Recognizer, clips: list[Path], tmp_path: Path
) -> None:
    service = start(waiting=2)  # so that some have to come again
    for clip in clips:
        shutil.copy(clip, tmp_path)
    (tmp_path / "broken.wav").write_bytes(b"no sound")
    run("label_folder.py", tmp_path, tmp_path / "labels.csv", "--url", service.url)
    rows = {Path(row["file"]).name: row for row in csv.DictReader((tmp_path / "labels.csv").open())}
    assert len(rows) == len(clips) + 1 and "not audio" in rows["broken.wav"]["error"]
    for clip in clips:
        assert rows[clip.name]["emotion"] == library(clip).emotion and not rows[clip.name]["error"]


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def elsewhere() -> Iterator[str]:
    """The origin of a web server that shows the examples."""
    handler = functools.partial(_Quiet, directory=str(EXAMPLES))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://localhost:{server.server_port}"
        server.shutdown()


def test_a_browser_hears_the_microphone(
    start: Callable[..., Client], talk: tuple[np.ndarray, int], elsewhere: str, tmp_path: Path
) -> None:
    if importlib.util.find_spec("playwright") is None:
        pytest.skip("needs playwright: pip install -e '.[dev]'")
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("needs Chromium: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    service = start(origins=(elsewhere,), workers=1)
    soundfile.write(tmp_path / "talk.wav", *talk)
    arguments = ["--no-sandbox", "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]
    arguments += [f"--use-file-for-fake-audio-capture={tmp_path / 'talk.wav'}"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=arguments)
        page = browser.new_page()
        page.goto(f"{elsewhere}/browser.html?service={service.url.replace('http', 'ws')}")
        page.click("#go")
        page.wait_for_function("document.querySelector('#heard').textContent.split(' s: ').length > 2")
        page.click("text=Stop")
        page.wait_for_function("document.querySelector('#heard').textContent.includes('all: ')")
        said = page.text_content("#heard")
        browser.close()
    assert re.search(r"^\d+\.\d s: \w+ \d+ %$", said or "", re.MULTILINE)


def test_the_service_needs_nothing_but_what_the_container_has() -> None:
    """Neither PyTorch nor anything else of the other extras: the container installs base and `serve` alone."""
    script = """
import sys
for name in ("torch", "pandas", "sklearn", "scipy", "librosa", "matplotlib", "jinja2", "onnx", "pyarrow", "requests"):
    sys.modules[name] = None
from emotone.service.server import make_server
from emotone.service.settings import Settings
make_server(Settings(model="emotone/tiny", port=0), print)[1].close()
"""
    subprocess.run([sys.executable, "-c", script], check=True)
    recipe = (EXAMPLES / "Dockerfile").read_text()
    assert "'.[serve]'" in recipe and re.search(r"^USER [1-9]", recipe, re.MULTILINE)
    copied = re.findall(r"^COPY (?!--from)(.*) \S+$", recipe, re.MULTILINE)
    assert all((ROOT / name).exists() for line in copied for name in line.split())


@pytest.mark.soak
def test_the_container_is_built_and_answers() -> None:
    docker = shutil.which("docker")
    if docker is None or subprocess.run([docker, "info"], capture_output=True).returncode:
        pytest.skip("needs a running Docker")
    subprocess.run([docker, "build", "-f", EXAMPLES / "Dockerfile", "-t", "emotone:test", ROOT], check=True)
    command = [docker, "run", "--rm", "--read-only", "--tmpfs", "/tmp", "emotone:test", "--help"]
    assert "--api-key-file" in subprocess.run(command, capture_output=True, text=True, check=True).stdout
