"""A comparison on the screen: what is counted, the runs at work, a line for every run that is done."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Self

from rich.progress import TaskID

from emotone.cli.terminal import bars, console, counting, warn
from emotone.comparison.plan import RunSpec
from emotone.evaluation.record import RunRecord

__all__ = ["Screen"]


class Screen:
    """Watches a comparison for a person; a `comparison.watcher.Watcher`."""

    def say(self, line: str) -> None:
        """Print to standard output."""
        console.print(line)

    def warn(self, line: str) -> None:
        """Print to standard error."""
        warn(line)

    def counting(self, what: str) -> AbstractContextManager[Callable[[int, int], None]]:
        """Show one bar."""
        return counting(what)

    def runs(self, specs: Sequence[RunSpec]) -> AbstractContextManager["SweepProgress"]:
        """Show bars for the runs, and a line for each that is done."""
        return SweepProgress(specs)


class SweepProgress:
    """Shows a sweep: the features, all runs, the runs at work, and a line for every run that is done."""

    def __init__(self, specs: Sequence[RunSpec]) -> None:
        self._work = {spec: spec.epochs or 1 for spec in specs}
        self._done = dict.fromkeys(specs, 0)
        self._finished = 0
        self._bars: dict[RunSpec, TaskID] = {}
        self._features: TaskID | None = None
        self._progress = bars()
        self._all: TaskID | None = None

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._progress.stop()

    def features(self, done: int, total: int) -> None:
        """Move the bar of the features."""
        if self._features is None:
            self._features = self._progress.add_task("Features")
        self._progress.update(self._features, completed=done, total=total)
        if done == total:
            self._progress.remove_task(self._features)
            self._features = None

    def epoch(self, spec: RunSpec, epoch: int, epochs: int) -> None:
        """Move the bars of a run and of all runs."""
        if spec not in self._bars:
            self._bars[spec] = self._progress.add_task(spec.name)
        self._progress.update(self._bars[spec], completed=epoch, total=epochs)
        self._move(spec, epoch)

    def finish(self, spec: RunSpec, record: RunRecord) -> None:
        """Print the run's result."""
        if spec in self._bars:
            self._progress.remove_task(self._bars.pop(spec))
        self._move(spec, self._work[spec])
        self._finished += 1
        published = "" if record.published.accuracy is None else f", published {record.published.accuracy:.1%}"
        console.print(
            f"{self._finished:>3}/{len(self._work)}  {spec.name}: {record.metrics['accuracy']:.1%}{published}"
            f" ({record.seconds['train']:.0f} s)"
        )

    def _move(self, spec: RunSpec, done: int) -> None:
        if self._all is None:
            self._all = self._progress.add_task("All runs (epochs)", total=sum(self._work.values()))
        self._done[spec] = done
        self._progress.update(self._all, completed=sum(self._done.values()))
