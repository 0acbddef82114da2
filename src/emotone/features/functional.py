"""Frame-wise features as pure functions of tensors, as librosa 0.11 has them, for batches of clips of any length."""

import math

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

__all__ = [
    "DELTA_WIDTH",
    "TOP_DB",
    "dct_matrix",
    "delta_weights",
    "deltas",
    "filter_reach",
    "frame_mask",
    "hertz_to_mel",
    "loudest",
    "mel_filters",
    "mel_to_hertz",
    "passed",
    "power_spectrogram",
    "power_to_db",
    "rms",
    "standardise",
    "zero_crossing_rate",
]

AMIN = 1e-10
"""Powers below this count as this, before the logarithm."""
TOP_DB = 80.0
"""Decibels are cut this far below a clip's largest."""
DELTA_WIDTH = 9
"""Frames under one delta."""

_TOGETHER = 64  # frames whose spectra are taken at a time, to stay in the cache
_BLOCKS = 8  # of a bank of filters; more are smaller, but each is a call
_SLANEY_STEP = 200.0 / 3  # Hz per mel below 1 kHz
_SLANEY_KNEE = 1000.0  # Hz where Slaney's scale turns logarithmic
_SLANEY_LOG = math.log(6.4) / 27.0  # logarithm of the ratio between mels above the knee


def hertz_to_mel(hertz: float, *, htk: bool = False) -> float:
    """Return mels: HTK's 2595 log10(1 + f / 700), or Slaney's (Auditory Toolbox, 1998): linear to 1 kHz, then log."""
    if htk:
        return 2595.0 * math.log10(1.0 + hertz / 700.0)
    if hertz < _SLANEY_KNEE:
        return hertz / _SLANEY_STEP
    return _SLANEY_KNEE / _SLANEY_STEP + math.log(hertz / _SLANEY_KNEE) / _SLANEY_LOG


def mel_to_hertz(mels: np.ndarray, *, htk: bool = False) -> np.ndarray:
    """Return the frequencies in Hz of `mels`; the inverse of `hertz_to_mel`."""
    if htk:
        return np.asarray(700.0 * (10.0 ** (mels / 2595.0) - 1.0))
    knee = _SLANEY_KNEE / _SLANEY_STEP
    above = _SLANEY_KNEE * np.exp(_SLANEY_LOG * (np.maximum(mels, knee) - knee))
    return np.where(mels < knee, mels * _SLANEY_STEP, above)


