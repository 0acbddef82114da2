"""A trained network as one ONNX bundle, and back out of one."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from emotone import __version__
from emotone.bundle import ATTENTION, INPUTS, KEY, OUTPUTS, Bundle, BundleInfo, Metric
from emotone.errors import BundleError, EmotoneError, RecipeError, UsageError
from emotone.evaluation.record import RunRecord, read_record
from emotone.files import atomic_path
from emotone.models.config import NetworkConfig, OwnConfig
from emotone.recipes.schema import Recipe
from emotone.training.measured import measured
from emotone.training.preparation import Preparation
from emotone.training.store import load_system, read_origin, restore_network
from emotone.training.system import FittedSystem

if TYPE_CHECKING:
    from onnx import ModelProto

__all__ = ["export", "make_bundle", "system_of", "weights_of"]

_OPSET = 18  # what torch's exporter writes without converting
_WEIGHTS = "network."
"""What the names of the network's weights in the file begin with; the rest is their name in its state dict."""
_INT8, _SCALE = ".int8", ".scale"
_LEAST_INT8 = 1024  # weights; smaller arrays are not worth their scales
_TOLERANCE = 1e-3  # of a probability, on noise; an export that fails is far beyond, one that does not far below

_USE = "Research on speech emotion recognition: a probability for every label, for one speaker's speech at a time."


def export(run: Path, out: Path, *, int8: bool = False, measured_in: Path | None = None) -> BundleInfo:
    """Write a trained system, as `save_system` stores it, to one ONNX file; return its card.

    Args:
        run: the folder of the system; the metrics come from `run.json` in it, where that is of this system.
        out: the file.
        int8: store the network's weights as int8, see `make_bundle`.
        measured_in: a benchmark's folder, from which the metrics come instead: those of the same recipe.

    Raises:
        EmotoneError: a folder without a trained network.
        UsageError: a benchmark without that recipe.
    """
    if out.is_dir():
        raise UsageError(f"--out {out}: is a folder; name a file, as {out / 'model.onnx'}.")
    system = load_system(run)
    licence, trained_on = read_origin(run)
    _check_kind(system, run)
    record = _record_of(run, system, trained_on)
    if record is not None:
        trained_on |= {"clips": record.split.train}
    info = _card(system, licence=licence, trained_on=trained_on, record=record)
    if measured_in is not None:
        info = info.model_copy(update={"metrics": measured(measured_in, system.recipe)})
    with atomic_path(out) as temporary:
        temporary.write_bytes(make_bundle(system, info, int8=int8))
    return info


def make_bundle(system: FittedSystem, info: BundleInfo, *, int8: bool = False) -> bytes:
    """Return the ONNX file of a system under a card, checked to load and to answer as the system does.

    With `int8` every large array of the network's weights is kept as int8 with a scale for each output channel, and
    multiplied out where it is read: a quarter of the size, the arithmetic unchanged. The dynamic
    and the static quantisation of onnxruntime give files of the same size, but make activations int8 too, which changes
    many more answers.

    Raises:
        EmotoneError: a graph that torch cannot export, or that answers otherwise.
    """
    import torch
    from onnx import helper

    from emotone.training.serving import Serving

    serving = Serving(system)
    model = _graph(serving, info)
    if int8:
        _shrink(model)
    helper.set_model_props(model, {KEY: info.model_dump_json()})
    content: bytes = model.SerializeToString()
    noise = np.random.default_rng(0).normal(size=(1, int(1.5 * info.rate))).astype(np.float32)
    answer = Bundle.load(content).run(0.1 * noise).probabilities
    with torch.inference_mode():
        expected = serving(torch.from_numpy(0.1 * noise), torch.tensor([noise.shape[1]]))[0].numpy()
    if not int8 and not np.abs(answer - expected).max() < _TOLERANCE:
        raise EmotoneError(f"{info.name}: exported, the network answers {answer}, not {expected}; nothing is written.")
    return content


def system_of(source: Path | bytes) -> FittedSystem:
    """Return the system that a bundle was made of; of int8 weights, what is left of it.

    Args:
        source: the file, or its content.

    Raises:
        BundleError: no bundle; one whose card or weights are not those of a network of emotone.
    """
    info, name = Bundle.load(source).info, _name(source)
    try:
        recipe = Recipe.parse(info.recipe, where=f"{name}: its recipe")
    except RecipeError as error:
        raise BundleError(str(error)) from None
    if info.frames is None and recipe.features.layout in ("frames", "flat"):
        raise BundleError(f"{name}: its card does not say how many frames the network reads; export the system again.")
    arrays = _arrays(source)
    scaler = [arrays.get(f"preparation.{name}") for name in ("mean", "scale")]
    mean, scale = (None if array is None else array.reshape(-1) for array in scaler)
    preparation = Preparation(recipe.features, info.frames or 1, mean, scale)
    try:
        classifier = restore_network(recipe, preparation, _weights(arrays, name), len(info.labels))
    except (RuntimeError, EmotoneError) as error:
        raise BundleError(f"{name}: its weights are not those of its recipe: {' '.join(str(error).split())}") from None
    return FittedSystem(recipe, info.labels, preparation, classifier, None, info.temperature, info.head)


