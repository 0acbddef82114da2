"""The synthetic corpus: RAVDESS's layout, the same bytes every time, emotions that can be learned but not read off."""

import subprocess
import sys
from pathlib import Path, PurePosixPath

import numpy as np
import pytest
import soundfile

from emotone import corpora
from emotone.corpora import synthetic
from emotone.corpora.ravdess import expected, parse
from emotone.emotions import EMOTIONS
from emotone.errors import UsageError


@pytest.fixture(scope="module")
def eight_actors(tmp_path_factory: pytest.TempPathFactory) -> corpora.Corpus:
    folder = synthetic.write(tmp_path_factory.mktemp("data") / "synthetic", range(1, 9))
    return corpora.load("synthetic", data=folder.parent)


def test_layout_and_names_are_ravdess(eight_actors: corpora.Corpus) -> None:
    assert eight_actors.info.synthetic
    assert {u.clip for u in eight_actors.utterances} == {
        f"Actor_{name[-2:]}/{name}" for name in expected() if int(name[-2:]) <= 8
    }
    for utterance in eight_actors.utterances[::40]:
        about = soundfile.info(utterance.path)
        assert (about.samplerate, about.channels, about.subtype) == (16_000, 1, "PCM_16")
        assert 1.0 < about.duration < 3.2


def test_no_two_clips_are_the_same_and_none_is_clipped_or_silent(eight_actors: corpora.Corpus) -> None:
    seen = set()
    for utterance in eight_actors.utterances:
        samples, _ = soundfile.read(utterance.path)
        assert 0.005 < np.abs(samples).max() < 0.97
        seen.add(samples.tobytes())
    assert len(seen) == 480


def test_emotions_of_unseen_speakers_can_be_learned_but_not_read_off(eight_actors: corpora.Corpus) -> None:
    librosa = pytest.importorskip("librosa")
    sklearn_pipeline = pytest.importorskip("sklearn.pipeline")
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    features = []
    for utterance in eight_actors.utterances:
        samples, rate = soundfile.read(utterance.path)
        power = librosa.feature.melspectrogram(y=samples, sr=rate, n_fft=512, hop_length=160, n_mels=40)
        mels = librosa.power_to_db(power, top_db=None)
        features.append(np.concatenate([mels.mean(axis=1), mels.std(axis=1)]))
    x = np.array(features)
    y = np.array([utterance.emotion for utterance in eight_actors.utterances])
    held_out = np.array([utterance.speaker in ("07", "08") for utterance in eight_actors.utterances])
    model = sklearn_pipeline.make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000, C=0.1))
    accuracy = model.fit(x[~held_out], y[~held_out]).score(x[held_out], y[held_out])
    assert 0.55 < accuracy < 0.92


def test_the_same_clip_has_the_same_bytes_in_another_process() -> None:
    program = (
        "import sys; from emotone.corpora.synthetic import synthesise; "
        "sys.stdout.buffer.write(synthesise('angry', 'strong', '02', 2, 5).tobytes())"
    )
    elsewhere = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stdout
    assert elsewhere == synthetic.synthesise("angry", "strong", "02", 2, 5).tobytes()


def test_emotion_and_speaker_are_heard() -> None:
    def level(emotion: str, intensity: str = "strong") -> float:
        takes = [synthetic.synthesise(emotion, intensity, "01", 1, actor) / 32768 for actor in range(1, 9)]
        return float(np.mean([np.sqrt(np.mean(take**2)) for take in takes]))

    assert level("angry") > level("happy") > level("neutral", "normal") > level("sad")
    assert level("angry") > level("angry", "normal")
    seconds = {emotion: synthetic.synthesise(emotion, "strong", "01", 1, 3).size / 16_000 for emotion in EMOTIONS}
    assert seconds["sad"] > seconds["neutral"] > seconds["fearful"]

    librosa = pytest.importorskip("librosa")

    def pitch(actor: int) -> float:
        samples = synthetic.synthesise("neutral", "normal", "01", 1, actor) / 32768
        return float(np.median(librosa.yin(samples, fmin=60, fmax=400, sr=16_000)))

    assert min(pitch(actor) for actor in (2, 4, 6)) > 1.2 * max(pitch(actor) for actor in (1, 3, 5))


def test_bad_arguments_name_the_valid_ones() -> None:
    with pytest.raises(UsageError, match=r"Unknown emotion 'hapy'\. Valid: happy"):
        synthetic.synthesise("hapy", "normal", "01", 1, 1)
    with pytest.raises(UsageError, match="Unknown statement '03'"):
        synthetic.synthesise("happy", "normal", "03", 1, 1)


@pytest.fixture
def one_actor_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(synthetic, "expected", lambda: [name for name in expected() if name.endswith("-01")])


def test_generated_on_first_load_only(no_data: Path, one_actor_only: None) -> None:
    done: list[tuple[int, int]] = []
    first = corpora.load("synthetic", on_progress=lambda *progress: done.append(progress))
    assert len(first.utterances) == 60
    assert done[-1] == (60, 60)
    assert corpora.find("synthetic") == first.root == no_data / "corpora" / "synthetic-v1"
    done.clear()
    assert corpora.load("synthetic", on_progress=lambda *progress: done.append(progress)) == first
    assert not done


def test_a_failure_leaves_nothing_behind(no_data: Path, one_actor_only: None) -> None:
    def interrupt(done: int, total: int) -> None:
        if done == 30:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        corpora.load("synthetic", on_progress=interrupt)
    assert list((no_data / "corpora").iterdir()) == []


def test_two_processes_at_once_make_one_corpus(no_data: Path) -> None:
    program = (
        "from emotone.corpora import synthetic; names = [n for n in synthetic.expected() if n.endswith('-01')]; "
        "synthetic.expected = lambda: names; print(synthetic.generate())"
    )
    both = [subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    printed = [process.communicate(timeout=60)[0].strip() for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert printed == [str(no_data / "corpora" / "synthetic-v1")] * 2
    assert [child.name for child in (no_data / "corpora").iterdir()] == ["synthetic-v1"]
    files = list((no_data / "corpora" / "synthetic-v1").rglob("*.wav"))
    assert len(files) == 60
    for file in files[::20]:
        name = file.stem.split("-")
        fields = parse(PurePosixPath(file.name))
        again = synthetic.synthesise(fields["emotion"], fields["intensity"], name[4], int(name[5]), 1)
        assert np.array_equal(soundfile.read(file, dtype="int16")[0], again)
