"""A fitted system in a folder, without pickle: safetensors or skops, and one JSON file that says what it is."""

import json
import shutil
from importlib.metadata import version
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from emotone.bundle.adaptation import Head
from emotone.errors import EmotoneError
from emotone.files import atomic_path, write_text
from emotone.models.config import NetworkConfig, OwnConfig, PretrainedConfig, WhisperConfig
from emotone.models.weights import locate
from emotone.recipes.schema import Recipe
from emotone.training.preparation import Preparation
from emotone.training.system import FittedSystem, classifier_for

__all__ = ["load_system", "read_origin", "restore_network", "save_system"]

_FORMAT = 1
_TRUSTED = [
    "sklearn.metrics._dist_metrics.EuclideanDistance64",
    "sklearn.metrics._dist_metrics.EuclideanDistance32",
    "sklearn.neighbors._kd_tree.KDTree",
    "sklearn.tree._tree.Tree",
]
"""scikit-learn's own compiled types inside the estimators of `models.classical`; skops refuses any other."""
_SYSTEM, _TENSORS, _ESTIMATOR = "system.json", "weights.safetensors", "estimator.skops"
_ENCODER = "frozen-encoder"
"""The folder inside a stored system with the encoder that its estimator reads."""
_PIPELINE = ("config.json", "model.safetensors", "preprocessor_config.json")
"""An encoder with its trained head, as `transformers.pipeline` reads it."""


def save_system(system: FittedSystem, folder: Path, *, licence: str, trained_on: dict[str, Any]) -> None:
    """Write the system to `folder`; `system.json` comes last, so that a folder that has it is whole.

    Args:
        system: what to store.
        folder: made if it is not there.
        licence: of the weights, which is that of the data they were trained on.
        trained_on: corpus, protocol, fold, seed and whatever else tells where the weights come from.
    """
    from safetensors.numpy import save_file

    folder.mkdir(parents=True, exist_ok=True)
    for stale in (
        _SYSTEM,
        _ESTIMATOR,
        *_PIPELINE,
    ):  # of a system that is stored over: no mixture of the two is ever whole
        (folder / stale).unlink(missing_ok=True)
    shutil.rmtree(folder / _ENCODER, ignore_errors=True)
    preparation = system.preparation
    tensors = {}
    if preparation.mean is not None and preparation.scale is not None:
        tensors = {"preparation.mean": preparation.mean, "preparation.scale": preparation.scale}
    if isinstance(system.recipe.model, NetworkConfig | OwnConfig | WhisperConfig):
        weights = system.classifier.network_.state_dict()
        tensors |= {f"network.{name}": value.cpu().numpy() for name, value in weights.items()}
    elif isinstance(system.recipe.model, PretrainedConfig) and system.recipe.training:
        system.classifier.encoder_.save(folder, system.classes)
    else:
        import skops.io

        if system.encoder is not None:
            from emotone.models.pretrained import Encoder

            Encoder.load(system.encoder).save(folder / _ENCODER, None)
        with atomic_path(folder / _ESTIMATOR) as temporary:
            skops.io.dump(system.classifier, temporary)
    with atomic_path(folder / _TENSORS) as temporary:
        save_file({name: np.ascontiguousarray(value) for name, value in tensors.items()}, temporary)
    description = {
        "format": _FORMAT,
        "emotone": version("emotone"),
        "system": system.recipe.id,
        "labels": list(system.classes),
        "n_frames": preparation.n_frames,
        "temperature": system.temperature,
        "head": system.head and system.head.model_dump(mode="json"),
        "licence": licence,
        "trained_on": trained_on,
        "recipe": system.recipe.model_dump(mode="json"),
    }
    write_text(folder / _SYSTEM, json.dumps(description, indent=1, ensure_ascii=False) + "\n")


def load_system(folder: Path) -> FittedSystem:
    """Read what `save_system` wrote. It is data, never code: a foreign or broken folder is a clear error."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    path = folder / _SYSTEM
    try:
        description = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(description, dict) or description.get("format") != _FORMAT:
            raise EmotoneError(f"{path}: not a system that this version stored (format {_FORMAT}).")
        recipe = Recipe.parse(description["recipe"], where=path)
        classes = tuple(description["labels"])
        tensors = load_file(folder / _TENSORS)
        preparation = Preparation(
            recipe.features,
            int(description["n_frames"]),
            tensors.get("preparation.mean"),
            tensors.get("preparation.scale"),
        )
        encoder = _encoder(recipe, folder)
        classifier = _classifier(recipe, preparation, tensors, len(classes), encoder, folder)
        temperature = float(description.get("temperature", 1.0))
        head = description.get("head") and Head.parse(description["head"], where=f"{path}: its head")
    except FileNotFoundError:
        missing = next(name for name in (_SYSTEM, _TENSORS, _ESTIMATOR) if not (folder / name).exists())
        raise EmotoneError(f"{folder}: not a stored system, {missing} is missing.") from None
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, BadZipFile, SafetensorError) as error:
        raise EmotoneError(f"{folder}: a broken system: {' '.join(str(error).split())}") from None
    return FittedSystem(recipe, classes, preparation, classifier, encoder, temperature, head)


def read_origin(folder: Path) -> tuple[str, dict[str, Any]]:
    """Return the licence of a system that `load_system` has read, and what it was trained on."""
    description = json.loads((folder / _SYSTEM).read_text(encoding="utf-8"))
    return str(description.get("licence", "unknown")), dict(description.get("trained_on", {}))


def _encoder(recipe: Recipe, folder: Path) -> Path | None:
    """Return where a stored system has its pretrained encoder; None for one that has none."""
    if not isinstance(recipe.model, PretrainedConfig):
        return None
    return locate(str(folder if recipe.training else folder / _ENCODER))


def _classifier(
    recipe: Recipe,
    preparation: Preparation,
    tensors: dict[str, Any],
    classes: int,
    encoder: Path | None,
    folder: Path,
) -> Any:
    if recipe.training is None:
        import skops.io

        return skops.io.load(folder / _ESTIMATOR, trusted=_TRUSTED)
    if isinstance(recipe.model, PretrainedConfig):
        classifier = classifier_for(recipe, classes, encoder)
        classifier.network_ = classifier.load(with_head=True).eval()
        return classifier
    weights = {name.removeprefix("network."): value for name, value in tensors.items() if name.startswith("network.")}
    return restore_network(recipe, preparation, weights, classes)


def restore_network(recipe: Recipe, preparation: Preparation, weights: dict[str, Any], classes: int) -> Any:
    """Return the fitted classifier of a recipe whose network has these weights, arrays by their names in its state."""
    import torch

    from emotone.features.layout import channel_names

    classifier = classifier_for(recipe, classes, None)
    empty = np.zeros((len(channel_names(recipe.features)), preparation.n_frames), np.float32)
    network = classifier.build(preparation([empty]))
    network.load_state_dict({name: torch.from_numpy(value) for name, value in weights.items()})
    classifier.network_ = network.eval()
    return classifier
