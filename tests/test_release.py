"""What is released: a wheel with all that runs, and nothing else, and a reference of all that can be called."""

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import emotone
from emotone.bundle.hub import SHIPPED
from emotone.config import read_yaml

from .scripts import load_script

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the source distribution."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, ROOT)
    return folder


def run(*command: object, **changes: object) -> str:
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False, **changes)  # type: ignore[call-overload]
    assert done.returncode == 0, done.stdout + done.stderr
    return str(done.stdout)


def test_the_checks_of_a_release_pass(released: Path) -> None:
    (wheel,) = released.glob("*.whl")
    run(sys.executable, "-m", "twine", "check", "--strict", *released.iterdir())
    run(Path(sys.executable).with_name("check-wheel-contents"), wheel)


def test_the_wheel_has_what_runs_and_no_more_than_25_megabytes(released: Path) -> None:
    (wheel,) = released.glob("*.whl")
    assert wheel.stat().st_size < 25e6
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    source = ROOT / "src"
    wanted = {
        path.relative_to(source).as_posix()
        for path in (source / "emotone").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert held == wanted and {f"emotone/bundles/{name.rpartition('/')[2]}.onnx" for name in SHIPPED} <= held


def test_the_version_is_that_of_the_changelog_and_of_the_citation() -> None:
    stated = read_yaml(ROOT / "CITATION.cff", missing="no such file.")
    heading = re.search(r"^## \[(\d.*)\] - (.*)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert heading is not None
    assert heading.groups() == (stated["version"], stated["date-released"]) and heading[1] == emotone.__version__


@pytest.mark.soak
def test_installed_in_a_fresh_environment_it_recognises(released: Path, synthetic: Path, tmp_path: Path) -> None:
    (wheel,) = released.glob("*.whl")
    run(sys.executable, "-m", "venv", tmp_path / "fresh")
    binaries = tmp_path / "fresh" / ("Scripts" if sys.platform == "win32" else "bin")
    run(binaries / "python", "-m", "pip", "install", "--quiet", "--constraint", ROOT / "constraints.txt", wheel)
    clip = next(synthetic.rglob("*.wav"))
    answer = run(binaries / "emotone", "predict", clip, "--format", "csv", cwd=tmp_path)
    assert clip.name in answer
    assert "torch" not in run(binaries / "python", "-m", "pip", "list")


def test_the_reference_has_a_page_for_all_that_is_offered(tmp_path: Path) -> None:
    told = load_script(ROOT / "docs" / "site.py").write(tmp_path)
    pages = {name: tmp_path / f"{name.replace('.', '/')}.html" for name in told}
    assert all(page.stat().st_size > 1000 for page in pages.values())
    front = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert all(f'href="{name.replace(".", "/")}.html"' in front for name in told)
    for name in ("Recognizer", "Part", "explain"):
        assert f'id="{name}"' in pages["emotone"].read_text(encoding="utf-8")
    assert {"emotone.recognition", "emotone.corpora", "emotone.evaluation.metrics"} <= set(told)
