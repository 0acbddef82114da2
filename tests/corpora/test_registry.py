"""Corpora are found where they lie, and an error says where they were looked for."""

from pathlib import Path

import pytest

from emotone import corpora
from emotone.errors import CorpusError, UsageError

TESS = "YAF_happy/YAF_home_happy.wav"


@pytest.mark.parametrize("folder", ["tess", "TESS", "nested/deeper", "."])
def test_found_in_the_data_folder_in_any_spelling(folder: str, tmp_path: Path, record, no_data: Path) -> None:
    record(tmp_path / "data" / folder / TESS)
    corpus = corpora.load("tess", data=tmp_path / "data")
    assert [utterance.speaker for utterance in corpus.utterances] == ["YAF"]
    assert corpus.utterances[0].path.is_file()


def test_data_goes_before_environment_before_cache(
    tmp_path: Path, record, no_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(no_data / "corpora" / "tess" / TESS)
    assert corpora.find("tess") == no_data / "corpora" / "tess"
    record(tmp_path / "env" / "tess" / TESS)
    monkeypatch.setenv("EMOTONE_DATA", str(tmp_path / "env"))
    assert corpora.find("tess") == tmp_path / "env" / "tess"
    record(tmp_path / "data" / "tess" / TESS)
    assert corpora.find("tess", data=tmp_path / "data") == tmp_path / "data" / "tess"


def test_real_ravdess_is_not_taken_for_another_corpus(ravdess: Path, no_data: Path) -> None:
    for name in ("savee", "tess", "cremad", "emodb", "urdu", "synthetic"):
        assert corpora.find(name, data=ravdess) is None


def test_a_synthetic_corpus_is_not_taken_for_ravdess_whose_names_it_has(tmp_path: Path, record, no_data: Path) -> None:
    clip = "Actor_01/03-01-05-01-01-01-01.wav"
    record(tmp_path / "data" / "synthetic" / clip)
    record(tmp_path / "other" / clip)
    for folder in (tmp_path / "data", tmp_path / "data" / "synthetic"):
        assert corpora.find("synthetic", data=folder) == tmp_path / "data" / "synthetic"
        assert corpora.find("ravdess", data=folder) is None
    assert corpora.find("ravdess", data=tmp_path / "other") == tmp_path / "other"
    assert corpora.find("synthetic", data=tmp_path / "other") is None


def test_a_corpus_that_is_not_there_says_where_it_was_looked_for(tmp_path: Path, no_data: Path) -> None:
    assert corpora.find("ravdess") is None
    with pytest.raises(CorpusError) as error:
        corpora.load("ravdess")
    message = str(error.value)
    assert "emotone corpora fetch ravdess" in message
    assert "$EMOTONE_DATA (not set)" in message
    assert str(no_data / "corpora" / "ravdess") in message
    with pytest.raises(CorpusError, match="Register at http"):
        corpora.load("savee")


def test_a_data_folder_that_lacks_the_corpus_is_not_passed_over_for_another(
    tmp_path: Path, record, no_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(tmp_path / "env" / "tess" / TESS)
    record(no_data / "corpora" / "synthetic-v1" / "Actor_01/03-01-05-01-01-01-01.wav")
    monkeypatch.setenv("EMOTONE_DATA", str(tmp_path / "env"))
    given = tmp_path / "given"
    record(given / "savee" / "DC_a01.wav")
    for name in ("tess", "synthetic"):
        assert corpora.find(name) is not None
        assert corpora.find(name, data=given) is None
        with pytest.raises(CorpusError) as error:
            corpora.load(name, data=given)
        assert f"Corpus {name!r} was not found. Looked in: {given}/{name}, {given}.\n" in str(error.value)
        assert "Without `--data`, $EMOTONE_DATA and" in str(error.value)


def test_an_unknown_corpus_names_the_known_nearest_first() -> None:
    with pytest.raises(UsageError, match=r"Unknown corpus 'ravdes'\. Valid: ravdess, "):
        corpora.load("ravdes")
    with pytest.raises(UsageError, match="Valid: cremad"):
        corpora.find("crema")


def test_a_data_folder_that_does_not_exist_is_not_passed_over(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such folder"):
        corpora.load("ravdess", data=tmp_path / "mistyped")


def test_a_path_that_does_not_exist_is_named() -> None:
    with pytest.raises(CorpusError, match="some/where: no such manifest or folder"):
        corpora.load("some/where")


def test_a_name_that_does_not_parse_stops_the_loading(tmp_path: Path, record) -> None:
    record(tmp_path / "tess" / TESS)
    for word in ("one", "two", "three", "four"):
        record(tmp_path / "tess" / f"YAF_{word}_bored.wav")
    with pytest.raises(CorpusError) as error:
        corpora.load("tess", data=tmp_path)
    assert "4 file(s)" in str(error.value)
    assert "YAF_four_bored.wav (emotion 'bored' is not one of" in str(error.value)
    assert "emotone corpora check tess" in str(error.value)
    assert str(error.value).count("_bored.wav") == 3


def test_what_is_not_audio_and_what_is_hidden_is_passed_over(tmp_path: Path, record) -> None:
    record(tmp_path / "tess" / TESS)
    for name in ("._YAF_home_happy.wav", "__MACOSX/YAF_home_happy.wav", ".trash/x.wav", "readme.txt", "Thumbs.db"):
        path = tmp_path / "tess" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"?")
    assert len(corpora.load("tess", data=tmp_path).utterances) == 1


@pytest.mark.parametrize("copy", ["Actor_01/03-01-05-01-01-01-01.flac", "again/Actor_01/03-01-05-01-01-01-01.wav"])
def test_a_recording_that_stands_twice_is_refused(copy: str, tmp_path: Path, record) -> None:
    record(tmp_path / "ravdess/Actor_01/03-01-05-01-01-01-01.wav")
    record(tmp_path / "ravdess" / copy)
    with pytest.raises(CorpusError, match=r"twice: .*03-01-05-01-01-01-01"):
        corpora.load("ravdess", data=tmp_path)


def test_an_empty_corpus_is_refused(tmp_path: Path) -> None:
    (tmp_path / "emodb").mkdir()
    with pytest.raises(CorpusError, match="holds no recording of emodb"):
        corpora.load("emodb", data=tmp_path)


def test_wav_and_flac_have_the_same_clips(tmp_path: Path, record) -> None:
    clips = []
    for suffix in ("wav", "flac"):
        record(tmp_path / suffix / f"Actor_01/03-01-05-01-01-01-01.{suffix}")
        clips.append([utterance.clip for utterance in corpora.load("ravdess", data=tmp_path / suffix).utterances])
    assert clips[0] == clips[1] == ["Actor_01/03-01-05-01-01-01-01"]
