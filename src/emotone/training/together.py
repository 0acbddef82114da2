"""Batch normalisation over the clips of all devices, so that a batch is the recipe's, however many share it."""

from functools import partial
from typing import Any

import torch
from lightning.pytorch.plugins import LayerSync
from torch import Tensor, distributed, nn
from torch.nn.modules.batchnorm import _BatchNorm

__all__ = ["Together"]


class Together(LayerSync):
    """What Lightning lets a network go through before several devices train it; torch has that for GPUs alone.

    Args:
        on_gpu: the network is trained on GPUs.
    """

    def __init__(self, *, on_gpu: bool) -> None:
        self.on_gpu = on_gpu

    def apply(self, model: nn.Module) -> Any:
        """Make batch normalisation in training one of all devices."""
        if self.on_gpu:
            return nn.SyncBatchNorm.convert_sync_batchnorm(model)
        for module in model.modules():
            if isinstance(module, _BatchNorm):
                module.forward = partial(_normalise, module)  # type: ignore[method-assign]
        return model

    def revert(self, model: nn.Module) -> nn.Module:
        """Leave it: the process ends with the training."""
        return model


def _normalise(module: _BatchNorm, maps: Tensor) -> Tensor:
    """Return what batch normalisation makes of maps (batch, channels, ...), by the statistics of all devices'."""
    if not module.training:
        evaluated: Tensor = type(module).forward(module, maps)
        return evaluated
    axes = [axis for axis in range(maps.ndim) if axis != 1]
    values = maps.float()
    summed = _Summed.apply(torch.cat([values.sum(axes), values.new_tensor([values.numel() / values.shape[1]])]))
    count = summed[-1].detach()
    shape = (-1, *[1] * (maps.ndim - 2))
    mean = summed[:-1] / count
    centred = values - mean.view(shape)
    variance = _Summed.apply(centred.square().sum(axes)) / count
    if module.running_mean is not None and module.running_var is not None:
        with torch.no_grad():
            module.running_mean.lerp_(mean, module.momentum or 0.0)
            module.running_var.lerp_(variance * count / (count - 1).clamp(min=1), module.momentum or 0.0)
    scale = torch.rsqrt(variance + module.eps) * module.weight
    normalised: Tensor = centred * scale.view(shape) + module.bias.view(shape)
    return normalised.to(maps.dtype)


class _Summed(torch.autograd.Function):
    """The sum over all devices; its gradient is that of all devices' losses."""

    @staticmethod
    def forward(context: Any, values: Tensor) -> Tensor:
        values = values.clone()
        distributed.all_reduce(values)
        return values

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> Tensor:
        gradient: Tensor = gradients[0].clone()
        distributed.all_reduce(gradient)
        return gradient
