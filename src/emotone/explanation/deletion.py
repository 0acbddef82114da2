"""The test of an explanation: does the network miss what is marked more than what is drawn at random?"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["REGION", "SHARES", "Deletion", "deletion"]

Array = npt.NDArray[np.float32]

SHARES = (0.1, 0.2, 0.3)
"""Of a stretch's regions, that deletion takes away."""
REGION = 8
"""Bands, and frames, of a region: large enough to be something that is heard."""

_DRAWS = 20  # of random regions, for each share


@dataclass(frozen=True, slots=True)
class Deletion:
    """How sure the network is of the explained emotion when a share of the sound is replaced by the baseline.

    Attributes:
        share: of the regions that are replaced.
        marked: the probability without the regions of the largest attributions.
        random: the mean probability without as many random regions.
    """

    share: float
    marked: float
    random: float


def deletion(
    ask: Callable[["Tensor"], Array],
    inputs: "Tensor",
    baseline: "Tensor",
    attributions: Array,
    *,
    seed: int = 0,
) -> tuple[Deletion, ...]:
    """Replace regions by the baseline: those with the largest attributions, and, drawn often, as many random ones.

    Args:
        ask: from a batch like `inputs`, (batch, bands, frames), to probabilities (batch,).
        inputs: (bands, frames).
        baseline: the same.
        attributions: (bands, frames), or fewer frames, where the last ones are padding.
        seed: of the random regions.

    Returns:
        One for each of `SHARES`.
    """
    import torch

    bands, frames = attributions.shape
    rows, columns = -(-bands // REGION), -(-frames // REGION)
    padded = np.pad(attributions, ((0, rows * REGION - bands), (0, columns * REGION - frames)))
    worth = padded.reshape(rows, REGION, columns, REGION).sum((1, 3)).ravel()
    random = np.random.default_rng(seed)
    found = []
    for share in SHARES:
        count = max(1, round(share * len(worth)))
        chosen = [np.argsort(-worth)[:count], *(random.permutation(len(worth))[:count] for _ in range(_DRAWS))]
        regions = np.zeros((len(chosen), len(worth)), bool)
        for row, each in zip(regions, chosen, strict=True):
            row[each] = True
        cells = regions.reshape(-1, rows, columns).repeat(REGION, 1).repeat(REGION, 2)[:, :bands, :frames]
        deleted = np.zeros((len(chosen), *inputs.shape), bool)
        deleted[:, :, :frames] = cells
        probabilities = ask(torch.where(torch.from_numpy(deleted), baseline, inputs))
        found.append(Deletion(share, float(probabilities[0]), float(probabilities[1:].mean())))
    return tuple(found)
