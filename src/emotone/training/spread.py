"""Where the values of training clips lie: their mean and deviation, each corpus by itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

__all__ = ["Spread"]

_LEAST = 1e-6  # of a deviation


@dataclass(frozen=True)
class Spread:
    """Mean and deviation of values of clips, of each of their corpora.

    Attributes:
        means: (corpora, width). deviations: (corpora, width), of the population.
        rows: which corpus a clip is of, (clips,).
    """

    means: Tensor
    deviations: Tensor
    rows: Tensor

    @classmethod
    def of(cls, values: Tensor, corpora: Sequence[str] | None = None, weights: Tensor | None = None) -> Self:
        """Return the spread of values, (clips, width).

        Args:
            values: of clips.
            corpora: of the clips; None where they are of one.
            weights: of the clips, (clips,); None where all weigh the same.
        """
        names = sorted(set(corpora or [""]))
        rows = torch.tensor([names.index(each) for each in corpora or [""] * len(values)])
        means, deviations = [], []
        for row in range(len(names)):
            own = values[rows == row]
            weight = own.new_ones(len(own)) if weights is None else weights[rows == row]
            weight = weight / weight.sum()
            means.append(weight @ own)
            deviations.append((weight @ (own - means[-1]).square()).sqrt().clamp(min=_LEAST))
        return cls(torch.stack(means), torch.stack(deviations), rows)

    @property
    def mean(self) -> Tensor:
        """Of all corpora, each of which weighs the same, (width,)."""
        return self.means.mean(0)

    @property
    def deviation(self) -> Tensor:
        """Within a corpus, (width,)."""
        return self.deviations.square().mean(0).sqrt()

    def standardised(self, values: Tensor) -> Tensor:
        """Return the clips' values, (clips, width), with mean 0 and deviation 1 in every corpus."""
        return (values - self.means[self.rows]) / self.deviations[self.rows]
