"""What training clips go through, drawn anew in every epoch: other voices, tempos, rooms, microphones."""

import torch
from torch import Tensor
from torch.nn import functional as F

from emotone.features.functional import TOP_DB, frame_mask, loudest
from emotone.recipes.schema import DistortionConfig

__all__ = ["distort", "distort_waveforms"]

_NOISE_RANGE = 30.0  # dB between the loudest and the softest floor of noise
_STRIPES = 2


def distort(
    frames: Tensor, lengths: Tensor, config: DistortionConfig, *, frames_per_second: float
) -> tuple[Tensor, Tensor]:
    """Return a changed copy of a batch and the clips' new lengths. Draws from torch's global generator.

    Shape:
        frames (batch, bands, frames) in dB; lengths (batch,), each clip's own frames; the same comes out.
    """
    if config.crop is not None:
        frames, lengths = _crop(frames, lengths, round(config.crop * frames_per_second))
    if config.stretch or config.shift or config.scale:
        frames, lengths = _warp(frames, lengths, config)
    if config.style:
        frames = _restyle(frames, lengths, config)
    if config.gain:
        frames = frames + config.gain * _drawn(frames, config.share)
    if config.tilt:
        line = torch.linspace(-1, 1, frames.shape[1], device=frames.device)[:, None]
        frames = frames + config.tilt * _drawn(frames, config.share) * line
    if config.noise:
        frames = _noise(frames, lengths, config)
    if config.low_pass:
        frames = _low_pass(frames, lengths, config)
    for axis, widest in ((1, config.mask_bands), (2, config.mask_frames)):
        if widest:
            frames = _mask(frames, lengths, axis, widest, config.share)
    return frames, lengths


def distort_waveforms(
    waveforms: Tensor, lengths: Tensor, config: DistortionConfig, *, frames_per_second: float
) -> tuple[Tensor, Tensor]:
    """Return a changed copy of a batch of waveforms and the clips' new lengths; a waveform's frames are its samples.

    `stretch` moves the voice with the tempo, as a tape played at another speed (Ko et al., 2015); `tilt` is over the
    frequencies up to half the rate, and `noise` is white, below a clip's mean power. Nothing else is of waveforms.

    Shape:
        waveforms (batch, 1, samples); lengths (batch,), each clip's own samples; the same comes out.
    """
    if config.crop is not None:
        waveforms, lengths = _crop(waveforms, lengths, round(config.crop * frames_per_second))
    if config.stretch:
        waveforms, lengths = _warp(waveforms, lengths, config)
    if config.gain:
        waveforms = waveforms * 10 ** (config.gain * _drawn(waveforms, config.share) / 20)
    own = frame_mask(lengths, waveforms.shape[2])[:, None]
    if config.tilt:
        spectra = torch.fft.rfft(waveforms * own)
        line = torch.linspace(-1, 1, spectra.shape[2], device=waveforms.device)
        spectra = spectra * 10 ** (config.tilt * _drawn(waveforms, config.share) * line / 20)
        waveforms = torch.fft.irfft(spectra, n=waveforms.shape[2])
    if config.noise:
        power = (waveforms * own).square().sum(2, keepdim=True) / lengths[:, None, None]
        below = config.noise + _NOISE_RANGE * torch.rand_like(power)
        noisy = torch.rand_like(power) < config.share
        waveforms = waveforms + noisy * (power * 10 ** (-below / 10)).sqrt() * torch.randn_like(waveforms)
    if config.mask_frames:
        waveforms = _mask(waveforms, lengths, 2, config.mask_frames, config.share)
    return waveforms, lengths


def _drawn(frames: Tensor, share: float) -> Tensor:
    """Return a number in [-1, 1] a clip, (batch, 1, 1); 0 for those that are left as they are."""
    shape = (len(frames), 1, 1)
    numbers = torch.rand(shape, device=frames.device) * 2 - 1
    return numbers * (torch.rand(shape, device=frames.device) < share)


def _crop(frames: Tensor, lengths: Tensor, kept: int) -> tuple[Tensor, Tensor]:
    """Keep `kept` frames of every longer clip, from a random place."""
    if frames.shape[2] <= kept:
        return frames, lengths
    spare = (lengths - kept).clamp(min=0)
    start = (torch.rand(len(lengths), device=frames.device) * (spare + 1)).long()
    index = start[:, None] + torch.arange(kept, device=frames.device)
    return frames.gather(2, index[:, None].expand(-1, frames.shape[1], -1)), lengths.clamp(max=kept)


