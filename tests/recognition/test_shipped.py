"""The models that come with emotone: small, documented, right on what they know, honest where a recording is bad."""

import json
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import soundfile
import soxr

from emotone import corpora
from emotone.audio import load
from emotone.bundle import Bundle, hub
from emotone.corpora.base import Utterance
from emotone.emotions import EMOTIONS
from emotone.export import export
from emotone.export.unbundle import system_of
from emotone.recognition import Recognizer
from emotone.storage import save_system

SHIPPED = {
    "emotone/probe": (16, "10,390,536"),
    "emotone/large": (16, "10,390,536"),
    "emotone/base": (4, "499,049"),
    "emotone/tiny": (1, "96,535"),
}
"""The best first -> megabytes at most, parameters as the card shows them."""


@pytest.fixture(scope="module", params=SHIPPED)
def recognizer(request: pytest.FixtureRequest) -> Recognizer:
    found = Recognizer.load(request.param)
    assert found.model.info.name == request.param
    return found


@pytest.fixture(scope="module")
def clips() -> list[Utterance]:
    """One clip of every actor of RAVDESS, each emotion three times. The model was trained on them."""
    if not corpora.find("ravdess"):
        pytest.skip("RAVDESS is not here: EMOTONE_DATA")
    chosen: dict[str, Utterance] = {}
    for clip in corpora.load("ravdess").utterances:
        if EMOTIONS.index(clip.emotion) == int(clip.speaker or 0) % len(EMOTIONS):
            chosen.setdefault(str(clip.speaker), clip)
    return list(chosen.values())


def test_the_best_is_taken_where_none_is_named(emotone: Callable[..., Any]) -> None:
    assert Recognizer.load().model.info.name == next(iter(SHIPPED)) == hub.DEFAULT and tuple(SHIPPED) == hub.SHIPPED
    assert hub.DEFAULT in emotone("model", "show").out


def test_it_is_small_and_says_what_it_is(recognizer: Recognizer, emotone: Callable[..., Any]) -> None:
    info = recognizer.model.info
    megabytes, parameters = SHIPPED[info.name]
    own = files("emotone").joinpath("bundles", f"{info.name.split('/')[1]}.onnx")
    assert len(own.read_bytes()) <= megabytes * 1_000_000
    assert (recognizer.labels, info.rate) == (EMOTIONS, 16_000)
    speakers, corpus = (43, "ravdess+emodb+nemo") if info.name == hub.DEFAULT else (24, "ravdess")
    assert len(info.trained_on["speakers"]) == speakers and info.trained_on["corpus"] == corpus
    assert "BY-NC-SA" in info.licence and "decide nothing about a person" in info.limits
    assert info.temperature != 1 and info.head is not None
    shown = " ".join(emotone("model", "show", info.name).out.split())
    assert info.name in shown and "CC BY-NC-SA 4.0" in shown and f"{parameters} parameters" in shown


def test_whispers_own_licence_comes_with_its_layers() -> None:
    notice = files("emotone").joinpath("bundles", "NOTICE.txt").read_text(encoding="utf-8")
    assert "Copyright (c) 2022 OpenAI" in notice and "MIT License" in notice


def test_it_knows_the_clips_that_it_was_trained_on(recognizer: Recognizer, clips: list[Utterance]) -> None:
    answers = [recognizer(clip.path).emotion for clip in clips]
    # The regression of emotone/probe is held back, which costs clips that it knows and gains others.
    least = 0.65 if recognizer.model.info.name == "emotone/probe" else 0.8
    assert np.mean([answer == clip.emotion for answer, clip in zip(answers, clips, strict=True)]) > least


def telephone(samples: np.ndarray, path: Path) -> None:
    """8 kHz, G.711's mu-law."""
    soundfile.write(path, soxr.resample(samples, 48_000, 8_000), 8_000, subtype="ULAW")


def compressed(samples: np.ndarray, path: Path) -> None:
    """Stereo mp3 at 44.1 kHz, one side softer."""
    both = soxr.resample(samples, 48_000, 44_100)
    soundfile.write(path, np.stack([both, 0.6 * both], axis=1), 44_100, format="MP3")


@pytest.mark.parametrize(("copy", "suffix", "least"), [(telephone, "wav", 0.75), (compressed, "mp3", 0.8)])
def test_other_recordings_of_the_same_are_right_or_unsure(
    recognizer: Recognizer,
    clips: list[Utterance],
    tmp_path: Path,
    copy: Callable[[np.ndarray, Path], None],
    suffix: str,
    least: float,
) -> None:
    right = []
    for clip in clips:
        path = tmp_path / f"{clip.clip.replace('/', '-')}.{suffix}"
        copy(load(clip.path, rate=48_000)[0], path)
        result = recognizer(path)
        right.append(result.emotion == clip.emotion or result.confidence < 0.5)
    assert np.mean(right) >= least


