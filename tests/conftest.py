"""What all tests share: a cache of their own, real RAVDESS where it is found."""

import os
from pathlib import Path

import pytest


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
