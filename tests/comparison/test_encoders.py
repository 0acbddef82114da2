"""Systems with pretrained encoders in comparisons: found, run and kept like any other, or refused in two lines."""

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from emotone import corpora, recipes
from emotone.audio import load
from emotone.comparison.encoders import has_weights, lack_of, with_encoder
from emotone.comparison.learnt import learnt_from
from emotone.comparison.plan import folds_of
from emotone.errors import UsageError
from emotone.evaluation.record import read_record, read_records
from emotone.models.config import EncoderConfig, PretrainedConfig, Wav2Vec2Config, WhisperConfig
from emotone.models.weights import digest
from emotone.storage import load_system

SYSTEMS = {
    "tuned": """
extends: nguyen/wav2vec2
id: small/tuned
model: {accumulate: 2}
quick_epochs: 2
""",
    "forest": """
extends: kakadiya/wav2vec2-random-forest-means
id: small/forest
""",
}
OWN = ("nguyen/wav2vec2", "kakadiya/wav2vec2-random-forest", "kakadiya/wav2vec2-random-forest-means")
Command = Callable[..., Any]


@pytest.fixture(autouse=True)
def empty_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache of the hub's client without the encoders that whoever runs the tests has in theirs."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    paths = {name: tmp_path / f"{name}.yaml" for name in SYSTEMS}
    for name, path in paths.items():
        path.write_text(SYSTEMS[name], encoding="utf-8")
    return paths


def test_without_weights_the_systems_say_what_they_need(emotone: Command) -> None:
    rows = {line.split()[0]: line for line in emotone("systems").out.splitlines() if "/" in line}
    needy = {name for name, row in rows.items() if "needs pretrained weights" in row}
    whisper = {name for name in rows if isinstance(recipes.load(name).model, EncoderConfig)} - set(OWN)  # may be here
    assert needy - whisper == set(OWN)
    assert all(row.rstrip().endswith("runs") for name, row in rows.items() if name not in needy)
    assert not any(has_weights(recipes.load(name)) for name in OWN)


def test_what_cannot_be_had_is_refused_before_anything_is_done(emotone: Command, tmp_path: Path) -> None:
    for encoder in ([], ["--encoder", "emotone-tests/no-such-encoder"]):
        done = emotone("compare", OWN[1], *encoder, "--corpus", "synthetic", "--out", tmp_path / "runs")
        assert done.code == 1 and done.out == ""
        assert len(done.err.splitlines()) == 2 and "--encoder FOLDER" in done.err
    done = emotone("train", OWN[0], "--encoder", tmp_path / "absent", "--out", tmp_path / "runs")
    assert done.code == 2 and "neither a folder here nor a name" in done.err
    assert not (tmp_path / "runs").exists()


