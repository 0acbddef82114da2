"""An exported network's large weights as int8: a quarter of the size, and products of matrices in half the time."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto

__all__ = ["INT8", "SCALE", "shrink"]

INT8, SCALE = ".int8", ".scale"
"""What the name of an array of int8, and of its scales, ends with."""
_LEAST = 1024  # weights; smaller arrays are not worth their scales
_MOST, _MOST_MULTIPLIED = 127, 63  # of a whole number
_OWN = "int8."
"""What the names of constants begin with."""


def shrink(model: "ModelProto", *, weights: str) -> None:
    """Turn the large weights whose names begin with `weights` into int8, with a scale for every first index.

    The weights of a matrix product over frames, a `MatMul`, are multiplied as they are with frames of 8 bits, each
    with a scale of its own: so no clip's answer depends on the others of its batch, as it would with onnxruntime's
    dynamic quantisation, and a large value costs no frame's precision but its own (vector by vector, as in LLM.int8();
    Dettmers et al., 2022). There weights have 7 bits: processors without VNNI add two products in 16 bits, and beyond
    these would answer something else than others do. All other weights are multiplied out by DequantizeLinear, the
    arithmetic unchanged.
    """
    from onnx import helper, numpy_helper

    graph = model.graph
    products = _products(model)
    shapes: dict[str, tuple[int, ...]] = {}
    for tensor in list(graph.initializer):
        array = numpy_helper.to_array(tensor)
        if not tensor.name.startswith(weights) or array.ndim < 2 or array.size < _LEAST:
            continue
        values, scale = _whole(array, _MOST_MULTIPLIED if tensor.name in products.values() else _MOST)
        graph.initializer.remove(tensor)
        graph.initializer.append(numpy_helper.from_array(values, tensor.name + INT8))
        graph.initializer.append(numpy_helper.from_array(scale, tensor.name + SCALE))
        shapes[tensor.name] = array.shape
    products = {output: name for output, name in products.items() if name in shapes}
    multiplied = set(products.values())
    nodes = [
        helper.make_node("DequantizeLinear", [name + INT8, name + SCALE], [name], axis=0)
        for name in shapes
        if name not in multiplied
    ]
    constants: dict[str, NDArray[Any]] = {}
    whole: set[str] = set()
    for node in graph.node:
        name = products.get(node.output[0], "")
        if not name:
            nodes += [] if multiplied & set(node.input) else [node]  # what turned a weight that is now turned as int8
            continue
        frames, (outputs, inputs) = node.input[0], shapes[name]
        if frames not in whole:  # the query's, the key's and the value's are the same
            nodes += _whole_frames(frames, inputs)
            whole.add(frames)
        nodes += _product(frames, name, outputs, node.output[0])
        constants |= {f"rows{inputs}": np.array([-1, inputs]), f"width{outputs}": np.array([outputs])} | _CONSTANTS
    graph.ClearField("node")
    graph.node.extend(nodes)
    graph.initializer.extend(numpy_helper.from_array(value, _OWN + name) for name, value in constants.items())


def _products(model: "ModelProto") -> dict[str, str]:
    """Return the outputs of products with a transposed initializer that nothing else reads -> its name."""
    stored = {tensor.name for tensor in model.graph.initializer}
    readers = [name for node in model.graph.node for name in node.input]
    turned = {
        node.output[0]: node.input[0]
        for node in model.graph.node
        if node.op_type == "Transpose" and node.input[0] in stored and readers.count(node.input[0]) == 1
    }
    return {
        node.output[0]: turned[node.input[1]]
        for node in model.graph.node
        if node.op_type == "MatMul" and node.input[1] in turned and readers.count(node.input[1]) == 1
    }


def _whole(array: NDArray[Any], most: int) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Return whole numbers up to `most` and, for every first index, what they are multiplied by."""
    largest = np.abs(array).reshape(len(array), -1).max(1)
    scale = np.where(largest > 0, largest / most, 1).astype(np.float32)
    return np.rint(array / scale.reshape(-1, *[1] * (array.ndim - 1))).astype(np.int8), scale


_CONSTANTS = {
    "axis": np.array([1]),
    "least": np.array(1e-12, np.float32),
    "largest": np.array(127, np.float32),
    "zero": np.array(128, np.uint8),
}


def _whole_frames(frames: str, width: int) -> list["NodeProto"]:
    """Return what makes frames (..., width) whole numbers about 128, which the fast kernels read, and their steps."""
    from onnx import helper

    make = helper.make_node
    return [
        make("Reshape", [frames, f"{_OWN}rows{width}"], [f"{frames}.rows"]),
        make("Abs", [f"{frames}.rows"], [f"{frames}.absolute"]),
        make("ReduceMax", [f"{frames}.absolute", f"{_OWN}axis"], [f"{frames}.most"], keepdims=0),
        make("Max", [f"{frames}.most", f"{_OWN}least"], [f"{frames}.peak"]),
        make("Div", [f"{frames}.peak", f"{_OWN}largest"], [f"{frames}.step"]),
        make("Shape", [f"{frames}.step"], [f"{frames}.count"]),
        make("Expand", [f"{_OWN}zero", f"{frames}.count"], [f"{frames}.zeros"]),
        make("QuantizeLinear", [f"{frames}.rows", f"{frames}.step", f"{frames}.zeros"], [f"{frames}.whole"], axis=0),
        make("Shape", [frames], [f"{frames}.shape"], end=-1),
    ]


def _product(frames: str, weight: str, width: int, output: str) -> list["NodeProto"]:
    """Return the product (..., width) of what `_whole_frames` has made and a weight.

    The steps of the frames are multiplied out before those of the weight: onnxruntime fuses a product by both, and
    takes the first frame's step for all of them.
    """
    from onnx import helper

    make = helper.make_node
    return [
        make("Transpose", [weight + INT8], [f"{weight}.turned"], perm=[1, 0]),
        make("MatMulInteger", [f"{frames}.whole", f"{weight}.turned", f"{_OWN}zero"], [f"{output}.sums"]),
        make("DequantizeLinear", [f"{output}.sums", f"{frames}.step"], [f"{output}.rows"], axis=0),
        make("Mul", [f"{output}.rows", weight + SCALE], [f"{output}.product"]),
        make("Concat", [f"{frames}.shape", f"{_OWN}width{width}"], [f"{output}.shape"], axis=0),
        make("Reshape", [f"{output}.product", f"{output}.shape"], [output]),
    ]
