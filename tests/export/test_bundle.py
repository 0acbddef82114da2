"""Export: the card says what the run was, int8 costs next to nothing, what cannot be exported says so."""

import ast
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from emotone.audio import load
from emotone.augment import ORIGINAL
from emotone.bundle import Bundle, BundleInfo
from emotone.errors import BundleError, EmotoneError, UsageError
from emotone.evaluation.pool import pool_all
from emotone.evaluation.record import RunRecord, read_records
from emotone.export import export
from emotone.export.unbundle import weights_of
from emotone.protocols import Fold, Sample
from emotone.recipes.schema import Recipe
from emotone.storage import save_system
from emotone.training import FittedSystem, fit
from emotone.training.frames import frames_of

CLASSES = ("calm", "happy", "sad")


@pytest.fixture
def store(small: Callable[..., Recipe], task_for: Callable[..., Any], tmp_path: Path) -> Callable[[str], Path]:
    """Return a function that fits a small system on noise and stores it."""

    def make(name: str) -> Path:
        recipe = small(name)
        task = task_for(recipe)
        system = fit(recipe, task.fold, task.frames, task.labels, CLASSES, seed=0, epochs=1, device="cpu")
        save_system(system, tmp_path / "run", licence="CC0", trained_on={"corpus": "noise", "speakers": ["01", "02"]})
        return tmp_path / "run"

    return make


@pytest.mark.parametrize(("name", "kind"), [("boucheta/decision-tree", "decision-tree"), ("boucheta/knn", "knn")])
def test_a_classical_system_is_refused(store: Callable[[str], Path], tmp_path: Path, name: str, kind: str) -> None:
    with pytest.raises(EmotoneError, match=rf"{name} cannot be exported to ONNX: it is a {kind}, no network"):
        export(store(name), tmp_path / "model.onnx")
    assert not (tmp_path / "model.onnx").exists()


def test_what_is_no_system_is_refused(store: Callable[[str], Path], tmp_path: Path) -> None:
    with pytest.raises(EmotoneError, match=r"not a stored system, system\.json is missing"):
        export(tmp_path, tmp_path / "model.onnx")
    run = store("nguyen/cnn")
    with pytest.raises(UsageError, match="is a folder; name a file"):
        export(run, tmp_path)
    (run / "weights.safetensors").write_bytes(b"cut")
    with pytest.raises(EmotoneError, match="a broken system"):
        export(run, tmp_path / "model.onnx")
    assert not list(tmp_path.glob("*.onnx*")) and not list(tmp_path.glob(".*"))


