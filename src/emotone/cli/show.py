"""A recipe on the screen: its settings, its choices, its network layer by layer."""

import yaml

from emotone.cli.terminal import console, table
from emotone.features.config import FeatureConfig
from emotone.features.layout import channel_names, layout
from emotone.models.config import NetworkConfig
from emotone.recipes.schema import Recipe

__all__ = ["input_shape", "show"]

_SECONDS = 5.3  # RAVDESS's longest clip


def show(recipe: Recipe) -> None:
    """Print the recipe as YAML without what is left at its default, then the layers with shapes and parameters."""
    settings = recipe.model_dump(mode="json", exclude_defaults=True, exclude={"choices"})
    settings["model"] = {"kind": recipe.model.kind, **settings["model"]}
    console.print(yaml.safe_dump(settings, sort_keys=False, allow_unicode=True).rstrip())
    if recipe.choices:
        console.print("\nChoices where the paper is silent", style="bold")
        for choice in recipe.choices:
            console.print(f"- {choice}")
    if isinstance(recipe.model, NetworkConfig):
        _show_network(recipe, recipe.model)


def input_shape(features: FeatureConfig, rate: int) -> tuple[int, ...]:
    """Return the shape of one sample for clips of up to 5.3 s, as long as RAVDESS's."""
    import numpy as np

    empty = np.zeros((len(channel_names(features)), int(_SECONDS * rate) // features.hop + 1), np.float32)
    return layout([empty], features).shape[1:]


def _show_network(recipe: Recipe, model: NetworkConfig) -> None:
    from emotone.emotions import get_scheme
    from emotone.models.describe import keras_parameters, layers
    from emotone.models.network import Network

    shape = input_shape(recipe.features, recipe.audio.rate)
    network = Network(model, shape, len(get_scheme(recipe.scheme).order))
    console.print(f"\nNetwork, input {shape}", style="bold")
    rows = [(layer.name, layer.kind, layer.output[1:], f"{layer.parameters:,}") for layer in layers(network)]
    table(("Layer", "Kind", "Output", "Parameters"), rows, numbers=("Parameters",))
    everything, trainable = keras_parameters(network)
    console.print(f"{everything:,} parameters as Keras counts them, {trainable:,} trainable")