def _warp(frames: Tensor, lengths: Tensor, config: DistortionConfig) -> tuple[Tensor, Tensor]:
    """Stretch over time, move and scale over the bands, by one bilinear resampling; beyond the edges: the edge."""
    _, bands, steps = frames.shape
    rate = 1 + config.stretch * _drawn(frames, config.share)
    shift = config.shift * _drawn(frames, config.share)
    scale = 1 + config.scale * _drawn(frames, config.share)
    stretched = (lengths / rate[:, 0, 0]).round().long().clamp(min=1)
    time = torch.arange(int(stretched.max()), device=frames.device)[None, None] * rate
    time = torch.minimum(time, (lengths - 1)[:, None, None])
    band = (torch.arange(bands, device=frames.device)[None, :, None] + shift) * scale
    shape = (len(frames), bands, time.shape[2])
    grid = torch.stack([((2 * time + 1) / steps - 1).expand(shape), ((2 * band + 1) / bands - 1).expand(shape)], dim=-1)
    warped = F.grid_sample(frames[:, None], grid, mode="bilinear", padding_mode="border", align_corners=False)
    return warped[:, 0], stretched


def _restyle(frames: Tensor, lengths: Tensor, config: DistortionConfig) -> Tensor:
    """Mix each band's mean and deviation over a clip's own frames with those of another clip."""
    own, count = frame_mask(lengths, frames.shape[2])[:, None], lengths[:, None, None]
    mean = (frames * own).sum(2, keepdim=True) / count
    deviation = (((frames - mean) * own).square().sum(2, keepdim=True) / count).sqrt() + 1.0  # dB
    other = torch.randperm(len(frames), device=frames.device)
    share = torch.distributions.Beta(config.style, config.style).sample((len(frames), 1, 1)).to(frames.device)
    share = torch.where(torch.rand_like(share) < config.share, share, 1.0)
    wanted = [share * each + (1 - share) * each[other] for each in (mean, deviation)]
    return (frames - mean) / deviation * wanted[1] + wanted[0]


def _noise(frames: Tensor, lengths: Tensor, config: DistortionConfig) -> Tensor:
    """Add the power of a floor of noise with a slope of its own."""
    largest = loudest(frames, lengths)
    below = config.noise + _NOISE_RANGE * torch.rand_like(largest)
    slope = 10 * _drawn(frames, 1.0) * torch.linspace(-1, 1, frames.shape[1], device=frames.device)[:, None]
    floor = largest - below + slope + 5 * torch.randn_like(frames)  # noise's power is no constant
    noisy = torch.rand_like(largest) < config.share
    return torch.where(noisy, torch.logaddexp(frames * _NEPER, floor * _NEPER) / _NEPER, frames)


def _low_pass(frames: Tensor, lengths: Tensor, config: DistortionConfig) -> Tensor:
    """Leave nothing of the bands from a random one on."""
    lost = config.low_pass * _drawn(frames, config.share).abs()
    high = torch.arange(frames.shape[1], device=frames.device)[:, None] >= frames.shape[1] - lost
    floor = loudest(frames, lengths) - TOP_DB
    return torch.where(high, torch.minimum(frames, floor), frames)


_NEPER = 0.23025851  # ln(10) / 10: natural logarithm of power from dB


def _mask(frames: Tensor, lengths: Tensor, axis: int, widest: int, share: float) -> Tensor:
    """Replace stripes along an axis by the clip's mean."""
    size = frames.shape[axis]
    own = frame_mask(lengths, frames.shape[2])[:, None]
    mean = (frames * own).sum((1, 2), keepdim=True) / (lengths[:, None, None] * frames.shape[1])
    position = torch.arange(size, device=frames.device)
    position = position[None, :, None] if axis == 1 else position[None, None]
    limit = torch.full_like(lengths, size) if axis == 1 else lengths
    for _ in range(_STRIPES):
        width = widest * torch.rand(len(frames), 1, 1, device=frames.device)
        start = torch.rand(len(frames), 1, 1, device=frames.device) * (limit[:, None, None] - width).clamp(min=0)
        width = width * (torch.rand(len(frames), 1, 1, device=frames.device) < share)
        frames = torch.where((position >= start) & (position < start + width), mean, frames)
    return frames
