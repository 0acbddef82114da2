"""`emotone page`: what it refuses, and that it writes the page whole or not at all."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from emotone import site

Run = Callable[..., Any]


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """A registry that cannot be reached: a port of this machine that nobody listens to."""
    monkeypatch.setattr(site.Package, "url", property(lambda package: f"http://127.0.0.1:9/{package.tarball}"))


def test_a_folder_with_other_things_is_left_alone(emotone: Run, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    done = emotone("page", tmp_path)
    assert done.code == 2 and f"{tmp_path}: holds other files" in done.err
    assert [each.name for each in tmp_path.iterdir()] == ["thesis.txt"]
    done = emotone("page", tmp_path / "thesis.txt")
    assert done.code == 2 and "is a file" in done.err


def test_a_tarball_of_another_version_is_refused(emotone: Run, tmp_path: Path) -> None:
    other = tmp_path / "onnxruntime-web-1.30.0.tgz"
    other.write_bytes(gzip.compress(b"another"))
    done = emotone("page", tmp_path / "page", "--runtime", other)
    assert done.code == 2 and f"{other}: sha512" in done.err and "fvad-wasm-0.2.0.tgz" in done.err
    done = emotone("page", tmp_path / "page", "--runtime", tmp_path / "missing.tgz")
    assert done.code == 2 and "missing.tgz: cannot be read" in done.err
    assert not (tmp_path / "page").exists()


def test_without_a_network_it_says_how_to_go_on(emotone: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMOTONE_CACHE", str(tmp_path / "cache"))
    done = emotone("page", tmp_path / "page")
    assert done.code == 1 and "--runtime onnxruntime-web-1.30.0.tgz" in done.err
    assert not (tmp_path / "page").exists()


def test_an_unknown_model_is_told_before_anything_is_fetched(emotone: Run, tmp_path: Path) -> None:
    done = emotone("page", tmp_path / "page", "--model", "nobody")
    assert done.code == 2 and "nobody: no such model" in done.err


def test_a_page_is_replaced_whole_and_stays_when_that_fails(
    tmp_path: Path, tarballs: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "page"
    site.write_site(folder, model="emotone/tiny", runtime=tarballs)
    card = json.loads((folder / "static" / "model" / "card.json").read_text())
    assert card["name"] == "emotone/tiny" and card["licence"] in (folder / "static/model/NOTICE.txt").read_text()
    assert {each.name for each in folder.iterdir()} == {"index.html", "static"}
    monkeypatch.setattr(site, "_unpack", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        site.write_site(folder, model="emotone/base", runtime=tarballs)
    assert json.loads((folder / "static" / "model" / "card.json").read_text()) == card
    assert [each.name for each in tmp_path.iterdir()] == ["page"]
    monkeypatch.undo()
    site.write_site(folder, model="emotone/base", runtime=tarballs)
    assert json.loads((folder / "static" / "model" / "card.json").read_text())["name"] == "emotone/base"
