"""A trained network as an ONNX graph with its card, checked to answer as the network does."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from emotone.bundle import ATTENTION, INPUTS, KEY, OUTPUTS, Bundle, BundleInfo
from emotone.errors import EmotoneError
from emotone.export.int8 import shrink
from emotone.training.system import FittedSystem

if TYPE_CHECKING:
    from onnx import ModelProto

__all__ = ["WEIGHTS", "make_bundle"]

_OPSET = 20  # the first that has Gelu
WEIGHTS = "network."
"""What the names of the network's weights in the file begin with; the rest is their name in its state dict."""
_GIVEN = "given."
"""What the names of outputs begin with until the exporter is done."""
_TOLERANCE = 1e-3  # of a probability, on noise; an export that fails is far beyond, one that does not far below


def make_bundle(system: FittedSystem, info: BundleInfo, *, int8: bool = False) -> bytes:
    """Return the ONNX file of a system under a card, checked to load and to answer as the system does.

    With `int8` the large weights are kept as `int8.shrink` says, a quarter of the size.

    Raises:
        EmotoneError: a graph that torch cannot export, or that answers otherwise.
    """
    import torch
    from onnx import helper

    from emotone.export.serving import Serving

    serving = Serving(system)
    model = _graph(serving, info)
    if int8:
        shrink(model, weights=WEIGHTS)
    helper.set_model_props(model, {KEY: info.model_dump_json()})
    content: bytes = model.SerializeToString()
    noise = np.random.default_rng(0).normal(size=(1, int(1.5 * info.rate))).astype(np.float32)
    answer = Bundle.load(content).run(0.1 * noise).probabilities
    with torch.inference_mode():
        expected = serving(torch.from_numpy(0.1 * noise), torch.tensor([noise.shape[1]]))[0].numpy()
    if not int8 and not np.abs(answer - expected).max() < _TOLERANCE:
        raise EmotoneError(f"{info.name}: exported, the network answers {answer}, not {expected}; nothing is written.")
    return content


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
                output_names=[_GIVEN + name for name in (*OUTPUTS, ATTENTION)[:outputs]],
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
    return _cleaned(_cast(_named(program.model_proto)))


def _named(model: "ModelProto") -> "ModelProto":
    """Give outputs their names, which may be those that the exporter gave to others within: `embedding`, to a table's
    rows.
    """

    def name(old: str) -> str:
        return f"{old}_within" if old in (*OUTPUTS, ATTENTION) else old.removeprefix(_GIVEN)

    for node in model.graph.node:
        node.input[:], node.output[:] = map(name, node.input), map(name, node.output)
    for value in model.graph.output:
        value.name = name(value.name)
    return model


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
