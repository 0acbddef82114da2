"""A bundle reads what it says it reads, and says plainly why a file is none."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx.external_data_helper import set_external_data

from emotone.bundle import Bundle, BundleInfo, Metric
from emotone.errors import BundleError, UsageError

LABELS = ("calm", "happy", "sad")
CARD = BundleInfo(
    name="made/by-hand",
    version="0.1.0",
    labels=LABELS,
    rate=16_000,
    window=3.0,
    hop=0.5,
    temperature=1.0,
    licence="CC0",
    trained_on={"corpus": "none"},
    metrics={"uar": Metric(value=0.5, low=0.4, high=0.6, protocol="clean")},
    intended_use="tests",
    limits="says nothing",
    recipe={},
)


def model(card: object = CARD, *, names: dict[str, str] | None = None, **shapes: list[Any]) -> bytes:
    """A graph of the format: the embedding is a clip's length, the probabilities are softmax of length x (0, 1, 2)."""
    names = names or {}

    def own(name: str) -> str:
        return names.get(name, name)

    def info(name: str, kind: int, shape: list[Any]) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(own(name), kind, shapes.get(name, shape))

    nodes = [
        helper.make_node("Cast", [own("lengths")], ["cast"], to=TensorProto.FLOAT),
        helper.make_node("ReduceSum", [own("waveform"), "one"], ["sums"], keepdims=1),
        helper.make_node("Mul", ["sums", "zero"], ["nothing"]),
        helper.make_node("Unsqueeze", ["cast", "one"], ["column"]),
        helper.make_node("Add", ["column", "nothing"], [own("embedding")]),
        helper.make_node("MatMul", [own("embedding"), "row"], ["logits"]),
        helper.make_node("Softmax", ["logits"], [own("probabilities")], axis=1),
    ]
    constants = [
        numpy_helper.from_array(np.array([1]), "one"),
        numpy_helper.from_array(np.zeros(1, np.float32), "zero"),
        numpy_helper.from_array(np.array([[0, 1, 2]], np.float32), "row"),
    ]
    graph = helper.make_graph(
        nodes,
        "by hand",
        [info("waveform", TensorProto.FLOAT, ["batch", "samples"]), info("lengths", TensorProto.INT64, ["batch"])],
        [info("probabilities", TensorProto.FLOAT, ["batch", 3]), info("embedding", TensorProto.FLOAT, ["batch", 1])],
        constants,
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    if card is not None:
        text = card.model_dump_json() if isinstance(card, BundleInfo) else card
        helper.set_model_props(made, {"emotone": str(text)})
    return bytes(made.SerializeToString())


HEAD = {"weight": [[1.0]] * 3, "bias": [0.0] * 3, "mean": [0.0], "deviation": [1.0]}


def card(**changes: Any) -> str:
    data = {key: value for key, value in (json.loads(CARD.model_dump_json()) | changes).items() if value is not ...}
    return json.dumps(data)


def test_a_bundle_answers_for_clips_and_has_its_card(tmp_path: Path) -> None:
    path = tmp_path / "a.onnx"
    path.write_bytes(model())
    for source in (path, str(path), path.read_bytes()):
        bundle = Bundle.load(source)
        assert bundle.info == CARD
        answer = bundle.run(np.zeros((2, 5), np.float32), np.array([1, 2]))
        assert answer.embedding.tolist() == [[1.0], [2.0]]
        powers = np.exp(np.outer([1, 2], [0, 1, 2]))
        np.testing.assert_allclose(answer.probabilities, powers / powers.sum(1, keepdims=True), rtol=1e-6)
        assert answer.attention is None
    assert bundle.run(np.zeros((1, 5), np.float32)).embedding.tolist() == [[5.0]], "whole without lengths"


def test_threads_may_share_a_bundle() -> None:
    bundle = Bundle.load(model(), threads=2)

    def ask(length: int) -> float:
        return float(bundle.run(np.zeros((1, 100), np.float32), np.array([length])).embedding[0, 0])

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(ask, range(1, 101))) == list(range(1, 101))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "the file is empty"),
        (b"no model at all", "not an ONNX file"),
        (b"RIFF" + bytes(100), "not an ONNX file"),
        (model()[:-400], "not an ONNX file"),
        (model()[:100], "not an ONNX file"),
        (model(None), "'emotone', which"),
        (model("{"), "not JSON"),
        (model("[]"), "format None"),
        (model(card(format=2)), "format 2; this version reads format 1"),
        (model(card(labels=["a", "b"])), "2 labels for 3 probabilities"),
        (model(card(labels=["a", "a", "b"])), "labels occur twice"),
        (model(card(rate=-1)), "'rate' is -1"),
        (model(card(rate=...)), "'rate' is missing"),
        (model(card(colour="red")), "unknown key 'colour'"),
        (model(names={"waveform": "audio"}), "reads audio, lengths"),
        (model(names={"embedding": "hidden"}), "gives probabilities, hidden"),
        (model(waveform=[1, 16_000]), "fixed shape"),
        (model().replace(b'"none"', b'"n\xff\xffe"'), "not UTF-8 text"),
        (model(card(rate=5)), "'rate' is 5"),
        (model("[" * 100_000), "its card is not JSON: brackets"),
        (model(card(window=float("inf"))), "'window' is inf"),
        (model(card(temperature=float("nan"))), "'temperature' is nan"),
        (model(card(head=HEAD | {"mean": [0, 0], "deviation": [1, 1], "weight": [[1, 1]] * 3})), "its head is for 3"),
    ],
)
def test_what_is_no_bundle_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "b.onnx"
    path.write_bytes(content)
    with pytest.raises(BundleError) as caught:
        Bundle.load(path)
    message = str(caught.value)
    assert message.startswith(str(path)) and words in message and "\n" not in message