def test_without_what_reads_encoders_all_others_run(
    emotone: Command, encoders: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in an environment of `make run`, with the weights at hand."""
    monkeypatch.setitem(sys.modules, "transformers", None)
    monkeypatch.setattr("emotone.comparison.encoders.is_here", lambda encoder: True)
    rows = [line for line in emotone("systems").out.splitlines() if "/" in line]
    needy = [line.split()[0] for line in rows if "needs pip install 'emotone[wav2vec2]'" in line]
    models = {name: recipes.load(name).model for name in recipes.names()}
    assert set(needy) == {name for name, model in models.items() if isinstance(model, PretrainedConfig)} > set(OWN)
    for system, named in ((OWN[1], OWN[1]), ("emotone/probe", encoders["hubert"])):
        asked = emotone(
            "compare",
            system,
            "--encoder",
            encoders["hubert"],
            "--preset",
            "paper",
            "--corpus",
            "synthetic",
            "--out",
            tmp_path / "x",
        )
        assert asked.code == 1
        assert asked.err.strip().endswith(f"{named}: to read encoders, pip install 'emotone[wav2vec2]'.")
        assert not (tmp_path / "x").exists()
    assert all(lack_of(recipes.load(name), "given") for name in OWN)


def test_an_encoder_for_systems_that_have_none(emotone: Command, encoders: dict[str, Path]) -> None:
    done = emotone("compare", "kakadiya/cnn", "boucheta/knn", "--encoder", encoders["hubert"])
    assert done.code == 2 and "none of kakadiya/cnn, boucheta/knn begins with an encoder" in done.err


def test_an_encoder_is_noted_with_its_weights(encoders: dict[str, Path]) -> None:
    chosen = [recipes.load("kakadiya/cnn"), recipes.load(OWN[0])]
    plain, found = with_encoder(chosen, str(encoders["wavlm"]))
    assert plain == chosen[0]
    assert isinstance(found.model, PretrainedConfig) and has_weights(found)
    assert (found.model.encoder, found.model.weights) == (str(encoders["wavlm"]), digest(encoders["wavlm"]))


def test_they_run_like_any_other_system(
    emotone: Command,
    files: dict[str, Path],
    encoders: dict[str, Path],
    few: Path,
    tmp_path: Path,
) -> None:
    encoder = shutil.copytree(encoders["wav2vec2"], tmp_path / "encoder")
    command = ["compare", *files.values(), "--corpus", "synthetic", "--data", few / "synthetic", "--jobs", 2,
               "--protocol", "clean", "--out", tmp_path / "runs", "--encoder"]  # fmt: skip
    done = emotone(*command, encoder)
    assert done.code == 0, done.err
    records = {record.system: record for record in read_records(tmp_path / "runs" / "runs")}
    tuned, forest = records["small/tuned"], records["small/forest"]
    assert tuned.recipe["model"]["weights"] == forest.recipe["model"]["weights"] == digest(encoder)
    assert len(tuned.history) == 2 and tuned.parameters and tuned.trainable_parameters
    assert 0 < tuned.trainable_parameters < tuned.parameters
    assert forest.train_accuracy == 1.0 and forest.history == () and forest.parameters is None
    assert "transformers" in tuned.versions

    assert "2 of them are there already" in emotone(*command, encoder).out
    assert {record.created for record in read_records(tmp_path / "runs" / "runs")} == {
        record.created for record in records.values()
    }


def test_other_weights_are_another_run(
    emotone: Command,
    files: dict[str, Path],
    encoders: dict[str, Path],
    make_encoder: Callable[..., Path],
    few: Path,
    tmp_path: Path,
) -> None:
    encoder = shutil.copytree(encoders["hubert"], tmp_path / "encoder")
    command = ["compare", files["forest"], "--corpus", "synthetic", "--data", few / "synthetic", "--jobs", 1,
               "--protocol", "clean", "--out", tmp_path / "runs", "--encoder", encoder]  # fmt: skip
    assert emotone(*command).code == 0
    first = read_records(tmp_path / "runs" / "runs")
    make_encoder("hubert", encoder, seed=1)
    done = emotone(*command)
    assert done.code == 0 and "there already" not in done.out
    assert read_records(tmp_path / "runs" / "runs")[0].predictions != first[0].predictions


def test_train_stores_a_system_that_transformers_reads(
    emotone: Command, files: dict[str, Path], encoders: dict[str, Path], few: Path, tmp_path: Path
) -> None:
    from transformers import pipeline

    command = ["train", files["tuned"], "--preset", "quick", "--corpus", "synthetic", "--data",
               few / "synthetic", "--encoder"]  # fmt: skip
    copy = shutil.copytree(encoders["hubert"], tmp_path / "encoder")
    refused = emotone(*command, copy, "--out", copy)
    assert refused.code == 2 and "the encoder lies there" in refused.err

    assert emotone(*command, copy, "--out", tmp_path / "system").code == 0
    system = load_system(tmp_path / "system")
    clip = sorted((few / "synthetic").rglob("*.wav"))[0]
    samples, rate = load(clip, rate=16_000)
    answer = pipeline("audio-classification", model=str(tmp_path / "system"), top_k=None, device="cpu")(
        {"raw": samples, "sampling_rate": rate}
    )
    own = dict(zip(system.classes, system.predict_files([clip])[0].tolist(), strict=True))
    assert {each["label"]: each["score"] for each in answer} == pytest.approx(own, abs=1e-5)


def test_the_audit_reads_a_stored_forest_through_its_own_encoder(
    emotone: Command, encoders: dict[str, Path], few: Path, tmp_path: Path
) -> None:
    """Padding is learnt from the encoder's frames, of the training clips alone."""
    copy = shutil.copytree(encoders["hubert"], tmp_path / "encoder")
    done = emotone("train", OWN[1], "--corpus", "synthetic", "--data", few / "synthetic", "--encoder", copy,
                   "--out", tmp_path / "system")  # fmt: skip
    assert done.code == 0, done.err
    shutil.rmtree(copy)
    system, corpus = load_system(tmp_path / "system"), corpora.load("synthetic", data=few / "synthetic")
    assert learnt_from(system, folds_of(system.recipe, corpus, "clean", 0, ())[0], corpus) == []


def test_a_whisper_of_another_size_is_trained_and_exported(
    emotone: Command, make_whisper: Callable[..., Path], few: Path, tmp_path: Path
) -> None:
    """As whisper-small, wider, and whisper-large-v3, which reads 128 bands."""
    folder, out = make_whisper(tmp_path / "encoder", width=192, bands=128), tmp_path / "mine"
    data = ("--corpus", "synthetic", "--data", few / "synthetic")
    done = emotone("train", "emotone/probe", "--encoder", folder, *data, "--all", "--out", out)
    assert done.code == 0, done.err
    recipe = load_system(out).recipe
    assert isinstance(recipe.model, WhisperConfig)
    assert (recipe.model.width, recipe.features.mels, recipe.model.encoder) == (192, 128, str(folder))
    shutil.rmtree(folder)
    assert emotone("export", out, "--int8", "--out", tmp_path / "mine.onnx").code == 0
    clip = next((few / "synthetic").rglob("*.wav"))
    assert "no speech" not in emotone("predict", clip, "--model", tmp_path / "mine.onnx").out


LAYERS = """
extends: emotone/large
id: small/layers
model: {layers: 2, read: [1, 2]}
training: {epochs: 1}
"""


def test_the_layers_of_an_encoder_of_waveforms_are_trained_exported_and_asked(
    emotone: Command, make_encoder: Callable[..., Path], few: Path, tmp_path: Path
) -> None:
    encoder, out, model = make_encoder("wavlm-base", tmp_path / "encoder"), tmp_path / "mine", tmp_path / "mine.onnx"
    (tmp_path / "layers.yaml").write_text(LAYERS)
    data = ("--corpus", "synthetic", "--data", few / "synthetic")
    refused = emotone("train", "emotone/probe", "--encoder", encoder, *data, "--out", out)
    assert refused.code == 2 and "has 2 layers; the recipe reads 3. model.layers may be 1 to 2" in refused.err
    assert not out.exists()
    done = emotone("train", tmp_path / "layers.yaml", "--encoder", encoder, *data, "--out", out)
    assert done.code == 0, done.err
    record = read_record(out / "run.json")
    assert record.adapted and record.temperature and f"of {encoder} trained on" in record.title
    recipe = load_system(out).recipe
    assert isinstance(recipe.model, Wav2Vec2Config) and recipe.features.streams == ("waveform",)
    shutil.rmtree(encoder)
    assert emotone("export", out, "--int8", "--out", model).code == 0
    clip = next((few / "synthetic").rglob("*.wav"))
    assert "no speech" not in emotone("predict", clip, "--model", model).out
    refused = emotone("explain", clip, "--model", model, "--out", tmp_path / "why.png")
    assert refused.code == 1 and "cannot be explained: it reads waveform" in refused.err
    table = emotone("features", "--model", model, *data, "--out", tmp_path / "embeddings.csv")
    assert table.code == 0 and f"45 clips, {2 * 2 * 32} values each" in table.out


def test_a_recipe_may_name_an_encoder_of_waveforms_itself(encoders: dict[str, Path], tmp_path: Path) -> None:
    """As a benchmark has it; of another family it says what it reads."""
    path = tmp_path / "mine.yaml"
    model = "model: {{kind: wav2vec2, encoder: {encoder}, layers: 1, read: [1]}}\nfeatures: {{streams: [waveform]}}\n"
    text = "extends: emotone/probe\nid: my/layers\n" + model
    path.write_text(text.format(encoder=encoders["hubert"]))
    (found,) = with_encoder([recipes.load(str(path))], None)
    assert isinstance(found.model, Wav2Vec2Config) and found.model.architecture
    assert found.model.weights and found.model.architecture.model_type == "hubert"
    (again,) = with_encoder([found], None)
    assert again == found
    weights = found.model.weights
    path.write_text(text.format(encoder=encoders["hubert"]).replace("layers: 1", f"weights: {weights}, layers: 1"))
    assert with_encoder([recipes.load(str(path))], None) == [found], "one that names its weights too"
    path.write_text(text.format(encoder=encoders["whisper"]))
    with pytest.raises(UsageError, match="Unknown kind of encoder 'whisper'"):
        with_encoder([recipes.load(str(path))], None)
    path.write_text(text.format(encoder=encoders["hubert"]) + "audio: {rate: 8000}\n")
    with pytest.raises(UsageError, match=r"reads 16000 Hz, but the recipe's audio\.rate is 8000"):
        with_encoder([recipes.load(str(path))], None)


def test_a_benchmark_runs_them_and_needs_no_encoder_for_what_is_there(
    emotone: Command, encoders: dict[str, Path], few: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMOTONE_DATA", str(few))
    folder, encoder = tmp_path / "bench", shutil.copytree(encoders["whisper"], tmp_path / "encoder")
    folder.mkdir()
    (folder / "forest.yaml").write_text(
        "extends: kakadiya/whisper-base-random-forest-means\nid: small/forest\n"
        f"model: {{encoder: {encoder}}}\nscheme: ravdess8\n"
    )
    layers = shutil.copytree(encoders["hubert"], tmp_path / "layers")
    (folder / "layers.yaml").write_text(
        "extends: emotone/probe\nid: small/layers\nfeatures: {streams: [waveform]}\n"
        f"model: {{kind: wav2vec2, encoder: {layers}, layers: 1, read: [1]}}\n"
    )
    plan = "{corpus: synthetic, runs: [{systems: [forest.yaml, layers.yaml], protocols: [clean]}]}"
    (folder / "plan.yaml").write_text(plan)
    done = emotone("bench", folder, "--jobs", 1)
    assert done.code == 0 and "small/forest clean seed 0" in done.out, done.err
    records = {record.system: record.recipe["model"] for record in read_records(folder / "runs")}
    assert records["small/forest"]["weights"] == digest(encoder)
    assert records["small/layers"]["architecture"]["model_type"] == "hubert"
    for gone in (encoder, layers):
        shutil.rmtree(gone)
    assert "2 of them are there already" in emotone("bench", folder, "--jobs", 1).out
