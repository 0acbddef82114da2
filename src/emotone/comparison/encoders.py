"""The pretrained encoders of the systems that have one: which, and whether their weights are here."""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from emotone.errors import EmotoneError, UsageError
from emotone.models.config import (
    WAVEFORM_FAMILIES,
    EncoderConfig,
    LayersConfig,
    PretrainedConfig,
    Wav2Vec2Config,
    WhisperConfig,
)
from emotone.models.weights import digest, is_here, locate, settings_of
from emotone.recipes.schema import OF_WAVEFORMS, Recipe

__all__ = ["has_weights", "lack_of", "with_encoder"]

_EXTRA = "pip install 'emotone[wav2vec2]'"


def has_weights(recipe: Recipe) -> bool:
    """Tell whether a system needs no pretrained weights, or they are here."""
    return not isinstance(recipe.model, EncoderConfig) or is_here(recipe.model.encoder)


def lack_of(recipe: Recipe, encoder: str | None = None) -> str | None:
    """Return what a system lacks to run here, without a network; None where nothing. `encoder` is one at hand."""
    if not encoder and not has_weights(recipe):
        return "pretrained weights"
    through_transformers = isinstance(recipe.model, PretrainedConfig | Wav2Vec2Config)
    return _EXTRA if through_transformers and find_spec("transformers") is None else None


def with_encoder(recipes: Sequence[Recipe], encoder: str | None) -> list[Recipe]:
    """Return the recipes with their encoders found, and the digest of the weights noted in them.

    Args:
        recipes: any; those without an encoder stay as they are.
        encoder: name or folder, instead of the recipes' own.

    Raises:
        UsageError: an encoder for systems that have none.
        DownloadError: an encoder that cannot be had.
        EmotoneError: an encoder that nothing here can read.
    """
    if encoder is not None and not any(recipe.begins_with_encoder for recipe in recipes):
        names = ", ".join(recipe.id for recipe in recipes)
        raise UsageError(f"--encoder {encoder}: none of {names} begins with an encoder.")
    return [_found(recipe, encoder) for recipe in recipes]


def _found(recipe: Recipe, encoder: str | None) -> Recipe:
    model = recipe.model
    if not isinstance(model, EncoderConfig) or not recipe.begins_with_encoder:
        return recipe
    name = encoder or model.encoder
    if lack_of(recipe, name):  # before anything is downloaded
        raise EmotoneError(f"{recipe.id}: to read encoders, {_EXTRA}.")
    folder = locate(name)
    if not isinstance(model, LayersConfig):
        return _noted(recipe, encoder=name, weights=digest(folder))
    is_known = model.weights is not None and (not isinstance(model, Wav2Vec2Config) or model.architecture is not None)
    if encoder is None and is_known:
        return recipe
    if isinstance(model, WhisperConfig) and settings_of(folder).get("model_type") in WAVEFORM_FAMILIES and encoder:
        recipe = _of_waveforms(recipe, name)
    if isinstance(recipe.model, Wav2Vec2Config):
        return _with_waveforms(recipe, name, folder, wanted=None if encoder else model.weights)
    return _with_whisper(recipe, name, folder, any_size=encoder is not None)


def _with_whisper(recipe: Recipe, name: str, folder: Path, *, any_size: bool) -> Recipe:
    from emotone.models.whisper_weights import digest as digest_of
    from emotone.models.whisper_weights import read_sizes, read_weights

    model = recipe.model
    assert isinstance(model, WhisperConfig)
    if any_size:
        sizes = read_sizes(folder)
        model = model.model_copy(update={"width": sizes.width})
        features = recipe.features.model_copy(update={"mels": sizes.bands})
        recipe = recipe.model_copy(update={"features": features})
    weights = digest_of(read_weights(folder, model, bands=recipe.features.mels))
    return _noted(recipe, encoder=name, weights=weights, width=model.width)


def _with_waveforms(recipe: Recipe, name: str, folder: Path, *, wanted: str | None) -> Recipe:
    from emotone.models.reading import check_rate
    from emotone.models.wav2vec2_weights import read_architecture, read_weights

    assert isinstance(recipe.model, Wav2Vec2Config)
    architecture = read_architecture(folder)
    check_rate(folder, read=architecture.sampling_rate, given=recipe.audio.rate)
    weights = read_weights(folder, architecture, recipe.model.layers).digest
    return _noted(recipe, encoder=name, weights=wanted or weights, architecture=architecture)


def _of_waveforms(recipe: Recipe, name: str) -> Recipe:
    """Return a recipe of a Whisper's layers for those of an encoder of waveforms, without what is of log-mels."""
    data, step, left_out = recipe.model_dump(), recipe.features.step, []
    model = {key: data["model"][key] for key in LayersConfig.model_fields if key != "weights"}
    distortion = data["training"]["regulariser"]["distortion"]
    for key in sorted(distortion.keys() - set(OF_WAVEFORMS)):
        left_out += [key] if distortion.pop(key) else []
    distortion["mask_frames"] *= step
    how = "as they are" if model["encoder_rate"] is None else "trained on"
    told = f"; of the distortions, neither {', '.join(left_out)}" if left_out else ""
    return Recipe.parse(
        data
        | {
            "title": f"layers {', '.join(map(str, model['read']))} of {name} {how}, read by a logistic regression",
            "features": {"streams": ["waveform"], "layout": "ragged"},
            "model": model | {"kind": "wav2vec2"},
            "choices": [f"--encoder reads waveforms, {recipe.id} log-mels: no level, no floor{told}"],
        },
        where=recipe.id,
    )


def _noted(recipe: Recipe, **found: Any) -> Recipe:
    return recipe.model_copy(update={"model": recipe.model.model_copy(update=found)})
