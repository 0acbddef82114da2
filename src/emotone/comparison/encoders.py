"""The pretrained encoders of the systems that have one: which, and whether their weights are here."""

from collections.abc import Sequence
from importlib.util import find_spec

from emotone.errors import EmotoneError, UsageError
from emotone.models.config import EncoderConfig, PretrainedConfig, WhisperConfig
from emotone.models.weights import digest, is_here, locate
from emotone.recipes.schema import Recipe

__all__ = ["has_weights", "lack_of", "with_encoder"]

_EXTRA = "pip install 'emotone[wav2vec2]'"


def has_weights(recipe: Recipe) -> bool:
    """Tell whether a system needs no pretrained weights, or they are here."""
    return not isinstance(recipe.model, EncoderConfig) or is_here(recipe.model.encoder)


def lack_of(recipe: Recipe, encoder: str | None = None) -> str | None:
    """Return what a system lacks to run here, without a network; None where nothing. `encoder` is one at hand."""
    if not encoder and not has_weights(recipe):
        return "pretrained weights"
    return _EXTRA if isinstance(recipe.model, PretrainedConfig) and find_spec("transformers") is None else None


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
    if not isinstance(model, WhisperConfig):
        weights = digest(folder)
    elif encoder is None and model.weights is not None:
        return recipe
    else:
        from emotone.models.whisper_weights import digest as digest_of
        from emotone.models.whisper_weights import read_sizes, read_weights

        if encoder is not None:  # a Whisper of any size
            sizes = read_sizes(folder)
            model = model.model_copy(update={"width": sizes.width})
            features = recipe.features.model_copy(update={"mels": sizes.bands})
            recipe = recipe.model_copy(update={"features": features})
        weights = digest_of(read_weights(folder, model, bands=recipe.features.mels))
    return recipe.model_copy(update={"model": model.model_copy(update={"encoder": name, "weights": weights})})
