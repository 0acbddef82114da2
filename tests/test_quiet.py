"""Nothing leaves the machine, and nothing is written where nobody asked: ONNX Runtime's telemetry is off."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = {
    "predict": "from emotone.cli import main; import sys; sys.argv[1:1] = ['predict']; main()",
    "Recognizer": "import sys, emotone; emotone.Recognizer.load()(sys.argv[1])",
    "Bundle": "from emotone.bundle.hub import find; find(None, threads=1)",
}


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    (tmp_path / "empty").mkdir()
    return tmp_path / "empty"


@pytest.fixture
def clip(synthetic: Path) -> Path:
    return next((synthetic / "synthetic").rglob("*.wav"))


def environment(empty: Path, **more: str) -> dict[str, str]:
    """That of a user with an empty home, not of a build server, for which telemetry is off anyway."""
    known = re.compile(
        r"CI$|TF_BUILD$|ORT_|XDG_|EMOTONE_|(GITHUB|GITLAB|JENKINS|TRAVIS|CIRCLE|BUILD)[A-Z_]*$|TEMP$|TMP$"
    )
    kept = {name: value for name, value in os.environ.items() if not known.match(name)}
    return kept | {"HOME": str(empty), "TMPDIR": str(empty), "PYTHONDONTWRITEBYTECODE": "1"} | more


@pytest.mark.parametrize("script", SCRIPTS)
def test_recognition_leaves_no_file_in_the_home_or_the_temporary_folder(script: str, clip: Path, empty: Path) -> None:
    command = [sys.executable, "-c", SCRIPTS[script], clip]
    subprocess.run(command, check=True, capture_output=True, env=environment(empty), cwd=empty)
    assert list(empty.rglob("*")) == []


def test_what_lightning_imports_leaves_nothing_of_telemetry(empty: Path) -> None:
    """It imports ONNX Runtime by way of torchmetrics; matplotlib's list of fonts is its own."""
    command = [sys.executable, "-c", "import emotone.training.module, sys; assert 'onnxruntime' in sys.modules"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment(empty), cwd=empty)
    if "AssertionError" in done.stderr:
        pytest.skip("this version of lightning does not import onnxruntime")
    assert done.returncode == 0, done.stderr
    assert [path for path in empty.rglob("*") if path.is_file() and "matplotlib" not in path.parts] == []


def test_a_users_own_setting_wins(empty: Path) -> None:
    script = "import emotone, os; print(os.environ['ORT_DISABLE_TELEMETRY'])"
    for given, kept in ({"ORT_DISABLE_TELEMETRY": "0"}, "0"), ({}, "1"):
        command = [sys.executable, "-c", script]
        done = subprocess.run(command, capture_output=True, text=True, env=environment(empty, **given), check=True)
        assert done.stdout.strip() == kept


def test_recognition_opens_no_connection(clip: Path, empty: Path, tmp_path: Path) -> None:
    """By the system calls of all threads, as ONNX Runtime's are none of Python's."""
    if not shutil.which("strace"):
        pytest.skip("needs strace")
    if subprocess.run(["strace", "-f", "-o", os.devnull, "true"], capture_output=True).returncode:
        pytest.skip("strace may not trace here")
    calls = tmp_path / "calls"
    command = ["strace", "-f", "-e", "trace=network", "-o", calls, sys.executable, "-m", "emotone", "predict", clip]
    subprocess.run(command, check=True, capture_output=True, env=environment(empty), cwd=empty)
    opened = [
        line for line in calls.read_text().splitlines() if re.search(r"\b(socket|connect|sendto|sendmsg)\(", line)
    ]
    assert opened == []
