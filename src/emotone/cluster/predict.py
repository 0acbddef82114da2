"""Recognise recordings on a cluster: Ray Data hands them to processes that listen, the rows come back and are kept."""

import logging
import os
import pickle
from collections.abc import Callable, Sequence
from hashlib import blake2b
from itertools import groupby
from math import ceil
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from emotone.cluster.listening import Job, Listener
from emotone.cluster.parts import Parts
from emotone.cluster.remote import is_url
from emotone.errors import EmotoneError
from emotone.recognition.asked import Asked
from emotone.recognition.formats import schema_of

if TYPE_CHECKING:
    import pyarrow

__all__ = ["Recording", "predict", "recordings_of"]

Recording = tuple[str, list[Asked]]
"""Its key, and the parts of it that are asked about."""

_MOST = 64  # recordings that a process is given at a time
_ROUNDS = 8  # how often each process is given some, where there are few
_ROWS, _SECONDS = 50_000, 30.0  # of one file of Parquet: whichever is reached first


def recordings_of(asked: Sequence[Asked], folder: Path | None) -> list[Recording]:
    """Return the parts of each recording together, in the order of the recordings, named as seen from `folder`.

    What is the same in all calls, wherever they are made, is its key: the place and the parts that are asked about.
    """
    home = folder.resolve() if folder else None
    first: dict[str, int] = {}
    for at, one in enumerate(asked):
        first.setdefault(one.name, at)
    found: dict[str, list[Asked]] = {}
    for _, group in groupby(sorted(asked, key=lambda one: first[one.name]), key=lambda one: one.name):
        own = list(dict.fromkeys(group))
        place = _place(own[0].source)
        name = place
        if home and not is_url(place) and Path(place).is_relative_to(home):
            name = Path(place).relative_to(home).as_posix()
        parts = [Asked(name, place, one.start, one.end, one.channel, one.speaker) for one in own]
        told = repr([place, *((one.start, one.end, one.channel, one.speaker) for one in parts)])
        found.setdefault(blake2b(told.encode(errors="backslashreplace"), digest_size=8).hexdigest(), parts)
    return list(found.items())


def predict(
    recordings: Sequence[Recording],
    job: Job,
    parts: Parts,
    *,
    on_progress: Callable[[int, int], None],
    tell: Callable[[str], None],
) -> None:
    """Answer the recordings that `parts` does not answer yet. Ray is joined.

    Args:
        recordings: of `recordings_of`.
        job: how they are listened to.
        parts: where the rows go.
        on_progress: told how many of how many are answered.
        tell: told what is to be known of a recording.

    Raises:
        EmotoneError: recordings without an answer, where the cluster fell apart; what is answered is kept.
    """
    pending = [each for each in recordings if each[0] not in parts.done]
    if not pending:
        return
    keeper = _Keeper(parts, {key for key, _ in pending}, job, tell)
    try:
        for batch in _answered(pending, job):
            keeper.take(batch)
            on_progress(len(pending) - len(keeper.left), len(pending))
    finally:
        keeper.flush()
    if keeper.left:
        raise EmotoneError(f"{len(keeper.left)} recordings have no answer. The same command goes on with them.")


def _answered(pending: Sequence[Recording], job: Job) -> Any:
    """Yield tables as `Listener` gives them, each recording once, in whichever order."""
    import pyarrow
    import ray
    import ray.data
    from ray.exceptions import RayError, RayTaskError

    logging.getLogger("ray.data").setLevel(logging.ERROR)
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    processes = max(1, int(ray.cluster_resources().get("CPU", 1)) // job.threads)
    size = max(1, min(_MOST, ceil(len(pending) / (_ROUNDS * processes))))
    tables = [
        pyarrow.table({"key": [key for key, _ in some], "asked": [pickle.dumps(asked) for _, asked in some]})
        for some in (pending[at : at + size] for at in range(0, len(pending), size))
    ]
    rows = ray.data.from_arrow(tables).map_batches(
        Listener,
        fn_constructor_args=(job,),
        batch_size=None,
        batch_format="pyarrow",
        compute=ray.data.ActorPoolStrategy(min_size=1, initial_size=min(processes, len(tables))),
        num_cpus=job.threads,
    )
    try:
        yield from rows.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=0)
    except RayTaskError as error:
        if isinstance(error.cause, EmotoneError):
            raise error.cause from None
        raise EmotoneError(f"The cluster failed: {error.cause or error}") from None
    except RayError as error:
        raise EmotoneError(f"The cluster failed: {str(error).strip().splitlines()[0]}") from None


class _Keeper:
    """Takes what comes back, each recording once, and writes it in files that are not many."""

    def __init__(self, parts: Parts, left: set[str], job: Job, tell: Callable[[str], None]) -> None:
        self.left = left
        self._parts, self._schema, self._tell = parts, schema_of(job.columns), tell
        self._rows: list[pyarrow.Table] = []
        self._keys: list[str] = []
        self._written = monotonic()

    def take(self, batch: "pyarrow.Table") -> None:
        """Keep the rows of recordings that are still without."""
        import pyarrow

        fresh = [at for at, key in enumerate(batch["key"].to_pylist()) if key in self.left]
        batch = batch.take(fresh)
        keys = batch["key"].to_pylist()
        self.left.difference_update(keys)
        self._keys += keys
        for line in (line for lines in batch["lines"].to_pylist() for line in lines):
            self._tell(line)
        structures = batch["rows"].combine_chunks().flatten()
        if isinstance(structures, pyarrow.ChunkedArray):
            structures = structures.combine_chunks()
        self._rows.append(pyarrow.Table.from_struct_array(structures).cast(self._schema))
        if sum(each.num_rows for each in self._rows) >= _ROWS or monotonic() - self._written >= _SECONDS:
            self.flush()

    def flush(self) -> None:
        """Write what was taken."""
        import pyarrow

        if self._keys:
            self._parts.write(pyarrow.concat_tables(self._rows), self._keys)
        self._rows, self._keys, self._written = [], [], monotonic()


def _place(source: object) -> str:
    return source if isinstance(source, str) else os.path.abspath(str(source))  # noqa: PTH100 links are left as they are
