"""What a process of the cluster does with its share of the recordings: fetch them, listen, give the rows of each.

Ray would give the work of a process that was killed to the next one, which the same file would kill: for ever. So
what listens is a process of its own, and a file that ends it twice is answered by an error.
"""

import pickle
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import groupby
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from emotone.cluster.remote import fetch
from emotone.config import Config
from emotone.errors import AudioError, EmotoneError
from emotone.recognition import Recognizer
from emotone.recognition.asked import Asked, Channels, answer, split_by_channels, with_speakers
from emotone.recognition.formats import Answer, Columns, schema_of
from emotone.recognition.recognizer import Options
from emotone.service.wire import ANY, Message, receive, understood
from emotone.service.workers import DiedError, Worker
from emotone.service.workers import answer as reply

if TYPE_CHECKING:
    import pyarrow

__all__ = ["Job", "Listener", "Said"]

_MEMORY = 4 << 30  # bytes, for what a file may unpack to
_START, _SECONDS, _SECONDS_PER_BYTE = 120.0, 60.0, 60e-6  # an answer takes: even of hours in a megabyte it is seconds
_TOGETHER, _BYTES = 16, 64 << 20  # recordings, and bytes of them, about which the network is asked at once
_MOST = 256 << 20  # bytes of an answer
_AHEAD, _FETCHING = 16, 4  # recordings that are fetched before their turn; so many at a time


@dataclass(frozen=True)
class Job:
    """How all recordings are listened to.

    Attributes:
        model: as `Recognizer.load` takes it, on every machine.
        threads: of the network.
        channels, options: as for `emotone predict`.
        columns: of the rows.
    """

    model: str | None
    threads: int
    channels: Channels
    options: Options
    columns: Columns


class Said(Config):
    """What came of a recording: its rows, and what a person is told, that it cannot be read for instance."""

    rows: tuple[dict[str, str | int | float | None], ...]
    lines: tuple[str, ...]


class _All(Config):
    said: tuple[Said, ...]


class _Nothing(Config):
    """The head of a message whose body has all."""


class Listener:
    """An actor of Ray Data.

    Args:
        job: what to do.
    """

    def __init__(self, job: Job) -> None:
        # Ray's program of a worker, which multiprocessing would run again in ours, imports all of Ray.
        sys.modules["__main__"].__file__ = None
        self._job = job
        self._worker: Worker | None = None

    def __call__(self, batch: "pyarrow.Table") -> "pyarrow.Table":
        """Answer recordings.

        Args:
            batch: the columns `key` and `asked`, which is a pickled list of `Asked`, parts of one recording.

        Returns:
            For each recording a row, in their order: `key`, `rows` as a list of structures, `lines`.
        """
        import pyarrow

        recordings = [pickle.loads(each) for each in batch["asked"].to_pylist()]  # noqa: S301 of the command line
        said = [each for group in _grouped(recordings) for each in self._said(group)]
        rows = pyarrow.list_(pyarrow.struct(schema_of(self._job.columns)))
        return pyarrow.table(
            {
                "key": batch["key"],
                "rows": pyarrow.array([each.rows for each in said], rows),
                "lines": pyarrow.array([each.lines for each in said], pyarrow.list_(pyarrow.string())),
            }
        )

    def _said(self, group: "list[_Fetched]") -> list[Said]:
        """Answer recordings together; where that ends the process, each by itself."""
        here = [each for each in group if each.error is None]
        try:
            found = iter(self._ask(here) if here else [])
        except (DiedError, AudioError):
            found = iter([self._alone(each) for each in here])
        said = [next(found) if each.error is None else self._failed(each, each.error) for each in group]
        for each in group:
            each.remove()
        return said

    def _alone(self, one: "_Fetched") -> Said:
        for _ in range(2):  # once more, as it may have been killed by somebody
            try:
                return self._ask([one])[0]
            except DiedError as death:
                if death.late:
                    return self._failed(one, AudioError("takes too long to decode"))
            except AudioError as error:
                return self._failed(one, error)
        return self._failed(one, AudioError("cannot be decoded: it ends the program that tries"))

    def _failed(self, one: "_Fetched", error: EmotoneError) -> Said:
        reason = str(error).removeprefix(f"{one.place}: ").removeprefix("audio: ")
        return _told([answer(each, AudioError(reason)) for each in one.asked], self._job)

    def _ask(self, group: "Sequence[_Fetched]") -> list[Said]:
        worker = self._worker or self._begun()
        seconds = _SECONDS * len(group) + _SECONDS_PER_BYTE * sum(each.size for each in group)
        try:
            (found,) = worker.ask(_asked(group), _read, seconds=seconds, most=_MOST)
        except DiedError:
            self._worker = None
            raise
        return found

    def _begun(self) -> Worker:
        """Begin a process, whose model then is there: where that fails, no file is to blame."""
        for _ in range(3):
            worker = Worker(_Listening(self._job), _MEMORY)
            try:
                worker.ask(_asked([]), _read, seconds=_START, most=_MOST)
            except DiedError:
                continue
            self._worker = worker
            return worker
        raise EmotoneError("A process that listens cannot begin, most likely for want of memory.")


