"""`emotone report`: the page opens with full runs, remembers them, and opens in the browser."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from emotone.evaluation.record import RunRecord

Make = Callable[..., RunRecord]
OPENS = "What full runs say"


@pytest.fixture
def folder(make_record: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with quick runs in `runs` and a full one in `full`, on a machine without corpora."""
    monkeypatch.setenv("EMOTONE_DATA", str(tmp_path / "none"))
    monkeypatch.setenv("EMOTONE_CACHE", str(tmp_path / "cache"))
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    make_record(preset="quick").write(tmp_path / "runs" / "runs" / "quick.json")
    make_record().write(tmp_path / "full" / "runs" / "full.json")
    return tmp_path


def test_the_page_opens_with_full_runs_and_does_so_again(emotone: Callable[..., Any], folder: Path) -> None:
    page = folder / "runs" / "report" / "index.html"
    plain = emotone("report", folder / "runs")
    assert plain.code == 0 and OPENS not in page.read_text(encoding="utf-8")
    done = emotone("report", folder / "runs", "--beside", folder / "full")
    assert done.code == 0 and done.out.strip() == str(page)
    written = page.read_text(encoding="utf-8")
    assert OPENS in written
    assert emotone("report", folder / "runs").code == 0
    assert page.read_text(encoding="utf-8") == written
    (folder / "full").rename(folder / "moved")
    gone = emotone("report", folder / "runs")
    assert gone.code == 0 and str(folder / "full") in gone.err and "Traceback" not in gone.err
    assert OPENS not in page.read_text(encoding="utf-8")


@pytest.mark.parametrize("command", ["report", "compare"])
def test_a_folder_without_full_runs_is_refused_before_anything_is_done(
    emotone: Callable[..., Any], folder: Path, small: dict[str, Path], command: str
) -> None:
    asked = ("report", folder / "runs") if command == "report" else ("compare", small["tree"], "--out", folder / "new")
    for empty in (folder / "absent", folder / "runs"):
        done = emotone(*asked, "--beside", empty)
        assert done.code == 2 and f"{empty}: no full runs" in done.err
    assert not (folder / "new").exists() and not (folder / "runs" / "report").exists()


def test_it_opens_in_the_browser_or_says_where_it_is(folder: Path) -> None:
    browser = folder / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {folder}/opened\n')
    browser.chmod(0o755)
    command = [sys.executable, "-m", "emotone", "report", "--open"]

    def report(**changes: str) -> "subprocess.CompletedProcess[str]":
        hidden = ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY", "TERM")
        environment = {name: value for name, value in os.environ.items() if name not in hidden}
        return subprocess.run(command, env=environment | changes, capture_output=True, text=True, cwd=folder)

    page = folder / "runs" / "report" / "index.html"
    done = report(BROWSER=str(browser))
    assert (done.returncode, done.stdout.strip()) == (0, str(page.relative_to(folder))), done.stderr
    assert (folder / "opened").read_text().strip() == page.as_uri()

    (folder / "opened").unlink()
    none = report(PATH=str(folder / "nothing"))
    assert none.returncode == 0 and f"No browser was found here. Open {page}" in none.stderr
    assert not (folder / "opened").exists()
