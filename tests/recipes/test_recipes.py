"""Every published system is a recipe that loads, and a recipe that is wrong says so."""

from pathlib import Path

import pytest

from emotone import recipes
from emotone.errors import RecipeError, UsageError
from emotone.recipes.schema import Recipe

SYSTEMS = {
    # id: (published accuracy, label scheme, the set that chooses epochs)
    "nguyen/wav2vec2": (0.8194, "ravdess8", "validation"),
    "nguyen/cnn-lstm": (0.4630, "ravdess8", "validation"),
    "nguyen/cnn-lstm-augmented": (0.3889, "ravdess8", "validation"),
    "nguyen/lstm": (0.4352, "ravdess8", "validation"),
    "nguyen/cnn": (0.3519, "ravdess8", "validation"),
    "onah/cnn": (0.64, "gender14", "none"),
    "onah/lstm": (None, "gender14", "none"),
    "onah/cnn-lstm": (0.53, "gender14", "none"),
    "boucheta/decision-tree": (0.415, "merged7", None),
    "boucheta/knn": (0.494, "merged7", None),
    "boucheta/cnn": (0.725, "merged7", "validation"),
    "bhanbhro/cnn-lstm": (0.965, "ravdess8", "validation"),
    "bhanbhro/cnn-bilstm-attention": (0.981, "ravdess8", "validation"),
    "bhanbhro/ablation-no-lstm": (0.95, "ravdess8", "validation"),
    "bhanbhro/ablation-no-bidirectional": (0.89, "ravdess8", "validation"),
    "bhanbhro/ablation-no-dropout": (None, "ravdess8", "validation"),
    "kakadiya/lstm": (0.2188, "ravdess8", "test"),
    "kakadiya/cnn": (0.4618, "ravdess8", "test"),
    "kakadiya/cnn-lstm": (0.6389, "ravdess8", "test"),
    "kakadiya/wav2vec2-random-forest": (0.4861, "ravdess8", None),
    "kakadiya/wav2vec2-random-forest-means": (None, "ravdess8", None),
    # the papers' systems with another encoder, of which no paper reports a figure
    "nguyen/whisper-base": (None, "ravdess8", "validation"),
    "kakadiya/whisper-base-random-forest": (None, "ravdess8", None),
    "kakadiya/whisper-base-random-forest-means": (None, "ravdess8", None),
}
PRETRAINED = {name for name in SYSTEMS if "wav2vec2" in name or "whisper" in name}


def test_every_system_of_the_papers_is_there() -> None:
    published = [name for name in recipes.names() if not name.startswith("emotone/")]
    assert sorted(published) == sorted(SYSTEMS)


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_recipe_states_what_the_paper_reports(name: str) -> None:
    recipe = recipes.load(name)
    accuracy, scheme, monitor = SYSTEMS[name]
    assert recipe.id == name
    assert recipe.published.paper == name.split("/")[0]
    assert recipe.published.accuracy == accuracy
    assert recipe.scheme == scheme
    assert (recipe.training.monitor if recipe.training else None) == monitor
    assert recipe.needs_weights == (name in PRETRAINED)


def test_the_quick_preset_has_at_least_twelve_systems() -> None:
    assert sum(recipes.load(name).is_quick for name in recipes.names()) >= 12


@pytest.mark.parametrize("name", recipes.names())
def test_a_recipe_survives_its_record(name: str) -> None:
    recipe = recipes.load(name)
    assert Recipe.parse(recipe.model_dump(mode="json"), where="record") == recipe


