"""The front end for runtimes without a fast Fourier transform: the power spectrum by two small matrix products."""

import math

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

    block_index: Tensor
    first: Tensor
    second: Tensor
    tapered: Tensor

    def __init__(self, config: FeatureConfig, rate: int) -> None:
        super().__init__(config, rate)
        size = self.fft
        self.rows = min(
            (rows for rows in range(1, size + 1) if size % rows == 0), key=lambda rows: _cost(rows, size // rows)
        )
        rows, columns = self.rows, size // self.rows
        self.block = math.gcd(config.hop, columns)
        p, q, a, b = np.arange(rows // 2 + 1), np.arange(columns), np.arange(rows), np.arange(columns)
        first = np.exp(-2j * np.pi / rows * np.outer(p, a))
        bins = p[:, None] + rows * q
        second = np.exp(-2j * np.pi / size * b[:, None] * bins[:, None, :])  # (p, b, q)
        taper = np.zeros(size, np.float32)
        start = (size - config.window) // 2
        taper[start : start + config.window] = self.window.numpy()

        def constant(name: str, array: np.ndarray) -> None:
            self.register_buffer(name, torch.from_numpy(array.astype(np.float32)), persistent=False)

        constant("first", np.stack([first.real, first.imag]))  # (2, p, a)
        real, imaginary = np.concatenate([second.real, second.imag], 2), np.concatenate([-second.imag, second.real], 2)
        constant("second", np.stack([real, imaginary]))  # (2, p, b, 2 q): what either part gives to both
        constant("tapered", taper.reshape(rows, 1, columns))
        column = np.minimum(bins, size - bins).ravel()
        _, kept = np.unique(column, return_index=True)
        once = np.zeros(len(column), np.float32)
        once[kept] = 1.0
        for name in ("mel", "mfcc_mel"):
            setattr(self, name, getattr(self, name)[:, torch.from_numpy(column)] * torch.from_numpy(once))

    def power(self, waveforms: Tensor) -> Tensor:
        """Return power spectra (batch, columns, frames); columns are bins in the order of the filters' own."""
        hop, size, block, rows = self.config.hop, self.fft, self.block, self.rows
        columns = size // rows
        batch, samples = waveforms.shape
        frames = (samples + 2 * (size // 2) - size) // hop + 1
        # The last frame needs its samples whole, and the blocks theirs.
        padded = F.pad(waveforms, (size // 2, size // 2 + block))
        blocks = padded[:, : padded.shape[1] // block * block].reshape(batch, -1, block)
        a = torch.arange(rows)[:, None, None] * (columns // block)
        index = a + torch.arange(frames)[:, None] * (hop // block) + torch.arange(columns // block)
        cut = blocks.index_select(1, index.reshape(-1)).reshape(batch, rows, frames, columns) * self.tapered
        cut = cut.reshape(batch, rows, -1)
        real, imaginary = ((part @ cut).reshape(batch, -1, frames, columns) for part in self.first)
        spectrum = real @ self.second[0] + imaginary @ self.second[1]  # (batch, p, frames, 2 q)
        squares = spectrum * spectrum
        power: Tensor = squares[..., :columns] + squares[..., columns:]
        return power.transpose(2, 3).reshape(batch, -1, frames)


def _cost(rows: int, columns: int) -> float:
    """Return what a frame costs: multiplications, those of the wide second product at a quarter, as was measured."""
    half = 2 * (rows // 2 + 1)
    return half * rows * columns + half * columns * 2 * columns / 4
