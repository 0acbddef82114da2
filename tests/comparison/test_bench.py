"""A benchmark makes the runs of its plan once, lists what it leaves out, and is the same however often it is made."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from emotone import recipes
from emotone.comparison.bench import load_plan, specs_of, wanted_of
from emotone.corpora import load
from emotone.errors import RecipeError
from emotone.report.leaderboard import read_leaderboard

Small = dict[str, Path]


@pytest.fixture
def folder(small: Small, tmp_path: Path) -> Path:
    """A benchmark of two small systems, whose recipes lie beside its plan."""
    shutil.copy(small["tree"], tmp_path / "tree.yaml")
    (tmp_path / "near.yaml").write_text("extends: boucheta/knn\nid: small/near\nfeatures: {mfcc: 13}\naugment: null\n")
    plan = {
        "corpus": "synthetic",
        "runs": [
            {"systems": ["tree.yaml"], "protocols": ["clean", "loso"]},
            {"systems": ["near.yaml"], "protocols": ["clean"], "seeds": 2},
        ],
        "later": [
            {"systems": ["near.yaml"], "protocols": ["loso"], "why": "too slow"},
            {"systems": ["nguyen/wav2vec2"], "protocols": ["published"], "why": "needs pretrained weights"},
        ],
    }
    (tmp_path / "plan.yaml").write_text(yaml.safe_dump(plan), encoding="utf-8")
    return tmp_path


def test_it_is_made_once_and_a_deleted_run_alone_again(
    folder: Path, few: Path, monkeypatch: pytest.MonkeyPatch, emotone: Callable[..., Any]
) -> None:
    monkeypatch.setenv("EMOTONE_DATA", str(few))

    def bench() -> list[str]:
        """Run the command; return the runs that it says it made."""
        done = emotone("bench", folder, "--jobs", 1)
        assert done.code == 0, done.err
        assert done.out.splitlines()[-1] == str(folder / "leaderboard.json")
        return re.findall(r"^ *\d+/\d+  (.+): \d", done.out, flags=re.MULTILINE)

    assert len(bench()) == 1 + 3 + 2
    first = (folder / "leaderboard.json").read_bytes()
    runs = {path: path.stat().st_mtime_ns for path in (folder / "runs").rglob("*.json")}
    assert len(runs) == 6 and (folder / "report" / "index.html").is_file()

    assert bench() == []
    assert (folder / "leaderboard.json").read_bytes() == first
    assert {path: path.stat().st_mtime_ns for path in (folder / "runs").rglob("*.json")} == runs

    lost = next(path for path in runs if "near" in path.name and "seed1" in path.name)
    lost.unlink()
    assert bench() == ["small/near clean seed 1"]
    again = {path: path.stat().st_mtime_ns for path in (folder / "runs").rglob("*.json")}
    assert {path for path in again if again[path] != runs[path]} == {lost}

    copy = shutil.copytree(folder, folder.parent / "the-same")
    (copy / "leaderboard.json").unlink()
    done = emotone("bench", folder, copy)
    assert done.code == 0, done.err
    board, board_of_copy = ((each / "leaderboard.json").read_text(encoding="utf-8") for each in (folder, copy))
    assert board_of_copy.replace("the-same", folder.name) == board

    entries = {(entry.system, entry.protocol): entry for entry in read_leaderboard(folder / "leaderboard.json")}
    assert list(entries) == [
        ("nguyen/wav2vec2", "published"),
        ("small/near", "clean"),
        ("small/near", "loso"),
        ("small/tree", "clean"),
        ("small/tree", "loso"),
    ]
    assert entries["small/tree", "loso"].runs == 3 and entries["small/near", "clean"].seeds == 2
    assert (entries["small/near", "loso"].verdict, entries["small/near", "loso"].why) == ("not run", "too slow")
    weights = entries["nguyen/wav2vec2", "published"]
    assert weights.why == "needs pretrained weights"
    assert weights.command == (
        f"emotone compare nguyen/wav2vec2 --protocol published --preset paper --out {folder.name}"
        " --encoder facebook/wav2vec2-base-960h"
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"runs": []}, r"plan\.yaml.*runs"),
        ({"corpora": "ravdess"}, r"unknown key 'corpora'\. Valid: corpus"),
        ({"runs": [{"systems": ["nobody/knows"], "protocols": ["clean"]}]}, "nobody/knows"),
        ({"runs": [{"systems": ["tree.yaml"], "protocols": ["clan"]}]}, "'clan'.*clean"),
    ],
)
def test_a_plan_that_makes_no_sense_names_what_is_wrong(
    folder: Path, change: dict[str, object], said: str, emotone: Callable[..., Any]
) -> None:
    path = folder / "plan.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text(encoding="utf-8")) | change), encoding="utf-8")
    done = emotone("bench", folder)
    assert done.code == 2
    assert re.search(said, done.err, flags=re.DOTALL) and "Traceback" not in done.err
    assert not (folder / "leaderboard.json").exists()


def test_a_folder_without_a_plan_says_what_one_holds(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"plan\.yaml: no such file.*corpus and runs"):
        load_plan(tmp_path)


def test_what_is_both_run_and_left_for_later_is_listed_as_run(folder: Path) -> None:
    path = folder / "plan.yaml"
    plan = yaml.safe_load(path.read_text(encoding="utf-8"))
    plan["later"].append({"systems": ["tree.yaml"], "protocols": ["clean"], "why": "no"})
    path.write_text(json.dumps(plan), encoding="utf-8")
    listed = {(each.system, each.protocol): each.why for each in wanted_of(load_plan(folder), folder)}
    assert listed["small/tree", "clean"] == ""


def test_long_trainings_may_stop_early_where_the_paper_has_no_early_stopping(tmp_path: Path, synthetic: Path) -> None:
    plan = {
        "corpus": "synthetic",
        "runs": [{"systems": ["onah/cnn", "boucheta/cnn", "boucheta/knn"], "protocols": ["clean"], "patience": 20}],
    }
    (tmp_path / "plan.yaml").write_text(yaml.safe_dump(plan), encoding="utf-8")
    chosen = {
        spec.recipe.id: spec.recipe
        for spec in specs_of(load_plan(tmp_path), tmp_path, load("synthetic", data=synthetic))
    }
    assert chosen["onah/cnn"].training == recipes.load("onah/cnn").training.model_copy(update={"patience": 20})
    assert chosen["boucheta/cnn"] == recipes.load("boucheta/cnn"), "which has early stopping of its own"
    assert chosen["boucheta/knn"] == recipes.load("boucheta/knn")
