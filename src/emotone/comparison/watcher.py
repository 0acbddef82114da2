"""Who is told how a comparison goes on, to show it."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from emotone.comparison.plan import RunSpec
from emotone.comparison.sweep import Listener

__all__ = ["Counting", "Watcher"]

Counting = Callable[[str], AbstractContextManager[Callable[[int, int], None]]]
"""Told what will be counted; gives, while that lasts, the function that is told how many of how many are done."""


class Watcher(Protocol):
    """Who watches a comparison."""

    def say(self, line: str) -> None:
        """Tell what was asked for: what is compared, where the report is."""

    def warn(self, line: str) -> None:
        """Tell what is left out or failed."""

    def counting(self, what: str) -> AbstractContextManager[Callable[[int, int], None]]:
        """As `Counting`."""

    def runs(self, specs: Sequence[RunSpec]) -> AbstractContextManager[Listener]:
        """Give, while these runs are done, the one who is told of each."""
