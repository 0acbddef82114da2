"""A trained network back out of the ONNX bundle that was made of it."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from emotone.bundle import Bundle
from emotone.errors import BundleError, EmotoneError, RecipeError
from emotone.export.graph import WEIGHTS
from emotone.export.int8 import INT8, SCALE
from emotone.recipes.schema import Recipe
from emotone.storage import restore_network
from emotone.training.preparation import Preparation
from emotone.training.system import FittedSystem

__all__ = ["system_of", "weights_of"]


def system_of(source: Path | bytes) -> FittedSystem:
    """Return the system that a bundle was made of; of int8 weights, what is left of it.

    Args:
        source: the file, or its content.

    Raises:
        BundleError: no bundle; one whose card or weights are not those of a network of emotone.
    """
    info, name = Bundle.load(source).info, _name(source)
    try:
        recipe = Recipe.parse(info.recipe, where=f"{name}: its recipe")
    except RecipeError as error:
        raise BundleError(str(error)) from None
    if info.frames is None and recipe.features.layout in ("frames", "flat"):
        raise BundleError(f"{name}: its card does not say how many frames the network reads; export the system again.")
    arrays = _arrays(source)
    scaler = [arrays.get(f"preparation.{name}") for name in ("mean", "scale")]
    mean, scale = (None if array is None else array.reshape(-1) for array in scaler)
    step = recipe.features.step / info.rate
    frames = info.frames or max(1, round((info.window - recipe.audio.offset) / step))
    preparation = Preparation(recipe.features, frames, mean, scale)
    try:
        classifier = restore_network(recipe, preparation, _weights(arrays, name), len(info.labels))
    except (RuntimeError, EmotoneError) as error:
        raise BundleError(f"{name}: its weights are not those of its recipe: {' '.join(str(error).split())}") from None
    return FittedSystem(recipe, info.labels, preparation, classifier, None, info.temperature, info.head)


def weights_of(source: Path | bytes) -> dict[str, npt.NDArray[np.float32]]:
    """Return a bundle's weights by their names in the network's state dict, those of int8 multiplied out.

    Batch normalisation's counters of batches, of which nothing depends, are not among them.

    Args:
        source: the file, or its content.

    Raises:
        BundleError: a file that is no bundle.
    """
    Bundle.load(source)
    return _weights(_arrays(source), _name(source))


def _weights(stored: dict[str, npt.NDArray[Any]], file: str) -> dict[str, npt.NDArray[np.float32]]:
    """Return what `weights_of` does, of all that is stored in a file."""
    arrays = {name.removeprefix(WEIGHTS): array for name, array in stored.items() if name.startswith(WEIGHTS)}
    if not arrays:
        raise BundleError(f"{file}: holds no weights under names that begin with {WEIGHTS!r}.")
    weights = {name: array for name, array in arrays.items() if not name.endswith((INT8, SCALE))}
    for name in arrays:
        if name.endswith(INT8):
            own = name.removesuffix(INT8)
            whole, scale = arrays[name].astype(np.float32), arrays[own + SCALE]
            weights[own] = whole * scale.reshape(-1, *[1] * (whole.ndim - 1))
    return weights


def _arrays(source: Path | bytes) -> dict[str, npt.NDArray[Any]]:
    """Return all that is stored in an ONNX file, by name."""
    import onnx
    from onnx import numpy_helper

    model = onnx.load_from_string(source if isinstance(source, bytes) else source.read_bytes())
    return {tensor.name: numpy_helper.to_array(tensor).copy() for tensor in model.graph.initializer}


def _name(source: Path | bytes) -> str:
    return "bundle" if isinstance(source, bytes) else str(source)
