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
    "deltas",
    "frame_mask",
    "hertz_to_mel",
    "loudest",
    "mel_filters",
    "mel_to_hertz",
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


def loudest(decibels: Tensor, lengths: Tensor) -> Tensor:
    """Return the largest value of each clip's own frames, (batch, 1, 1), of (batch, bands, frames)."""
    own = frame_mask(lengths, decibels.shape[-1])[:, None]
    return decibels.masked_fill(~own, -torch.inf).amax(dim=(1, 2), keepdim=True)


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
    spectrum = torch.stft(
        waveforms, fft, hop, len(window), window, center=True, pad_mode="constant", return_complex=True
    )
    return spectrum.real.square() + spectrum.imag.square()


def power_to_db(power: Tensor, lengths: Tensor, *, reference_max: bool = False) -> Tensor:
    """Return 10 log10(power / reference), not further than 80 dB below each clip's own largest.

    Args:
        power: (batch, bands, frames).
        lengths: each clip's frames, (batch,). What lies beyond is ignored.
        reference_max: take each clip's largest power as reference instead of 1.

    Returns:
        The shape of `power`.
    """
    decibels = 10.0 * torch.log10(power.clamp(min=AMIN))
    largest = loudest(decibels, lengths)
    decibels = torch.maximum(decibels, largest - TOP_DB)
    return decibels - largest if reference_max else decibels


def deltas(features: Tensor, lengths: Tensor, *, order: int) -> Tensor:
    """Return first or second differences over time: the derivative of a polynomial fitted to nine frames.

    This is a Savitzky-Golay filter. The polynomial has degree `order`, so its derivative is constant: the first and
    last four frames of a clip have that of the nearest full nine. A clip of fewer than nine frames has its end frames
    repeated instead (mode "nearest").

    Args:
        features: (batch, channels, frames).
        lengths: each clip's frames, (batch,).
        order: 1 or 2.

    Returns:
        The shape of `features`.
    """
    half = DELTA_WIDTH // 2
    offset = torch.arange(-half, half + 1, dtype=features.dtype, device=features.device)
    basis = offset if order == 1 else offset.square() - offset.square().mean()
    weights = order * basis / basis.square().sum()  # the least-squares coefficient; its derivative is order! times that
    last = (lengths - 1).clamp(min=0)[:, None]
    frame = torch.arange(features.shape[-1], device=features.device).expand(features.shape[0], -1)
    inner = torch.minimum(frame.clamp(min=half), last - half)
    centre = torch.where(lengths[:, None] >= DELTA_WIDTH, inner, frame)
    middle = features.gather(2, centre[:, None].expand_as(features))
    result = torch.zeros_like(features)
    for step in range(-half, half + 1):
        index = torch.minimum((centre + step).clamp(min=0), last)
        # The weights sum to zero: less the middle, a constant has a difference of exactly zero.
        result += weights[step + half] * (features.gather(2, index[:, None].expand_as(features)) - middle)
    return result


def zero_crossing_rate(waveforms: Tensor, lengths: Tensor, *, window: int, hop: int) -> Tensor:
    """Return the share of samples whose sign differs from the sample before, in frames centred on multiples of `hop`.

    Beyond its ends a clip keeps its first and last value. Zero, and anything within 1e-10 of it, counts as positive.

    Args:
        waveforms: (batch, samples).
        lengths: each clip's samples, (batch,).
        window: samples in a frame.
        hop: samples between frames.

    Returns:
        Shape (batch, 1, frames), in [0, 1].
    """
    negative = waveforms < -AMIN
    crossing = functional.pad(negative[:, 1:] != negative[:, :-1], (1, 0))
    crossing &= frame_mask(lengths, waveforms.shape[-1])
    padded = functional.pad(crossing.to(torch.int32), (window // 2 + 1, window // 2))
    total = padded.cumsum(1)  # total[:, i]: crossings at padded samples before i, the first sample of a frame left out
    frames = (waveforms.shape[-1] + 2 * (window // 2) - window) // hop + 1
    start = torch.arange(frames, device=waveforms.device) * hop
    return ((total[:, start + window] - total[:, start + 1]).to(waveforms.dtype) / window)[:, None]


def rms(waveforms: Tensor, *, window: int, hop: int) -> Tensor:
    """Return the root mean square of frames centred on multiples of `hop`, shape (batch, 1, frames).

    Beyond its ends a clip is zero.
    """
    squares = waveforms.square()[:, None]
    return functional.avg_pool1d(squares, window, hop, padding=window // 2).sqrt()


def standardise(features: Tensor, lengths: Tensor) -> Tensor:
    """Return `features` (batch, channels, frames) less their mean, over their deviation, both over a clip's own frames.

    A clip without deviation becomes zeros.
    """
    own = frame_mask(lengths, features.shape[-1])[:, None]
    count = (lengths * features.shape[1])[:, None, None].clamp(min=1)
    centred = features - (features * own).sum(dim=(1, 2), keepdim=True) / count
    deviation = ((centred * own).square().sum(dim=(1, 2), keepdim=True) / count).sqrt()
    return centred / torch.where(deviation > 0, deviation, 1.0)
