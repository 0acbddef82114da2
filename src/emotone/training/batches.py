"""The batches of an epoch, and of each the part of one device."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

__all__ = ["Source", "batches_of"]

Source = Callable[[Tensor], Any]
"""From indices of samples to what the network takes."""


def batches_of(
    source: Source,
    y: NDArray[np.intp],
    batch: int,
    seed: Callable[[], int] | None = None,
    *,
    rank: int = 0,
    devices: int = 1,
    weights: Tensor | None = None,
    drawn: int = 0,
) -> DataLoader[tuple[Any, Tensor, float]]:
    """Return a loader of (inputs, targets, share), as `Training` takes them.

    Of every batch, a device has each `devices`-th clip from its rank on. Its share is how many these are beside an
    equal part: the mean over the devices of their losses times their shares is the loss of the whole batch. A device
    for which nothing is left of a small last batch has its first clip, with a share of 0.

    Args:
        source: of the inputs.
        y: the target of each sample.
        batch: samples of a batch, over all devices.
        seed: of an epoch's order, asked for when it begins; None keeps the samples' own.
        rank: which of the devices this is.
        devices: how many train together.
        weights: how often each sample is drawn, `drawn` in an epoch; None takes each once.
        drawn: see `weights`.
    """
    order = _Order(len(y), batch, seed, rank=rank, devices=devices, weights=weights, drawn=drawn)
    return DataLoader(_Batches(source, y), sampler=order, batch_size=None)


class _Batches(Dataset[tuple[Any, Tensor, float]]):
    """A data set that is asked for whole batches, which spares the collation of single samples."""

    def __init__(self, source: Source, y: NDArray[np.intp]) -> None:
        self.source, self.y = source, torch.from_numpy(np.asarray(y, dtype=np.int64))

    def __len__(self) -> int:
        return len(self.y)

    def __getitem__(self, part: tuple[Tensor, float]) -> tuple[Any, Tensor, float]:
        batch, share = part
        return self.source(batch), self.y[batch], share


class _Order(Sampler[tuple[Tensor, float]]):
    """One device's parts of batches of indices, each with its share; see `batches_of`."""

    def __init__(
        self,
        samples: int,
        batch: int,
        seed: Callable[[], int] | None,
        *,
        rank: int,
        devices: int,
        weights: Tensor | None,
        drawn: int,
    ) -> None:
        self.samples, self.batch, self.seed = samples if weights is None else drawn, batch, seed
        self.rank, self.devices, self.weights = rank, devices, weights

    def __len__(self) -> int:
        return -(-self.samples // self.batch)

    def __iter__(self) -> Iterator[tuple[Tensor, float]]:
        order = torch.arange(self.samples)
        if self.seed is not None:
            generator = torch.Generator().manual_seed(self.seed())
            if self.weights is None:
                order = torch.randperm(self.samples, generator=generator)
            else:
                order = torch.multinomial(self.weights, self.samples, replacement=True, generator=generator)
        return map(self._part, order.split(self.batch))

    def _part(self, batch: Tensor) -> tuple[Tensor, float]:
        own = batch[self.rank :: self.devices]
        return (own, self.devices * len(own) / len(batch)) if len(own) else (batch[:1], 0.0)
