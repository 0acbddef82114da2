"""A stored system predicts the same when it is loaded, holds data and no code, and says when it is broken."""

import json
import pickletools
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emotone.errors import EmotoneError
from emotone.recipes.schema import Recipe
from emotone.storage import load_system, read_origin, save_system
from emotone.training import FittedSystem, fit

CLASSES = ("calm", "happy", "sad")
SYSTEMS = ("kakadiya/cnn-lstm", "onah/lstm", "bhanbhro/cnn-bilstm-attention", "boucheta/cnn", "boucheta/decision-tree",
           "boucheta/knn")  # fmt: skip


@pytest.fixture
def stored(small: Callable[..., Recipe], task_for: Callable[..., Any], tmp_path: Path) -> Callable[[str], Any]:
    """Return a function that fits a system and stores it: (the system, the clips of its test set, the folder)."""

    def make(name: str) -> tuple[FittedSystem, list[Any], Path]:
        recipe = small(name)
        task = task_for(recipe)
        system = fit(recipe, task.fold, task.frames, task.labels, CLASSES, seed=0, epochs=1, device="cpu")
        save_system(system, tmp_path / "system", licence="CC0", trained_on={"corpus": "noise", "seed": 0})
        return system, task.tested, tmp_path / "system"

    return make


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_loaded_system_gives_the_same_probabilities(stored: Callable[[str], Any], name: str) -> None:
    system, tested, folder = stored(name)
    loaded = load_system(folder)
    assert np.array_equal(loaded.predict_proba(tested), system.predict_proba(tested))
    assert (loaded.recipe, loaded.classes) == (system.recipe, CLASSES)
    assert loaded.preparation.n_frames == system.preparation.n_frames


@pytest.mark.parametrize("name", ["kakadiya/cnn-lstm", "boucheta/knn"])
def test_a_stored_system_says_what_it_is(stored: Callable[[str], Any], name: str) -> None:
    _, _, folder = stored(name)
    about = json.loads((folder / "system.json").read_text(encoding="utf-8"))
    assert (about["system"], about["labels"], about["licence"]) == (name, list(CLASSES), "CC0")
    assert about["trained_on"] == {"corpus": "noise", "seed": 0}
    assert about["recipe"]["audio"]["rate"] == Recipe.parse(about["recipe"], where="system.json").audio.rate


@pytest.mark.parametrize("name", SYSTEMS)
def test_nothing_in_the_folder_is_a_pickle(stored: Callable[[str], Any], name: str) -> None:
    _, _, folder = stored(name)
    parts = {path.name: path.read_bytes() for path in folder.iterdir()}
    for path in folder.glob("*.skops"):
        with zipfile.ZipFile(path) as archive:
            parts |= {inner: archive.read(inner) for inner in archive.namelist()}
    assert "system.json" in parts and "weights.safetensors" in parts
    for content in parts.values():
        with pytest.raises(ValueError):
            list(pickletools.genops(content))


def test_storing_over_another_system_leaves_nothing_of_it(
    stored: Callable[[str], Any], small: Callable[..., Recipe], task_for: Callable[..., Any]
) -> None:
    _, _, folder = stored("boucheta/knn")
    recipe = small("kakadiya/cnn")
    task = task_for(recipe)
    system = fit(recipe, task.fold, task.frames, task.labels, CLASSES, seed=0, epochs=1, device="cpu")
    save_system(system, folder, licence="CC0", trained_on={})
    assert sorted(path.name for path in folder.iterdir()) == ["system.json", "weights.safetensors"]
    assert np.array_equal(load_system(folder).predict_proba(task.tested), system.predict_proba(task.tested))


