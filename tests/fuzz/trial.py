"""The cases of one target, tried in this process, which may not survive them."""

import json
import traceback
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st

from emotone.errors import EmotoneError

from .guard import Guard, limit_memory

__all__ = ["CHUNK", "Trial"]

CHUNK = 500
"""Cases that are drawn as one: Hypothesis remembers all that it drew."""
_LONGEST = 4000  # letters of a message that somebody is to read
_WARMING, _WARMING_SECONDS = 20, 30  # cases of which one will be answered, and what each may take
_KEPT = 100_000  # letters of a case


class Trial:
    """Tries cases and tells of each chunk in `folder`/told.jsonl; `folder`/case is the one that is at work."""

    def __init__(
        self, cases: Callable[[], st.SearchStrategy[Any]], use: Callable[[Any, Path], None], folder: Path
    ) -> None:
        self._cases, self._use, self._folder, self._place = cases, use, folder, folder / "place"
        self._place.mkdir()
        self._guard = Guard(folder)
        self._answered = self._limited = False
        self._tried = self._refused = 0
        self._faults: dict[str, str] = {}

    def run(self, seed: int, cases: int) -> None:
        warnings.simplefilter("ignore")
        with (self._folder / "told.jsonl").open("a") as told:
            for at in range(0, cases, CHUNK):
                self._tried, self._refused, self._faults = 0, 0, {}
                self._chunk(seed + at, min(CHUNK, cases - at))
                line = {"cases": self._tried, "refused": self._refused, "faults": self._faults}
                told.write(json.dumps(line) + "\n")
                told.flush()

    def _chunk(self, seed: int, cases: int) -> None:
        @seeded(seed)
        @settings(
            max_examples=cases,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=(Phase.generate,),
        )
        @given(self._cases())
        def each(case: Any) -> None:
            self._try(case)

        each()

    def _try(self, case: Any) -> None:
        if not self._answered and self._tried < _WARMING:  # imports, which no case is to pay for
            with suppress(Exception), self._guard.case(_WARMING_SECONDS):
                self._use(case, self._place)
                self._answered = True
        if not self._limited:
            limit_memory()
            self._limited = True
        (self._folder / "case").write_text(repr(case)[:_KEPT], encoding="utf-8", errors="backslashreplace")
        self._tried += 1
        try:
            with self._guard.case():
                self._use(case, self._place)
        except EmotoneError as error:
            self._refused += 1
            if len(str(error)) > _LONGEST:
                self._fault("said more than anybody reads", error, case)
        except Exception as error:
            self._fault(_place_of(error), error, case)

    def _fault(self, kind: str, error: Exception, case: Any) -> None:
        said = " ".join(str(error).split())[:200]
        self._faults.setdefault(kind, f"{said}\n{case!r}"[:_KEPT])


def _place_of(error: Exception) -> str:
    """Return what tells a fault from others: its kind, and where in emotone it came up."""
    frames = traceback.extract_tb(error.__traceback__)
    where = [frame for frame in frames if "/emotone/" in frame.filename] or list(frames)
    return f"{type(error).__name__} in {Path(where[-1].filename).name}:{where[-1].lineno}"