def test_less_than_it_was_trained_on_is_uncertain_unless_an_answer_is_asked_for(
    recognizer: Recognizer, clips: list[Utterance]
) -> None:
    samples, shortest = load(clips[0].path, rate=16_000)[0], recognizer.model.info.shortest
    assert shortest is not None
    size = min(16_000, int(0.9 * shortest * 16_000))  # a second, or less for a model that heard shorter clips
    loudest = int(np.convolve(samples**2, np.ones(size), "valid").argmax())
    little = (samples[loudest : loudest + size], 16_000)
    result = recognizer(little)
    told = f"{size / 16_000:.2f} s of speech; the model was trained on no less than {shortest:.2f} s"
    assert result.emotion == "uncertain" and any(note.startswith(told) for note in result.notes)
    asked = recognizer(little, min_confidence=0)
    assert asked.emotion in EMOTIONS and asked.duration == pytest.approx(size / 16_000, abs=1e-3)
    assert asked.scores == result.scores, "the scores stay in sight"


def test_the_command_needs_no_model_named(emotone: Callable[..., Any], synthetic: Path, tmp_path: Path) -> None:
    clip = next((synthetic / "synthetic").rglob("*.wav"))
    soundfile.write(tmp_path / "silence.wav", np.zeros(48_000), 16_000)
    (tmp_path / "text.wav").write_text("no sound")
    done = emotone("predict", clip, tmp_path / "silence.wav", tmp_path / "text.wav", "--format", "json")
    assert "unlike what the model was trained on" in done.err, "no human ever spoke so"
    assert done.code == 1 and "text.wav" in done.err and "Traceback" not in done.err
    heard, silence, text = json.loads(done.out)
    assert heard["emotion"] == "uncertain" and silence["emotion"] == "no speech" and text["error"]
    (asked,) = json.loads(emotone("predict", clip, "--min-confidence", "0", "--format", "json").out)
    assert asked["emotion"] in EMOTIONS and asked["scores"] == heard["scores"]


def test_every_processor_answers_the_same(recognizer: Recognizer) -> None:
    """Those without VNNI add two products of 8 bits in 16, and what is larger they cut off without a word."""
    place = files("emotone").joinpath("bundles", f"{recognizer.model.info.name.split('/')[1]}.onnx")
    graph = onnx.load_from_string(place.read_bytes()).graph
    stored = {tensor.name: tensor for tensor in graph.initializer}
    turned = {node.output[0]: node.input[0] for node in graph.node if node.op_type == "Transpose"}
    multiplied = [turned[node.input[1]] for node in graph.node if node.op_type == "MatMulInteger"]
    assert bool(multiplied) == (recognizer.model.info.name in ("emotone/probe", "emotone/large"))
    for name in multiplied:
        assert np.abs(onnx.numpy_helper.to_array(stored[name]).astype(int)).max() * 255 * 2 < 1 << 15


def test_int8_answers_as_the_network_does_and_so_does_a_bundle_without(tmp_path: Path) -> None:
    """On 200 real clips: as float32, the graph's probabilities are PyTorch's; as int8, the recall is the same."""
    if not corpora.find("ravdess"):
        pytest.skip("RAVDESS is not here: EMOTONE_DATA")
    place = hub.locate(hub.DEFAULT)
    system, int8 = system_of(place), Bundle.load(place)
    save_system(system, tmp_path / "run", licence="", trained_on={})
    export(tmp_path / "run", tmp_path / "whole.onnx")
    whole = Bundle.load(tmp_path / "whole.onnx")
    chosen = corpora.load("ravdess").utterances[::7][:200]
    heard = [load(clip.path, rate=16_000)[0][None] for clip in chosen]
    answers = [np.concatenate([bundle.run(clip).probabilities for clip in heard]) for bundle in (whole, int8)]
    np.testing.assert_allclose(answers[0], system.predict_files([clip.path for clip in chosen]), atol=1e-3)
    true = np.array([EMOTIONS.index(clip.emotion) for clip in chosen])
    recalls = [np.mean([(each.argmax(1)[true == own] == own).mean() for own in range(8)]) for each in answers]
    assert len(chosen) == 200 and abs(recalls[0] - recalls[1]) <= 0.01
    assert np.abs(answers[0] - answers[1]).mean() < 0.01
