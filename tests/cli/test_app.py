"""The command line: what is asked is done, what cannot be done is said in words, and the exit code tells which."""

import contextlib
import csv
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet
import pytest
import soundfile

from emotone import corpora, recipes
from emotone.errors import UsageError
from emotone.evaluation.record import RunRecord, read_records
from emotone.storage import load_system

Emotone = Callable[..., Any]


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine with an empty cache, no corpora and no network: returns the cache."""
    monkeypatch.delenv("EMOTONE_DATA", raising=False)
    monkeypatch.setenv("EMOTONE_CACHE", str(tmp_path / "cache"))
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # refuses at once
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "cache"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("compare", "boucheta/cn"), ["'boucheta/cn'", "Valid: boucheta/cnn, "]),
        (("compare", "--protocol", "lose"), ["'lose'", "Valid: loso, "]),
        (("compare", "--protocol", "clean,luna"), ["'luna'", "Valid: luna5, "]),
        (("compare", "--preset", "quik"), ["'quik'", "Valid: quick, paper"]),
        (("compare", "--device", "gpu"), ["'gpu'", "Valid: ", "cuda", "cpu", "auto"]),
        (("compare", "--precision", "16"), ["'16'", "Valid: ", "bf16", "32"]),
        (("compare", "--seeds", "0"), ["--seeds is 0", "at least 1"]),
        (("compare", "--jobs", "0"), ["--jobs is 0", "at least 1"]),
        (("compare", "--jobs", "-2"), ["--jobs is -2", "at least 1"]),
        (("compare", "nguyen/wav2vec2"), ["nguyen/wav2vec2 is too long for the quick preset"]),
        (("compare", "bhanbhro/cnn-lstm"), ["bhanbhro/cnn-lstm is too long for the quick preset", "--preset paper"]),
        (("compare", "absent.yaml"), ["absent.yaml", "no such recipe file"]),
        (("train", "boucheta/cn", "--out", "x"), ["'boucheta/cn'", "Valid: boucheta/cnn, "]),
        (("train", "boucheta/cnn", "--out", "x", "--protocol", "lose"), ["'lose'", "Valid: loso, "]),
        (("train", "boucheta/cnn", "--out", "x", "--preset", "quik"), ["'quik'", "Valid: quick"]),
        (("train", "boucheta/cnn", "--out", "x", "--device", "tpu"), ["'tpu'"]),
        (("train", "boucheta/cnn", "--out", "x", "--seed", "-1"), ["--seed is -1", "0 to 4294967295"]),
        (("train", "boucheta/cnn"), ["--out"]),
        (("features", "--system", "boucheta/cn", "--out", "x.csv"), ["'boucheta/cn'", "Valid: boucheta/cnn, "]),
        (("systems", "show", "kakadiya/cn"), ["'kakadiya/cn'", "Valid: kakadiya/cnn, "]),
        (("corpora", "fetch", "ravdes"), ["'ravdes'", "Valid: ravdess, "]),
        (("corpora", "check", "ravdes"), ["'ravdes'", "Valid: ravdess, "]),
        (("compaire",), ["compaire"]),
        (("compare", "--seeds", "many"), ["--seeds", "valid integer"]),
    ],
)
def test_what_cannot_be_asked_is_refused_before_anything_is_fetched(
    emotone: Emotone, offline: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...], words: list[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    done = emotone(*arguments)
    assert done.code == 2
    assert all(word in done.err for word in words), done.err
    assert "Traceback" not in done.err and not done.out
    assert not offline.exists() and not list(tmp_path.iterdir()), "something was fetched or written"


@pytest.mark.parametrize("command", [("compare",), ("train", "onah/lstm", "--out", "x"), ("bench", "results")])
def test_bf16_is_refused_where_the_processor_has_none(
    emotone: Emotone, offline: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    import torch

    monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: False)
    done = emotone(*command, "--precision", "bf16", "--device", "cpu")
    assert done.code == 2 and "does not compute in bf16" in done.err and "32" in done.err
    assert not offline.exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--corpus", "ravdes"), ["Unknown corpus 'ravdes'", "Valid: ravdess, "]),
        (("--data", "absent"), ["--data absent", "no such folder"]),
        (("--data", "absent.csv"), ["absent.csv", "no such"]),
        (("--corpus", "savee", "--data", "absent"), ["--data absent", "no such folder"]),
    ],
)
@pytest.mark.parametrize("command", [("compare", "boucheta/knn"), ("train", "boucheta/knn"),
                                     ("features", "--system", "boucheta/knn")])  # fmt: skip
def test_a_corpus_that_is_not_there(
    emotone: Emotone, offline: Path, tmp_path: Path, command: tuple[str, ...], arguments: tuple[str, ...],
    words: list[str],
) -> None:  # fmt: skip
    done = emotone(*command, *arguments, "--out", tmp_path / "out.csv")
    assert done.code == 2
    assert all(word in done.err for word in words), done.err


def test_a_known_corpus_that_is_not_on_this_machine_says_where_it_was_looked_for(
    emotone: Emotone, offline: Path, tmp_path: Path
) -> None:
    done = emotone("compare", "boucheta/knn", "--corpus", "savee", "--out", tmp_path / "out")
    assert done.code == 1
    assert "'savee' was not found" in done.err and str(offline) in done.err and "--data" in done.err


@pytest.mark.parametrize("command", [("compare", "boucheta/knn"), ("train", "boucheta/knn")])
def test_a_place_that_cannot_be_written_is_named_before_anything_is_trained(
    emotone: Emotone, offline: Path, tmp_path: Path, command: tuple[str, ...]
) -> None:
    (tmp_path / "file").write_text("")
    for out in (tmp_path / "file", tmp_path / "file" / "inside"):
        done = emotone(*command, "--out", out)
        assert done.code == 1
        assert str(tmp_path / "file") in done.err and len(done.err.splitlines()) == 1
    assert not offline.exists()


def test_a_table_that_cannot_be_written(emotone: Emotone, small: dict[str, Path], few: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    data = ("--corpus", "synthetic", "--data", few)
    done = emotone("features", "--system", small["net"], "--out", tmp_path / "file" / "x.csv", *data)
    assert done.code == 1 and str(tmp_path / "file") in done.err and "Traceback" not in done.err
    done = emotone("features", "--system", small["net"], "--out", tmp_path / "x.xlsx", *data)
    assert done.code == 2 and "'.xlsx'" in done.err and ".csv" in done.err and ".parquet" in done.err


def test_systems_are_listed_with_what_their_papers_report(emotone: Emotone) -> None:
    done = emotone("systems")
    assert done.code == 0
    rows = {line.split()[0]: line for line in done.out.splitlines()[1:]}
    assert list(rows) == list(recipes.names())
    assert "72.5%" in rows["boucheta/cnn"] and rows["boucheta/cnn"].rstrip().endswith("runs")
    assert rows["nguyen/wav2vec2"].rstrip().endswith("needs pretrained weights")
    assert " - " in rows["onah/lstm"]


@pytest.mark.parametrize("name", recipes.names())
def test_every_system_can_be_shown(emotone: Emotone, name: str) -> None:
    done = emotone("systems", "show", name)
    assert done.code == 0
    recipe = recipes.load(name)
    assert f"id: {name}" in done.out and all(choice in done.out for choice in recipe.choices)
    assert ("Network, input" in done.out) == (recipe.model.kind == "network")
    if recipe.published.parameters:
        assert f"{recipe.published.parameters:,} parameters as Keras counts them" in done.out


def test_a_shown_recipe_can_be_used_as_a_recipe(emotone: Emotone, tmp_path: Path) -> None:
    shown = emotone("systems", "show", "kakadiya/cnn-lstm").out
    path = tmp_path / "shown.yaml"
    path.write_text(shown.split("\n\n")[0], encoding="utf-8")
    again = recipes.load_file(path)
    assert again.model_copy(update={"choices": recipes.load("kakadiya/cnn-lstm").choices}) == recipes.load(
        "kakadiya/cnn-lstm"
    )


def test_a_recipe_of_ones_own_may_not_pass_for_a_published_system(emotone: Emotone, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("extends: kakadiya/cnn\nquick_epochs: 2\n")
    done = emotone("compare", path, "--out", tmp_path / "out")
    assert done.code == 2
    assert str(path) in done.err and "'kakadiya/cnn' is a published system's" in done.err
    with pytest.raises(UsageError):
        recipes.load(str(path))


def test_corpora_are_listed_with_their_terms_and_place(emotone: Emotone, offline: Path) -> None:
    done = emotone("corpora")
    assert done.code == 0
    rows = {line.split()[0]: line for line in done.out.splitlines()[1:] if line[:1].strip()}
    assert set(corpora.names()) <= set(rows)
    assert "not here" in rows["ravdess"]
    assert all(any(word in done.out for word in corpora.info(name).licence.split()) for name in corpora.names())


def test_a_sound_corpus_passes_the_check_and_a_damaged_one_is_told_file_by_file(
    emotone: Emotone, tmp_path: Path
) -> None:
    random = np.random.default_rng(0)
    for number, emotion in enumerate(("sad", "happy")):
        folder = tmp_path / "mine [1]" / emotion
        folder.mkdir(parents=True)
        soundfile.write(folder / f"{number}.wav", random.normal(scale=0.1, size=8000), 16_000)
    done = emotone("corpora", "check", tmp_path / "mine [1]")
    assert done.code == 0 and "2 files" in done.out and "0 findings, 2 worth a look" in done.out
    assert "0.50 s; the model was trained on none under" in done.out

    soundfile.write(tmp_path / "mine [1]" / "sad" / "hush [b].wav", np.zeros(8000), 16_000)
    (tmp_path / "mine [1]" / "sad" / "broken.wav").write_bytes(b"no audio")
    done = emotone("corpora", "check", tmp_path / "mine [1]")
    assert done.code == 1 and "2 findings, 3 worth a look" in done.out
    assert "sad/hush [b].wav" in done.out and "sad/broken.wav" in done.out
    assert "mine [1]" in done.out, "a name in brackets is no markup"


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_features_are_one_row_a_clip_with_its_labels(
    emotone: Emotone, small: dict[str, Path], synthetic: Path, tmp_path: Path, suffix: str
) -> None:
    out = tmp_path / "new folder" / f"features{suffix}"
    done = emotone("features", "--system", small["net"], "--out", out, "--corpus", "synthetic", "--data", synthetic)
    assert done.code == 0 and done.out.strip() == f"{out}: 180 clips, 160 features"
    if suffix == ".csv":
        with out.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    else:
        rows = pyarrow.parquet.read_table(out).to_pylist()
    utterances = corpora.load("synthetic", data=synthetic).utterances
    labels = ("clip", "corpus", "emotion", "speaker", "gender", "intensity", "statement", "repetition", "language")
    assert [tuple(str(row[name]) for name in labels) for row in rows] == [
        tuple(str(getattr(utterance, name)) for name in labels) for utterance in utterances
    ]
    values = np.array([[float(row[name]) for name in row if name not in labels] for row in rows])
    assert values.shape == (180, 160) and np.isfinite(values).all()
    assert (values.std(0) > 0).all(), "a feature that is the same for every clip"
    assert list(out.parent.iterdir()) == [out]


@pytest.mark.parametrize("name", ["net", "tree"])
def test_train_stores_a_system_that_predicts_what_its_record_says(
    emotone: Emotone, small: dict[str, Path], synthetic: Path, tmp_path: Path, name: str
) -> None:
    out = tmp_path / "system"
    data = ("--corpus", "synthetic", "--data", synthetic)
    done = emotone("train", small[name], "--out", out, "--preset", "quick", "--seed", 7, *data)
    assert done.code == 0, done.err
    assert done.out.splitlines()[-1] == str(out)
    record = RunRecord.model_validate_json((out / "run.json").read_text(encoding="utf-8"))
    assert (record.protocol, record.seed, record.corpus) == ("clean", 7, "synthetic")
    about = json.loads((out / "system.json").read_text(encoding="utf-8"))
    assert about["licence"] == corpora.info("synthetic").licence
    assert about["trained_on"]["speakers"] == list(record.split.train_speakers)
    assert about["trained_on"]["data_hash"] == record.data_hash
    parts = {"net": "weights.safetensors", "tree": "estimator.skops"}
    assert {parts[name], "run.json", "system.json"} <= {path.name for path in out.iterdir()}
    assert not list(out.rglob("*.ckpt"))

    system = load_system(out)
    assert system.classes == record.classes
    files = [synthetic / "synthetic" / f"{clip}.wav" for clip in record.predictions.clip[:5]]
    np.testing.assert_allclose(system.predict_files(files), record.predictions.probabilities[:5], atol=1e-5)


def test_a_system_for_use_is_trained_on_all_speakers(emotone: Emotone, few: Path, tmp_path: Path) -> None:
    recipe, out = tmp_path / "own.yaml", tmp_path / "system"
    recipe.write_text(
        "extends: emotone/base\nid: small/own\nmodel: {stem: 4, channels: [4], width: 8}\n"
        "training: {epochs: 1, refit: true}\n"
    )
    data = ("--corpus", "synthetic", "--data", few)
    done = emotone("train", recipe, "--all", "--out", out, *data)
    assert done.code == 0, done.err
    said = "Trained on 45 clips, the epoch chosen on 15 of them; nothing was tested"
    assert done.out.splitlines() == [said, str(out)]
    about = json.loads((out / "system.json").read_text(encoding="utf-8"))
    assert (about["trained_on"]["clips"], about["trained_on"]["speakers"]) == (45, ["01", "02", "03"])
    assert sorted(path.name for path in out.iterdir()) == ["system.json", "weights.safetensors"]
    probabilities = load_system(out).predict_files([next((few / "synthetic").rglob("*.wav"))])
    assert probabilities.shape == (1, 8) and probabilities.sum() == pytest.approx(1, abs=1e-5)

    refused = emotone("train", recipe, "--all", "--fold", 2, "--out", out, *data)
    assert refused.code == 2 and "--all" in refused.err and "--fold" in refused.err


def test_a_fold_is_named_from_one(emotone: Emotone, small: dict[str, Path], synthetic: Path, tmp_path: Path) -> None:
    data = ("--corpus", "synthetic", "--data", synthetic, "--protocol", "loso", "--out", tmp_path / "out")
    for fold in (0, 4):
        done = emotone("train", small["tree"], "--fold", fold, *data)
        assert done.code == 2 and f"--fold is {fold}" in done.err and "folds 1 to 3" in done.err
    assert emotone("train", small["tree"], "--fold", 3, *data).code == 0
    record = RunRecord.model_validate_json((tmp_path / "out" / "run.json").read_text(encoding="utf-8"))
    assert (record.fold, record.split.test_speakers) == (2, ("03",))


def test_without_ravdess_and_network_it_says_so_in_two_lines_and_goes_on_with_synthetic_voices(
    emotone: Emotone, small: dict[str, Path], few: Path, offline: Path, tmp_path: Path, without_pictures: None
) -> None:
    from emotone.corpora.synthetic import SYNTHETIC

    (offline / "corpora").mkdir(parents=True)
    (offline / "corpora" / str(SYNTHETIC.cached_as)).symlink_to(few / "synthetic")  # spares the synthesis of all
    done = emotone("compare", small["tree"], "--out", tmp_path / "out", "--jobs", "1")
    assert done.code == 0, done.err
    first, second = done.err.splitlines()
    assert first.startswith("RAVDESS is not here and cannot be downloaded: ") and "zenodo.org" in first
    assert "synthetic corpus" in second and "EMOTONE_DATA" in second
    assert "synthetic: not real speech" in done.out.splitlines()[0]
    (record,) = read_records(tmp_path / "out" / "runs")
    assert (record.corpus, record.synthetic) == ("synthetic", True)

    again = emotone("report", tmp_path / "out")
    assert again.code == 0
    assert again.out.strip() == str(tmp_path / "out" / "report" / "index.html")


def test_a_report_needs_runs(emotone: Emotone, offline: Path, tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "absent"):
        done = emotone("report", folder)
        assert done.code == 2 and str(folder) in done.err
    (tmp_path / "runs").mkdir()
    for content in ("half a rec", "{}", "[]"):
        (tmp_path / "runs" / "x.json").write_text(content)
        done = emotone("report", tmp_path)
        assert done.code in (1, 2) and "x.json" in done.err and "Traceback" not in done.err


def test_the_installed_command_shows_its_help() -> None:
    script = Path(sys.executable).parent / "emotone"
    done = subprocess.run([script, "--help"], capture_output=True, text=True)
    assert done.returncode == 0
    assert all(command in done.stdout for command in ("compare", "train", "features", "systems", "corpora", "report"))
    wrong = subprocess.run([script, "systems", "show", "onah/cn"], capture_output=True, text=True)
    assert wrong.returncode == 2
    assert wrong.stderr.startswith("emotone: Unknown system 'onah/cn'. Valid: onah/cnn, ")


def test_a_command_whose_extra_is_missing_names_it() -> None:
    script = "import sys; sys.modules['torch'] = None; from emotone.cli import main; main()"
    command = [sys.executable, "-c", script, "systems", "show", "kakadiya/cnn"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == "emotone: this command needs torch: pip install 'emotone[train]'"
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="a terminal of its own is Unix's")
def test_lines_stand_above_the_bar_of_one_terminal(tmp_path: Path) -> None:
    """What is printed while a bar is shown begins on a line that was cleared."""
    for name in ("one.wav", "two.wav"):
        soundfile.write(tmp_path / name, np.zeros(16_000), 16_000)
    (tmp_path / "no.wav").write_text("no sound")
    ours, theirs = os.openpty()
    command = [sys.executable, "-m", "emotone", "predict", "one.wav", "no.wav", "two.wav"]
    terminal = os.environ | {"TERM": "xterm", "COLUMNS": "100"}
    with subprocess.Popen(command, stdout=theirs, stderr=theirs, cwd=tmp_path, env=terminal):
        os.close(theirs)
        shown = b""
        with contextlib.suppress(OSError):  # the end of a terminal
            while more := os.read(ours, 4096):
                shown += more
    os.close(ours)
    text = shown.decode()
    assert "Recognising" in text
    for word in ("File", "one.wav", "two.wav", "emotone: "):
        line = text[: text.index(word)].rsplit("\n", 1)[-1]
        left = re.sub(r"\x1b\[[\d;?]*[A-Za-z]|\r", "", line.rsplit("\x1b[2K", 1)[-1])
        assert left.strip() == "", (word, line)
