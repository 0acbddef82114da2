"""Each published corpus is read from its own file names."""

import pickle
from collections import Counter
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import numpy as np
import pytest
import soundfile

from emotone import audio, corpora
from emotone.corpora import (
    ased,
    cremad,
    emodb,
    emogator,
    emovdb,
    emovo,
    enterface,
    esd,
    iesc,
    jl,
    nemo,
    ravdess,
    savee,
    shemo,
    tess,
    turev,
    urdu,
)
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
    ("nemo", "samples/EB0_anger_12.wav", "EB0", "female", "angry", None, None),
    ("nemo", "samples/WR0_surprised_64.wav", "WR0", "male", "surprised", None, None),
    ("emovo", "EMOVO/f1/dis-f1-b1.wav", "f1", "female", "disgust", None, None),
    ("emovo", "EMOVO/m3/gio-m3-n5.wav", "m3", "male", "happy", None, None),
    ("ased", "01Neutral/n1-04-02-01-29.wav", "29", "female", "neutral", None, 2),
    ("ased", "04Sad/S4-04-02-02-30.wav", "30", "male", "sad", None, 2),
    ("iesc", "Indian Emotional Speech Corpora (IESC)/Speaker-1/Anger/A-1.wav", "1", None, "angry", None, None),
    ("iesc", "Indian Emotional Speech Corpora (IESC)/Speaker-8/Fear/A-1.wav", "8", None, "fearful", None, None),
    ("turev", "Sound Source/Angry/1157_kz_acik.wav", "1157", None, "angry", None, None),
    ("turev", "Sound Source/Calm/1234_sk_algi.wav", "1234", None, "calm", None, None),
    ("emogator", "data/mp3/000001-03-2.mp3", "000001", None, "angry", None, 2),
    ("emogator", "data/mp3/000357-28-1.mp3", "000357", None, "surprised", None, 1),
    ("esd", "0011/Angry/0011_000351.wav", "0011", "male", "angry", None, None),
    ("esd", "0001/Surprise/train/0001_001750.wav", "0001", "female", "surprised", None, None),
    ("jl", "Raw JL corpus/JL(wav+txt)/female1_angry_10a_1.wav", "female1", "female", "angry", None, 1),
    ("jl", "male2_encouraging_3b_2.wav", "male2", "male", "encouraging", None, 2),
    ("shemo", "female/F01A02.wav", "F01", "female", "angry", None, None),
    ("shemo", "male/M37W12.wav", "M37", "male", "surprised", None, None),
    ("emovdb", "bea/Angry/anger_1-28_0011.wav", "bea", "female", "angry", None, None),
    ("emovdb", "josh_Sleepy/sleepiness_57-84_0060.wav", "josh", "male", "sleepy", None, None),
    ("enterface", "enterface database/subject 1/anger/sentence 1/s1_an_1.avi", "1", None, "angry", None, None),
    ("enterface", "enterface database/subject 11/fear/sentence 2/s12_fe_2.avi", "11", None, "fearful", None, None),
    ("enterface", "subject 16/surprise/sentence 3/s16_su_3avi.avi", "16", None, "surprised", None, None),
    ("enterface", "enterface database/subject 3/disgust/sentence 5/s_3_di_5.avi", "3", None, "disgust", None, None),
    ("enterface", "enterface database/subject 6/sadness/s6_sa.avi", "6", None, "sad", None, None),
]  # fmt: skip


