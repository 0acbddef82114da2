"""A recogniser that knows its speaker judges by where the speaker's own speech lies."""

import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emotone.audio import load
from emotone.bundle.adaptation import Head
from emotone.errors import AudioError, UsageError
from emotone.recognition import Recognizer

from ..made_bundles import make_bundle
from .test_stream import same

HEAD = Head(
    weight=((0.0, 0.0), (0.55, -12.5), (-0.55, 4.0), (0.55, 6.0)),
    bias=(0.5, 16.1, -8.6, -0.3),
    mean=(-6.0, 0.9),
    deviation=(2.0, 0.1),
    trust=1e-6,
)
"""The made bundle's own output layer, and training speakers that speak up."""


@pytest.fixture(scope="module")
def able(tmp_path_factory: pytest.TempPathFactory) -> Recognizer:
    return Recognizer.load(make_bundle(tmp_path_factory.mktemp("able") / "able.onnx", head=HEAD))


def test_a_quiet_speaker_is_heard_as_a_loud_one(able: Recognizer, clips: list[Path]) -> None:
    recorded = [load(path, rate=16_000)[0] for path in clips[:8]]
    voice = [0.4 * clip / np.abs(clip).max() for clip in recorded]  # synthetic voices are softer than real ones
    loud, quiet = ([(gain * clip, 16_000) for clip in voice] for gain in (1.0, 0.12))
    plain = [[result.scores["happy"] for result in able.batch(each)] for each in (loud, quiet)]
    known = [[result.scores["happy"] for result in able.adapt(each).batch(each)] for each in (loud, quiet)]
    assert np.abs(np.subtract(*plain)).max() > 0.1
    np.testing.assert_allclose(*known, atol=0.05)
    assert able.batch(quiet)[0].scores["happy"] == plain[1][0], "the recogniser itself stays as it is"


def test_it_adapts_anew_and_not_on_top(able: Recognizer, clips: list[Path]) -> None:
    first, second = clips[:4], clips[4:8]
    assert able.adapt(first).adapt(second)(clips[0]) == able.adapt(second)(clips[0])


@settings(max_examples=10, deadline=None)
@given(st.lists(st.integers(1, 40_000), min_size=1, max_size=5))
def test_a_stream_knows_the_speaker_too(able: Recognizer, clips: list[Path], sizes: list[int]) -> None:
    known = able.adapt(clips[:4])
    samples, rate = load(clips[0], rate=16_000)
    stream, at = known.stream(rate=rate), 0
    while at < len(samples):
        size = sizes[at % len(sizes)]
        stream.feed(samples[at : at + size])
        at += size
    whole, result = known((samples, rate)), stream.finish()
    assert result.emotion == whole.emotion
    np.testing.assert_allclose(list(result.scores.values()), list(whole.scores.values()), atol=1e-5)


def test_speech_unlike_that_of_training_is_uncertain_unless_asked_or_known(tmp_path: Path, clips: list[Path]) -> None:
    narrow = HEAD.model_copy(update={"deviation": (1.0, 0.3), "reach": 3.0})
    wary = Recognizer.load(make_bundle(tmp_path / "wary.onnx", head=narrow))
    voice, _ = load(clips[0], rate=16_000)
    quiet = (0.002 * voice / np.abs(voice).max(), 16_000)
    told = wary(quiet)
    assert told.emotion == "uncertain"
    assert {each.emotion for each in told.segments} <= {"uncertain", "silence"}
    assert "unlike what the model was trained on" in told.notes[0]
    assert sum(told.scores.values()) == pytest.approx(1)
    stream = wary.stream(rate=16_000)
    updates = stream.feed(quiet[0])
    last = stream.finish()
    same(last, told)
    assert last.notes == told.notes
    assert {each.emotion for each in (*updates, *stream.closing)} == {"uncertain"}
    bare = wary(quiet, min_confidence=0)
    assert (bare.scores, bare.notes) == (told.scores, ())
    assert bare.emotion == max(told.scores, key=told.scores.__getitem__)
    known = wary.adapt([(gain * quiet[0], 16_000) for gain in (0.5, 1, 2)])
    for loud in (wary((0.4 * voice / np.abs(voice).max(), 16_000)), known(quiet)):
        assert (loud.emotion == "uncertain", loud.notes) == (False, ())


def test_only_the_stretch_that_is_unlike_is_uncertain(tmp_path: Path, clips: list[Path]) -> None:
    narrow = HEAD.model_copy(update={"deviation": (1.0, 0.3), "reach": 3.0})
    wary = Recognizer.load(make_bundle(tmp_path / "wary.onnx", head=narrow))
    voice, _ = load(clips[0], rate=16_000)
    voice = voice / np.abs(voice).max()
    told = wary((np.concatenate([0.4 * voice, 0 * voice, 0.4 * voice, 0 * voice, 0.002 * voice]), 16_000))
    assert told.emotion not in ("uncertain", "no speech")
    spoken = [each.emotion for each in told.segments if each.emotion != "silence"]
    assert spoken[-1] == "uncertain"
    assert "uncertain" not in spoken[:-1]
    assert "of speech are unlike" in told.notes[0]


def test_a_known_speaker_is_kept_as_where_the_voice_lies_and_not_as_all_its_speech(
    able: Recognizer, clips: list[Path]
) -> None:
    vectors = np.concatenate([able.embed(path, window=1, hop=0.5).vectors for path in clips[:4]])
    many = np.tile(vectors, (1_000, 1))
    known = able.knowing(many)
    assert len(pickle.dumps(known)) == len(pickle.dumps(able.knowing(vectors)))
    expected = HEAD.probabilities(able.embed(clips[5], window=60, hop=60).vectors, many)
    many[:] = 0  # the caller's to fill again
    found = known(clips[5], window=60, hop=60)
    np.testing.assert_allclose(list(found.scores.values()), expected[0], atol=1e-6)


def test_what_cannot_be_adapted_to(able: Recognizer, recognizer: Recognizer, clips: list[Path], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="made/by-hand cannot adapt"):
        recognizer.adapt(clips[:2])
    with pytest.raises(AudioError, match="no speech"):
        able.adapt([(np.zeros(32_000, np.float32), 16_000)])
    with pytest.raises(AudioError, match="no speech"):
        able.adapt([])
    with pytest.raises(AudioError, match=r"missing\.wav"):
        able.adapt([clips[0], tmp_path / "missing.wav"])