def test_a_place_without_a_file(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="no such file"):
        Bundle.load(tmp_path / "absent.onnx")
    with pytest.raises(BundleError, match="is a folder"):
        Bundle.load(tmp_path)


def test_weights_outside_of_the_file_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bundle is one file: none may make the reader open others."""
    made = onnx.load_model_from_string(model())
    row = next(tensor for tensor in made.graph.initializer if tensor.name == "row")
    (tmp_path / "other.bin").write_bytes(row.raw_data)
    set_external_data(row, "other.bin")
    row.ClearField("raw_data")
    (tmp_path / "c.onnx").write_bytes(made.SerializeToString())
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BundleError, match="External data path does not exist"):
        Bundle.load(tmp_path / "c.onnx")


@pytest.mark.parametrize(
    ("waveforms", "lengths", "words"),
    [
        (np.zeros(5, np.float32), [5], r"shape \(5,\)"),
        (np.zeros((1, 5)), [5], "float64"),
        (np.zeros((1, 0), np.float32), [0], r"shape \(1, 0\)"),
        (np.zeros((2, 5), np.float32), [5], r"shape \(1,\)"),
        (np.zeros((1, 5), np.float32), [5.0], "float64"),
        (np.zeros((2, 5), np.float32), [5, 6], "5 to 6"),
        (np.zeros((2, 5), np.float32), [0, 5], "0 to 5"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(waveforms: Any, lengths: list[Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        Bundle.load(model()).run(waveforms, np.array(lengths))


def test_threads_are_at_least_one() -> None:
    with pytest.raises(UsageError, match="threads is 0"):
        Bundle.load(model(), threads=0)


def test_a_bundle_is_used_without_torch(tmp_path: Path) -> None:
    (tmp_path / "d.onnx").write_bytes(model())
    script = f"""
import sys, numpy
from emotone.bundle import Bundle
Bundle.load({str(tmp_path / "d.onnx")!r}).run(numpy.zeros((1, 9), numpy.float32))
print(*{{name.split(".")[0] for name in sys.modules}} & {{"torch", "onnx", "pandas", "librosa", "scipy", "sklearn"}})
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


@pytest.mark.parametrize(
    ("row", "words"),
    [([[0, np.nan, 0]], "probabilities are not all numbers"), ([[0, 1, 2, 3]], "shape|graph fails|labels for")],
)
def test_a_graph_that_gives_other_than_it_says_is_refused(row: list[list[float]], words: str) -> None:
    made = onnx.load_model_from_string(model())
    weights = next(tensor for tensor in made.graph.initializer if tensor.name == "row")
    weights.CopyFrom(numpy_helper.from_array(np.array(row, np.float32), "row"))
    with pytest.raises(BundleError, match=words):
        Bundle.load(made.SerializeToString()).run(np.zeros((1, 5), np.float32))
