"""How transformers reads an encoder's folder: quietly, and what it cannot read is an error of one line."""

import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from emotone.errors import EmotoneError, UsageError
from emotone.models.weights import WHOLE

__all__ = ["check_rate", "check_whole", "quiet", "reading"]

_NOT_IN_ALL = ("masked_spec_embed",)  # only ever used in training, and fresh where pretraining left it out

warnings.filterwarnings("ignore", "Support for mismatched key_padding_mask", UserWarning)  # WavLM's, on every call


@contextmanager
def reading(what: object) -> Iterator[None]:
    """Within, what transformers cannot read or make of a folder's files is an error.

    Args:
        what: the folder, as an error names it.

    Raises:
        EmotoneError: see above; or transformers is not installed.
    """
    try:
        from huggingface_hub.errors import StrictDataclassError
        from safetensors import SafetensorError
        from transformers import AutoConfig  # noqa: F401
    except ImportError:
        raise EmotoneError(f"{what}: to read encoders, pip install 'emotone[wav2vec2]'.") from None
    broken = (OSError, ValueError, TypeError, RuntimeError, KeyError, SafetensorError, StrictDataclassError)
    try:
        with quiet():
            yield
    except broken as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise EmotoneError(f"{what}: cannot be read as an encoder: {reason.rstrip('.')}. {WHOLE}") from None


def check_whole(folder: Path, report: Mapping[str, Any], *, needed: Callable[[str], bool]) -> None:
    """Refuse a folder without all weights: transformers would draw them at random, with a warning that nobody reads.

    Args:
        folder: of the encoder.
        report: `output_loading_info` of `from_pretrained`.
        needed: which weights, by name, have to be there.

    Raises:
        EmotoneError: some are missing or of another shape.
    """
    absent = {*report["missing_keys"], *(key for key, *_ in report["mismatched_keys"])}
    if missing := [name for name in absent if needed(name) and name.rsplit(".", 1)[-1] not in _NOT_IN_ALL]:
        raise EmotoneError(
            f"{folder}: {len(missing)} weights are missing or of another shape: {min(missing)}, ... {WHOLE}"
        )


def check_rate(folder: Path, *, read: int, given: int) -> None:
    """Refuse clips of another sampling rate than an encoder reads, both in Hz."""
    if given != read:
        raise UsageError(f"{folder}: the encoder reads {read} Hz, but the recipe's audio.rate is {given}.")


@contextmanager
def quiet() -> Iterator[None]:
    """Keep transformers' report on fresh weights and its progress bars from the screen."""
    from transformers.utils import logging

    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()
