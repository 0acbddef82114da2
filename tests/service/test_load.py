"""Many clients at a time, by the script that loads the service for the documentation."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from emotone.recognition import Recognizer

from ..scripts import load_script
from .client import Client

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "serve.py"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    return load_script(SCRIPT)


def test_every_request_is_answered_by_the_numbers_of_the_library(script: ModuleType, clips: list[Path]) -> None:
    found = script.measure("emotone/tiny", clips, clients=20, seconds=1.0, short=0.5)
    for name in ("one at a time", "16 clients", "load"):
        assert found[name]["statuses"].keys() == {"200"} and found[name]["answered"] > 3
        assert found[name]["largest difference of scores"] <= script.CLOSE
    assert found["load"]["answered"] >= 20


def test_surplus_is_refused_soon_and_the_rest_is_answered(
    start: Callable[..., Client], script: ModuleType, library: Recognizer, clips: list[Path]
) -> None:
    service = start(waiting=4)
    bodies = [clip.read_bytes() for clip in clips]
    load = script.Load(service.url, bodies, [dict(library(body).scores) for body in bodies])
    found = script.told([asyncio.run(load.run(16, 2.0))])
    assert found["statuses"].keys() == {"200", "503"}
    assert found["largest difference of scores"] <= script.CLOSE
    assert found["answered"] > 10 and found["refused in ms"]["p95"] < 2_000
