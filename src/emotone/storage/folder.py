"""A fitted system in a folder, without pickle: safetensors or skops, and one JSON file that says what it is."""

import json
import shutil
from importlib.metadata import version
from pathlib import Path
from typing import Any, Self

import numpy as np
from pydantic import Field, model_validator

from emotone.bundle.adaptation import Head
from emotone.config import Config
from emotone.errors import EmotoneError
from emotone.files import atomic_path, parse_json, write_text
from emotone.models.config import LayersConfig, NetworkConfig, OwnConfig, PretrainedConfig, Wav2Vec2Config
from emotone.models.weights import locate
from emotone.recipes.schema import Recipe
from emotone.training.preparation import Preparation
from emotone.training.system import FittedSystem, classifier_for

__all__ = ["load_system", "read_origin", "restore_network", "save_system"]

_FORMAT = 1
_MOST_FRAMES, _MOST_SAMPLES = 200_000, 32_000_000  # half an hour and more
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


class _Description(Config):
    """What `system.json` holds."""

    format: int
    emotone: str
    system: str
    labels: tuple[str, ...] = Field(min_length=1)
    n_frames: int = Field(gt=0)
    temperature: float = Field(default=1.0, gt=0)
    head: Head | None = None
    licence: str = "unknown"
    trained_on: dict[str, Any] = Field(default_factory=dict)
    recipe: Recipe

    @model_validator(mode="after")
    def _check(self) -> Self:
        most = _MOST_SAMPLES if "waveform" in self.recipe.features.streams else _MOST_FRAMES
        if self.n_frames > most:
            raise ValueError(f"n_frames is {self.n_frames}; it may be {most} at most")
        return self


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
    if isinstance(system.recipe.model, NetworkConfig | OwnConfig | LayersConfig):
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
    from safetensors.numpy import load_file

    about = _read(folder)
    try:
        tensors = load_file(folder / _TENSORS)
        preparation = Preparation(
            about.recipe.features, about.n_frames, tensors.get("preparation.mean"), tensors.get("preparation.scale")
        )
        encoder = _encoder(about.recipe, folder)
        classifier = _classifier(about.recipe, preparation, tensors, len(about.labels), encoder, folder)
    except FileNotFoundError:
        missing = next(name for name in (_TENSORS, _ESTIMATOR) if not (folder / name).exists())
        raise EmotoneError(f"{folder}: not a stored system, {missing} is missing.") from None
    except Exception as error:  # of safetensors, skops, scikit-learn and torch, each of many kinds
        reason = " ".join(str(error).split()) or type(error).__name__
        raise EmotoneError(f"{folder}: a broken system: {reason[:300]}") from None
    return FittedSystem(about.recipe, about.labels, preparation, classifier, encoder, about.temperature, about.head)


def read_origin(folder: Path) -> tuple[str, dict[str, Any]]:
    """Return the licence of a stored system, and what it was trained on."""
    about = _read(folder)
    return about.licence, about.trained_on


def _read(folder: Path) -> _Description:
    path = folder / _SYSTEM
    try:
        data = parse_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise EmotoneError(f"{folder}: not a stored system, {_SYSTEM} is missing.") from None
    except (OSError, ValueError) as error:
        raise EmotoneError(f"{folder}: a broken system: {_SYSTEM} cannot be read: {error}") from None
    if not isinstance(data, dict) or data.get("format") != _FORMAT:
        raise EmotoneError(f"{path}: not a system that this version stored (format {_FORMAT}).")
    return _Description.parse(data, where=path)


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

        estimator = skops.io.load(folder / _ESTIMATOR, trusted=_TRUSTED)
        _try(estimator, recipe, preparation, classes)
        return estimator
    if isinstance(recipe.model, PretrainedConfig):
        classifier = classifier_for(recipe, classes, encoder)
        classifier.network_ = classifier.load(with_head=True).eval()
        return classifier
    weights = {name.removeprefix("network."): value for name, value in tensors.items() if name.startswith("network.")}
    return restore_network(recipe, preparation, weights, classes)


def _try(estimator: Any, recipe: Recipe, preparation: Preparation, classes: int) -> None:
    """Ask an estimator about one clip of silence: one whose parts do not fit each other fails here, and not later."""
    if isinstance(recipe.model, PretrainedConfig):
        silence = np.zeros((1, estimator.n_features_in_), np.float32)
    else:
        silence = np.asarray(preparation([_silence(preparation)]))
    found = estimator.predict_proba(silence)
    if found.shape != (1, classes):
        raise EmotoneError(f"{found.shape[1]} probabilities for {classes} labels")


def _check_sizes(classifier: Any, clips: Any, weights: dict[str, Any]) -> None:
    """Refuse weights of another network, before there is one: its recipe may ask for more memory than there is."""
    import torch

    try:
        with torch.device("meta"):
            sizes = {name: value.numel() for name, value in classifier.build(clips).state_dict().items()}
    except NotImplementedError:
        return  # one that asks samples for its sizes
    if sizes != {name: value.size for name, value in weights.items()}:
        raise EmotoneError("the weights are not those of a network as its recipe describes it")


def _silence(preparation: Preparation) -> Any:
    from emotone.features.layout import channel_names

    return np.zeros((len(channel_names(preparation.features)), preparation.n_frames), np.float32)


def restore_network(recipe: Recipe, preparation: Preparation, weights: dict[str, Any], classes: int) -> Any:
    """Return the fitted classifier of a recipe whose network has these weights, arrays by their names in its state."""
    import torch

    classifier = classifier_for(recipe, classes, None)
    clips = preparation([_silence(preparation)])
    if isinstance(recipe.model, NetworkConfig | Wav2Vec2Config):
        _check_sizes(classifier, clips, weights)
    network = classifier.build(clips)
    network.load_state_dict({name: torch.from_numpy(value) for name, value in weights.items()})
    classifier.network_ = network.eval()
    return classifier
