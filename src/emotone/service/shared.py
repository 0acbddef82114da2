"""One network for all callers: what they ask at the same time is asked of it together."""

import threading
from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from emotone.bundle import Bundle, Outputs

__all__ = ["SharedBundle"]

Array = npt.NDArray[np.float32]

_BATCH = 2  # clips; of more of them, what lies between two layers no longer fits the cache of a core
_ALIKE = 0.1  # of a clip's length, by which another may differ: padding costs as much as sound


@dataclass(eq=False, slots=True)
class _Asked:
    samples: Array
    answer: Future[tuple[Array, Array, Array | None]] = field(default_factory=Future)


class SharedBundle(Bundle):
    """A bundle whose `run` may be called by any number of threads, and is answered by a few: `start` says how many.

    The clips that wait are taken oldest first, together with those of like length, whoever asked. Nobody waits for
    company: a batch is what has come while the cores were busy, and is divided among those that are free.
    """

    _threads_at_work: tuple[threading.Thread, ...] = ()

    def start(self, threads: int) -> None:
        """Begin to answer."""
        self._waiting: deque[_Asked] = deque()
        self._changed = threading.Condition()
        self._idle, self._stopped, self._sizes = 0, False, dict[int, int]()
        self._threads_at_work = tuple(
            threading.Thread(target=self._work, name=f"network-{number}", daemon=True) for number in range(threads)
        )
        for thread in self._threads_at_work:
            thread.start()

    def stop(self) -> None:
        """Answer what was asked, then end."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        for thread in self._threads_at_work:
            thread.join()

    @property
    def waiting(self) -> int:
        """Clips that nobody has begun with."""
        return len(self._waiting)

    @property
    def sizes(self) -> dict[int, int]:
        """Clips asked together -> how often."""
        return dict(self._sizes)

    def run(self, waveforms: Array, lengths: npt.NDArray[np.int64] | None = None) -> Outputs:
        """Return what the bundle says of a batch of clips, as `Bundle.run` does."""
        own = [len(row) for row in waveforms] if lengths is None else lengths.tolist()
        asked = [_Asked(row[:length]) for row, length in zip(waveforms, own, strict=True)]
        with self._changed:
            if self._stopped:
                raise RuntimeError("The bundle was stopped.")
            self._waiting.extend(asked)
            self._changed.notify(len(asked))
        probabilities, embedding, attention = zip(*(each.answer.result() for each in asked), strict=True)
        return Outputs(np.stack(probabilities), np.stack(embedding), _padded(attention))

    def _work(self) -> None:
        while batch := self._take():
            try:
                for each, answer in zip(batch, self._answers(batch), strict=True):
                    each.answer.set_result(answer)
            except Exception as error:
                for each in batch:
                    if not each.answer.done():
                        each.answer.set_exception(error)

    def _take(self) -> list[_Asked]:
        """Wait for clips; return those to ask together, none at the end."""
        with self._changed:
            self._idle += 1
            self._changed.wait_for(lambda: self._waiting or self._stopped)
            most = min(_BATCH, -(-len(self._waiting) // self._idle))
            self._idle -= 1
            if not self._waiting:
                return []
            first = self._waiting.popleft()
            batch, length = [first], len(first.samples)
            for each in list(self._waiting):
                if len(batch) >= most:
                    break
                if abs(len(each.samples) - length) <= _ALIKE * length:
                    self._waiting.remove(each)
                    batch.append(each)
            self._sizes[len(batch)] = self._sizes.get(len(batch), 0) + 1
            return batch

    def _answers(self, batch: list[_Asked]) -> list[Any]:
        lengths = np.array([len(each.samples) for each in batch])
        waveforms = np.zeros((len(batch), lengths.max()), np.float32)
        for row, each in zip(waveforms, batch, strict=True):
            row[: len(each.samples)] = each.samples
        outputs = super().run(waveforms, lengths)
        attention = [None] * len(batch) if outputs.attention is None else outputs.attention
        return list(zip(outputs.probabilities, outputs.embedding, attention, strict=True))


def _padded(rows: tuple[Array | None, ...]) -> Array | None:
    """Return weights over time of several clips as one array, zero beyond a clip's end."""
    if any(row is None for row in rows):
        return None
    kept = [row for row in rows if row is not None]
    padded = np.zeros((len(kept), max(map(len, kept))), np.float32)
    for to, row in zip(padded, kept, strict=True):
        to[: len(row)] = row
    return padded
