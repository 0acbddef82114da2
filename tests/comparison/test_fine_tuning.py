"""Fine-tuning by `emotone train --from`: 60 clips of new voices help, other labels work, mistakes are named."""

import csv
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from emotone import corpora, recipes
from emotone.audio import load
from emotone.augment import ORIGINAL
from emotone.bundle import Bundle
from emotone.corpora.base import Utterance
from emotone.emotions import EMOTIONS
from emotone.evaluation.record import read_record
from emotone.export import export
from emotone.protocols import Fold, Sample
from emotone.recipes.schema import Recipe
from emotone.storage import load_system, save_system
from emotone.training import FittedSystem, fit
from emotone.training.begin import begin_with
from emotone.training.frames import frames_of
from emotone.training.system import classifier_for

OLD, NEW = ("01", "02", "03", "04"), ("21", "22")
AROUSED = {"happy": "lively", "angry": "lively", "surprised": "lively", "calm": "quiet", "sad": "quiet"}


def small(epochs: int) -> Recipe:
    """emotone's own system with a small network over coarse log-mels, which learns within seconds."""
    data = recipes.load("emotone/base").model_dump()
    data["id"] = "small/own"
    data["features"] |= {"mels": 32, "hop": 512}
    data["model"] |= {"stem": 8, "channels": (8, 16), "width": 24, "mixers": 1, "dropout": 0.1}
    data["training"] |= {"epochs": epochs, "batch": 16, "learning_rate": 0.01, "refit": False}
    data["training"]["regulariser"] |= {"mixup": 0.0, "average": 0.9, "distortion": {"mask_bands": 4, "crop": 1.5}}
    return Recipe.parse(data, where="small")


@dataclass
class Voices:
    """A bundle that knows four speakers, and two others: clips to tune on, and their other clips."""

    bundle: Path
    system: FittedSystem
    own: list[Utterance]
    others: list[Utterance]


@pytest.fixture(scope="module")
def voices(tmp_path_factory: pytest.TempPathFactory) -> Voices:
    corpus = corpora.load("ravdess" if corpora.find("ravdess") else "synthetic")
    recipe, clips = small(16), [clip for clip in corpus.utterances if clip.speaker in OLD]
    samples = tuple(map(Sample, range(len(clips))))
    frames = frames_of(recipe, [(clip.path, str(clip.path), ORIGINAL) for clip in clips], workers=1)
    fold = Fold(0, 1, samples, (), (), "none")
    labels = [clip.emotion for clip in clips]
    system = fit(recipe, fold, dict(zip(samples, frames, strict=True)), labels, EMOTIONS, seed=0, device="cpu")
    folder = tmp_path_factory.mktemp("voices")
    heard = {"corpus": corpus.info.name, "speakers": list(OLD)}
    save_system(system, folder / "run", licence=corpus.info.licence, trained_on=heard)
    export(folder / "run", folder / "base.onnx")
    new = [clip for clip in corpus.utterances if clip.speaker in NEW]
    return Voices(folder / "base.onnx", system, new[::2], new[1::2])


def write_manifest(path: Path, clips: Sequence[Utterance], labels: Mapping[str, str] | None = None) -> Path:
    """List the clips whose emotion is among `labels`, under its name there."""
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("file", "emotion", "speaker"))
        for clip in clips:
            if labels is None or clip.emotion in labels:
                rows.writerow((clip.path, labels[clip.emotion] if labels else clip.emotion, clip.speaker))
    return path


def judge(system: FittedSystem, clips: Sequence[Utterance]) -> tuple[float, float]:
    """Return accuracy and log loss."""
    probabilities = system.predict_files([clip.path for clip in clips])
    true = [system.classes.index(clip.emotion) for clip in clips]
    return float(np.mean(probabilities.argmax(1) == true)), float(-np.log(probabilities[range(len(true)), true]).mean())


def test_sixty_clips_of_new_voices_help_to_recognise_their_other_clips(
    emotone: Callable[..., Any], voices: Voices, tmp_path: Path
) -> None:
    data, out = write_manifest(tmp_path / "mine.csv", voices.own), tmp_path / "tuned"
    done = emotone("train", "--from", voices.bundle, "--data", data, "--all", "--out", out, "--device", "cpu")
    assert done.code == 0, done.err
    assert done.out.splitlines() == ["Trained on 60 clips; nothing was tested", str(out)]
    tuned = load_system(out)
    before, after = judge(voices.system, voices.others), judge(tuned, voices.others)
    assert before[0] > 0.2, "a start that knows nothing would test nothing"
    assert after[1] < before[1] - 0.03 and after[0] >= before[0]

    about = json.loads((out / "system.json").read_text(encoding="utf-8"))
    origin = about["trained_on"]["from"]
    assert (about["trained_on"]["clips"], about["trained_on"]["speakers"]) == (60, list(NEW))
    assert origin["name"] == "small/own" and origin["trained_on"]["speakers"] == list(OLD) and origin["version"]
    assert about["licence"].startswith(origin["licence"]) and about["licence"].endswith("not stated (mine)")
    assert tuned.recipe.training is not None and tuned.recipe.training.start == origin["digest"]
    assert "learning_rate is 0.003, not 0.01" in tuned.recipe.choices[-1]
    assert tuned.temperature == pytest.approx(voices.system.temperature)


