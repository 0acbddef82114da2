"""A model that cannot be used says what can be, and the command that makes it so."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from emotone.bundle.hub import locate


@pytest.mark.parametrize("given", ["my model", "my model/system.json", "my model/weights.safetensors"])
def test_a_trained_system_says_how_it_becomes_a_bundle(
    emotone: Callable[..., Any], clips: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("my model").mkdir()
    for name in ("system.json", "weights.safetensors"):
        Path("my model", name).write_text("{}")
    done = emotone("predict", clips[0], "--model", given)
    assert (done.code, done.out) == (2, "")
    assert done.err.endswith("emotone export 'my model' --out 'my model/emotone.onnx'\n")
    assert len(done.err.splitlines()) == 1


@pytest.mark.parametrize("given", ["model.pt", "model.safetensors", "model.json", "model", "empty", "absent.pt"])
def test_what_is_no_model_names_what_is_one(
    emotone: Callable[..., Any], clips: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    monkeypatch.chdir(tmp_path)
    if given == "empty":
        Path(given).mkdir()
    elif not given.startswith("absent"):
        Path(given).write_bytes(b"PK\3\4")
    done = emotone("predict", clips[0], "--model", given)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"emotone: {given}: no such model") and "Traceback" not in done.err
    assert all(word in done.err for word in ("a .onnx file", "emotone.onnx", "org/name"))


def test_an_exported_bundle_in_the_trained_folder_is_the_model(bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "system.json").write_text("{}")
    shutil.copy(bundle, tmp_path / "emotone.onnx")
    assert locate(tmp_path) == locate(str(tmp_path)) == tmp_path / "emotone.onnx"
    shutil.copy(bundle, tmp_path / "M.ONNX")
    assert locate(tmp_path / "M.ONNX") == tmp_path / "M.ONNX"
