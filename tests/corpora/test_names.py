"""Each published corpus is read from its own file names."""

import pickle
from collections import Counter
from pathlib import Path, PurePosixPath

import pytest

from emotone import corpora
from emotone.corpora import cremad, emodb, ravdess, savee, tess, urdu
from emotone.corpora.registry import get_source
from emotone.emotions import EMOTIONS
from emotone.errors import CorpusError

# name in the corpus -> what it states
STATED = [
    ("ravdess", "Actor_12/03-01-06-02-01-02-12.wav", "12", "female", "fearful", "strong", 2),
    ("ravdess", "Actor_01/03-01-01-01-02-01-01.flac", "01", "male", "neutral", "normal", 1),
    ("savee", "ALL/DC_a01.wav", "DC", "male", "angry", None, None),
    ("savee", "AudioData/KL/su15.wav", "KL", "male", "surprised", None, None),
    ("savee", "AudioData/JE/n30.wav", "JE", "male", "neutral", None, None),
    ("tess", "OAF_angry/OAF_back_angry.wav", "OAF", "female", "angry", None, None),
    ("tess", "YAF_pleasant_surprised/YAF_home_ps.wav", "YAF", "female", "surprised", None, None),
    ("tess", "OAF_neutral/OA_bite_neutral.wav", "OAF", "female", "neutral", None, None),
    ("cremad", "AudioWAV/1001_DFA_ANG_XX.wav", "1001", "male", "angry", None, None),
    ("cremad", "AudioWAV/1091_IEO_FEA_HI.wav", "1091", "female", "fearful", "high", None),
    ("cremad", "AudioWAV/1040_ITH_SAD_X.wav", "1040", "male", "sad", None, None),
    ("emodb", "wav/03a01Fa.wav", "03", "male", "happy", None, 1),
    ("emodb", "wav/16b10Lb.wav", "16", "female", "bored", None, 2),
    ("emodb", "wav/13b09Ea.wav", "13", "female", "disgust", None, 1),
    ("urdu", "Angry/SM4_F48_A0100.wav", "SM4", "male", "angry", None, None),
    ("urdu", "Sad/SF10_F1_S01.wav", "SF10", "female", "sad", None, None),
]


@pytest.mark.parametrize(("name", "file", "speaker", "gender", "emotion", "intensity", "repetition"), STATED)
def test_a_name_states_its_utterance(
    name: str, file: str, speaker: str, gender: str, emotion: str, intensity: str | None, repetition: int | None
) -> None:
    fields = get_source(name).parse(PurePosixPath(file))
    assert fields["speaker"] == speaker
    assert fields["gender"] == gender
    assert fields["emotion"] == emotion
    assert fields.get("intensity") == intensity
    assert fields.get("repetition") == repetition
    assert (fields["language"],) == get_source(name).info.languages


@pytest.mark.parametrize("name", sorted({name for name, *_ in STATED}))
def test_the_published_layout_loads(name: str, tmp_path: Path, record) -> None:
    files = [file for corpus, file, *_ in STATED if corpus == name]
    for file in files:
        record(tmp_path / name / file)
    corpus = corpora.load(name, data=tmp_path)
    assert {utterance.path for utterance in corpus.utterances} == {tmp_path / name / file for file in files}
    assert {utterance.corpus for utterance in corpus.utterances} == {name}
    assert pickle.loads(pickle.dumps(corpus)) == corpus, "a sweep hands it to its processes"


