"""The layers of an encoder of waveforms as transformers has them, cut above the last one that is run."""

from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn.utils import parametrize

from emotone.errors import EmotoneError, UsageError, unknown
from emotone.models.config import WAVEFORM_FAMILIES, Architecture
from emotone.models.encoder_layers import Weights
from emotone.models.reading import check_whole, reading
from emotone.models.weights import EXTRACTORS, WHOLE, weight_files
from emotone.models.whisper_weights import digest

__all__ = ["build", "read_architecture", "read_weights"]

_PLAIN = {
    "hidden_dropout": 0.0,
    "attention_dropout": 0.0,
    "activation_dropout": 0.0,
    "feat_proj_dropout": 0.0,
    "layerdrop": 0.0,
    "mask_time_prob": 0.0,
    "mask_feature_prob": 0.0,
    "add_adapter": False,
}
"""Nothing is left out at random, and nothing stands behind the layers."""
_OWN = {"do_normalize", "sampling_rate", "num_hidden_layers"}
"""What an architecture says that is not for transformers."""


def read_architecture(folder: Path) -> Architecture:
    """Return what the files of an encoder of waveforms say of it.

    Raises:
        UsageError: another kind of encoder, or one of an architecture that is not known here.
        EmotoneError: files that are missing or broken.
    """
    weight_files(folder)
    if not any((folder / name).is_file() for name in EXTRACTORS):
        raise EmotoneError(f"{folder}: no encoder of waveforms in it, {EXTRACTORS[0]} is missing. {WHOLE}")
    with reading(folder):
        from transformers import AutoConfig, AutoFeatureExtractor

        config = AutoConfig.from_pretrained(folder, local_files_only=True)
        if config.model_type not in WAVEFORM_FAMILIES:
            raise unknown("kind of encoder", config.model_type, WAVEFORM_FAMILIES, where=str(folder))
        extractor = AutoFeatureExtractor.from_pretrained(folder, local_files_only=True)
        if getattr(config, "conv_pos_batch_norm", False):
            raise UsageError(
                f"{folder}: conv_pos_batch_norm is true in its config.json; only encoders where it is false can "
                "be read layer by layer."
            )
        said = {name: getattr(config, name, None) for name in Architecture.model_fields}
        said |= {name: getattr(extractor, name) for name in ("do_normalize", "sampling_rate")}
    return Architecture.parse(said, where=folder / "config.json")


def build(architecture: Architecture, layers: int, *, what: object) -> Any:
    """Return transformers' model with its first layers alone, its weights drawn at random.

    Args:
        architecture: of the encoder.
        layers: how many of its layers.
        what: how an error calls it.

    Raises:
        EmotoneError: an architecture that cannot be; or transformers is not installed.
    """
    with reading(what):
        from transformers import AutoModel

        model = AutoModel.from_config(_config(architecture, layers), dtype=torch.float32, attn_implementation="eager")
    return _plain(model)


def read_weights(folder: Path, architecture: Architecture, layers: int) -> Weights:
    """Return the weights of an encoder by their names in what `build` gives.

    Args:
        folder: as `save_pretrained` of transformers writes it, of the encoder alone or with whatever head.
        architecture: what the recipe says of it.
        layers: how many of its layers.

    Raises:
        UsageError: another kind of encoder, another size, fewer layers.
        EmotoneError: files that are missing or broken.
    """
    found = read_architecture(folder)
    if found != architecture:
        ours, theirs = architecture.model_dump(), found.model_dump()
        key = next(key for key in ours if ours[key] != theirs[key])
        raise UsageError(
            f"{folder}: the encoder's {key} is {theirs[key]!r}, but the recipe's model.architecture has {ours[key]!r}."
        )
    if found.num_hidden_layers < layers:
        raise UsageError(
            f"{folder}: the encoder has {found.num_hidden_layers} layers; the recipe reads {layers}. model.layers may "
            f"be 1 to {found.num_hidden_layers}."
        )
    with reading(folder):
        from transformers import AutoModel

        model, report = AutoModel.from_pretrained(
            folder,
            config=_config(architecture, layers),
            dtype=torch.float32,
            attn_implementation="eager",
            local_files_only=True,
            output_loading_info=True,
        )
    check_whole(folder, report, needed=lambda name: True)
    known = digest(model.state_dict())  # before weights are multiplied out, whose last digits are the processor's
    return Weights(_plain(model).state_dict(), known)


def _config(architecture: Architecture, layers: int) -> Any:
    from transformers import AutoConfig

    said = architecture.model_dump(exclude=_OWN, exclude_none=True)
    return AutoConfig.for_model(**said, **_PLAIN, num_hidden_layers=layers)


def _plain(model: Any) -> Any:
    """Multiply out the weights of positions, stored as a direction and a length, and take away what is not read: the
    normalisation behind the last layer of all, which no `hidden_states` has been through.
    """
    for module in model.modules():
        if parametrize.is_parametrized(module, "weight"):
            parametrize.remove_parametrizations(module, "weight", leave_parametrized=True)
    if getattr(model.config, "do_stable_layer_norm", False):
        model.encoder.layer_norm = nn.Identity()
    return model
