"""Embeddings: what the last layer reads, window by window, and a classifier of one's own on them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from emotone import Part, Recognizer
from emotone.audio import load


def test_a_recording_has_a_vector_for_each_window_with_its_times(
    recognizer: Recognizer, conversation: tuple[Path, Any, int]
) -> None:
    path, samples, rate = conversation
    found = recognizer.embed(path, window=2.0, hop=1.0)
    windows = len(found.vectors)
    assert windows > 5 and found.start.shape == found.end.shape == (windows,)
    assert found.vectors.dtype == np.float32
    assert (np.diff(found.end) > 0).all() and (found.end - found.start <= 2.0 + 1e-6).all()
    for start, end, vector in zip(found.start, found.end, found.vectors, strict=True):
        cut = samples[round(start * rate) : round(end * rate)]
        np.testing.assert_allclose(recognizer.model.run(cut[None]).embedding[0], vector, atol=1e-3, rtol=1e-3)


def test_the_mean_of_a_recording_weighs_windows_by_their_length(
    recognizer: Recognizer, conversation: tuple[Path, Any, int]
) -> None:
    found = recognizer.embed(conversation[0], window=2.0, hop=1.0)
    lengths = found.end - found.start
    expected = (found.vectors * lengths[:, None]).sum(0) / lengths.sum()
    np.testing.assert_allclose(found.mean, expected, rtol=1e-4, atol=1e-5)


def test_of_a_part_times_are_the_recordings(recognizer: Recognizer, conversation: tuple[Path, Any, int]) -> None:
    whole, part = (recognizer.embed(each) for each in (conversation[0], Part(conversation[0], start=3.0, end=7.0)))
    assert part.start.min() >= 3.0 and part.end.max() <= 7.0 < whole.end.max()


def test_silence_has_no_window(recognizer: Recognizer, clips: list[Path], tmp_path: Path) -> None:
    soundfile.write(tmp_path / "silence.wav", np.zeros(16_000), 16_000)
    found = recognizer.embed(tmp_path / "silence.wav")
    assert len(found.vectors) == 0 and np.isnan(found.mean).all()
    assert found.mean.shape == recognizer.embed(clips[0]).mean.shape


def test_a_speaker_who_is_known_has_the_same_embeddings(clips: list[Path]) -> None:
    own = Recognizer.load()
    known = own.adapt(clips[:4])
    np.testing.assert_array_equal(known.embed(clips[0]).vectors, own.embed(clips[0]).vectors)


def test_the_example_in_the_documentation_runs(
    clips: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = (Path(__file__).parents[2] / "docs" / "recognise.md").read_text(encoding="utf-8")
    example = page.split("## A classifier of your own")[1].split("```python\n")[1].split("```")[0]
    backwards = load(clips[0], rate=16_000)[0][::-1]
    soundfile.write(tmp_path / "tuesday.wav", backwards, 16_000)
    for name in ("monday.wav", "talk.wav"):
        soundfile.write(tmp_path / name, load(clips[0], rate=16_000)[0], 16_000)
    monkeypatch.chdir(tmp_path)
    exec(compile(example, "docs/recognise.md", "exec"), {"recognizer": Recognizer.load()})
    assert "tired" in capsys.readouterr().out, "what it has heard on Monday"
