"""`emotone compare --train --test`: the other corpus is tested, unheard before; what is left out is said."""

import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import soundfile
import yaml

from emotone import corpora
from emotone.comparison.cross import join
from emotone.corpora.fingerprint import fingerprint, sample_digests
from emotone.corpora.synthetic import synthesise
from emotone.emotions import EMOTIONS
from emotone.errors import UsageError
from emotone.evaluation.record import RunRecord, read_records
from emotone.report.leaderboard import read_leaderboard

Emotone = Callable[..., Any]

EMODB = {"W": "angry", "E": "disgust", "A": "fearful", "F": "happy", "T": "sad", "N": "neutral", "L": "sad"}
"""EMO-DB's letters, and the synthetic emotion that is heard; L is bored, which no synthetic voice is."""
SAVEE = {"a": "angry", "d": "disgust", "f": "fearful", "h": "happy", "n": "neutral", "sa": "sad", "su": "surprised"}


def record(path: Path, emotion: str, actor: int, take: int = 1) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, synthesise(emotion, "normal", "01", take, actor), 16_000)
    return path


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Small corpora in their own layouts: ravdess of speakers 01 to 03, emodb of 03 and 08, savee of all four."""
    folder = tmp_path_factory.mktemp("corpora")
    for actor in (1, 2, 3):
        for number, emotion in enumerate(EMOTIONS, start=1):
            for take in (1, 2):
                name = f"03-01-{number:02d}-01-01-{take:02d}-{actor:02d}.wav"
                record(folder / "ravdess" / f"Actor_{actor:02d}" / name, emotion, actor, take)
    for actor, speaker in ((21, "03"), (22, "08")):
        for letter, emotion in EMODB.items():
            record(folder / "emodb" / "wav" / f"{speaker}a01{letter}a.wav", emotion, actor)
    for actor, speaker in enumerate(("DC", "JE", "JK", "KL"), start=17):
        for code, emotion in SAVEE.items():
            record(folder / "savee" / "ALL" / f"{speaker}_{code}01.wav", emotion, actor)
    return folder


@pytest.fixture
def compare(emotone: Emotone, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Emotone:
    """Return a function that runs `emotone compare` where those corpora are, into `tmp_path / "out"`."""
    monkeypatch.setenv("EMOTONE_DATA", str(data))
    return lambda *arguments: emotone("compare", *arguments, "--jobs", "1", "--out", tmp_path / "out")


def written(folder: Path) -> dict[str, RunRecord]:
    return {run.system: run for run in read_records(folder / "out" / "runs")}


def test_all_of_the_other_corpus_is_tested_on_the_classes_of_both(
    compare: Emotone, small: dict[str, Path], data: Path, tmp_path: Path
) -> None:
    systems = small["net"], small["copies"]
    done = compare(*systems, "--train", "ravdess", "--test", "savee")
    assert done.code == 0, done.err
    for scheme in ("ravdess8", "merged7"):
        classes = "neutral, happy, sad, angry, fearful, disgust, surprised"
        assert f"Classes of savee under {scheme}: {classes}; left out: nothing\n" in done.out
    assert re.search(r"^savee lies \d\.\d from ravdess \(a speaker lies 1 ", done.out, re.MULTILINE)
    assert done.out.splitlines()[-1] == str(tmp_path / "out" / "report" / "index.html")

    folder = tmp_path / "out" / "runs" / "ravdess-to-savee" / "cross" / "small"
    assert sorted(path.name for path in folder.iterdir()) == [
        "copies.quick.fold1.seed0.json",
        "net.quick.fold1.seed0.json",
    ]
    clips = {f"savee/{clip.clip}" for clip in corpora.load("savee", data=data).utterances}
    for name, run in written(tmp_path).items():
        assert (run.corpus, run.protocol, run.folds, run.leaks) == ("ravdess-to-savee", "cross", 1, ())
        assert set(run.predictions.clip) == clips and len(run.predictions.clip) == 28
        assert set(run.split.test_speakers) == {"savee:DC", "savee:JE", "savee:JK", "savee:KL"}
        assert len(run.classes) == 7 and "calm" not in run.classes
        (stated,) = [json.loads(path.read_text())["dropped"] for path in folder.glob(f"{name.split('/')[1]}.*")]
        assert stated == run.dropped == {}
    net, tree = written(tmp_path)["small/net"], written(tmp_path)["small/copies"]
    assert (net.split.train, net.split.validation, net.best_epoch is not None) == (32, 16, True)
    assert len(net.split.validation_speakers) == 1 and len(net.split.train_speakers) == 2
    assert (tree.split.train, tree.split.validation) == (2 * 48, 0), (
        "calm counts as neutral; a tree needs no validation"
    )

    page = (tmp_path / "out" / "report" / "index.html").read_text(encoding="utf-8")
    assert "Cross-corpus" in page and "RAVDESS to SAVEE" in page and "7 speakers" in page
    assert "Of speakers never heard in training, the best system" in page


def test_equal_speakers_and_the_classes_of_either_side_alone(
    compare: Emotone, small: dict[str, Path], tmp_path: Path
) -> None:
    done = compare(small["tree"], "--train", "ravdess", "--test", "emodb")
    assert done.code == 0, done.err
    assert "left out: bored (2 clips)" in done.out
    run = written(tmp_path)["small/tree"]
    assert run.dropped == {"emodb": {"bored": 2}}
    assert run.split.train_speakers == ("ravdess:01", "ravdess:02", "ravdess:03")
    assert run.split.test_speakers == ("emodb:03", "emodb:08")
    assert Counter(run.predictions.speaker) == {"emodb:03": 6, "emodb:08": 6}
    assert set(run.predictions.true) == set(run.classes) and "bored" not in run.predictions.emotion

    (path,) = (tmp_path / "out" / "runs").rglob("*.json")
    old = {key: value for key, value in json.loads(path.read_text()).items() if key != "dropped"}
    assert RunRecord.parse(old, where=path).dropped == {}, "a record from before there was the field"

    again = compare(small["tree"], "--train", "ravdess", "--test", "emodb")
    assert again.code == 0 and "1 of them are there already" in again.out
    assert written(tmp_path) == {"small/tree": run}


def test_a_corpus_of_ones_own_without_speakers_and_with_recordings_of_the_other(
    compare: Emotone, small: dict[str, Path], data: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "mine"
    for take in (1, 2):
        for actor in range(4, 10):
            for emotion in ("sad", "angry", "happy"):
                record(folder / emotion / f"{actor}-{take}.wav", emotion, actor, take)
    heard = data / "emodb" / "wav" / "03a01Ta.wav"
    (folder / "sad" / "known.wav").write_bytes(heard.read_bytes())
    done = compare(small["net"], "--train", folder, "--test", "emodb")
    assert done.code == 0, done.err
    assert "Training clips that are also in emodb: 1; not trained on where they are tested" in done.out
    run = written(tmp_path)["small/net"]
    assert (run.corpus, run.classes) == ("mine-to-emodb", ("happy", "sad", "angry"))
    assert (run.split.train, run.split.validation, run.split.test) == (32, 4, 6)
    assert run.split.train_speakers == ("unknown",)


def test_the_two_directions_are_two_corpora(data: Path, synthetic: Path) -> None:
    synthetic_voices = corpora.load("synthetic", data=synthetic)
    savee, emodb = (corpora.load(name, data=data) for name in ("savee", "emodb"))
    one, other = join(savee, [emodb]), join(emodb, [savee])
    hashes = {fingerprint(both.utterances, sample_digests(both.utterances)) for both in (one, other)}
    assert len(hashes) == 2
    assert (one.info.name, other.info.name) == ("savee-to-emodb", "emodb-to-savee")
    assert savee.info.licence in one.info.licence and emodb.info.licence in one.info.licence
    assert not one.info.synthetic and join(savee, [synthetic_voices]).info.synthetic


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--train", "ravdess"), ["--train ravdess lacks its --test"]),
        (("--test", "savee"), ["--test savee lacks its --train"]),
        (("--train", "savee", "--test", "savee"), ["--train and --test both name 'savee'"]),
        (("--train", "ravdess", "--test", "savee", "--protocol", "clean"), ["leave out --protocol"]),
        (("--train", "ravdess", "--test", "savee", "--corpus", "tess"), ["leave out --corpus"]),
        (("--train", "ravdess", "--test", "savee", "--data", "x", "--corpus", "y"), ["leave out --corpus, --data"]),
        (("--protocol", "cross"), ["Protocol 'cross' trains on some corpora and tests on others", "--train", "--test"]),
        (("--protocol", "clean,cross"), ["Protocol 'cross' trains on some corpora"]),
        (("--train", "ravdes", "--test", "savee"), ["Unknown corpus 'ravdes'. Valid: ravdess"]),
    ],
)
def test_what_cannot_be_crossed_is_a_usage_error(
    compare: Emotone, small: dict[str, Path], tmp_path: Path, arguments: tuple[str, ...], words: list[str]
) -> None:
    done = compare(small["tree"], *arguments)
    assert done.code == 2
    assert all(word in done.err for word in words), done.err
    assert not list(tmp_path.rglob("*.json"))


def test_a_system_that_is_not_quick_says_what_to_add(compare: Emotone) -> None:
    done = compare("bhanbhro/cnn-bilstm-attention", "--train", "ravdess", "--test", "savee")
    assert done.code == 2 and "use --preset paper" in done.err


@pytest.mark.parametrize("command", ["train", "audit"])
def test_one_corpus_is_never_crossed(emotone: Emotone, tmp_path: Path, command: str) -> None:
    out = ("--out", tmp_path / "out") if command == "train" else ()
    done = emotone(command, "boucheta/knn", "--protocol", "cross", *out)
    assert done.code == 2 and "--train ravdess --test emodb,savee" in done.err and not list(tmp_path.iterdir())


def test_two_manifests_of_one_name_and_corpora_without_common_classes(
    compare: Emotone, small: dict[str, Path], data: Path, tmp_path: Path
) -> None:
    for place, emotions in (("a", ("bored", "sad")), ("b", ("proud", "sad"))):
        (tmp_path / place).mkdir()
        clips = sorted((data / "savee" / "ALL").iterdir())[:4]
        rows = [f"{clip},{emotions[number % 2]},one" for number, clip in enumerate(clips)]
        for name in ("my", place):
            (tmp_path / place / f"{name}.csv").write_text("\n".join(["file,emotion,speaker", *rows]))
    done = compare(small["tree"], "--train", tmp_path / "a/my.csv", "--test", tmp_path / "b/my.csv")
    assert done.code == 2 and "Two corpora are called 'my'" in done.err and "rename" in done.err
    done = compare(small["tree"], "--train", tmp_path / "a/a.csv", "--test", tmp_path / "b/b.csv")
    assert done.code == 1
    assert "two classes that both corpora have. Trained on: bored, sad. Tested on (b): proud, sad." in done.err


def test_join_refuses_one_corpus_twice(data: Path) -> None:
    savee = corpora.load("savee", data=data)
    with pytest.raises(UsageError, match="Two corpora are called 'savee'"):
        join(savee, [savee])


def test_several_corpora_are_tested_in_one_run_each_on_its_own_classes(
    compare: Emotone, small: dict[str, Path], tmp_path: Path
) -> None:
    done = compare(small["tree"], "--protocol", "cross", "--train", "ravdess", "--test", "emodb,savee")
    assert done.code == 0, done.err
    assert "Classes of emodb under merged7: neutral, happy, sad, angry, fearful, disgust; left out: bored" in done.out
    (run,) = written(tmp_path).values()
    assert run.corpus == "ravdess-to-emodb+savee" and run.dropped == {"emodb": {"bored": 2}}
    told = run.predictions
    assert len(set(told.clip)) == 12 + 28
    surprised, calm = run.classes.index("surprised"), "calm" in run.classes
    for clip, named, probabilities in zip(told.clip, told.predicted, told.probabilities, strict=True):
        assert sum(probabilities) == pytest.approx(1, abs=1e-4)
        assert run.classes[probabilities.index(max(probabilities))] == named
        assert probabilities[surprised] == 0 or clip.startswith("savee/"), "EMO-DB has nobody surprised"
    assert not calm, "no tested corpus tells calm: it counts as neutral"
    page = (tmp_path / "out" / "report" / "index.html").read_text(encoding="utf-8")
    assert "Cross-corpus" in page


def test_each_of_several_corpora_is_left_out(compare: Emotone, small: dict[str, Path], tmp_path: Path) -> None:
    arguments = small["tree"], "--protocol", "leave-one-corpus-out", "--corpus", "ravdess,emodb,savee"
    done = compare(*arguments, "--preset", "paper")
    assert done.code == 0, done.err
    assert "emodb: left out, for the others have none: 2 bored" in done.err
    runs = read_records(tmp_path / "out" / "runs")
    assert [{clip.split("/")[0] for clip in run.predictions.clip} for run in runs] == [
        {"ravdess"},
        {"emodb"},
        {"savee"},
    ]
    assert {run.leaks for run in runs} == {()} and {run.corpus for run in runs} == {"ravdess+emodb+savee"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--train", "ravdess,emodb", "--test", "savee,emodb"), ["both name 'emodb'"]),
        (("--train", "ravdess", "--test", "savee,savee"), ["Two corpora are called 'savee'"]),
        (("--protocol", "leave-one-corpus-out"), ["needs several corpora", "--corpus ravdess,emodb,nemo"]),
        (("--protocol", "luna5", "--corpus", "savee,emodb"), ["defined on RAVDESS's actors"]),
    ],
)
def test_what_several_corpora_cannot_be_asked_for(
    compare: Emotone, small: dict[str, Path], arguments: tuple[str, ...], words: list[str]
) -> None:
    done = compare(small["tree"], *arguments)
    assert done.code in (1, 2) and all(word in done.err for word in words), done.err
    assert "Traceback" not in done.err


def test_a_benchmark_runs_across_corpora_once(
    emotone: Emotone, small: dict[str, Path], data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMOTONE_DATA", str(data))
    (tmp_path / "tree.yaml").write_text(small["tree"].read_text(encoding="utf-8"), encoding="utf-8")
    several = ["ravdess", "emodb", "savee"]
    plan = {
        "corpus": "ravdess",
        "runs": [
            {"systems": ["tree.yaml"], "protocols": ["cross"], "test": ["emodb", "savee"]},
            {"systems": ["tree.yaml"], "protocols": ["leave-one-corpus-out"], "corpora": several},
        ],
        "later": [{"systems": ["onah/cnn"], "protocols": ["cross"], "test": ["savee"], "why": "too slow"}],
    }
    (tmp_path / "plan.yaml").write_text(yaml.safe_dump(plan), encoding="utf-8")
    done = emotone("bench", tmp_path, "--jobs", 1)
    assert done.code == 0, done.err
    listed = {(entry.corpus, entry.protocol): entry for entry in read_leaderboard(tmp_path / "leaderboard.json")}
    assert {place: entry.runs for place, entry in listed.items()} == {
        ("ravdess-to-savee", "cross"): 0,
        ("ravdess-to-emodb+savee", "cross"): 1,
        ("ravdess+emodb+savee", "leave-one-corpus-out"): 3,
    }
    command = listed["ravdess-to-savee", "cross"].command
    assert command == f"emotone compare onah/cnn --train ravdess --test savee --preset paper --out {tmp_path.name}"
    again = emotone("bench", tmp_path, "--jobs", 1)
    assert again.code == 0 and again.out.count(" of them are there already") == 2
