"""One ONNX file that is a whole recogniser: front end, network, labels, rate, calibration, model card."""

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from emotone.bundle.card import FORMAT, KEY, BundleInfo
from emotone.errors import BundleError, RecipeError, UsageError
from emotone.files import parse_json

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

__all__ = ["ATTENTION", "INPUTS", "OUTPUTS", "Bundle", "Outputs"]

INPUTS, OUTPUTS, ATTENTION = ("waveform", "lengths"), ("probabilities", "embedding"), "attention"

Array = npt.NDArray[np.float32]
_ROUNDING = 1e-3  # that probabilities may lie beyond 0 and 1
_TYPES = {"tensor(float)": "float32", "tensor(int64)": "int64"}


class Outputs(NamedTuple):
    """What a bundle says of a batch of clips.

    Attributes:
        probabilities: (batch, classes), calibrated; rows sum to 1.
        embedding: (batch, width), what the output layer reads.
        attention: (batch, steps), weights over time, zero beyond a clip's end; None without attention.
    """

    probabilities: Array
    embedding: Array
    attention: Array | None


class Bundle:
    """A loaded bundle. Made by `load`; may be shared by Python threads, and handed to other processes by pickle, which
    then read its file again.

    Attributes:
        info: the card.
    """

    def __init__(
        self, info: BundleInfo, session: "InferenceSession", source: Path | bytes, threads: int | None
    ) -> None:
        self.info = info
        self._session, self._source, self._threads = session, source, threads
        self._name = "bundle" if isinstance(source, bytes) else str(source)
        self._outputs = [output.name for output in session.get_outputs()]

    @classmethod
    def load(cls, source: str | Path | bytes, *, threads: int | None = 1) -> Self:
        """Read a bundle.

        Args:
            source: a path, or the file's bytes.
            threads: how many one call of `run` may use; None leaves it to onnxruntime, which takes every core. These
                networks are small: several calls at a time, of one thread each, are the better use of cores.

        Raises:
            BundleError: a file that is missing, broken, no ONNX, or no bundle of a known format.
            UsageError: fewer threads than one.
        """
        if threads is not None and threads < 1:
            raise UsageError(f"threads is {threads}; it must be at least 1.")
        name = "bundle" if isinstance(source, bytes) else str(source)
        place = source if isinstance(source, bytes) else Path(source).absolute()
        session = _open(place if isinstance(place, bytes) else _read(place, name), name, threads)
        try:
            info = _read_info(session.get_modelmeta().custom_metadata_map, name)
            _check_graph(session, info, name)
        except UnicodeDecodeError as error:
            raise BundleError(f"{name}: holds a name or a card that is not UTF-8 text ({error.reason}).") from None
        return cls(info, session, place, threads)

    @property
    def width(self) -> int:
        """How many values an embedding has."""
        return int(self._session.get_outputs()[1].shape[1])

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(type(self).load, threads=self._threads), (self._source,)

    def run(self, waveforms: Array, lengths: npt.NDArray[np.int64] | None = None) -> Outputs:
        """Return what the bundle says of a batch of clips. A clip's outputs do not depend on the others.

        Args:
            waveforms: float32 (batch, samples) in [-1, 1] at `info.rate`, each clip padded at its end.
            lengths: each clip's own samples, (batch,), 1 to samples; None where all are whole.

        Raises:
            UsageError: arrays of other shapes or types, lengths out of range.
            BundleError: a graph that fails, or gives other than it says.
        """
        waveforms = np.asarray(waveforms)
        if waveforms.ndim != 2 or waveforms.dtype != np.float32 or not waveforms.size:
            raise UsageError(
                f"waveforms have shape {waveforms.shape} and type {waveforms.dtype}; a bundle reads float32 of shape "
                "(batch, samples), neither of them 0."
            )
        clips, samples = waveforms.shape
        own = np.full(clips, samples, np.int64) if lengths is None else np.asarray(lengths)
        if own.shape != (clips,) or not np.issubdtype(own.dtype, np.integer):
            raise UsageError(
                f"lengths have shape {own.shape} and type {own.dtype}; they must be integers of shape ({clips},)."
            )
        if own.min() < 1 or own.max() > samples:
            raise UsageError(f"lengths run from {own.min()} to {own.max()}; they must lie in 1 to {samples}.")
        try:
            values = self._session.run(self._outputs, dict(zip(INPUTS, (waveforms, own.astype(np.int64)), strict=True)))
        except Exception as error:  # onnxruntime's errors have no base of their own
            raise BundleError(f"{self._name}: its graph fails: {' '.join(str(error).split())[:200]}") from None
        outputs = Outputs(values[0], values[1], values[2] if len(values) > 2 else None)
        self._check(outputs, clips)
        return outputs

    def _check(self, outputs: Outputs, clips: int) -> None:
        """Refuse what a graph gives against what it says of itself: an answer is never NaN."""
        shapes = {"probabilities": (clips, len(self.info.labels)), "embedding": (clips, self.width)}
        for name, shape in shapes.items():
            found = getattr(outputs, name)
            if found.shape != shape:
                raise BundleError(f"{self._name}: {name} have the shape {found.shape}, not {shape}.")
            if not np.isfinite(found).all():
                raise BundleError(f"{self._name}: {name} are not all numbers.")
        low, high = float(outputs.probabilities.min()), float(outputs.probabilities.max())
        if low < -_ROUNDING or high > 1 + _ROUNDING:
            raise BundleError(f"{self._name}: probabilities run from {low:g} to {high:g}, not from 0 to 1.")

    def are_far(self, embeddings: Array) -> npt.NDArray[np.bool_]:
        """Return which embeddings (clips, width) are unlike those of training, as far as the card tells."""
        return np.zeros(len(embeddings), bool) if self.info.head is None else self.info.head.are_far(embeddings)


