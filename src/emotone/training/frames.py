"""What a recipe's model reads of recordings: features, waveforms, or the frames of a frozen encoder."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emotone.features.embed import embed
from emotone.features.extract import Item, extract
from emotone.models.config import EncoderConfig, PretrainedConfig
from emotone.models.weights import locate
from emotone.recipes.schema import Recipe

__all__ = ["encoder_folder", "frames_of"]

OnProgress = Callable[[int, int], None]


def encoder_folder(recipe: Recipe) -> Path | None:
    """Return the folder of the recipe's pretrained encoder; None for a system that begins with none."""
    model = recipe.model
    return locate(model.encoder) if isinstance(model, EncoderConfig) and recipe.begins_with_encoder else None


def frames_of(
    recipe: Recipe,
    items: Sequence[Item],
    *,
    encoder: Path | None = None,
    device: str = "auto",
    workers: int | None = None,
    on_progress: OnProgress | None = None,
) -> list[NDArray[np.float32]]:
    """Return what the recipe takes of every item, each (channels, frames), from the cache where it was taken before.

    Args:
        recipe: the system.
        items: what to take it from.
        encoder: folder of a frozen encoder, instead of the recipe's.
        device: "auto", "cpu" or "cuda", for a frozen encoder.
        workers: how many threads or processes; None takes one per available core.
        on_progress: called with (items done, items in all) after each.
    """
    audio, features, model = recipe.audio, recipe.features, recipe.model
    frozen = model if isinstance(model, PretrainedConfig) and model.frozen == "encoder" else None
    told = None if frozen else on_progress  # reading takes little time beside a frozen encoder's work
    frames = extract(items, audio=audio, features=features, augment=recipe.augment, workers=workers, on_progress=told)
    if frozen is None:
        return frames
    from emotone.models.pretrained import FrozenEncoder

    folder = encoder or encoder_folder(recipe)
    mean = features.layout == "means"
    assert folder is not None
    reader = FrozenEncoder(folder, rate=audio.rate, mean=mean, device=device, own_length=frozen.own_length)
    return embed(frames, reader, workers=workers, on_progress=on_progress)
