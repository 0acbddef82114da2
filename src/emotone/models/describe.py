"""A network layer by layer, with shapes and parameters, and its size as Keras counts it."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from emotone.models.network import Network

__all__ = ["Layer", "keras_parameters", "layers"]


@dataclass(frozen=True)
class Layer:
    """One layer: its kind with settings, the shape that leaves it (first axis: batch), its parameters."""

    name: str
    kind: str
    output: tuple[int, ...]
    parameters: int


def layers(network: Network) -> list[Layer]:
    """Return the layers in the order in which data passes through them."""
    found: list[Layer] = []

    def note(name: str, module: nn.Module) -> torch.utils.hooks.RemovableHandle:
        def hook(_: nn.Module, inputs: object, output: Tensor | tuple[Tensor, object]) -> None:
            shape = (output if isinstance(output, Tensor) else output[0]).shape
            parameters = sum(parameter.numel() for parameter in module.parameters())
            found.append(Layer(name, _kind(module), tuple(shape), parameters))

        return module.register_forward_hook(hook)

    leaves = [(name, module) for name, module in network.named_modules() if not isinstance(module, nn.Sequential)]
    leaves = [(name, module) for name, module in leaves if not list(module.children())]
    handles = [note(name, module) for name, module in leaves]
    try:
        was_training = network.training
        network.eval()
        with torch.no_grad():
            network(torch.ones(1, *network.input_shape))  # zeros are pads
        network.train(was_training)
    finally:
        for handle in handles:
            handle.remove()
    return found


def keras_parameters(network: Network) -> tuple[int, int]:
    """Return (all, trainable) parameters as Keras counts them.

    Keras's LSTM has one bias vector where torch has two, 4 x hidden more per layer and direction; and Keras counts
    the moving mean and variance of batch normalisation as parameters that are not trained.
    """
    trainable = sum(parameter.numel() for parameter in network.parameters())
    statistics = 0
    for module in network.modules():
        if isinstance(module, nn.LSTM):
            trainable -= 4 * module.hidden_size * module.num_layers * (2 if module.bidirectional else 1)
        elif isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            statistics += 2 * module.num_features
    return trainable + statistics, trainable


def _kind(module: nn.Module) -> str:
    settings = module.extra_repr()
    return f"{type(module).__name__}({settings})"
