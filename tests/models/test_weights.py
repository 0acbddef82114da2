"""Encoders are found in folders and the hub's cache, or refused in words that say what to do; a digest names them."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from emotone.errors import DownloadError, EmotoneError, UsageError
from emotone.models.weights import digest, is_here, locate

Make = Callable[..., Path]


def test_a_folder_is_its_own_place(encoders: dict[str, Path]) -> None:
    assert locate(str(encoders["hubert"])) == encoders["hubert"]
    assert is_here(str(encoders["hubert"]))


@pytest.mark.parametrize("missing", ["config.json", "model.safetensors"])
def test_a_folder_without_an_encoder(encoders: dict[str, Path], tmp_path: Path, missing: str) -> None:
    shutil.copytree(encoders["hubert"], tmp_path, dirs_exist_ok=True)
    (tmp_path / missing).unlink()
    assert not is_here(str(tmp_path))
    with pytest.raises(EmotoneError, match=f"no encoder in it, {missing} is missing"):
        locate(str(tmp_path))


def test_what_cannot_be_reached_says_what_to_do_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    name = "emotone-tests/no-such-encoder"
    assert not is_here(name)
    begun = time.monotonic()
    with pytest.raises(DownloadError) as caught:
        locate(name)
    assert time.monotonic() - begun < 15
    message = str(caught.value)
    assert len(message.splitlines()) == 2
    assert all(words in message for words in (name, "--encoder FOLDER", f"hf download {name}", "HF_HOME"))


@pytest.mark.parametrize("name", ["/no/such/folder", "./tiny", "a/b/c"])
def test_what_is_neither_a_folder_nor_a_name(name: str) -> None:
    assert not is_here(name)
    with pytest.raises(UsageError, match="neither a folder here nor a name on the Hugging Face hub"):
        locate(name)


def test_an_encoder_in_the_cache_of_the_hubs_client_needs_no_network(encoders: dict[str, Path], tmp_path: Path) -> None:
    repository = tmp_path / "hub" / "models--me--tiny"
    commit = "0123456789abcdef0123456789abcdef01234567"
    shutil.copytree(encoders["hubert"], repository / "snapshots" / commit)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(commit)
    only_settings = tmp_path / "hub" / "models--me--half"
    shutil.copytree(repository, only_settings)
    (only_settings / "snapshots" / commit / "model.safetensors").unlink()
    script = "from emotone.models.weights import *; print(is_here('me/half'), is_here('me/tiny'), locate('me/tiny'))"
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | {"HF_HOME": str(tmp_path), "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["False", "True", str(repository / "snapshots" / commit)]


def test_the_digest_is_of_what_the_output_depends_on(
    encoders: dict[str, Path], tmp_path: Path, make_encoder: Make
) -> None:
    first = digest(encoders["hubert"])
    copy = shutil.copytree(encoders["hubert"], tmp_path / "copy")
    (copy / "README.md").write_text("an encoder")
    assert digest(copy) == first
    assert digest(make_encoder("hubert", tmp_path / "other", seed=1)) != first
    for part in ("config.json", "preprocessor_config.json"):
        changed = shutil.copytree(encoders["hubert"], tmp_path / part)
        (changed / part).write_text((changed / part).read_text().replace("}", "} ", 1))
        assert digest(changed) != first