def weights_of(source: Path | bytes) -> dict[str, npt.NDArray[np.float32]]:
    """Return a bundle's weights by their names in the network's state dict, those of int8 multiplied out.

    Batch normalisation's counters of batches, of which nothing depends, are not among them.

    Args:
        source: the file, or its content.

    Raises:
        BundleError: a file that is no bundle.
    """
    Bundle.load(source)
    return _weights(_arrays(source), _name(source))


def _weights(stored: dict[str, npt.NDArray[Any]], file: str) -> dict[str, npt.NDArray[np.float32]]:
    """Return what `weights_of` does, of all that is stored in a file."""
    arrays = {name.removeprefix(_WEIGHTS): array for name, array in stored.items() if name.startswith(_WEIGHTS)}
    if not arrays:
        raise BundleError(f"{file}: holds no weights under names that begin with {_WEIGHTS!r}.")
    weights = {name: array for name, array in arrays.items() if not name.endswith((_INT8, _SCALE))}
    for name in arrays:
        if name.endswith(_INT8):
            own = name.removesuffix(_INT8)
            whole, scale = arrays[name].astype(np.float32), arrays[own + _SCALE]
            weights[own] = whole * scale.reshape(-1, *[1] * (whole.ndim - 1))
    return weights


def _arrays(source: Path | bytes) -> dict[str, npt.NDArray[Any]]:
    """Return all that is stored in an ONNX file, by name."""
    import onnx
    from onnx import numpy_helper

    model = onnx.load_from_string(source if isinstance(source, bytes) else source.read_bytes())
    return {tensor.name: numpy_helper.to_array(tensor).copy() for tensor in model.graph.initializer}


def _name(source: Path | bytes) -> str:
    return "bundle" if isinstance(source, bytes) else str(source)


def _check_kind(system: FittedSystem, run: Path) -> None:
    model = system.recipe.model
    if isinstance(model, NetworkConfig | OwnConfig):
        return
    why = (
        "a pretrained encoder; `transformers.pipeline` reads this folder, where the encoder was trained"
        if model.kind == "pretrained"
        else f"a {model.kind}, no network"
    )
    raise EmotoneError(f"{run}: {system.recipe.id} cannot be exported to ONNX: it is {why}. See `emotone systems`.")


def _record_of(run: Path, system: FittedSystem, trained_on: dict[str, Any]) -> RunRecord | None:
    """Return the record of the run that made the system; None where there is none, or another's."""
    if not (run / "run.json").exists():
        return None
    record = read_record(run / "run.json")
    made = {"protocol": record.protocol, "fold": record.fold + 1, "seed": record.seed, "data_hash": record.data_hash}
    same = all(trained_on.get(key) == value for key, value in made.items())
    return record if same and record.system == system.recipe.id else None


def _card(system: FittedSystem, *, licence: str, trained_on: dict[str, Any], record: RunRecord | None) -> BundleInfo:
    recipe = system.recipe
    longest = recipe.audio.offset + system.preparation.n_frames * recipe.features.hop / recipe.audio.rate
    metrics = {}
    if record is not None:
        for name, value in record.metrics.items():
            low, high = record.intervals.get(name, (None, None))
            protocol = f"{record.protocol}, fold {record.fold + 1} of {record.folds}, {record.split.test} test samples"
            metrics[name] = Metric(value=value, low=low, high=high, protocol=protocol)
    leaks = (
        f" Its figures are too high, for its test leaks: {'; '.join(record.leaks)}." if record and record.leaks else ""
    )
    return BundleInfo(
        name=recipe.id,
        version=__version__,
        labels=system.classes,
        rate=recipe.audio.rate,
        window=round(longest, 2),
        hop=round(longest / 4, 2),
        temperature=system.temperature,
        head=system.head,
        parameters=sum(parameter.numel() for parameter in system.classifier.network_.parameters()),
        frames=system.preparation.n_frames if recipe.features.layout in ("frames", "flat") else None,
        licence=licence,
        trained_on=trained_on,
        metrics=metrics,
        intended_use=_USE,
        limits=f"Has heard {_heard(trained_on)}: other voices, languages, rooms and kinds of speech are recognised "
        f"worse. What a voice sounds like is not what its speaker feels; decide nothing about a person by it.{leaks}",
        recipe=recipe.model_dump(mode="json"),
    )