def _read(path: Path, name: str) -> bytes:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise BundleError(f"{name}: no such file.") from None
    except IsADirectoryError:
        raise BundleError(f"{name}: is a folder; a bundle is one file that `emotone export` writes.") from None
    except OSError as error:
        raise BundleError(f"{name}: cannot be read: {error.strerror}.") from None
    if not content:
        raise BundleError(f"{name}: the file is empty (0 bytes).")
    return content


def _open(content: bytes, name: str, threads: int | None) -> "InferenceSession":
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # its warnings are about its own optimisations, its errors are raised
    options.inter_op_num_threads = 1
    options.intra_op_num_threads = threads or 0
    # One file is all there is to read: weights that it says lie in others are looked for where no file can be.
    options.add_session_config_entry("session.model_external_initializers_file_folder_path", os.devnull)
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's errors have no base of their own
        reason = " ".join(str(error).split())
        raise BundleError(f"{name}: not an ONNX file, or a broken one ({reason[:200]}).") from None


def _read_info(metadata: dict[str, str], name: str) -> BundleInfo:
    if KEY not in metadata:
        raise BundleError(f"{name}: ONNX, but no bundle: metadata {KEY!r}, which `emotone export` writes, is missing.")
    try:
        data = parse_json(metadata[KEY])
    except ValueError as error:
        raise BundleError(f"{name}: its card is not JSON: {error}.") from None
    found = data.get("format") if isinstance(data, dict) else None
    if found != FORMAT:
        raise BundleError(f"{name}: a bundle of format {found!r}; this version reads format {FORMAT}.")
    try:
        return BundleInfo.parse(data, where=f"{name}: its card")
    except RecipeError as error:
        raise BundleError(str(error)) from None


def _check_graph(session: "InferenceSession", info: BundleInfo, name: str) -> None:
    """Refuse a graph whose inputs and outputs are not those of the format."""
    inputs, outputs = session.get_inputs(), session.get_outputs()
    names = tuple(output.name for output in outputs)
    if tuple(value.name for value in inputs) != INPUTS or names not in (OUTPUTS, (*OUTPUTS, ATTENTION)):
        raise BundleError(
            f"{name}: reads {', '.join(value.name for value in inputs)} and gives {', '.join(names)}; a bundle reads "
            f"{', '.join(INPUTS)} and gives {', '.join(OUTPUTS)} and perhaps {ATTENTION}."
        )
    wanted = [("float32", 2), ("int64", 1)] + [("float32", 2)] * len(outputs)
    for value, (kind, axes) in zip([*inputs, *outputs], wanted, strict=True):
        found = _TYPES.get(value.type, value.type)
        if (found, len(value.shape)) != (kind, axes):
            raise BundleError(f"{name}: {value.name} is {found} of {len(value.shape)} axes, not {kind} of {axes}.")
    for value in inputs:
        if any(isinstance(size, int) for size in value.shape):
            raise BundleError(f"{name}: {value.name} has the fixed shape {tuple(value.shape)}; a bundle takes any.")
    if not isinstance(width := outputs[1].shape[1], int):
        raise BundleError(f"{name}: embedding has the width {width!r}; a bundle's is one number.")
    if info.head is not None and (len(info.head.mean), len(info.head.weight)) != (width, len(info.labels)):
        raise BundleError(
            f"{name}: its head is for {len(info.head.weight)} labels and embeddings of {len(info.head.mean)}, not for "
            f"{len(info.labels)} and {width}."
        )
    classes = outputs[0].shape[1]
    if classes != len(info.labels):
        raise BundleError(f"{name}: {len(info.labels)} labels for {classes} probabilities.")
