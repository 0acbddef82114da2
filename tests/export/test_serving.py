"""A network in an ONNX bundle answers as the trained system does, whatever the clip, its batch and its padding."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import soundfile
import torch
from numpy.typing import NDArray

from emotone import recipes
from emotone.audio import load
from emotone.augment import ORIGINAL
from emotone.bundle import Bundle, BundleInfo, Outputs
from emotone.export.graph import make_bundle
from emotone.export.serving import AudioPreparation
from emotone.export.unbundle import weights_of
from emotone.features.config import AudioConfig
from emotone.features.prepare import prepare
from emotone.models.network import Network
from emotone.recipes.schema import Recipe
from emotone.training.frames import frames_of
from emotone.training.preparation import Preparation
from emotone.training.system import FittedSystem, classifier_for

Samples = NDArray[np.float32]
LABELS = ("neutral", "calm", "happy", "sad", "angry", "fearful", "disgust", "surprised")


def served() -> dict[str, Recipe]:
    """Every network of the systems; of those that differ only in their training, one."""
    kinds: dict[str, Recipe] = {}
    for recipe in map(recipes.load, recipes.names()):
        if recipe.model.kind in ("network", "own"):
            kinds.setdefault(f"{recipe.audio}{recipe.features}{recipe.scaler}{recipe.model}", recipe)
    found = {recipe.id: recipe for recipe in kinds.values()}
    base = found["emotone/base"]
    alone = base.model.model_copy(update={"functionals": False})
    return found | {"alone": base.model_copy(update={"id": "alone", "model": alone})}


@pytest.fixture(scope="session")
def recordings() -> list[Path]:
    """Five real recordings where RAVDESS is found, else synthetic ones."""
    from emotone import corpora

    name = "ravdess" if corpora.find("ravdess") else "synthetic"
    clips = corpora.load(name).utterances
    return [clips[len(clips) * part // 5].path for part in range(5)]


def system_of(recipe: Recipe, recordings: list[Path]) -> FittedSystem:
    """A system with the preparation that real clips give and random weights, whose answers differ from clip to clip."""
    torch.manual_seed(0)
    items = [(path, str(path), ORIGINAL) for path in recordings]
    frames = frames_of(recipe.model_copy(update={"augment": None}), items, workers=1)
    preparation = Preparation.fit(frames, recipe.features, recipe.scaler)
    inputs = preparation(frames)
    classifier = classifier_for(recipe, len(LABELS), None, device="cpu")
    network = classifier.build(inputs)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm1d | torch.nn.BatchNorm2d):
            module.running_mean = 0.1 * torch.randn(module.num_features)
            module.running_var = 0.5 + torch.rand(module.num_features)
    classifier.network_ = network.eval()
    if recipe.model.kind == "own" and recipe.model.functionals:
        network.functionals.standardise(network.functionals.raw(*_normalised(network, inputs)))
        torch.nn.init.normal_(network.output.weight, std=0.1)
    with torch.no_grad():
        if isinstance(inputs, list):
            embedding = torch.from_numpy(classifier.embed(inputs))
        else:
            embedding, _ = network.embed(torch.from_numpy(inputs))
        logits = network.output(embedding)
        network.output.weight /= 2 * (logits - logits.mean(0)).std()
        network.output.bias -= network.output(embedding).mean(0)
    return FittedSystem(recipe, LABELS, preparation, classifier)


def _normalised(network: Any, inputs: list[Samples]) -> tuple[torch.Tensor, torch.Tensor]:
    lengths = torch.tensor([clip.shape[1] for clip in inputs])
    padded = torch.nn.utils.rnn.pad_sequence([torch.from_numpy(clip.T) for clip in inputs], batch_first=True)
    return network.normalise(padded.transpose(1, 2), lengths), lengths


def card_of(recipe: Recipe) -> BundleInfo:
    return BundleInfo(
        name=recipe.id, version="0", labels=LABELS, rate=recipe.audio.rate, window=3, hop=1, temperature=1,
        licence="CC0", trained_on={}, intended_use="tests", limits="none", recipe=recipe.model_dump(mode="json"),
    )  # fmt: skip


def padded(clips: list[Samples], *, more: int = 0) -> tuple[Samples, NDArray[np.int64]]:
    lengths = np.array([len(clip) for clip in clips])
    waveforms = np.zeros((len(clips), lengths.max() + more), np.float32)
    for row, clip in zip(waveforms, clips, strict=True):
        row[: len(clip)] = clip
    return waveforms, lengths


ALIKE = {
    "nguyen/cnn": "nguyen/cnn-lstm-augmented",
    "onah/cnn": "onah/cnn-lstm",
    "onah/lstm": "onah/cnn-lstm",
    "bhanbhro/ablation-no-bidirectional": "bhanbhro/cnn-bilstm-attention",
    "bhanbhro/ablation-no-dropout": "bhanbhro/cnn-bilstm-attention",
    "bhanbhro/ablation-no-lstm": "bhanbhro/cnn-bilstm-attention",
    "bhanbhro/cnn-lstm": "bhanbhro/cnn-bilstm-attention",
    "kakadiya/cnn": "kakadiya/cnn-lstm",
    "kakadiya/lstm": "kakadiya/cnn-lstm",
    "emotone/tiny": "emotone/base",
}
"""System -> another that reads the same and has all its parts: to export each takes ten seconds, for `make soak`."""


@pytest.mark.parametrize(
    "recipe",
    [
        pytest.param(recipe, id=name, marks=[pytest.mark.soak] if name in ALIKE else [])
        for name, recipe in served().items()
    ],
)
def test_a_bundle_answers_as_its_system_does(recipe: Recipe, recordings: list[Path], tmp_path: Path) -> None:
    """All that a bundle promises, in one test: to export a network takes longer than all the rest."""
    system = system_of(recipe, recordings)
    path = tmp_path / "model.onnx"
    path.write_bytes(make_bundle(system, card_of(recipe)))
    bundle, rate = Bundle.load(path), recipe.audio.rate
    whole = [load(recording, rate=rate)[0] for recording in recordings]
    long = np.concatenate(whole[:3])
    cut = [long[rate:][: int(seconds * rate)] for seconds in (0.3, 1.0, 3.7)]

    expected = system.predict_files(recordings)
    assert expected.std(0).max() > 0.02, "clips that are all alike would test nothing"
    answers = bundle.run(*padded(whole))
    np.testing.assert_allclose(answers.probabilities, expected, atol=1e-4)
    np.testing.assert_allclose(bundle.run(*padded(cut)).probabilities, own_answers(system, cut, tmp_path), atol=1e-4)
    check_clips_by_themselves(bundle, whole + cut)
    check_what_lies_beyond(bundle, whole[:2])
    check_odd_clips(bundle)
    check_attention(bundle, system, whole + cut)
    check_weights(path, system, answers)
    check_folded(path)


def own_answers(system: FittedSystem, clips: list[Samples], folder: Path) -> Samples:
    """What the system says of clips as recordings; of one that is over before the offset, as if there were none."""
    rate, offset = system.recipe.audio.rate, system.recipe.audio.offset
    paths = [folder / f"{len(clip)}.wav" for clip in clips]
    for path, clip in zip(paths, clips, strict=True):
        before = np.zeros(int(offset * rate) if len(clip) <= offset * rate else 0, np.float32)
        soundfile.write(path, np.concatenate([before, clip]), rate, subtype="FLOAT")
    return system.predict_files(paths)


def check_clips_by_themselves(bundle: Bundle, clips: list[Samples]) -> None:
    together = bundle.run(*padded(clips, more=20_000))
    for index, clip in enumerate(clips):
        for one, all_of_them in zip(bundle.run(clip[None]), together, strict=True):
            assert (one is None) == (all_of_them is None)
            if one is not None and all_of_them is not None:
                own, rest = np.split(all_of_them[index], [len(one[0])])  # attention: to the longest clip's end
                np.testing.assert_allclose(one[0], own, atol=1e-5, rtol=1e-4)
                assert not rest.any()


def check_what_lies_beyond(bundle: Bundle, clips: list[Samples]) -> None:
    waveforms, lengths = padded(clips, more=3_000)
    expected = bundle.run(waveforms, lengths).probabilities
    for row, length in zip(waveforms, lengths, strict=True):
        row[length:] = 0.9
    np.testing.assert_allclose(bundle.run(waveforms, lengths).probabilities, expected, atol=1e-6)


def check_odd_clips(bundle: Bundle) -> None:
    for clip in (np.zeros(1), np.zeros(20_000), np.full(100, 0.5)):
        answer = bundle.run(clip.astype(np.float32)[None])
        assert np.isfinite(answer.probabilities).all() and np.isfinite(answer.embedding).all()
        np.testing.assert_allclose(answer.probabilities.sum(1), 1, rtol=1e-5)


def check_attention(bundle: Bundle, system: FittedSystem, clips: list[Samples]) -> None:
    """Weights over time where the network attends: they sum to 1, and are zero where only the pads are."""
    attention = bundle.run(*padded(clips)).attention
    model = system.recipe.model
    attends = model.kind == "own" or (model.kind == "network" and model.pooling == "attention")
    assert (attention is not None) == attends
    if attention is not None:
        np.testing.assert_allclose(attention.sum(1), 1, rtol=1e-5)
        steps = 1 if model.kind == "network" else 2  # of 0.3 s: one chunk, or steps of 256 ms
        assert (attention[5, steps:] == 0).all() and (attention[5, :steps] > 0).all()


def check_weights(path: Path, system: FittedSystem, answers: Outputs) -> None:
    """A network made anew of the recipe and the file's weights is the same network."""
    own = system.classifier.network_
    features = np.random.default_rng(0).normal(size=(3, *getattr(own, "input_shape", (64, 50)))).astype(np.float32)
    inputs = features if isinstance(own, Network) else list(features)
    again = classifier_for(system.recipe, len(LABELS), None, device="cpu")
    again.network_ = network = again.build(inputs).eval()
    weights = {name: torch.from_numpy(array.copy()) for name, array in weights_of(path).items()}
    missing, unexpected = network.load_state_dict(weights, strict=False)
    assert unexpected == [] and all(name.endswith("num_batches_tracked") for name in missing)
    assert np.array_equal(again.predict_proba(inputs), system.classifier.predict_proba(inputs))
    with torch.inference_mode():
        logits = network.output(torch.from_numpy(answers.embedding))
    np.testing.assert_allclose(torch.softmax(logits, 1).numpy(), answers.probabilities, atol=1e-5)


