"""docs/robustness.md says what the commands do today: its cases are run again."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from .scripts import load_script

ROOT = Path(__file__).parents[1]


robustness = load_script(ROOT / "benchmarks" / "robustness.py")
WRITTEN = {(case["kind"], case["what"]): case for case in json.loads(robustness.OUT.read_text(encoding="utf-8"))}


def without_rates(case: dict[str, Any]) -> dict[str, Any]:
    """Leave out the rates: another processor may round them another way."""
    return {
        **case,
        "shown": [re.sub(r"\d+%|0\.\d+", "", line) for line in case["shown"]],
    }


def test_the_page_has_every_case_once() -> None:
    assert list(WRITTEN) == [(case.kind, case.what) for case in robustness.CASES], "run benchmarks/robustness.py"


@pytest.mark.parametrize("case", robustness.CASES, ids=lambda case: f"{case.kind}: {case.what}"[:60])
def test_a_user_gets_what_the_page_says(case: Any) -> None:
    assert without_rates(robustness.run(case)) == without_rates(WRITTEN[case.kind, case.what])
