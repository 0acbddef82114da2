"""Where the weights of a pretrained encoder lie: a local folder, the Hugging Face hub's cache, or the hub itself."""

import hashlib
import os
from pathlib import Path
from textwrap import shorten
from typing import Any

from emotone.errors import DownloadError, EmotoneError, UsageError
from emotone.files import parse_json

__all__ = ["EXTRACTORS", "WHOLE", "digest", "is_here", "locate", "settings_of", "weight_files"]

WHOLE = "An encoder's folder is what `hf download NAME` or save_pretrained writes."

EXTRACTORS = ("preprocessor_config.json", "processor_config.json")
"""Where a feature extractor's settings may stand."""

_SETTINGS = ("config.json", *EXTRACTORS)
_WANTED = ["*.json", "model.safetensors", "model-*.safetensors"]
_PICKLED = ["pytorch_model*.bin"]
"""What older encoders have instead of safetensors; transformers reads no more than tensors from it."""
_SECONDS = 5  # to wait for the hub's answer


def locate(encoder: str) -> Path:
    """Return the folder of an encoder: `encoder` if it is one, else that of the hub's model of this name.

    That is looked for as `encoders/<name without its owner>` in `$EMOTONE_DATA`, then in the cache of the hub's client,
    and then downloaded.

    Raises:
        DownloadError: the hub cannot be reached or has it not; it says what to do.
        UsageError: neither a folder nor a possible name.
        EmotoneError: transformers is not installed; a folder without an encoder.
    """
    if (folder := _local(encoder)) is not None:
        weight_files(folder)
        return folder
    try:
        from huggingface_hub import snapshot_download
    except ImportError:
        raise EmotoneError(
            f"{encoder}: pretrained encoders need transformers: pip install 'emotone[wav2vec2]'"
        ) from None
    if is_here(encoder):
        return Path(snapshot_download(encoder, local_files_only=True))
    try:
        folder = Path(snapshot_download(encoder, allow_patterns=_WANTED, etag_timeout=_SECONDS))
        if not list(folder.glob("*.safetensors")):
            snapshot_download(encoder, allow_patterns=_PICKLED, etag_timeout=_SECONDS)
    except ValueError:
        raise UsageError(f"{encoder}: neither a folder here nor a name on the Hugging Face hub.") from None
    except OSError as error:  # whatever else the hub's client raises
        reason = shorten(next(iter(str(error).splitlines()), type(error).__name__), 120, placeholder=" ...")
        raise DownloadError(
            f"{encoder}: no folder here, and not to be had from the Hugging Face hub ({reason}).\n"
            f"Name a folder with --encoder FOLDER, or run `hf download {encoder}` where there is a network and copy "
            f"the folder it names here, to encoders/{encoder.split('/')[-1]} in $EMOTONE_DATA, or all of HF_HOME."
        ) from None
    weight_files(folder)
    return folder


def is_here(encoder: str) -> bool:
    """Tell whether an encoder can be had without a network: a folder, or in the cache of the hub's client."""
    folder = _local(encoder)
    if folder is None:
        try:
            from huggingface_hub import snapshot_download

            folder = Path(snapshot_download(encoder, local_files_only=True))
        except (ImportError, OSError, ValueError):
            return False
    try:
        return bool(weight_files(folder))
    except EmotoneError:
        return False


def _local(encoder: str) -> Path | None:
    kept = Path(os.environ.get("EMOTONE_DATA") or ".") / "encoders" / Path(encoder).name
    return next((folder for folder in (Path(encoder), kept) if folder.is_dir()), None)


def digest(folder: Path) -> str:
    """Return the digest of an encoder, 40 hexadecimal digits, from all that its output depends on."""
    whole = hashlib.blake2b(digest_size=20)
    settings = [folder / name for name in _SETTINGS if (folder / name).is_file()]
    for path in settings + weight_files(folder):
        with path.open("rb") as file:
            content = hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=20)).digest()
        whole.update(path.name.encode() + b"\0" + content)
    return whole.hexdigest()


def weight_files(folder: Path) -> list[Path]:
    """Return the files with the weights, those that transformers would read.

    Raises:
        EmotoneError: a folder without an encoder.
    """
    files = next((found for pattern in (*_WANTED[1:], *_PICKLED) if (found := sorted(folder.glob(pattern)))), [])
    missing = None if (folder / "config.json").is_file() else "config.json"
    missing = missing or (None if files else "model.safetensors")
    if missing:
        raise EmotoneError(f"{folder}: no encoder in it, {missing} is missing. {WHOLE}")
    return files


def settings_of(folder: Path) -> dict[str, Any]:
    """Return what the `config.json` of an encoder says.

    Raises:
        EmotoneError: a folder without an encoder, or settings that cannot be read.
    """
    weight_files(folder)
    try:
        settings = parse_json((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise EmotoneError(f"{folder}: its config.json cannot be read: {error}. {WHOLE}") from None
    if not isinstance(settings, dict):
        raise EmotoneError(f"{folder}: its config.json cannot be read: it is no object. {WHOLE}")
    return settings
