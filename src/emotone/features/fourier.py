"""The front end for runtimes without a fast Fourier transform: the power spectrum by two small matrix products."""

import math
from typing import Literal

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from emotone.features.config import FeatureConfig
from emotone.features.frontend import FrontEnd

__all__ = ["MatrixFrontEnd"]


class MatrixFrontEnd(FrontEnd):
    """A `FrontEnd` whose spectra are two matrix products.

    Cooley and Tukey's first step (1965) for a frame of N = A B samples: with sample n = B a + b and bin k = p + A q,

        X[p + A q] = sum_b exp(-2 pi i b (p + A q) / N) sum_a exp(-2 pi i a p / A) x[B a + b]

    that is A-point transforms of real numbers, the same for all b, then for every p one complex matrix (b, q), with the
    twiddle factors in it. Only p = 0 .. A / 2 are taken: the frame is real, so |X[k]| = |X[N - k]| has the others. For
    N = 2048 this is a twelfth of the multiplications of the matrix product with the whole transform. The spectrum's
    columns stay in the order (p, q); the filters' columns are brought into it instead.

    Only matrix products, additions and one gather of whole blocks of samples are left, which every runtime does well.
    """

    bins: Tensor
    once: Tensor
    numbers: Tensor
    turn: Tensor
    taper: Tensor

    def __init__(self, config: FeatureConfig, rate: int) -> None:
        super().__init__(config, rate)
        size = self.fft
        self.rows = min(
            (rows for rows in range(1, size + 1) if size % rows == 0), key=lambda rows: _cost(rows, size // rows)
        )
        rows, columns = self.rows, size // self.rows
        self.block = math.gcd(config.hop, columns)
        p, q = torch.arange(rows // 2 + 1), torch.arange(columns)
        bins = p[:, None] + rows * q
        self.register_buffer("bins", torch.minimum(bins, size - bins).flatten(), persistent=False)
        kept = np.unique(self.bins.numpy(), return_index=True)[1]
        once = torch.zeros(bins.numel())
        once[kept] = 1.0
        self.register_buffer("once", once, persistent=False)
        # The matrices are looked up in one turn of the circle: that is all of them that a file has to hold.
        turn = np.exp(-2j * np.pi * np.arange(size) / size)
        # Counted from stored numbers, they are constants to a runtime, which works them out once, as it loads.
        self.register_buffer("numbers", torch.arange(max(rows, columns)), persistent=False)
        self.register_buffer("turn", torch.from_numpy(np.stack([turn.real, turn.imag]).astype(np.float32)), False)
        start = (size - config.window) // 2
        taper = F.pad(self.window, (start, size - config.window - start)).reshape(rows, 1, columns)
        self.register_buffer("taper", taper, persistent=False)

    def bands(self, name: Literal["mel", "mfcc_mel"], power: Tensor) -> Tensor:
        """Return what filters let pass; their columns are brought into the order of the spectrum's, each bin once."""
        filters: Tensor = getattr(self, name)
        return (filters.index_select(1, self.bins) * self.once) @ power

    def power(self, waveforms: Tensor) -> Tensor:
        """Return power spectra (batch, columns, frames)."""
        hop, size, block, rows = self.config.hop, self.fft, self.block, self.rows
        columns = size // rows
        batch, samples = waveforms.shape
        frames = (samples + 2 * (size // 2) - size) // hop + 1
        # The last frame needs its samples whole, and the blocks theirs.
        padded = F.pad(waveforms, (size // 2, size // 2 + block))
        blocks = padded[:, : padded.shape[1] // block * block].reshape(batch, -1, block)
        a = torch.arange(rows)[:, None, None] * (columns // block)
        index = a + torch.arange(frames)[:, None] * (hop // block) + torch.arange(columns // block)
        cut = blocks.index_select(1, index.reshape(-1)).reshape(batch, rows, frames, columns) * self.taper
        cut = cut.reshape(batch, rows, -1)
        real, imaginary = ((part @ cut).reshape(batch, -1, frames, columns) for part in self._first())
        from_real, from_imaginary = self._second()
        spectrum = real @ from_real + imaginary @ from_imaginary  # (batch, p, frames, 2 q)
        squares = spectrum * spectrum
        power: Tensor = squares[..., :columns] + squares[..., columns:]
        return power.transpose(2, 3).reshape(batch, -1, frames)

    def _first(self) -> tuple[Tensor, Tensor]:
        """Return the real and the imaginary part of the transforms over a, each (p, a)."""
        p, a = self.numbers[: self.rows // 2 + 1, None], self.numbers[: self.rows]
        return self._looked_up(p * a * (self.fft // self.rows))

    def _second(self) -> tuple[Tensor, Tensor]:
        """Return what the real and the imaginary part of the inner sums give to both parts, each (p, b, 2 q)."""
        columns = self.fft // self.rows
        p, b = self.numbers[: self.rows // 2 + 1, None, None], self.numbers[:columns, None]
        q = self.numbers[:columns]
        real, imaginary = self._looked_up(b * (p + self.rows * q))
        return torch.cat([real, imaginary], 2), torch.cat([-imaginary, real], 2)

    def _looked_up(self, turns: Tensor) -> tuple[Tensor, Tensor]:
        index = (turns % self.fft).flatten()
        real, imaginary = (part.index_select(0, index).reshape(turns.shape) for part in self.turn)
        return real, imaginary


def _cost(rows: int, columns: int) -> float:
    """Return what a frame costs: multiplications, those of the wide second product at a quarter, as was measured."""
    half = 2 * (rows // 2 + 1)
    return half * rows * columns + half * columns * 2 * columns / 4
