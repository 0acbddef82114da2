"""The scripts under `benchmarks/` are run rarely; what they use of emotone must still be there."""

from pathlib import Path

import pytest

from .scripts import load_script

SCRIPTS = sorted((Path(__file__).parents[1] / "benchmarks").glob("*.py"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_benchmark_finds_what_it_uses(script: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if script.stem == "opensmile_svm":
        pytest.importorskip("opensmile", reason="needs the extra `benchmark`")
    monkeypatch.syspath_prepend(script.parent)  # as Python does for a script
    assert script.stem == "elsewhere" or callable(load_script(script).main)  # elsewhere is what ideas imports
