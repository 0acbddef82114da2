"""One network for all callers: what they ask at the same time is asked of it together."""

import threading
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from emotone.bundle import Bundle, Outputs

__all__ = ["SharedBundle"]

Array = npt.NDArray[np.float32]

_BATCH = 2  # clips; of more of them, what lies between two layers no longer fits the cache of a core
_INT8 = b"MatMulInteger"
"""The operation that makes of a difference in the last digit, as there is between a clip alone and in a batch, one of a
whole step of 8 bits now and then: scores moved by up to 2e-4."""


@dataclass(eq=False, slots=True)
class _Asked:
    waveforms: Array
    lengths: npt.NDArray[np.int64]
    answer: Future[Outputs] = field(default_factory=Future)


class SharedBundle(Bundle):
    """A bundle whose `run` may be called by any number of threads, and is answered by a few: `start` says how many.

    The clips that wait are taken oldest first, together with those of the same length, whoever asked: padding would
    cost time, and digits. Nobody waits for company: a batch is what has come while the cores were busy, and is divided
    among those that are free. A network with products of 8 bits is asked as each caller asked: its answers are the
    library's to the last digit.
    """

    def __init__(self, *loaded: Any) -> None:
        super().__init__(*loaded)
        content = self._source if isinstance(self._source, bytes) else Path(self._source).read_bytes()
        self._joins = _INT8 not in content
        self._waiting: deque[_Asked] = deque()
        self._changed = threading.Condition()
        self._idle, self._stopped, self._sizes = 0, False, dict[int, int]()
        self._at_work: list[threading.Thread] = []

    def start(self, threads: int) -> None:
        """Begin to answer."""
        for number in range(threads):
            self._at_work.append(threading.Thread(target=self._work, name=f"network-{number}", daemon=True))
            self._at_work[-1].start()

    def stop(self) -> None:
        """Answer what was asked, then end."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        for thread in self._at_work:
            thread.join()

    @property
    def waiting(self) -> int:
        """Clips, or callers of a network of 8 bits, that nobody has begun with."""
        return len(self._waiting)

    @property
    def sizes(self) -> dict[int, int]:
        """Clips asked together -> how often."""
        return dict(self._sizes)

    def run(self, waveforms: Array, lengths: npt.NDArray[np.int64] | None = None) -> Outputs:
        """Return what the bundle says of a batch of clips, as `Bundle.run` does."""
        own = np.full(len(waveforms), waveforms.shape[1]) if lengths is None else lengths
        if self._joins:
            rows = zip(waveforms, own, strict=True)
            asked = [_Asked(row[None, :length], np.array([length])) for row, length in rows]
        else:
            asked = [_Asked(waveforms, own)]
        with self._changed:
            if self._stopped:
                raise RuntimeError("The bundle was stopped.")
            self._waiting.extend(asked)
            self._changed.notify(len(asked))
        return _joined([each.answer.result() for each in asked])

    def _work(self) -> None:
        while batch := self._take():
            try:
                for each, outputs in zip(batch, self._answers(batch), strict=True):
                    each.answer.set_result(outputs)
            except Exception as error:
                for each in batch:
                    if not each.answer.done():
                        each.answer.set_exception(error)

    def _take(self) -> list[_Asked]:
        """Wait for clips; return those to ask together, none at the end."""
        with self._changed:
            self._idle += 1
            self._changed.wait_for(lambda: self._waiting or self._stopped)
            most = min(_BATCH, -(-len(self._waiting) // self._idle)) if self._joins else 1
            self._idle -= 1
            if not self._waiting:
                return []
            first = self._waiting.popleft()
            batch = [first]
            for each in list(self._waiting):
                if len(batch) >= most:
                    break
                if each.waveforms.shape == first.waveforms.shape:
                    self._waiting.remove(each)
                    batch.append(each)
            clips = sum(len(each.lengths) for each in batch)
            self._sizes[clips] = self._sizes.get(clips, 0) + 1
            return batch

    def _answers(self, batch: Sequence[_Asked]) -> list[Outputs]:
        if len(batch) == 1:
            return [super().run(batch[0].waveforms, batch[0].lengths)]
        outputs = super().run(np.concatenate([each.waveforms for each in batch]))
        return [
            Outputs(*(None if values is None else values[at : at + 1] for values in outputs))  # type: ignore[arg-type]
            for at in range(len(batch))
        ]


def _joined(several: Sequence[Outputs]) -> Outputs:
    if len(several) == 1:
        return several[0]
    probabilities, embedding = (np.concatenate(values) for values in list(zip(*several, strict=True))[:2])
    attention = [each.attention for each in several if each.attention is not None]
    return Outputs(probabilities, embedding, _stacked(attention) if attention else None)


def _stacked(several: Sequence[Array]) -> Array:
    """Return rows of different lengths as one array, zero beyond their ends."""
    longest = max(each.shape[1] for each in several)
    return np.concatenate([np.pad(each, ((0, 0), (0, longest - each.shape[1]))) for each in several])
