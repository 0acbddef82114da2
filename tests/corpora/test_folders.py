"""A user's folders named by emotion."""

from pathlib import Path

import pytest

from emotone import corpora
from emotone.errors import CorpusError


def test_folders_become_emotions(tmp_path: Path, record) -> None:
    root = tmp_path / "mine"
    for folder in ("Anger", "happiness", "SAD", "ps", "Pleasant Surprise", "fear/kitchen", "contempt"):
        record(root / folder / "clip.wav")
    corpus = corpora.load(str(root))
    assert {utterance.clip: utterance.emotion for utterance in corpus.utterances} == {
        "Anger/clip": "angry",
        "Pleasant Surprise/clip": "surprised",
        "SAD/clip": "sad",
        "contempt/clip": "contempt",
        "fear/kitchen/clip": "fearful",
        "happiness/clip": "happy",
        "ps/clip": "surprised",
    }
    assert corpus.info.name == "mine" and not corpus.info.synthetic
    assert {utterance.speaker for utterance in corpus.utterances} == {None}


def test_what_is_wrong_with_the_folders_is_said(tmp_path: Path, record) -> None:
    with pytest.raises(CorpusError, match="holds no audio"):
        corpora.load(str(tmp_path))
    record(tmp_path / "Actor_01" / "x.wav")
    with pytest.raises(CorpusError, match=r"no subfolder is named by an emotion \(Actor_01\)"):
        corpora.load(str(tmp_path))
    record(tmp_path / "sad" / "x.wav")
    record(tmp_path / "sad" / "x.flac")
    with pytest.raises(CorpusError, match=r"x\.flac and x\.wav are the same clip, sad/x"):
        corpora.load(str(tmp_path))
    record(tmp_path / "loose.wav")
    with pytest.raises(CorpusError, match=r"loose\.wav: not in a subfolder"):
        corpora.load(str(tmp_path))
