"""Several devices are refused in words where there are not so many, or where they have nothing to share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


@pytest.mark.parametrize("command", ["compare", "train"])
@pytest.mark.parametrize(
    ("system", "options", "words"),
    [
        ("net", ["--devices", 5], "--devices is 5; here it may be 1 to 4 (CPU cores)."),
        ("net", ["--devices", 0], "--devices is 0; it must be at least 1."),
        ("net", ["--devices", 2, "--strategy", "dpp"], "Unknown strategy 'dpp'. Valid: ddp."),
        ("one", ["--devices", 2], "--devices is 2; small/one has batches of 1 clip(s), which are shared."),
        ("tree", ["--devices", 2], "small/tree is fitted at once, not batch by batch: --devices 2 is for networks."),
        ("emotone/probe", ["--devices", 2], "emotone/probe is fitted at once, not batch by batch"),
        ("boucheta/knn", ["--devices", 2], "boucheta/knn is fitted at once, not batch by batch"),
    ],
)
def test_devices_that_cannot_be(
    emotone: Callable[..., Any],
    small: dict[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: str,
    system: str,
    options: list[Any],
    words: str,
) -> None:
    monkeypatch.setattr("emotone.comparison.sweep.cores", lambda: 4)
    one = tmp_path / "one.yaml"
    one.write_text(small["net"].read_text().replace("small/net", "small/one") + "training: {batch: 1}\n")
    known = small | {"one": one}
    preset = ["--preset", "paper"] if system == "emotone/probe" else []
    done = emotone(command, known.get(system, system), "--device", "cpu", *options, *preset, "--out", tmp_path / "out")
    assert done.code == 2 and words in " ".join(done.err.split())
    assert not (tmp_path / "out").exists()