def test_settings_of_the_papers() -> None:
    nguyen, augmented = recipes.load("nguyen/cnn-lstm"), recipes.load("nguyen/cnn-lstm-augmented")
    assert (nguyen.split.train, nguyen.split.validation, nguyen.split.test) == (0.70, 0.15, 0.15)
    assert nguyen.training and nguyen.training.epochs == 10
    assert augmented.augment and augmented.augment.kind == "nguyen" and augmented.augment.placement == "after_split"
    assert augmented.model == nguyen.model and augmented.training == nguyen.training

    onah = {name: recipes.load(f"onah/{name}").training for name in ("cnn", "lstm", "cnn-lstm")}
    assert {name: (t.epochs, t.batch, t.loss) for name, t in onah.items() if t} == {
        "cnn": (100, 30, "mse"),
        "lstm": (50, 28, "mse"),
        "cnn-lstm": (50, 30, "mse"),
    }

    boucheta = recipes.load("boucheta/cnn")
    assert boucheta.features.streams == ("zcr", "rms", "mfcc") and boucheta.features.mfcc == 40
    assert boucheta.augment and boucheta.augment.placement == "before_split"
    for name in ("knn", "decision-tree"):
        other = recipes.load(f"boucheta/{name}")
        assert (other.features, other.augment, other.split) == (boucheta.features, boucheta.augment, boucheta.split)

    kakadiya = recipes.load("kakadiya/cnn-lstm")
    assert (kakadiya.audio.rate, kakadiya.audio.trim_db, kakadiya.audio.normalise) == (48_000, 20, "peak")
    assert kakadiya.training and kakadiya.training.plateau
    assert (kakadiya.training.loss, kakadiya.training.batch, kakadiya.training.patience) == ("focal", 36, 10)
    assert kakadiya.training.plateau.model_dump() == {"factor": 0.5, "patience": 5, "floor": 1e-6}


@pytest.mark.parametrize("name", [name for name in SYSTEMS if name.startswith("bhanbhro/")])
def test_bhanbhro_trains_on_several_noisy_copies_of_every_clip(name: str) -> None:
    recipe = recipes.load(name)
    assert recipe.augment and recipe.split.order == "temporal"
    assert recipe.augment.kind == ("uniform" if name == "bhanbhro/cnn-lstm" else "awgn")
    assert recipe.augment.copies > 1
    assert recipe.augment.placement == "all_into_train"


def test_ablations_change_what_they_name_and_no_more() -> None:
    whole = recipes.load("bhanbhro/cnn-bilstm-attention").model_dump()
    changes = {
        "no-lstm": {"recurrent"},
        "no-bidirectional": {"recurrent"},
        "no-dropout": {"convolution"},
    }
    for ablation, changed in changes.items():
        other = recipes.load(f"bhanbhro/ablation-{ablation}").model_dump()
        assert {key for key in whole if whole[key] != other[key]} == {"id", "title", "model", "published"}
        assert {key for key in whole["model"] if whole["model"][key] != other["model"][key]} == changed


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def refusal(path: Path) -> str:
    with pytest.raises(RecipeError) as caught:
        recipes.load(str(path))
    assert str(path) in str(caught.value)
    return str(caught.value)