def check_folded(path: Path) -> None:
    """Batch normalisation costs nothing: onnxruntime makes it part of the convolution before it."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(path.with_suffix(".folded.onnx"))
    onnxruntime.InferenceSession(path, options)
    nodes = onnx.load(options.optimized_model_filepath).graph.node
    convolved = {output for node in nodes if node.op_type == "Conv" for output in node.output}
    assert not [node.name for node in nodes if node.op_type == "BatchNormalization" and node.input[0] in convolved]


def test_the_temperature_flattens_the_probabilities(recordings: list[Path]) -> None:
    recipe = recipes.load("nguyen/cnn")
    system = system_of(recipe, recordings)
    clip = load(recordings[0], rate=recipe.audio.rate)[0][None]
    warmer = replace(system, temperature=2.5)
    cold, warm = (Bundle.load(make_bundle(each, card_of(recipe))).run(clip) for each in (system, warmer))
    powered = cold.probabilities ** (1 / 2.5)
    np.testing.assert_allclose(warm.probabilities, powered / powered.sum(), atol=1e-5)
    np.testing.assert_allclose(warm.embedding, cold.embedding, rtol=1e-6)


@pytest.mark.parametrize(
    "config",
    [
        {"trim_db": 20, "normalise": "peak"},
        {"trim_db": 60},
        {"offset": 0.1, "seconds": 0.5},
        {"offset": 0.25, "seconds": 0.2, "trim_db": 10, "normalise": "peak"},
    ],
)
def test_audio_is_prepared_as_for_training(config: dict[str, float]) -> None:
    audio = AudioConfig.parse({"rate": 16_000} | config, where="test")
    random = np.random.default_rng(0)
    loudness = [np.interp(np.arange(size), random.uniform(0, size, 8).cumsum() / 4, 10.0 ** random.uniform(-5, 0, 8))
                for size in (16_000, 31_234, 5_000, 40_000)]  # fmt: skip
    clips = [(0.3 * level * random.normal(size=len(level))).astype(np.float32) for level in loudness]
    clips.append(np.zeros(9_000, np.float32))
    waveforms, lengths = padded(clips)
    prepared, left = AudioPreparation(audio)(torch.from_numpy(waveforms), torch.from_numpy(lengths))
    for row, length, clip in zip(prepared.numpy(), left.tolist(), clips, strict=True):
        expected = prepare(clip, audio)
        assert length == len(expected)
        np.testing.assert_allclose(row[:length], expected, rtol=1e-6)
        assert not row[length:].any()
