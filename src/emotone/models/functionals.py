"""A clip as statistics over time of its log-mels: what openSMILE calls functionals (Eyben et al., 2010)."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from emotone.models.layers import within

__all__ = ["Functionals"]

_CEPSTRA = 20
_REACHES = (2, 8, 16)  # frames to either side that slopes are of: from sounds over syllables to words
_JOINED = 4  # neighbouring bands
_STATISTICS = 6
_MOST = 2.0  # deviations from the mean of the training clips: of what is far from all of them, only that it is far


class Functionals(nn.Module):
    """Six statistics over time of contours and of their slopes, standardised.

    They are mean, deviation, largest and smallest value, mean absolute deviation, and which way the values lean: the
    mean of tanh(2 z), z being a value less the mean over the deviation. Each costs one pass over the frames, where
    quantiles would cost a sort.

    The contours are means of four neighbouring mel bands, cepstral coefficients, the mean over all bands, and how much
    the bands change from frame to frame.

    Args:
        bands: mel bands of a frame, at least 2; fewer than four have no joined ones.

    Attributes:
        width: how many functionals there are.
        mean, deviation: of the training clips, see `standardise`.
    """

    mean: Tensor
    deviation: Tensor
    cosines: Tensor
    slopes: Tensor

    def __init__(self, bands: int) -> None:
        super().__init__()
        self.joined = bands // _JOINED
        orders, middles = torch.arange(1, min(_CEPSTRA, bands - 1) + 1), torch.arange(bands) + 0.5
        cosines = (2 / bands) ** 0.5 * torch.cos(torch.pi / bands * orders[:, None] * middles)  # DCT-II, orthonormal
        self.width = (1 + len(_REACHES)) * _STATISTICS * (self.joined + len(orders) + 2)
        # Constants, but in the state dict, since an exported graph names them as it names weights.
        self.register_buffer("cosines", cosines)
        self.register_buffer("slopes", _slopes())
        self.register_buffer("mean", torch.zeros(self.width))
        self.register_buffer("deviation", torch.ones(self.width))

    def forward(self, frames: Tensor, lengths: Tensor) -> Tensor:
        """Return the standardised functionals, (batch, width).

        Args:
            frames: log-mels (batch, bands, frames).
            lengths: each clip's own frames, (batch,); what lies beyond does not count.
        """
        return self.standardised(self.raw(frames, lengths))

    def raw(self, frames: Tensor, lengths: Tensor) -> Tensor:
        """Return the functionals as they are, (batch, width)."""
        contours = self._contours(_held(frames, lengths, before=1))
        around = _held(contours, lengths, before=max(_REACHES), after=max(_REACHES))
        slopes = F.conv1d(around.flatten(0, 1)[:, None], self.slopes)  # (batch x contours, reaches, frames)
        slopes = slopes.reshape(contours.shape[0], -1, contours.shape[2])
        return self._over_time(torch.cat([contours, slopes], dim=1), lengths)

    def standardised(self, raw: Tensor) -> Tensor:
        """Return functionals (batch, width) less the mean of the training clips, over their deviation, within 2."""
        return ((raw - self.mean) / self.deviation).clamp(-_MOST, _MOST)

    @torch.no_grad()
    def standardise(self, raw: Tensor) -> None:
        """Make the functionals of training clips, (clips, width), have mean 0 and deviation 1."""
        deviation, mean = torch.std_mean(raw, dim=0, correction=0)
        self.mean.copy_(mean)
        # Of a constant its rounding must not count.
        self.deviation.copy_(torch.where(deviation > 1e-5, deviation, 1e9))

    def _contours(self, frames: Tensor) -> Tensor:
        """Return the contours (batch, contours, frames) of frames with one more at the beginning."""
        change = (frames[:, :, 1:] - frames[:, :, :-1]).abs().mean(1, keepdim=True)
        frames = frames[:, :, 1:]
        bands = (
            frames[:, : _JOINED * self.joined].reshape(frames.shape[0], self.joined, _JOINED, frames.shape[2]).mean(2)
        )
        return torch.cat([bands, self.cosines @ frames, frames.mean(1, keepdim=True), change], dim=1)

    def _over_time(self, values: Tensor, lengths: Tensor) -> Tensor:
        """Return the statistics (batch, statistics x rows) of values (batch, rows, frames)."""
        real, count = within(lengths, values.shape[2])[:, None], lengths[:, None]
        mean = (values * real).sum(2) / count
        centred = (values - mean[:, :, None]) * real
        deviation = torch.sqrt(centred.square().sum(2) / count + 1e-5)
        most, least = (torch.where(real, values, end) for end in (-torch.inf, torch.inf))
        spread = centred.abs().sum(2) / count
        lean = torch.tanh(2 * centred / deviation[:, :, None]).sum(2) / count * deviation
        return torch.cat([mean, deviation, most.amax(2), least.amin(2), spread, lean], dim=1)


def _slopes() -> Tensor:
    """Return the kernels of a convolution that fits a line to what is within each reach, (reaches, 1, frames)."""
    steps = torch.arange(-max(_REACHES), max(_REACHES) + 1.0)
    kernels = [torch.where(steps.abs() <= reach, steps, 0.0) for reach in _REACHES]
    return torch.stack([kernel / kernel.square().sum() for kernel in kernels])[:, None]


def _held(values: Tensor, lengths: Tensor, *, before: int, after: int = 0) -> Tensor:
    """Return values (batch, rows, frames) that go on beyond the ends of each clip with its first and last frame."""
    place = torch.arange(-before, values.shape[2] + after, device=values.device).clamp(min=0)
    place = torch.minimum(place, lengths[:, None] - 1)
    return values.gather(2, place[:, None].expand(-1, values.shape[1], -1))