def test_a_killed_export_leaves_what_was_there(
    store: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from emotone.export import bundle as module

    def kill(*_: Any, **__: Any) -> bytes:
        raise KeyboardInterrupt

    run, out = store("nguyen/cnn"), tmp_path / "model.onnx"
    out.write_bytes(b"the one before")
    monkeypatch.setattr(module, "make_bundle", kill)
    with pytest.raises(KeyboardInterrupt):
        export(run, out)
    assert out.read_bytes() == b"the one before" and not list(tmp_path.glob(".*"))


def test_weights_of_another_file_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.onnx").write_bytes(b"no model")
    with pytest.raises(BundleError, match=r"a\.onnx: not an ONNX file"):
        weights_of(tmp_path / "a.onnx")


@dataclass
class Trained:
    """A system trained on clips of eight speakers, its clips, and its two exports."""

    system: FittedSystem
    paths: list[Path]
    true: NDArray[np.intp]
    run: Path
    whole: Path
    int8: Path
    card: BundleInfo


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    from emotone import corpora, recipes

    corpus = corpora.load("ravdess" if corpora.find("ravdess") else "synthetic")
    speakers = sorted({clip.speaker for clip in corpus.utterances if clip.speaker})[:8]
    labels = ("calm", "angry")
    clips = [clip for clip in corpus.utterances if clip.speaker in speakers and clip.emotion in labels]
    data = recipes.load("nguyen/cnn").model_dump()
    data["model"]["convolution"]["channels"] = [16, 16, 32, 32]
    recipe = Recipe.parse(data, where="small")
    frames = frames_of(recipe, [(clip.path, str(clip.path), ORIGINAL) for clip in clips], workers=1)
    samples = tuple(map(Sample, range(len(clips))))
    system = fit(
        recipe,
        Fold(0, 1, samples[::2], (), samples[1::2], "none"),
        dict(zip(samples, frames, strict=True)),
        [clip.emotion for clip in clips],
        labels,
        seed=0,
        epochs=30,
        device="cpu",
    )
    folder = tmp_path_factory.mktemp("trained")
    run, whole, int8 = folder / "run", folder / "new" / "whole.onnx", folder / "int8.onnx"
    save_system(system, run, licence="CC0", trained_on={"corpus": "noise", "speakers": ["01", "02"]})
    card = export(run, whole)
    save_system(replace(system, temperature=1.5), folder / "warm", licence="CC0", trained_on={})
    export(folder / "warm", int8, int8=True)
    true = np.array([labels.index(clip.emotion) for clip in clips])
    return Trained(system, [clip.path for clip in clips], true, run, whole, int8, card)


def test_the_card_says_what_the_system_is(trained: Trained) -> None:
    info = trained.card
    assert Bundle.load(trained.whole).info == info
    assert (info.name, info.labels, info.rate, info.licence) == ("nguyen/cnn", ("calm", "angry"), 16_000, "CC0")
    assert info.trained_on == {"corpus": "noise", "speakers": ["01", "02"]} and "2 speakers of noise" in info.limits
    assert info.metrics == {} and (info.temperature, Bundle.load(trained.int8).info.temperature) == (1.0, 1.5)
    assert Recipe.parse(info.recipe, where="card") == trained.system.recipe
    weights = weights_of(trained.whole)
    assert info.parameters == sum(array.size for name, array in weights.items() if "running" not in name)


def test_nothing_of_the_machine_is_in_the_file(trained: Trained) -> None:
    """torch's exporter notes the source line of every step, with its path."""
    content = trained.whole.read_bytes()
    assert b".py" not in content and str(Path(__file__).parents[2]).encode() not in content


def test_int8_costs_less_than_a_point_of_recall(trained: Trained) -> None:
    clips = [load(path, rate=16_000)[0] for path in trained.paths]
    recalls = []
    for path in (trained.whole, trained.int8):
        bundle = Bundle.load(path)
        answers = np.concatenate([bundle.run(clip[None]).probabilities for clip in clips]).argmax(1)
        recalls.append(np.mean([(answers[trained.true == label] == label).mean() for label in range(2)]))
    assert recalls[0] > 0.7, "a system that has learnt nothing would test nothing"
    assert abs(recalls[0] - recalls[1]) <= 0.01
    weights = sum(array.size for array in weights_of(trained.whole).values())
    assert trained.whole.stat().st_size - trained.int8.stat().st_size > 2.5 * weights


def test_weights_of_an_int8_bundle_are_close_to_the_systems(trained: Trained) -> None:
    own = trained.system.classifier.network_.state_dict()
    weights = weights_of(trained.int8)
    assert {name for name in own if "num_batches" not in name} == set(weights)
    for name, array in weights.items():
        assert array.shape == tuple(own[name].shape) and array.dtype == np.float32
        assert np.abs(array - own[name].numpy()).max() <= np.abs(own[name].numpy()).max() / 127


def test_the_example_of_the_documentation_runs(
    trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = (Path(__file__).parents[2] / "docs" / "bundle.md").read_text(encoding="utf-8")
    example = page.split("```python\n")[1].split("```")[0]
    samples, rate = load(trained.paths[0], rate=16_000)
    soundfile.write(tmp_path / "clip.wav", samples, rate, subtype="FLOAT")
    shutil.copy(trained.whole, tmp_path / "model.onnx")
    monkeypatch.chdir(tmp_path)
    exec(compile(example, "docs/bundle.md", "exec"), {})
    expected = trained.system.predict_files([tmp_path / "clip.wav"])[0]
    answer = ast.literal_eval(capsys.readouterr().out)
    assert answer == pytest.approx(dict(zip(("calm", "angry"), expected.tolist(), strict=True)), abs=2e-3)


def test_export_and_show_on_the_command_line(
    emotone: Callable[..., Any], synthetic: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMOTONE_DATA", str(synthetic))
    recipe = tmp_path / "net.yaml"
    model = "{convolution: {channels: [4, 4, 4, 4]}, dense: []}"
    recipe.write_text(f"extends: nguyen/cnn\nid: small/net\nmodel: {model}\nquick_epochs: 1\n")
    run, out = tmp_path / "run", tmp_path / "model.onnx"
    done = emotone("train", recipe, "--corpus", "synthetic", "--preset", "quick", "--out", run)
    assert done.code == 0, done.err
    done = emotone("export", run, "--out", out)
    assert done.code == 0, done.err
    assert "small/net, 8 labels" in done.out and done.err == ""
    done = emotone("model", "show", out)
    record = json.loads((run / "run.json").read_text())
    shown = " ".join(done.out.split())
    for words in ("small/net", "16,000 Hz", "neutral, calm, happy", "not calibrated", "corpus synthetic", "seed 0",
                  f"uar {record['metrics']['uar']:.1%} [", "clean, fold 1 of 1", "Intended use", "Limits", "Licence",
                  "MB", "parameters"):  # fmt: skip
        assert words in shown, words
    assert Bundle.load(out).info.trained_on["clips"] == record["split"]["train"]

    other = json.loads((run / "run.json").read_text()) | {"seed": 7}
    (run / "run.json").write_text(json.dumps(other))
    assert emotone("export", run, "--out", out, "--int8").code == 0
    assert Bundle.load(out).info.metrics == {}, "another run's figures are not this system's"


def test_the_card_of_a_model_for_use_says_what_its_recipe_reached_with_unseen_speakers(
    trained: Trained, make_record: Callable[..., RunRecord], emotone: Callable[..., Any], tmp_path: Path
) -> None:
    bench, out = tmp_path / "bench", tmp_path / "model.onnx"

    def export_measured() -> Any:
        return emotone("export", trained.run, "--out", out, "--measured", bench)

    refused = export_measured()
    assert refused.code == 2 and "holds no folder 'runs'" in refused.err
    recipe = trained.system.recipe.model_dump(mode="json")
    for fold in range(5):
        refused = export_measured() if fold == 4 else refused
        record = make_record("nguyen/cnn", "luna5", fold=fold, recipe=recipe, adapted=0.7, leaks=())
        record.write(bench / "runs" / f"{fold}.json")
    assert refused.code == 2 and "no finished runs of nguyen/cnn as it is" in refused.err and not out.exists()

    assert export_measured().code == 0
    metrics, (pooled,) = Bundle.load(out).info.metrics, pool_all(read_records(bench / "runs"))
    found = metrics["uar, luna5"]
    assert (found.value, (found.low, found.high)) == (pooled.metrics["uar"], pooled.intervals["uar"])
    assert "5 folds of speakers never heard in training, 1 seed, ravdess" in found.protocol
    assert metrics["accuracy, luna5, adapted"].value > metrics["accuracy, luna5"].value

    (bench / "runs" / "4.json").unlink()
    changed = recipe | {"training": recipe["training"] | {"epochs": 7}}
    make_record("nguyen/cnn", "luna5", fold=4, recipe=changed).write(bench / "runs" / "4.json")
    assert export_measured().code == 2, "a run of another recipe is none of this"


def test_the_card_of_a_model_of_several_corpora_says_what_it_reached_on_each_that_was_left_out(
    trained: Trained, make_record: Callable[..., RunRecord], emotone: Callable[..., Any], tmp_path: Path
) -> None:
    bench, out, run = tmp_path / "bench", tmp_path / "model.onnx", tmp_path / "run"
    save_system(trained.system, run, licence="CC0", trained_on={"corpus": "ravdess+savee"})
    recipe = trained.system.recipe.model_dump(mode="json")
    for number, (corpus, tested) in enumerate(
        [("ravdess-to-savee", "savee"), ("tess-to-ravdess", "ravdess"), ("ravdess+savee-to-emodb", "emodb")]
    ):
        record = make_record("nguyen/cnn", "cross", corpus=corpus, recipe=recipe, adapted=0.7)
        told = record.predictions
        names = {field: tuple(f"{tested}/{name}" for name in getattr(told, field)) for field in ("clip", "speaker")}
        record = record.model_copy(update={"predictions": told.model_copy(update=names)})
        record.write(bench / "runs" / f"{number}.json")
    done = emotone("export", run, "--out", out, "--measured", bench)
    assert done.code == 0, done.err
    metrics = Bundle.load(out).info.metrics
    assert set(metrics) == {"uar, savee", "uar, savee, adapted", "uar, emodb", "uar, emodb, adapted"}, (
        "what was trained on TESS is another model"
    )
    assert metrics["uar, savee"].protocol == "the same recipe, trained on ravdess, 1 seed, savee never heard"
    assert metrics["uar, emodb"].protocol == "the same recipe, trained on ravdess, savee, 1 seed, emodb never heard"


@pytest.mark.parametrize("command", [("export", "{}", "--out", "{}/a.onnx"), ("model", "show", "{}/b.onnx")])
def test_the_command_line_names_what_is_missing(
    emotone: Callable[..., Any], tmp_path: Path, command: tuple[str, ...]
) -> None:
    done = emotone(*(part.format(tmp_path) for part in command))
    assert done.code == 1 and str(tmp_path) in done.err and len(done.err.splitlines()) == 1


def test_a_broken_record_is_named(store: Callable[[str], Path], tmp_path: Path) -> None:
    run = store("nguyen/cnn")
    (run / "run.json").write_text("no record")
    with pytest.raises(EmotoneError, match=r"run\.json: not the record of a run"):
        export(run, tmp_path / "model.onnx")