CHILD = "extends: kakadiya/cnn\nid: me/cnn\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("trainings: {}", ["unknown key 'trainings'", "Valid: training, "]),
        ("training: {epoch: 3}", ["unknown key 'training.epoch'", "Valid: epochs, "]),
        ("model: {poling: last}", ["unknown key 'model.poling'", "Valid: pooling, "]),
        ("model: {convolution: {kernels: 5}}", ["unknown key 'model.convolution.kernels'", "Valid: kernel, "]),
        ("model: {dense: [{unit: 5}]}", ["unknown key 'model.dense.0.unit'", "Valid: units, "]),
        (
            "model: {kind: knn, neighbors: 4}\ntraining: null",
            ["unknown key 'model.neighbors'", "Valid: neighbours, kind"],
        ),
        ("model: {kind: cnn}", ["'model.kind' is 'cnn'", "Valid: knn, "]),
        ("model: 3", ["'model' is 3"]),
        ("model: {convolution: 5}", ["'model.convolution' is 5"]),
        ("model: {convolution: {pool: 0}}", ["model.convolution.pool", "greater than 0"]),
        ("model: {convolution: {kernel: [3, 3]}}", ["kernel has 2 entries for 3 blocks"]),
        ("model: {recurrent: {units: [0]}}", ["model.recurrent.units.0", "is 0"]),
        ("training: {epochs: none}", ["'training.epochs' is 'none'"]),
        ("training: {loss: mae}", ["'training.loss' is 'mae'", "Valid: mse, "]),
        ("training: {plateau: {factor: 0.5, patience: 0}}", ["training.plateau.patience", "greater than 0"]),
        ("training: {monitor: validation}", ["training.monitor is 'validation', but split.validation is 0"]),
        ("training: null", ["training goes with a network"]),
        ("split: {train: 0.9}", ["train 0.9 + validation 0.0 + test 0.2 is not 1"]),
        ("scheme: ravdess", ["'ravdess'", "Valid: ravdess8, "]),
        ("features: {streams: [mel]}", ["'mel'", "Valid: logmel, "]),
        ("features: {layout: frames}", ["reads 'vector'", "features.layout 'frames'"]),
        ("audio: {rate: 0}", ["'audio.rate' is 0"]),
        ("id: ../elsewhere", ["'id' is '../elsewhere'"]),
        ("id: /etc/cnn", ["'id' is '/etc/cnn'"]),
    ],
)
def test_a_wrong_recipe_names_key_value_and_choices(tmp_path: Path, text: str, words: list[str]) -> None:
    message = refusal(write(tmp_path, f"{CHILD}{text}"))
    assert all(word in message for word in words), message
    assert len(message) < 500


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("- a\n- b\n", ["mapping", "list"]),
        ("", ["mapping", "NoneType"]),
        ("a: [1\n", ["cannot be read as YAML"]),
        ("a: !!python/object/apply:os.getcwd []\n", ["cannot be read as YAML"]),
        ("title: no more\n", ["key 'id' is missing", "key 'audio' is missing"]),
    ],
)
def test_a_file_that_is_no_recipe(tmp_path: Path, text: str, words: list[str]) -> None:
    message = refusal(write(tmp_path, text))
    assert all(word in message for word in words), message


def test_a_missing_file_and_one_that_is_not_text(tmp_path: Path) -> None:
    assert "no such recipe file" in refusal(tmp_path / "absent.yaml")
    binary = tmp_path / "binary.yaml"
    binary.write_bytes(b"\xff\xfe\x00\x01")
    assert "cannot be read as YAML" in refusal(binary)
    (tmp_path / "folder.yaml").mkdir()
    assert "cannot be read as YAML" in refusal(tmp_path / "folder.yaml")


@pytest.mark.parametrize("text", ["[" * 3000, "id: " + "[" * 3000, "{a: " * 3000, "- " * 3000])
def test_brackets_within_brackets_are_refused_before_they_take_long(tmp_path: Path, text: str) -> None:
    assert "brackets within brackets" in refusal(write(tmp_path, text))


def test_an_unknown_system_or_parent_lists_the_valid_ones_nearest_first(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        recipes.load("boucheta/cn")
    assert str(caught.value).startswith("Unknown system 'boucheta/cn'. Valid: boucheta/cnn, ")
    assert all(name in str(caught.value) for name in SYSTEMS)

    path = write(tmp_path, "extends: kakadiya/cn\nid: me/cnn\n")
    with pytest.raises(UsageError) as caught:
        recipes.load(str(path))
    assert str(path) in str(caught.value) and "'kakadiya/cn'" in str(caught.value)
    assert "Valid: kakadiya/cnn, " in str(caught.value)


def test_extending_merges_mappings_and_replaces_the_rest(tmp_path: Path) -> None:
    parent = recipes.load("kakadiya/cnn")
    child = recipes.load(str(write(tmp_path, f"{CHILD}training: {{epochs: 2}}\nmodel: {{dense: [{{units: 5}}]}}\n")))
    assert parent.training and child.training
    assert child.training == parent.training.model_copy(update={"epochs": 2})
    assert child.model.kind == "network" and parent.model.kind == "network"
    assert [layer.units for layer in child.model.dense] == [5]
    assert child.model.convolution == parent.model.convolution
    assert child.audio == parent.audio


def test_another_kind_of_model_takes_nothing_from_its_parent(tmp_path: Path) -> None:
    text = f"{CHILD}model: {{kind: knn, neighbours: 3}}\ntraining: null\nquick_epochs: null\n"
    child = recipes.load(str(write(tmp_path, text)))
    assert child.model.model_dump() == {"kind": "knn", "neighbours": 3}