@dataclass(frozen=True)
class _Listening:
    """The work of the process that listens."""

    job: Job

    def __call__(self, pipe: Connection) -> None:
        recogniser: list[Recognizer] = []

        def said(recordings: Sequence[Sequence[Asked]]) -> list[Said]:
            if not recogniser:
                recogniser.append(Recognizer.load(self.job.model, threads=self.job.threads))
            return self._said(recogniser[0], recordings)

        while True:
            recordings = pickle.loads(receive(pipe, ANY).body)  # noqa: S301 of the actor
            reply(pipe, lambda: _written(said(recordings)))  # noqa: B023 called at once

    def _said(self, recogniser: Recognizer, recordings: Sequence[Sequence[Asked]]) -> list[Said]:
        parts = [
            (at, part)
            for at, recording in enumerate(recordings)
            for one in recording
            for part in split_by_channels(one, self.job.channels)
        ]
        results = recogniser.each((part.part for _, part in parts), **self.job.options)
        answers = [(at, answer(part, result)) for (at, part), result in zip(parts, results, strict=True)]
        told = {at: [each for _, each in group] for at, group in groupby(answers, key=lambda pair: pair[0])}
        return [_told(told.get(at, []), self.job) for at in range(len(recordings))]


def _asked(group: "Sequence[_Fetched]") -> Message:
    """Return what the process that listens is asked."""
    return Message.of(_Nothing(), pickle.dumps([each.parts for each in group]))


def _written(said: Sequence[Said]) -> Message:
    """Return what it answers: text, for the files that it decodes are strangers'."""
    return Message.of(_Nothing(), _All(said=tuple(said)).model_dump_json().encode())


def _read(message: Message) -> list[Said]:
    understood(_Nothing, message)
    return list(_All.model_validate_json(message.body).said)


def _told(answers: Sequence[Answer], job: Job) -> Said:
    every = with_speakers(answers, job.options.get("min_confidence"))
    rows = [{name: row.get(name) for name in job.columns.names} for each in every for row in job.columns.rows(each)]
    lines = [f"{each.file}: {note}" for each in answers if each.result for note in each.result.notes]
    lines += [f"{each.file}: {each.error}" for each in answers if each.error is not None]
    return Said(rows=tuple(rows), lines=tuple(lines))


class _Fetched:
    """A recording whose file is here, or the error why not."""

    def __init__(self, asked: list[Asked]) -> None:
        self.asked, self.place = asked, str(asked[0].source)
        self.error: EmotoneError | None = None
        self.size = 0
        self._folder = TemporaryDirectory(prefix="emotone-")
        try:
            self._file = fetch(self.place, Path(self._folder.name))
            self.size = self._file.stat().st_size
        except EmotoneError as error:
            self.error = error
        except (OSError, ValueError):
            pass  # which is said when it is read

    @property
    def parts(self) -> list[Asked]:
        """What is asked of the file."""
        return [replace(each, source=self._file) for each in self.asked]

    def remove(self) -> None:
        """Remove what was fetched."""
        self._folder.cleanup()


def _grouped(recordings: Sequence[list[Asked]]) -> Iterator[list[_Fetched]]:
    """Fetch recordings, some before their turn, and yield as many as are to be listened to together."""
    with ThreadPoolExecutor(_FETCHING) as pool:
        coming: deque[Future[_Fetched]] = deque()
        left = iter(recordings)
        group: list[_Fetched] = []
        while True:
            coming.extend(
                pool.submit(_Fetched, each) for _, each in zip(range(_AHEAD - len(coming)), left, strict=False)
            )
            if not coming:
                break
            group.append(coming.popleft().result())
            if len(group) >= _TOGETHER or sum(each.size for each in group) >= _BYTES:
                yield group
                group = []
        if group:
            yield group
