"""The documentation says what the run records say."""

import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import get_args

import numpy as np
import pytest
import soundfile
from pydantic import BaseModel

from emotone import recipes
from emotone.corpora import synthetic
from emotone.recipes.schema import Recipe

from .scripts import load_script

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def generate() -> Iterator[ModuleType]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "docs")  # as Python does for a script
        yield load_script(ROOT / "docs" / "generate.py")


def test_the_readme_has_the_table_of_the_runs(generate: ModuleType) -> None:
    assert generate.readme() == (ROOT / "README.md").read_text(encoding="utf-8"), "run `make docs`"


@pytest.mark.parametrize(
    "page",
    ["reproduction", "model", "benchmarks", "robustness", "audit", "corpora", "across", "service", "stress", "scale"],
)
def test_the_pages_are_those_of_the_runs(generate: ModuleType, page: str) -> None:
    written = (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8")
    assert getattr(generate, page)() == written, "run `make docs`"


@pytest.mark.parametrize(("name", "made"), [("comparison.json", "comparison"), ("colours.css", "stylesheet")])
def test_the_web_page_has_the_results_and_the_colours_of_the_report(generate: ModuleType, name: str, made: str) -> None:
    written = (ROOT / "src" / "emotone" / "web" / name).read_text(encoding="utf-8")
    assert getattr(generate, made)() == written, "run `make docs`"


@pytest.mark.parametrize(
    "name", ["README.md", "docs/reproduction.md.jinja", "docs/model.md.jinja", "docs/benchmarks.md.jinja"]
)
def test_no_rate_stands_outside_of_what_is_generated(generate: ModuleType, name: str) -> None:
    """A rate is a number with a decimal, or one before a per cent sign; the papers' own may be said."""
    text = (ROOT / name).read_text(encoding="utf-8")
    if name == "README.md":
        before, rest = text.split(generate.BEGIN)
        text = before + rest.split(generate.END)[1]
    text = re.sub(r"\{\{.*?\}\}|\{%.*?%\}|```.*?```|`[^`]*`|https?://\S+", " ", text, flags=re.DOTALL)
    text = re.sub(r"wav2vec 2\.0|Python 3\.\d+|Apache-2\.0|CC BY-NC-SA 4\.0", " ", text)
    reported = {recipes.load(system).published.accuracy for system in recipes.names()} - {None}
    allowed = {f"{100 * rate:.{digits}f}" for rate in reported for digits in (0, 1, 2)} | {"95", "5"}  # levels
    found = re.findall(r"\d+\.\d+|\d+(?=\s*%)|\d+(?=\s+per cent)", text)
    assert [number for number in found if number not in allowed] == [], "put it into the generated part"


def test_the_examples_of_recognition_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    soundfile.write("talk.wav", np.zeros(16_000), 16_000)
    made = sorted(synthetic.write(tmp_path / "synthetic", actors=(1,)).rglob("*.wav"))
    for name, clip in zip(("monday.wav", "tuesday.wav"), made, strict=False):
        clip.rename(name)
    page = (ROOT / "docs" / "recognise.md").read_text(encoding="utf-8")
    exec("".join(re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)), {})
    said = capsys.readouterr().out.splitlines()
    assert said[:2] == ["no speech 0.0 {}", "0.0 1.0 silence"] and said[-2:] == ["no speech", "[] [] no speech"]


def test_every_file_the_docs_point_to_is_there() -> None:
    for page in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")):
        for target in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8")):
            assert target.startswith("http") or (page.parent / target).exists(), f"{page.name}: {target}"


def _models(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models(inner)


def _keys(of: type[BaseModel], place: str) -> Iterator[tuple[str, set[str]]]:
    """Yield the place of a mapping in a recipe, and its keys; then those of the mappings in it."""
    yield place, set(of.model_fields)
    for name, field in of.model_fields.items():
        for inner in _models(field.annotation):
            kind = inner.model_fields.get("kind")
            named = f", kind {kind.default}" if kind and name == "model" else ""
            outside = place.partition(",")[0]
            yield from _keys(inner, (f"{outside}.{name}" if outside else name) + named)


def test_the_page_of_recipes_names_every_key() -> None:
    text = (ROOT / "docs" / "recipes.md").read_text(encoding="utf-8")
    first, every = text.split("## Every key")
    assert {"extends", *Recipe.model_fields} == set(
        re.findall(r"`(\w+)`", " ".join(re.findall(r"^\| (`.*?) \|", first, re.M)))
    )
    rows = {
        place.replace("`", ""): set(re.findall(r"`(\w+)`", keys))
        for place, keys in re.findall(r"^\| (.+?) \| (.+) \|$", every.split("\n## ")[0], re.M)
    }
    known = dict(list(_keys(Recipe, ""))[1:])
    assert {
        place: keys - rows.get(place, set()) for place, keys in known.items() if keys - rows.get(place, set())
    } == {}
    written = {place: keys - known[place] for place, keys in rows.items() if place in known}
    assert {place: keys for place, keys in written.items() if keys} == {}, "no key of the schema"