def _heard(trained_on: dict[str, Any]) -> str:
    """Say whom a system has heard, and before that the one that it was fine-tuned from."""
    speakers = f"{len(trained_on.get('speakers', ()))} speakers of {trained_on.get('corpus', 'one corpus')}"
    return speakers + (f", before that {_heard(trained_on['from']['trained_on'])}" if "from" in trained_on else "")


def _graph(serving: Any, info: BundleInfo) -> "ModelProto":
    """Return the graph of a `Serving` for batches of any size and clips of any length."""
    import torch
    from torch.export import Dim

    # Two clips unlike in length: what is equal or 1 in the example would be fixed in the graph.
    waveforms, lengths = torch.zeros(2, 2 * info.rate), torch.tensor([2 * info.rate, info.rate])
    with torch.inference_mode():
        outputs = len(serving(waveforms, lengths))
    try:
        with _quiet():
            program = torch.onnx.export(
                serving,
                (waveforms, lengths),
                input_names=list(INPUTS),
                output_names=[*OUTPUTS, ATTENTION][:outputs],
                dynamic_shapes=({0: Dim("batch"), 1: Dim("samples")}, {0: Dim("batch")}),
                opset_version=_OPSET,
                dynamo=True,
                optimize=False,  # it folds weights away and merges equal ones; onnxruntime does so when it loads
                verbose=False,
            )
    except torch.onnx.OnnxExporterError as error:
        reason = str(error).strip().splitlines()[0]
        raise EmotoneError(f"{info.name}: torch cannot export it to ONNX: {reason}") from None
    assert program is not None
    return _cleaned(_cast(program.model_proto))


def _cast(model: "ModelProto") -> "ModelProto":
    """Say what constants are cast to, not like whom: else onnxruntime folds neither them nor batch normalisation."""
    from onnx import helper, shape_inference

    known = shape_inference.infer_shapes(model).graph
    types = {value.name: value.type.tensor_type.elem_type for value in (*known.input, *known.value_info)}
    for node in model.graph.node:
        if node.op_type == "CastLike":
            like = node.input.pop()
            node.op_type = "Cast"
            node.attribute.append(helper.make_attribute("to", types[like]))
    return model


def _cleaned(model: "ModelProto") -> "ModelProto":
    """Drop what nothing reads, and the exporter's notes: source lines, paths, shapes. They are most of a small file."""
    read = {name for node in model.graph.node for name in node.input}
    for tensor in [tensor for tensor in model.graph.initializer if tensor.name not in read]:
        model.graph.initializer.remove(tensor)
    for node in model.graph.node:
        node.ClearField("metadata_props")
        node.ClearField("doc_string")
    for value in (*model.graph.input, *model.graph.output, *model.graph.initializer):
        value.ClearField("metadata_props")
        value.ClearField("doc_string")
    model.graph.ClearField("value_info")
    model.graph.ClearField("metadata_props")
    model.graph.name = KEY
    model.ClearField("metadata_props")
    return model


def _shrink(model: "ModelProto") -> None:
    """Turn the large weights into int8 with a scale for every first index, multiplied out by DequantizeLinear."""
    from onnx import helper, numpy_helper

    graph, nodes = model.graph, []
    for tensor in list(graph.initializer):
        array = numpy_helper.to_array(tensor)
        if not tensor.name.startswith(_WEIGHTS) or array.ndim < 2 or array.size < _LEAST_INT8:
            continue
        largest = np.abs(array).reshape(len(array), -1).max(1)
        scale = np.where(largest > 0, largest / 127, 1).astype(np.float32)
        whole = np.rint(array / scale.reshape(-1, *[1] * (array.ndim - 1))).astype(np.int8)
        graph.initializer.remove(tensor)
        graph.initializer.extend(
            [numpy_helper.from_array(whole, tensor.name + _INT8), numpy_helper.from_array(scale, tensor.name + _SCALE)]
        )
        names = [tensor.name + _INT8, tensor.name + _SCALE]
        nodes.append(helper.make_node("DequantizeLinear", names, [tensor.name], axis=0))
    rest = list(graph.node)
    graph.ClearField("node")
    graph.node.extend([*nodes, *rest])


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the exporter's advice to its own developers from the screen."""
    disabled = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(disabled)