def test_a_store_that_was_killed_is_no_system(stored: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Storing anew and killed between weights and description: new weights never pass under the old description."""
    from emotone.storage import folder as module

    system, _, folder = stored("kakadiya/cnn")

    def kill(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "write_text", kill)
    with pytest.raises(KeyboardInterrupt):
        save_system(system, folder, licence="CC0", trained_on={})
    with pytest.raises(EmotoneError, match=r"system\.json is missing"):
        load_system(folder)


def refusal(folder: Path) -> str:
    with pytest.raises(EmotoneError) as caught:
        load_system(folder)
    assert str(folder) in str(caught.value)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_foreign_folder(tmp_path: Path) -> None:
    assert "system.json is missing" in refusal(tmp_path)
    assert "system.json is missing" in refusal(tmp_path / "absent")
    for content in ("{}", "[]", '{"format": 99}', "not JSON", ""):
        (tmp_path / "system.json").write_text(content)
        refusal(tmp_path)


@pytest.mark.parametrize("name", ["kakadiya/cnn-lstm", "boucheta/decision-tree"])
def test_missing_parts_are_named(stored: Callable[[str], Any], name: str) -> None:
    for part in ("weights.safetensors", "estimator.skops"):
        _, _, folder = stored(name)
        if (folder / part).exists():
            (folder / part).unlink()
            assert f"{part} is missing" in refusal(folder)


@pytest.mark.parametrize("name", ["kakadiya/cnn-lstm", "boucheta/decision-tree", "boucheta/knn"])
@pytest.mark.parametrize("keep", [0.0, 0.5, 0.95])
def test_cut_parts_are_refused(stored: Callable[[str], Any], name: str, keep: float) -> None:
    for part in ("weights.safetensors", "estimator.skops", "system.json"):
        _, _, folder = stored(name)
        path = folder / part
        if path.exists():
            content = path.read_bytes()
            path.write_bytes(content[: int(keep * len(content))])
            refusal(folder)


@pytest.mark.parametrize(
    ("key", "value"),
    [("labels", ["calm", "happy"]), ("labels", None), ("n_frames", "many"), ("n_frames", -3), ("recipe", {"id": "x"})],
)
def test_a_description_that_does_not_fit_the_weights_is_refused(
    stored: Callable[[str], Any], key: str, value: object
) -> None:
    _, _, folder = stored("boucheta/cnn")
    about = json.loads((folder / "system.json").read_text(encoding="utf-8"))
    (folder / "system.json").write_text(json.dumps(about | {key: value}))
    refusal(folder)


def test_an_estimator_of_another_kind_is_refused(stored: Callable[[str], Any]) -> None:
    import skops.io
    from sklearn.preprocessing import FunctionTransformer

    _, _, folder = stored("boucheta/knn")
    skops.io.dump(FunctionTransformer(func=print), folder / "estimator.skops")
    refusal(folder)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("trained_on", "RAVDESS"),
        ("licence", None),
        ("temperature", float("nan")),
        ("labels", []),
        ("labels", "abc"),
        ("n_frames", 10**12),
        ("head", [1]),
    ],
)
def test_a_description_of_other_types_is_refused(stored: Callable[[str], Any], key: str, value: object) -> None:
    _, _, folder = stored("boucheta/cnn")
    about = json.loads((folder / "system.json").read_text(encoding="utf-8"))
    (folder / "system.json").write_text(json.dumps(about | {key: value}))
    assert key in refusal(folder)
    with pytest.raises(EmotoneError, match=key):
        read_origin(folder)


def test_a_recipe_that_asks_for_more_than_the_weights_takes_no_memory_for_it(stored: Callable[[str], Any]) -> None:
    _, _, folder = stored("kakadiya/cnn")
    about = json.loads((folder / "system.json").read_text(encoding="utf-8"))
    about["recipe"]["model"]["dense"][0]["units"] = 10**9  # terabytes
    (folder / "system.json").write_text(json.dumps(about))
    assert "the weights are not those of a network as its recipe describes it" in refusal(folder)


def test_an_estimator_whose_description_was_edited_is_refused(stored: Callable[[str], Any]) -> None:
    _, _, folder = stored("boucheta/knn")
    path = folder / "estimator.skops"
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    for schema in (b"{}", b"[]", b"null", b"[" * 100_000, parts["schema.json"].replace(b'"__class__"', b'"__klass__"')):
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in (parts | {"schema.json": schema}).items():
                archive.writestr(name, content)
        assert "a broken system" in refusal(folder)
