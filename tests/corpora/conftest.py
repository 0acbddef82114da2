"""Short seeded recordings for corpora that the tests fabricate."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

Record = Callable[..., Path]


@pytest.fixture
def record() -> Record:
    """Return a function that writes a short recording, another one for each seed."""
    count = 0

    def write(path: Path, *, seed: int | None = None) -> Path:
        nonlocal count
        count += 1
        samples = 0.1 * np.random.default_rng(count if seed is None else [seed]).uniform(-1, 1, 400)
        path.parent.mkdir(parents=True, exist_ok=True)
        known = path.suffix[1:].upper() in soundfile.available_formats()
        soundfile.write(path, np.round(samples * 32767).astype(np.int16), 16_000, format=None if known else "WAV")
        return path

    return write


@pytest.fixture
def no_data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Make the machine one without corpora: no `EMOTONE_DATA`, an empty cache."""
    monkeypatch.delenv("EMOTONE_DATA", raising=False)
    monkeypatch.setenv("EMOTONE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"
