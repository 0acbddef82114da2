"""A few hostile inputs of every kind; `make soak` tries 100,000, and Atheris looks for those that reach further."""

import subprocess
import sys
from pathlib import Path

import pytest

from .__main__ import TARGETS, fuzz

pytest.importorskip("av")
pytestmark = pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="limits memory by /proc")

FEW = dict.fromkeys(TARGETS, 40) | {"systems": 10, "records": 20}


@pytest.mark.parametrize("name", TARGETS)
def test_it_is_answered_or_refused_in_words(name: str) -> None:
    outcome = fuzz(name, FEW[name])
    assert outcome.faults == {}
    assert outcome.cases >= FEW[name]


@pytest.mark.soak
@pytest.mark.parametrize("name", TARGETS)
def test_it_is_answered_or_refused_in_words_each_time(name: str) -> None:
    outcome = fuzz(name, TARGETS[name].share, seed=1)
    assert outcome.faults == {}
    assert outcome.cases >= TARGETS[name].share and outcome.refused < outcome.cases


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", ["recordings", "bundles"])
def test_what_is_led_by_coverage_finds_nothing_either(name: str, tmp_path: Path) -> None:
    pytest.importorskip("atheris", reason="Atheris has no wheel for this Python; pip install atheris where it has")
    command = [sys.executable, "-m", "tests.fuzz.guided", name, "-runs=20000", f"-artifact_prefix={tmp_path}/"]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