BAD = [
    (ravdess.parse, "03-01-09-01-01-01-01.wav", "emotion '09' is not one of 01, 02"),
    (ravdess.parse, "03-01-06-01-01-01-25.wav", "actor '25'"),
    (ravdess.parse, "03-01-06-01-01-03-01.wav", "repetition '03' is not one of 01, 02"),
    (ravdess.parse, "03-01-01-02-01-01-01.wav", "intensity '02' does not exist for neutral"),
    (ravdess.parse, "03-01-06-01-01-01.wav", "6 parts, not the 7"),
    (savee.parse, "ALL/XX_a01.wav", "speaker 'XX' is not one of DC, JE, JK, KL"),
    (savee.parse, "ALL/DC_b01.wav", "emotion 'b' is not one of a, d, f, h, n, sa, su"),
    (savee.parse, "a01.wav", "speaker ''"),
    (tess.parse, "OAF_back_bored.wav", "emotion 'bored'"),
    (tess.parse, "MAF_back_sad.wav", "speaker 'MAF' is not one of OAF, YAF"),
    (cremad.parse, "1092_DFA_ANG_XX.wav", "actor '1092'"),
    (cremad.parse, "1001_ABC_ANG_XX.wav", "sentence 'ABC' is not one of IEO"),
    (cremad.parse, "1001_DFA_ANG_YY.wav", "intensity 'YY' is not one of LO, MD, HI"),
    (emodb.parse, "04a01Fa.wav", "speaker '04'"),
    (emodb.parse, "03a01Xa.wav", "emotion 'X' is not one of W, L, E, A, F, T, N"),
    (emodb.parse, "03a03Fa.wav", "sentence 'a03'"),
    (urdu.parse, "SX1_F1_A01.wav", "speaker 'SX' is not one of SM, SF"),
    (urdu.parse, "SM1_A01.wav", "not like SM1_F1_A01.wav"),
]


@pytest.mark.parametrize(("parse", "file", "reason"), BAD)
def test_a_bad_name_says_which_part_is_wrong(parse, file: str, reason: str) -> None:
    with pytest.raises(CorpusError, match="^" + file) as error:
        parse(PurePosixPath(file))
    assert reason in str(error.value)


def test_ravdess_is_complete_in_its_own_figures(ravdess: Path) -> None:
    corpus = corpora.load("ravdess", data=ravdess)
    emotions = Counter(utterance.emotion for utterance in corpus.utterances)
    assert emotions == {emotion: 96 if emotion == "neutral" else 192 for emotion in EMOTIONS}
    assert set(Counter(utterance.speaker for utterance in corpus.utterances).values()) == {60}
    assert Counter(utterance.gender for utterance in corpus.utterances) == {"male": 720, "female": 720}
    assert Counter(utterance.intensity for utterance in corpus.utterances) == {"normal": 768, "strong": 672}
    assert [utterance.clip for utterance in corpus.utterances] == sorted(u.clip for u in corpus.utterances)
    assert corpus.utterances[0].clip == "Actor_01/03-01-01-01-01-01-01"
    assert not corpus.info.synthetic


def test_cremad_has_as_many_women_as_its_paper_says() -> None:
    genders = [cremad.parse(PurePosixPath(f"{actor}_DFA_ANG_XX.wav"))["gender"] for actor in range(1001, 1092)]
    assert Counter(genders) == {"male": 48, "female": 43}


def test_song_and_video_of_ravdess_are_left_out(tmp_path: Path, record) -> None:
    record(tmp_path / "Actor_01/03-01-05-01-01-01-01.wav")
    record(tmp_path / "Actor_01/03-02-05-01-01-01-01.wav")
    (tmp_path / "Actor_01/01-01-05-01-01-01-01.mp4").write_bytes(b"a video")
    corpus = corpora.load("ravdess", data=tmp_path)
    assert [utterance.clip for utterance in corpus.utterances] == ["Actor_01/03-01-05-01-01-01-01"]
    assert corpus.utterances[0].extra["channel"] == "speech"
    assert ravdess.parse(PurePosixPath("03-02-05-01-01-01-01.wav"))["extra"]["channel"] == "song"


def test_the_lossy_copies_of_cremad_are_left_out(tmp_path: Path, record) -> None:
    record(tmp_path / "AudioWAV/1001_DFA_ANG_XX.wav")
    record(tmp_path / "AudioMP3/1001_DFA_ANG_XX.mp3")
    corpus = corpora.load("cremad", data=tmp_path)
    assert [utterance.clip for utterance in corpus.utterances] == ["AudioWAV/1001_DFA_ANG_XX"]


def test_every_corpus_states_where_it_comes_from() -> None:
    for name in corpora.names():
        info = corpora.info(name)
        assert info.name == name
        assert info.title and info.licence and info.citation and info.languages
        assert info.synthetic == (name == "synthetic") == (not info.url)
