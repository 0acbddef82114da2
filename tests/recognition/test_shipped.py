"""The model that comes with emotone: small, documented, right on what it knows, and honest where a recording is bad."""

import json
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import soxr

from emotone import corpora
from emotone.audio import load
from emotone.corpora.base import Utterance
from emotone.emotions import EMOTIONS
from emotone.recognition import Recognizer

FILE = files("emotone").joinpath("bundles", "base.onnx")


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    return Recognizer.load()


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


def test_it_is_small_and_says_what_it_is(recognizer: Recognizer, emotone: Callable[..., Any]) -> None:
    info = recognizer.model.info
    assert len(FILE.read_bytes()) <= 4_000_000
    assert (info.name, recognizer.labels, info.rate) == ("emotone/base", EMOTIONS, 16_000)
    assert len(info.trained_on["speakers"]) == 24 and info.trained_on["corpus"] == "ravdess"
    assert "BY-NC-SA" in info.licence and "decide nothing about a person" in info.limits
    assert info.temperature != 1 and info.head is not None
    shown = " ".join(emotone("model", "show").out.split())
    assert "emotone/base" in shown and "CC BY-NC-SA 4.0" in shown and "499,049 parameters" in shown


def test_it_knows_the_clips_that_it_was_trained_on(recognizer: Recognizer, clips: list[Utterance]) -> None:
    answers = [recognizer(clip.path).emotion for clip in clips]
    assert np.mean([answer == clip.emotion for answer, clip in zip(answers, clips, strict=True)]) > 0.8


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


def test_one_second_is_uncertain_unless_an_answer_is_asked_for(recognizer: Recognizer, clips: list[Utterance]) -> None:
    samples = load(clips[0].path, rate=16_000)[0]
    loudest = int(np.convolve(samples**2, np.ones(16_000), "valid").argmax())
    second = (samples[loudest : loudest + 16_000], 16_000)
    result = recognizer(second)
    assert result.emotion == "uncertain" and any("1.00 s of speech" in note for note in result.notes)
    asked = recognizer(second, min_confidence=0)
    assert asked.emotion in EMOTIONS and asked.duration == pytest.approx(1.0)
    assert asked.scores == result.scores, "the scores stay in sight"


def test_the_command_needs_no_model_named(emotone: Callable[..., Any], synthetic: Path, tmp_path: Path) -> None:
    clip = next((synthetic / "synthetic").rglob("*.wav"))
    soundfile.write(tmp_path / "silence.wav", np.zeros(48_000), 16_000)
    (tmp_path / "text.wav").write_text("no sound")
    done = emotone("predict", clip, tmp_path / "silence.wav", tmp_path / "text.wav", "--format", "json")
    assert done.code == 1 and "text.wav" in done.err and "Traceback" not in done.err
    heard, silence, text = json.loads(done.out)
    assert heard["emotion"] in EMOTIONS and silence["emotion"] == "no speech" and text["error"]
