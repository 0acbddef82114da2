"""What all tests share: a cache of their own, real RAVDESS where it is found."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")  # pytest-xdist has a process per core already

SMALL = {
    "net": """
extends: kakadiya/cnn
id: small/net
audio: {rate: 16000}
model: {convolution: {channels: [6, 6, 6]}, dense: [{units: 8, dropout: 0.3}]}
quick_epochs: 3
""",
    "frames": """
extends: onah/cnn
id: small/frames
features: {mfcc: 13}
model: {convolution: {channels: [6, 6, 6, 6]}}
quick_epochs: 3
""",
    "tree": """
extends: boucheta/decision-tree
id: small/tree
features: {mfcc: 13}
augment: {kind: awgn}
""",
}
"""Recipes of systems that run within a second: two networks and a tree with augmentation."""


@pytest.fixture(autouse=True, scope="session")
def cache_of_the_tests(tmp_path_factory: pytest.TempPathFactory) -> None:
    os.environ["EMOTONE_CACHE"] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="session")
def ravdess() -> Path:
    """The folder of real RAVDESS speech."""
    folder = Path(os.environ.get("EMOTONE_DATA", "")) / "ravdess"
    if not os.environ.get("EMOTONE_DATA") or not folder.is_dir():
        pytest.skip("needs real RAVDESS: set EMOTONE_DATA to the folder that holds ravdess/")
    return folder


@pytest.fixture(scope="session")
def synthetic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds `synthetic/`, the clips of its first three speakers: for `--data` or `EMOTONE_DATA`."""
    from emotone.corpora.synthetic import write

    folder = tmp_path_factory.mktemp("data")
    write(folder / "synthetic", actors=(1, 2, 3))
    return folder


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Recipe files of small systems: net, frames, tree."""
    folder = tmp_path_factory.mktemp("recipes")
    paths = {name: folder / f"{name}.yaml" for name in SMALL}
    for name, path in paths.items():
        path.write_text(SMALL[name], encoding="utf-8")
    return paths


class Done(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


@pytest.fixture
def emotone(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    """Return a function that runs the command line in this process, which spares the start of another."""
    from emotone.cli import main

    def run(*arguments: object) -> Done:
        monkeypatch.setattr(sys, "argv", ["emotone", *map(str, arguments)])
        capsys.readouterr()
        code = 0
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
        return Done(code, *capsys.readouterr())

    return run