@pytest.mark.parametrize(("name", "file", "speaker", "gender", "emotion", "intensity", "repetition"), STATED)
def test_a_name_states_its_utterance(
    name: str, file: str, speaker: str, gender: str, emotion: str, intensity: str | None, repetition: int | None
) -> None:
    fields = get_source(name).parse(PurePosixPath(file))
    assert fields["speaker"] == speaker
    assert fields.get("gender") == gender
    assert fields["emotion"] == emotion
    assert fields.get("intensity") == intensity
    assert fields.get("repetition") == repetition
    assert fields["language"] in get_source(name).info.languages


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
    (nemo.parse, "EB1_anger_1.wav", "speaker 'EB1' is not one of EB0, IC0"),
    (nemo.parse, "EB0_joy_1.wav", "emotion 'joy' is not one of anger, fear"),
    (emovo.parse, "dis-f4-b1.wav", "speaker 'f4'"),
    (emovo.parse, "dis-f1-b4.wav", "sentence 'b4' is not one of b1, b2, b3"),
    (emovo.parse, "abc-f1-b1.wav", "emotion 'abc' is not one of dis, gio"),
    (ased.parse, "n-04-02-01-29.wav", "not like n1-04-02-01-29.wav"),
    (ased.parse, "x1-04-02-01-29.wav", "emotion 'x' is not one of n, f, h, s, a"),
    (ased.parse, "n1-04-02-03-29.wav", "gender '03'"),
    (iesc.parse, "Anger/1.wav", "not lie in folders like Speaker-1/Anger"),
    (iesc.parse, "Speaker-1/Joy/1.wav", "emotion 'joy'"),
    (turev.parse, "Sound Source/Fear/1157_kz_acik.wav", "emotion 'fear' is not one of angry, calm, happy, sad"),
    (turev.parse, "Sound Source/Angry/1157_kz.wav", "2 parts, not the 3"),
    (emogator.parse, "000001-31-1.mp3", "category '31'"),
    (emogator.parse, "000001-01-4.mp3", "instance '4' is not one of 1, 2, 3"),
    (esd.parse, "0021/Angry/0021_000351.wav", "speaker '0021'"),
    (esd.parse, "0011/Bored/0011_000351.wav", "emotion 'bored' is not one of neutral, angry, happy, sad, surprise"),
    (esd.parse, "0011/Angry/351.wav", "not like 0011_000351.wav"),
    (jl.parse, "female3_angry_10a_1.wav", "not like female1_angry_10a_1.wav"),
    (jl.parse, "female1_bored_10a_1.wav", "emotion 'bored'"),
    (shemo.parse, "F01B02.wav", "emotion 'B' is not one of A, F, H, N, S, W"),
    (shemo.parse, "X01A02.wav", "gender 'X'"),
    (shemo.parse, "F1A2.wav", "not like F01A02.wav"),
    (emovdb.parse, "amy/Angry/anger_1-28_0011.wav", "speaker 'amy' is not one of bea, jenie, josh, sam"),
    (emovdb.parse, "bea/Bored/anger_1-28_0011.wav", "emotion 'bored'"),
    (emovdb.parse, "bea/Angry/anger.wav", "not like anger_1-28_0011.wav"),
    (emovdb.parse, "anger_1-28_0011.wav", "emotion ''"),
    (enterface.parse, "s1_an_1.avi", "not like subject 1/anger/sentence 1/s1_an_1.avi"),
    (enterface.parse, "subject 1/bored/s1_bo_1.avi", "emotion 'bo' is not one of an, di, fe, ha, sa, su"),
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


def meld(folder: Path, record: Callable[..., Path]) -> Path:
    root = folder / "meld" / "MELD.Raw"
    for name in ("train_splits/dia0_utt3", "output_repeated_splits_test/dia0_utt3", "output_repeated_splits_test/"
                 "final_videos_testdia0_utt3"):  # fmt: skip
        record(root / f"{name}.wav")
    header = "Sr No.,Utterance,Speaker,Emotion,Sentiment,Dialogue_ID,Utterance_ID,Season,Episode,StartTime,EndTime\n"
    times = '8,21,"00:16:16,059","00:16:21,731"'
    (root / "train_sent_emo.csv").write_text(f'{header}1,"No, I don\'t!",Chandler,joy,positive,0,3,{times}\n')
    (root / "test_sent_emo.csv").write_text(f"{header}1,Why?,Mark,surprise,positive,0,3,{times}\n")
    return root


def test_meld_is_read_by_its_tables(tmp_path: Path, record: Callable[..., Path]) -> None:
    meld(tmp_path, record)
    found = corpora.load("meld", data=tmp_path).utterances
    assert [(each.emotion, each.speaker, each.statement, each.extra["split"]) for each in found] == [
        ("surprised", "Mark", "Why?", "test"),
        ("happy", "Chandler", "No, I don't!", "train"),
    ]


def test_what_melds_tables_do_not_have_is_named(tmp_path: Path, record: Callable[..., Path]) -> None:
    root = meld(tmp_path, record)
    record(root / "train_splits" / "dia7_utt0.wav")
    with pytest.raises(CorpusError, match=r"dia7_utt0\.wav \(train_sent_emo\.csv has no row of it\)"):
        corpora.load("meld", data=tmp_path)
    (root / "train_sent_emo.csv").write_text("a,b\n1,2\n")
    with pytest.raises(CorpusError, match=r"train_sent_emo\.csv: not MELD's table"):
        corpora.load("meld", data=tmp_path)


def test_of_emovos_two_microphones_one_is_read(tmp_path: Path) -> None:
    near, far = np.random.default_rng(0).normal(size=(2, 16_000)) * 0.1
    path = tmp_path / "emovo" / "f1" / "dis-f1-b1.wav"
    path.parent.mkdir(parents=True)
    soundfile.write(path, np.stack([near, far], axis=1), 16_000, subtype="FLOAT")
    (utterance,) = corpora.load("emovo", data=tmp_path).utterances
    samples, _ = audio.load(utterance.part)
    np.testing.assert_allclose(samples, near, atol=1e-6)
