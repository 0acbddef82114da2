"""The recipes: one YAML file per system, found by id: `paper/system`, or `emotone/system` for our own."""

from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from emotone.config import read_yaml
from emotone.errors import RecipeError, unknown
from emotone.recipes.schema import Recipe

__all__ = ["load", "load_file", "names"]

PAPERS = ("nguyen", "onah", "boucheta", "bhanbhro", "kakadiya", "emotone")


def _folder() -> Path:
    return Path(str(files("emotone.recipes")))


@cache
def names() -> tuple[str, ...]:
    """Return the ids of all systems, paper by paper."""
    return tuple(f"{paper}/{path.stem}" for paper in PAPERS for path in sorted((_folder() / paper).glob("*.yaml")))


def load(name: str) -> Recipe:
    """Return the recipe of a system by its id, or of a user's own YAML file by its path."""
    if name in names():
        return load_file(_folder() / f"{name}.yaml")
    if Path(name).suffix in (".yaml", ".yml"):
        recipe = load_file(Path(name))
        if recipe.id in names() and recipe != load(recipe.id):
            raise RecipeError(f"{name}: id {recipe.id!r} is a published system's; give yours one of its own.")
        return recipe
    raise unknown("system", name, names())


def load_file(path: Path) -> Recipe:
    """Read one recipe; a `RecipeError` names the file, the key, the value and what is allowed."""
    return Recipe.parse(_read(path), where=path)


def _read(path: Path) -> dict[str, Any]:
    """Read a YAML mapping; with `extends: ID`, lay it over that recipe, mapping by mapping."""
    data = read_yaml(path, missing="no such recipe file.")
    if not isinstance(data, dict):
        raise RecipeError(f"{path}: a recipe is a mapping of keys to values, this is {type(data).__name__}.")
    parent = data.pop("extends", None)
    if parent is None:
        return data
    if parent not in names():
        raise unknown("system", str(parent), names(), where=f"{path}, extends")
    return _merge(_read(_folder() / f"{parent}.yaml"), data)


def _merge(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """Lay `over` over `base`. A mapping of another `kind` is another thing and replaces the whole."""
    if over.get("kind", base.get("kind")) != base.get("kind"):
        return over
    merged = dict(base)
    for key, value in over.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = _merge(merged[key], value) if both else value
    return merged