@pytest.mark.parametrize("names", [AROUSED | {"disgust": "disgust"}, {"happy": "happy", "angry": "cross"}])
def test_new_labels_are_told_apart_before_the_first_epoch(voices: Voices, names: Mapping[str, str]) -> None:
    """Random rows are learnt too slowly by gentle training: it would answer with the most frequent label."""
    system, clips = voices.system, [clip for clip in voices.own if clip.emotion in names]
    classes = tuple(sorted(set(names.values())))
    y = np.array([classes.index(names[clip.emotion]) for clip in clips])
    frames = frames_of(system.recipe, [(clip.path, str(clip.path), ORIGINAL) for clip in clips], workers=1)
    options = {"seed": 0, "device": "cpu"}
    new = classifier_for(system.recipe, len(classes), None, **options)
    new.network_ = new.build(frames).eval()
    begin_with(new.network_, system.classifier, system.classes, classes, frames, y)
    assert np.mean([np.mean(new.predict_proba(frames).argmax(1)[y == index] == index) for index in set(y)]) > 0.7
    below = [name for name in new.network_.state_dict() if not name.startswith("output.")]
    old = system.classifier.network_.state_dict()
    assert all(torch.equal(new.network_.state_dict()[name], old[name]) for name in below)


def test_other_labels_are_learnt_and_predicted(emotone: Callable[..., Any], voices: Voices, tmp_path: Path) -> None:
    labels = AROUSED | {"disgust": "disgust"}
    data, out = write_manifest(tmp_path / "mine.csv", voices.own, labels), tmp_path / "tuned"
    done = emotone("train", "small/own", "--from", voices.bundle, "--data", data, "--out", out, "--all")
    assert done.code == 2 and "Unknown system 'small/own'" in done.err and not out.exists()
    done = emotone("train", "--from", voices.bundle, "--data", data, "--out", out, "--all", "--device", "cpu")
    assert done.code == 0, done.err
    assert emotone("export", out, "--out", tmp_path / "a.onnx").code == 0
    bundle = Bundle.load(tmp_path / "a.onnx")
    assert bundle.info.labels == ("disgust", "lively", "quiet")
    assert "before that 4 speakers" in bundle.info.limits
    shown = " ".join(emotone("model", "show", tmp_path / "a.onnx").out.split())
    assert "clips 48;" in shown and "from (name small/own" in shown
    asked = [clip for clip in voices.others if clip.emotion in labels]
    said = [bundle.run(load(clip.path, rate=bundle.info.rate)[0][None]).probabilities[0] for clip in asked]
    names = np.array([bundle.info.labels[answer.argmax()] for answer in said])
    true = np.array([labels[clip.emotion] for clip in asked])
    aroused = np.array([clip.emotion in AROUSED for clip in asked])
    assert np.mean(names[aroused] == true[aroused]) > 0.6
    recalls = [np.mean(names[true == label] == label) for label in bundle.info.labels]
    assert np.mean(recalls) > 0.5, "always the most frequent label would be a third"


def test_a_tested_speaker_that_the_bundle_has_heard_is_a_leak(
    emotone: Callable[..., Any], voices: Voices, tmp_path: Path
) -> None:
    corpus = corpora.load("ravdess" if corpora.find("ravdess") else "synthetic")
    few = [clip for clip in corpus.utterances if clip.speaker in ("01", "21")]
    data = write_manifest(tmp_path / f"{corpus.info.name}.csv", few)
    recipe = tmp_path / "brief.yaml"
    recipe.write_text(
        json.dumps(voices.system.recipe.model_dump(mode="json") | {"id": "small/brief", "quick_epochs": 1})
    )
    out, options = tmp_path / "tuned", ("--protocol", "clean", "--preset", "quick", "--device", "cpu")
    done = emotone("train", recipe, "--from", voices.bundle, "--data", data, "--out", out, *options)
    assert done.code == 0, done.err
    record = read_record(out / "run.json")
    assert record.leaks == ("the weights that training goes on from have heard test speakers",)
    assert record.split.validation == 0 and record.split.train + record.split.test == 120
    assert record.recipe["training"]["start"] and "Fine-tuned from small/own" in record.recipe["choices"][-1]
    audited = emotone("audit", out, "--data", data)
    assert "feature statistics" not in audited.out, audited.err


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--from", "{folder}/nothing.onnx"), 1, ["nothing.onnx: no such file"]),
        (("--from", "{folder}/text.onnx"), 1, ["text.onnx: not an ONNX file"]),
        (("--from", "{folder}/absent"), 2, ["absent: no such model", ".onnx file"]),
        (("boucheta/decision-tree", "--from", "{bundle}"), 2, ["its model.kind is 'decision-tree', not 'own'"]),
        (("emotone/base", "--from", "{bundle}"), 2, ["emotone/base cannot go on", "its model.stem is 24, not 8"]),
        (("--from", "{bundle}", "--encoder", "x"), 2, ["--encoder x"]),
        ((), 2, ["Give a system", "--from"]),
    ],
)
def test_what_cannot_be_gone_on_from_is_named(
    emotone: Callable[..., Any], voices: Voices, tmp_path: Path, arguments: Sequence[str], code: int, words: list[str]
) -> None:
    (tmp_path / "text.onnx").write_text("no model")
    given = [part.format(folder=tmp_path, bundle=voices.bundle) for part in arguments]
    data, out = write_manifest(tmp_path / "mine.csv", voices.own), tmp_path / "x"
    done = emotone("train", *given, "--data", data, "--out", out)
    assert done.code == code and all(word in done.err for word in words), done.err
    assert len(done.err.splitlines()) == 1 and not out.exists()
