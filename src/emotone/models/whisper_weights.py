"""What the files of a pretrained Whisper hold: its encoder's sizes and weights, by the names of `WhisperLayers`."""

import hashlib
from pathlib import Path
from typing import NamedTuple

from torch import Tensor

from emotone.errors import EmotoneError, UsageError
from emotone.models.config import WAVEFORM_FAMILIES, WhisperConfig
from emotone.models.weights import settings_of, weight_files

__all__ = ["Sizes", "digest", "read_sizes", "read_weights"]

_NAMES = {
    "norm1": "self_attn_layer_norm",
    "query": "self_attn.q_proj",
    "key": "self_attn.k_proj",
    "value": "self_attn.v_proj",
    "out": "self_attn.out_proj",
    "norm2": "final_layer_norm",
    "up": "fc1",
    "down": "fc2",
}
"""`WhisperLayers`' names of a layer's parts -> transformers' names."""


def digest(state: dict[str, Tensor]) -> str:
    """Return the digest of what `read_weights` gives, the same however the files hold it, 40 hexadecimal digits."""
    whole = hashlib.blake2b(digest_size=20)
    for name in sorted(state):
        whole.update(name.encode() + b"\0" + state[name].contiguous().numpy().tobytes())
    return whole.hexdigest()


class Sizes(NamedTuple):
    """Of a Whisper's encoder: values of a frame, mel bands that it reads, layers."""

    width: int
    bands: int
    layers: int


def read_sizes(folder: Path) -> Sizes:
    """Return the sizes of the encoder in a folder.

    Raises:
        UsageError: another kind of encoder.
        EmotoneError: settings that cannot be read.
    """
    settings = settings_of(folder)
    if (kind := settings.get("model_type")) != "whisper":
        raise UsageError(
            f"{folder}: an encoder of kind {kind!r}; the recipe needs a Whisper, or one of kind "
            f"{', '.join(WAVEFORM_FAMILIES)} named by --encoder."
        )
    try:
        return Sizes(*(int(settings[key]) for key in ("d_model", "num_mel_bins", "encoder_layers")))
    except (ValueError, TypeError) as error:
        raise EmotoneError(f"{folder}: its config.json cannot be read: {error}") from None
    except KeyError as error:
        raise EmotoneError(f"{folder}: its config.json does not say {error}.") from None


def read_weights(folder: Path, config: WhisperConfig, *, bands: int) -> dict[str, Tensor]:
    """Return the weights of an encoder's convolutions and first layers, float32, by their names in `WhisperLayers`.

    Args:
        folder: as `save_pretrained` of transformers writes it, of a whole Whisper or of its encoder alone.
        config: how many of its layers, and how wide they are.
        bands: mel bands that it reads.

    Raises:
        UsageError: another kind of encoder, another size, fewer layers.
        EmotoneError: files that are missing or broken.
    """
    files, layers, found = weight_files(folder), config.layers, read_sizes(folder)
    if found.layers < layers:
        raise UsageError(
            f"{folder}: the encoder has {found.layers} layers; the recipe reads {layers}. model.layers may be 1 to "
            f"{found.layers}."
        )
    for key, has, wanted, what in (
        ("d_model", found.width, config.width, "model.width"),
        ("num_mel_bins", found.bands, bands, "features.mels"),
    ):
        if has != wanted:
            raise UsageError(f"{folder}: the encoder's {key} is {has}, but the recipe's {what} is {wanted}.")
    names = {f"{name}.{part}": f"{name}.{part}" for name in ("conv1", "conv2") for part in ("weight", "bias")}
    for layer in range(layers):
        for own, theirs in _NAMES.items():
            for part in ("weight", "bias") if own != "key" else ("weight",):
                names[f"layers.{layer}.{theirs}.{part}"] = f"layers.{layer}.{own}.{part}"
    return _tensors(folder, files, names)


def _tensors(folder: Path, files: list[Path], wanted: dict[str, str]) -> dict[str, Tensor]:
    from safetensors import SafetensorError, safe_open

    state = {}
    try:
        for path in files:
            with safe_open(path, framework="pt") as file:
                for name in file.keys():  # noqa: SIM118, it is no dictionary
                    short = name.removeprefix("model.").removeprefix("encoder.")
                    if short in wanted and "decoder." not in name:
                        state[wanted[short]] = file.get_tensor(name).float()
    except (OSError, SafetensorError) as error:
        raise EmotoneError(f"{folder}: broken weights: {' '.join(str(error).split())}") from None
    if missing := sorted(set(wanted.values()) - set(state)):
        raise EmotoneError(f"{folder}: {len(missing)} weights of the encoder are missing: {missing[0]}, ...")
    return state
