"""A small bundle, made by hand, that answers by what it hears, loudness, dullness and peaks of a clip; recordings."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from emotone.bundle import BundleInfo
from emotone.bundle.adaptation import Head
from emotone.corpora import synthetic
from emotone.recognition import Recognizer

LABELS = ("neutral", "happy", "sad", "angry")


def make_bundle(
    path: Path, *, rate: int = 16_000, window: float = 3.0, hop: float = 0.5, head: Head | None = None
) -> Path:
    """Write a bundle whose every output is a sum over the clip, so that padding makes no difference."""
    from onnx import TensorProto, checker, helper, numpy_helper

    card = BundleInfo(
        name="made/by-hand", version="0", labels=LABELS, rate=rate, window=window, hop=hop, temperature=1.0,
        licence="CC0", trained_on={}, intended_use="tests", limits="says nothing", recipe={}, head=head,
    )  # fmt: skip
    node = helper.make_node
    nodes = [
        node("Cast", ["lengths"], ["counts"], to=TensorProto.FLOAT),
        node("Unsqueeze", ["counts", "one"], ["count"]),
        node("Mul", ["waveform", "waveform"], ["squares"]),
        node("ReduceSum", ["squares", "one"], ["energy"]),
        node("Add", ["energy", "little"], ["safe"]),
        node("Div", ["safe", "count"], ["power"]),
        node("Log", ["power"], ["loudness"]),
        node("Slice", ["waveform", "one", "end", "one"], ["later"]),
        node("Slice", ["waveform", "nought", "last", "one"], ["earlier"]),
        node("Mul", ["earlier", "later"], ["products"]),
        node("ReduceSum", ["products", "one"], ["likeness"]),
        node("Div", ["likeness", "safe"], ["dullness"]),
        node("Concat", ["loudness", "dullness"], ["embedding"], axis=1),
        node("Gemm", ["embedding", "weights", "bias"], ["logits"]),
        node("Softmax", ["logits"], ["probabilities"], axis=1),
    ]
    constants = {
        "one": np.array([1]),
        "nought": np.array([0]),
        "last": np.array([-1]),
        "end": np.array([1 << 40]),
        "little": np.array([1e-8], np.float32),
        "weights": np.array([[0.0, 0.55, -0.55, 0.55], [0.0, -12.5, 4.0, 6.0]], np.float32),
        "bias": np.array([0.5, 16.1, -8.6, -0.3], np.float32),
    }
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        "by hand",
        [
            value("waveform", TensorProto.FLOAT, ["batch", "samples"]),
            value("lengths", TensorProto.INT64, ["batch"]),
        ],
        [
            value("probabilities", TensorProto.FLOAT, ["batch", len(LABELS)]),
            value("embedding", TensorProto.FLOAT, ["batch", 2]),
        ],
        # Slice and the others take axes as inputs, 1 for the second: that of the samples.
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    helper.set_model_props(model, {"emotone": card.model_dump_json()})
    checker.check_model(model)
    path.write_bytes(model.SerializeToString())
    return path


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of 16 kHz, windows of 3 s, hops of 0.5 s."""
    return make_bundle(tmp_path_factory.mktemp("bundle") / "small.onnx")


@pytest.fixture(scope="session")
def recognizer(bundle: Path) -> Recognizer:
    return Recognizer.load(bundle)


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Twenty-four clips of all emotions: of RAVDESS's actors where it is found, else of synthetic voices."""
    real = Path(os.environ.get("EMOTONE_DATA", "")) / "ravdess"
    if os.environ.get("EMOTONE_DATA") and real.is_dir():
        actors = sorted(real.glob("Actor_*"))
        return [sorted(actor.glob("03-01-*"))[(7 * at) % 60] for at, actor in enumerate(actors)]
    folder = synthetic.write(tmp_path_factory.mktemp("voices") / "synthetic", actors=(1, 2))
    made = sorted(folder.rglob("*.wav"))
    return [made[(7 * at) % len(made)] for at in range(24)]


@pytest.fixture(scope="session")
def conversation(clips: list[Path], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, np.ndarray, int]:
    """About 25 s: clips with pauses and one long stretch without; its path, its samples at 16 kHz, and that rate."""
    from emotone.audio import load

    parts = [load(path, rate=16_000)[0] for path in clips[:6]]
    closely = [part[8_000:-12_000] for part in parts[3:]]
    samples = np.concatenate([parts[0], np.zeros(16_000, "f4"), parts[1], parts[2], *closely, np.zeros(8_000, "f4")])
    samples = np.tile(samples, 1 + 22 * 16_000 // len(samples))  # synthetic clips are short
    path = tmp_path_factory.mktemp("conversation") / "conversation.wav"
    soundfile.write(path, samples, 16_000, subtype="FLOAT")
    return path, samples, 16_000


@pytest.fixture(scope="session")
def write() -> Callable[..., Path]:
    """Return the function that writes samples (samples,) or (channels, samples) and gives the path back."""

    def to(path: Path, samples: np.ndarray, rate: int, **options: str) -> Path:
        soundfile.write(path, np.asarray(samples).T, rate, **options)
        return path

    return to
