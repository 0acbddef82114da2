"""What a user reads when something is wrong, and files that are whole or not there."""

import os
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, ValidationError, model_validator

from emotone import errors
from emotone.config import Config, read_yaml
from emotone.errors import EmotoneError, RecipeError, UsageError, nearest_first, unknown
from emotone.files import atomic_path, cache_folder, parse_json, write_text


class Leaf(Config):
    size: int = Field(default=1, gt=0)
    colour: Literal["red", "green"] = "red"


class Branch(Config):
    leaves: tuple[Leaf, ...] = ()
    best: Leaf | None = None


class Tree(Config):
    name: str
    branch: Branch = Branch()

    @model_validator(mode="after")
    def _check(self) -> "Tree":
        if self.name == "ivy":
            raise ValueError("ivy is no tree")
        return self


def message(data: object) -> str:
    with pytest.raises(RecipeError) as caught:
        Tree.parse(data, where="trees.yaml")
    return str(caught.value)


def test_an_error_says_file_key_value_and_what_is_allowed() -> None:
    assert message({"name": "oak", "brunch": {}}) == "trees.yaml: unknown key 'brunch'. Valid: branch, name"
    assert message({"name": "oak", "branch": {"leaves": [{"sise": 2}]}}) == (
        "trees.yaml: unknown key 'branch.leaves.0.sise'. Valid: size, colour"
    )
    assert message({"name": "oak", "branch": {"best": {"sise": 2}}}) == (
        "trees.yaml: unknown key 'branch.best.sise'. Valid: size, colour"
    )
    assert message({}) == "trees.yaml: key 'name' is missing"
    assert message({"name": "oak", "branch": {"best": {"colour": "greed"}}}) == (
        "trees.yaml: 'branch.best.colour' is 'greed'. Valid: green, red"
    )
    assert message({"name": "oak", "branch": {"best": {"size": 0}}}) == (
        "trees.yaml: 'branch.best.size' is 0: Input should be greater than 0"
    )
    assert message({"name": "ivy"}) == "trees.yaml: ivy is no tree"
    assert message([1]).startswith("trees.yaml: ")


def test_all_problems_are_named_at_once() -> None:
    text = message({"nam": "oak", "branch": {"best": {"size": "big"}}})
    assert "'nam'" in text and "key 'name' is missing" in text and "'branch.best.size' is 'big'" in text


def test_a_configuration_does_not_change() -> None:
    tree = Tree(name="oak")
    with pytest.raises(ValidationError):
        tree.name = "elm"  # type: ignore[misc]
    assert hash(tree) == hash(Tree(name="oak"))


@given(st.text(max_size=12), st.lists(st.text(max_size=12), max_size=8))
def test_nearest_first_gives_every_choice_once(value: str, choices: list[str]) -> None:
    ordered = nearest_first(value, choices)
    assert sorted(ordered) == sorted(choices)
    if value in choices:
        assert ordered[0].lower() == value.lower()


def test_an_unknown_name_is_shown_with_its_place() -> None:
    error = unknown("emotion", "hapy", ["sad", "happy"], where="row 3")
    assert str(error) == "Unknown emotion 'hapy' in row 3. Valid: happy, sad."
    assert isinstance(error, UsageError)


def test_exit_codes_tell_a_wrong_request_from_a_failure() -> None:
    codes = {name: getattr(errors, name).exit_code for name in errors.__all__ if name.endswith("Error")}
    assert codes == {
        "EmotoneError": 1,
        "UsageError": 2,
        "RecipeError": 2,
        "AudioError": 1,
        "BundleError": 1,
        "CorpusError": 1,
        "ProtocolError": 1,
        "DownloadError": 1,
    }
    assert all(issubclass(getattr(errors, name), EmotoneError) for name in codes)


def test_a_file_is_whole_or_as_it_was(tmp_path: Path) -> None:
    target = tmp_path / "new" / "a.json"
    write_text(target, "größer")
    assert target.read_text(encoding="utf-8") == "größer"

    with pytest.raises(RuntimeError), atomic_path(target) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert target.read_text(encoding="utf-8") == "größer"
    assert list(target.parent.iterdir()) == [target]

    with pytest.raises(RuntimeError), atomic_path(tmp_path / "b.json") as temporary:
        raise RuntimeError
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new"]


def test_a_written_file_may_be_read_by_whom_the_user_lets(tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", "a")
    plain = tmp_path / "b.txt"
    plain.write_text("b")
    assert (tmp_path / "a.txt").stat().st_mode == plain.stat().st_mode


def test_the_temporary_file_has_the_suffix_that_writers_look_at(tmp_path: Path) -> None:
    with atomic_path(tmp_path / "a.parquet") as temporary:
        assert temporary.suffix == ".parquet" and temporary.parent == tmp_path


def test_the_cache_lies_where_the_user_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMOTONE_CACHE", str(tmp_path))
    assert cache_folder("a", "b") == tmp_path / "a" / "b"
    monkeypatch.delenv("EMOTONE_CACHE")
    assert "emotone" in str(cache_folder())


LAUGHS = "a: &a [x]\n" + "".join(
    f"{two}: &{two} [{','.join(['*' + one] * 9)}]\n" for one, two in pairwise("abcdefghijk")
)


@pytest.mark.parametrize(
    "content",
    [
        "when: 2001-13-45\n",
        "a: !!int x\n",
        "a: !!float x\n",
        "a: !!bool x\n",
        "a: !!timestamp x\n",
        f"a: {'1' * 5000}\n",
        "[" * 3000,
        LAUGHS,
        "a: &a [*a]\n",
        "a: &a {b: *a}\n",
    ],
    ids=["month", "int", "float", "bool", "timestamp", "digits", "deep", "laughs", "itself", "mapping-itself"],
)
def test_yaml_that_is_a_trap_is_refused_in_a_line(content: str, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(content)
    with pytest.raises(RecipeError, match=r"a\.yaml: (cannot be read as YAML|holds more than)") as caught:
        read_yaml(tmp_path / "a.yaml", missing="none")
    assert len(str(caught.value)) < 500 + len(str(tmp_path))


def test_what_nobody_would_read_is_cut() -> None:
    assert len(message({"name": "oak", "branch": {"best": {"size": "x" * 100_000}}})) < 500
    assert len(message({"name": "oak", "branch": {"best": {"colour": ["red"] * 100_000}}})) < 500
    assert len(str(unknown("tree", "oak" * 100_000, ["oak", "ash"]))) < 500


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, "1" * 5000, '["\\ud800"]', "", "{"])
def test_json_that_no_file_should_hold_is_a_value_error(text: str) -> None:
    for form in (text, text.encode()):
        with pytest.raises(ValueError):
            parse_json(form)
    assert parse_json('["\\ud83d\\ude00"]') == ["\U0001f600"]


def test_a_pipe_is_written_and_stays_one(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with ThreadPoolExecutor() as pool:
        read = pool.submit(pipe.read_text)
        write_text(pipe, "whole")
        assert read.result(timeout=60) == "whole"
    assert pipe.is_fifo() and list(tmp_path.iterdir()) == [pipe]
