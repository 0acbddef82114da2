"""Utterance functionals: what one number each says of a stream of frames."""

import torch
from torch import Tensor

from emotone.features.functional import frame_mask

__all__ = ["FUNCTIONALS", "functionals"]

_PERCENTILES = (20, 50, 80)
FUNCTIONALS = ("mean", "std", "min", "max", "p20", "p50", "p80", "slope")
"""Names of the functionals, in the order of `functionals`. `slope` is that of a fitted line, per frame."""


def functionals(features: Tensor, lengths: Tensor) -> Tensor:
    """Return eight functionals of every channel over a clip's own frames.

    Args:
        features: (batch, channels, frames).
        lengths: each clip's frames, (batch,), at least 1.

    Returns:
        Shape (batch, channels * 8): all of the first channel in the order of `FUNCTIONALS`, then the second's.
        Deviations divide by the number of frames; percentiles interpolate linearly; a single frame has slope 0.
    """
    own = frame_mask(lengths, features.shape[-1])[:, None]
    count = lengths[:, None].to(features.dtype)
    mean = (features * own).sum(2) / count
    centred = (features - mean[..., None]) * own
    time = torch.arange(features.shape[-1], dtype=features.dtype, device=features.device)
    time = (time - (count[..., None] - 1) / 2) * own
    ordered = features.masked_fill(~own, torch.inf).sort(dim=2).values
    columns = [
        mean,
        (centred.square().sum(2) / count).sqrt(),
        ordered[..., 0],
        features.masked_fill(~own, -torch.inf).amax(2),
        *(_percentile(ordered, lengths, share / 100) for share in _PERCENTILES),
        (centred * time).sum(2) / time.square().sum(2).clamp(min=1e-9),
    ]
    return torch.stack(columns, dim=2).flatten(1)


def _percentile(ordered: Tensor, lengths: Tensor, share: float) -> Tensor:
    """Return the value `share` of the way through each channel's `ordered` frames: (batch, channels)."""
    place = (lengths - 1).to(ordered.dtype) * share
    below = place.floor().long()
    above = torch.minimum(below + 1, lengths - 1)

    def at(index: Tensor) -> Tensor:
        return ordered.gather(2, index[:, None, None].expand(-1, ordered.shape[1], 1))[..., 0]

    return at(below) + (place - below)[:, None] * (at(above) - at(below))