def mel_filters(rate: int, fft: int, mels: int, *, fmin: float, fmax: float, htk: bool = False) -> Tensor:
    """Return triangular mel filters of equal area ("slaney" norm), float32 of shape (mels, fft // 2 + 1)."""
    edges = mel_to_hertz(np.linspace(hertz_to_mel(fmin, htk=htk), hertz_to_mel(fmax, htk=htk), mels + 2), htk=htk)
    bins = np.arange(fft // 2 + 1) * (rate / fft)
    low, centre, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    triangles = np.maximum(0.0, np.minimum((bins - low) / (centre - low), (high - bins) / (high - centre)))
    return torch.from_numpy((triangles * 2.0 / (high - low)).astype(np.float32))


def dct_matrix(coefficients: int, size: int) -> Tensor:
    """Return the first rows of the orthonormal DCT-II, float32 of shape (coefficients, size)."""
    row, column = np.arange(coefficients)[:, None], np.arange(size)[None]
    matrix = np.cos(np.pi / size * (column + 0.5) * row) * np.sqrt(2.0 / size)
    matrix[0] /= np.sqrt(2.0)
    return torch.from_numpy(matrix.astype(np.float32))


def frame_mask(lengths: Tensor, frames: int) -> Tensor:
    """Return which frames (or samples) are a clip's own: bool of shape (batch, frames)."""
    return torch.arange(frames, device=lengths.device) < lengths[:, None]


def loudest(decibels: Tensor, lengths: Tensor | None) -> Tensor:
    """Return the largest value of each clip's own frames, (batch, 1, 1), of (batch, bands, frames)."""
    if lengths is not None:
        own = frame_mask(lengths, decibels.shape[-1])[:, None]
        decibels = decibels.masked_fill(~own, -torch.inf)
    return decibels.amax(dim=(1, 2), keepdim=True)


def power_spectrogram(waveforms: Tensor, window: Tensor, *, fft: int, hop: int) -> Tensor:
    """Return |STFT|^2 of frames centred on multiples of `hop`, zeros beyond the ends.

    Args:
        waveforms: (batch, samples).
        window: at most `fft` samples; shorter ones stand in the middle of the frame.
        fft: samples in a frame.
        hop: samples between frames.

    Returns:
        Shape (batch, fft // 2 + 1, frames).
    """
    before = (fft - len(window)) // 2
    window = functional.pad(window, (before, fft - len(window) - before))
    frames = functional.pad(waveforms, (fft // 2, fft // 2)).unfold(1, fft, hop)
    parts = []
    for some in torch.split(frames, _TOGETHER, dim=1):
        squares = torch.view_as_real(torch.fft.rfft(some * window)).square_()
        parts.append(squares[..., 0] + squares[..., 1])
    return torch.cat(parts, dim=1).mT


def passed(power: Tensor, filters: Tensor, reach: list[slice]) -> Tensor:
    """Return the power (batch, bands, frames) that `filters` (bands, bins) let pass of spectra (batch, bins, frames).

    A filter is zero but for a few bins. So they are taken some at a time, each block with the bins of its `reach`.
    """
    spectra, blocks = power.mT, torch.split(filters, math.ceil(len(filters) / len(reach)))
    parts = [functional.linear(spectra[..., bins], block[:, bins]) for block, bins in zip(blocks, reach, strict=True)]
    return torch.cat(parts, dim=2).mT


def filter_reach(filters: Tensor) -> list[slice]:
    """Return for each of some blocks of `filters` (bands, bins), of equal size, from where to where it is not zero."""
    found = []
    for block in torch.split(filters, math.ceil(len(filters) / _BLOCKS)):
        bins = block.any(0).nonzero().flatten().tolist() or [0]
        found.append(slice(bins[0], bins[-1] + 1))
    return found


def power_to_db(power: Tensor, lengths: Tensor | None, *, reference_max: bool = False) -> Tensor:
    """Return 10 log10(power / reference), not further than 80 dB below each clip's own largest.

    Args:
        power: (batch, bands, frames).
        lengths: each clip's frames, (batch,), what lies beyond is ignored; None where all are whole.
        reference_max: take each clip's largest power as reference instead of 1.

    Returns:
        The shape of `power`.
    """
    decibels = 10.0 * torch.log10(power.clamp(min=AMIN))
    largest = loudest(decibels, lengths)
    decibels = torch.maximum(decibels, largest - TOP_DB)
    return decibels - largest if reference_max else decibels


def delta_weights() -> Tensor:
    """Return what the eight steps between nine frames count in a first and a second difference, (2, 8).

    That is a Savitzky-Golay filter: the derivative of the polynomial of degree 1 or 2 that fits the frames best. Its
    weights of frames sum to zero, so it can be said in steps; in them a constant has no difference at all.
    """
    offset = np.arange(DELTA_WIDTH) - DELTA_WIDTH // 2
    bases = np.stack([offset, offset**2 - np.mean(offset**2)])
    # The least-squares coefficient; its derivative is order! times that.
    weights = np.array([[1], [2]]) * bases / np.square(bases).sum(1, keepdims=True)
    return torch.from_numpy(-weights.cumsum(1)[:, :-1].astype(np.float32))


def deltas(features: Tensor, lengths: Tensor, weights: Tensor) -> Tensor:
    """Return first and second differences over time: the derivatives of polynomials fitted to nine frames.

    A polynomial's degree is that of its derivative, which is constant then: a clip's first and last four frames have
    that of the nearest full nine. A clip of fewer than nine frames has its end frames repeated instead (mode
    "nearest").

    Args:
        features: (batch, channels, frames).
        lengths: each clip's frames, (batch,).
        weights: see `delta_weights`.

    Returns:
        Shape (batch, 2, channels, frames).
    """
    half, count = DELTA_WIDTH // 2, features.shape[-1]
    last = (lengths - 1).clamp(min=0)[:, None]
    frame = torch.arange(count, device=features.device)
    inner = torch.minimum(frame.clamp(min=half), last - half)
    centre = torch.where(lengths[:, None] >= DELTA_WIDTH, inner, frame)
    around = torch.arange(-half, count + half, device=features.device).clamp(min=0)
    repeated = _taken(features[:, None], torch.minimum(around, last))
    return _taken(functional.conv2d(repeated.diff(dim=-1), weights[:, None, None]), centre)


def _taken(features: Tensor, index: Tensor) -> Tensor:
    """Return the frames `index` (batch, frames) of features (batch, orders, channels, frames)."""
    return features.gather(3, index[:, None, None].expand(-1, *features.shape[1:3], -1))


def zero_crossing_rate(waveforms: Tensor, lengths: Tensor | None, *, window: int, hop: int) -> Tensor:
    """Return the share of samples whose sign differs from the sample before, in frames centred on multiples of `hop`.

    Beyond its ends a clip keeps its first and last value. Zero, and anything within 1e-10 of it, counts as positive.

    Args:
        waveforms: (batch, samples).
        lengths: each clip's samples, (batch,); None where all are whole.
        window: samples in a frame.
        hop: samples between frames.

    Returns:
        Shape (batch, 1, frames or one more), in [0, 1].
    """
    negative = waveforms < -AMIN
    crossing = functional.pad(negative[:, 1:] != negative[:, :-1], (1, 0))
    if lengths is not None:
        crossing = crossing & frame_mask(lengths, waveforms.shape[-1])
    rate = _frame_means(crossing, window=window, hop=hop)
    first = functional.pad(crossing, (window // 2, window // 2))[:, None, ::hop]  # has none before it in its frame
    return rate - first[..., : rate.shape[-1]] / window


def rms(waveforms: Tensor, *, window: int, hop: int) -> Tensor:
    """Return the root mean square of frames centred on multiples of `hop`, shape (batch, 1, frames or one more).

    Beyond its ends a clip is zero.
    """
    return _frame_means(waveforms.square(), window=window, hop=hop).sqrt()


def _frame_means(values: Tensor, *, window: int, hop: int) -> Tensor:
    """Return the means (batch, 1, frames or one more) of frames of (batch, samples), zeros beyond the ends.

    Frames overlap: the blocks that they share are summed once.
    """
    block = math.gcd(window, hop)
    padded = functional.pad(values, (window // 2, window // 2 + block - 1))
    blocks = padded[:, : padded.shape[1] // block * block].reshape(values.shape[0], 1, -1, block).sum(3)
    return functional.avg_pool1d(blocks / block, window // block, hop // block)


def standardise(features: Tensor, lengths: Tensor) -> Tensor:
    """Return `features` (batch, channels, frames) less their mean, over their deviation, both over a clip's own frames.

    A clip without deviation becomes zeros.
    """
    own = frame_mask(lengths, features.shape[-1])[:, None]
    count = (lengths * features.shape[1])[:, None, None].clamp(min=1)
    centred = features - (features * own).sum(dim=(1, 2), keepdim=True) / count
    deviation = ((centred * own).square().sum(dim=(1, 2), keepdim=True) / count).sqrt()
    return centred / torch.where(deviation > 0, deviation, 1.0)
