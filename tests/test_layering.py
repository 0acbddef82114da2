"""The rooms of the house, one for each stage of the data: who may import whom, and what must stay light to import.

A room is a folder or a file at the top of the package; the package's own `__init__` is the room `emotone`.
"""

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import emotone

ROOT = Path(emotone.__file__).parent

ROOMS = {
    "errors": "",
    "emotions": "errors",
    "config": "errors",
    "files": "errors",
    "audio": "errors",
    "bundle": "config errors files",
    "recognition": "audio bundle errors",
    "service": "audio bundle config errors recognition",
    "augment": "config errors",
    "corpora": "audio emotions errors files",
    "site": "bundle corpora errors files",
    "features": "audio augment config corpora errors files",
    "models": "config errors files",
    "recipes": "augment config emotions errors features models",
    "protocols": "augment corpora errors recipes",
    "audit": "audio augment corpora errors features files protocols",
    "evaluation": "config emotions errors files protocols recipes",
    "stress": "audio bundle corpora errors evaluation protocols recognition",
    "report": "audio augment corpora emotions errors evaluation features files protocols",
    "training": "augment bundle errors evaluation features models protocols recipes",
    "storage": "bundle config errors features files models recipes training",
    "export": "bundle errors evaluation features files models protocols recipes storage training",
    "tuning": "bundle errors export recipes training",
    "explanation": "audio bundle errors export features files recognition report",
    "comparison": "audio audit config corpora emotions errors evaluation features files models protocols recipes "
    "recognition report storage training tuning",
    "cluster": "audio comparison config errors evaluation files recognition service",
    "emotone": "audio explanation recognition",
    "cli": "audio audit bundle cluster comparison corpora emotions emotone errors evaluation explanation export "
    "features files models recipes recognition report service site stress tuning",
    "__main__": "cli",
}
"""Room -> the rooms it imports, each of which stands above it here: no arrow runs back."""

BASE = ("errors", "config", "files", "audio", "bundle", "recognition")
"""What recognises. It needs what emotone itself requires, and a few of the extras where they are asked for."""
EXTRAS = ("av", "huggingface_hub", "pandas", "pyarrow")
"""Libraries of the extras that `BASE` may import where they are asked for, within functions."""
NAMES = {"webrtcvad": "webrtcvad-wheels", "yaml": "pyyaml"}
"""Module -> the package that has it, where the two differ."""

LIGHT = (
    *BASE, "emotions", "augment", "corpora", "site", "recipes", "protocols", "audit", "explanation", "emotone", "cli",
    "__main__",
)  # fmt: skip
"""Rooms that import nothing heavy when they are loaded: the command line starts with them."""
HEAVY = ("torch", "pandas", "librosa", "matplotlib", "sklearn", "lightning", "onnx", "onnxruntime")


def read() -> Iterator[tuple[str, ast.Module]]:
    """Every module by its name, `emotone` or `emotone.ROOM...`, and what is written in it."""
    for path in sorted(ROOT.rglob("*.py")):
        parts = ("emotone", *path.relative_to(ROOT).with_suffix("").parts)
        yield ".".join(part for part in parts if part != "__init__"), ast.parse(path.read_text(encoding="utf-8"))


def imports(node: ast.AST, *, at_load_only: bool = False) -> Iterator[str]:
    """Every module named in an import, in functions and for type checkers too; or only what loading imports."""
    for child in ast.iter_child_nodes(node):
        if at_load_only and isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if at_load_only and isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            continue
        if isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            assert child.level == 0 and child.module, f"relative import: {ast.unparse(child)}"
            for alias in child.names:
                inside = ROOT.joinpath(*child.module.split(".")[1:], alias.name)
                is_module = child.module.split(".")[0] == "emotone" and (
                    inside.is_dir() or inside.with_suffix(".py").exists()
                )
                yield f"{child.module}.{alias.name}" if is_module else child.module
        yield from imports(child, at_load_only=at_load_only)


def room_of(module: str) -> str:
    return module.split(".")[1] if "." in module else module


MODULES = dict(read())
GRAPH = {
    module: {name for name in imports(tree) if name.split(".")[0] == "emotone"} - {module}
    for module, tree in MODULES.items()
}
"""Module -> the modules of emotone that it imports, anywhere."""


def circle(graph: Mapping[str, set[str]]) -> list[str]:
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_every_room_is_in_the_table_and_only_those() -> None:
    assert {room_of(module) for module in GRAPH} == set(ROOMS)


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_what_the_table_says(room: str) -> None:
    """No more, and no less: what stands in the table is what is there."""
    arrows: dict[str, set[str]] = {}
    for module in GRAPH:
        for name in GRAPH[module] if room_of(module) == room else ():
            arrows.setdefault(room_of(name), set()).add(module)
    arrows.pop(room, None)
    allowed = set(ROOMS[room].split())
    new = {to: sorted(who) for to, who in arrows.items() if to not in allowed}
    assert not new, f"{room} must not import {new}; it may import {sorted(allowed)}"
    assert not allowed - set(arrows), f"{room} no longer imports these: take them from the table"


def test_no_arrow_runs_back() -> None:
    order = list(ROOMS)
    back = [(room, to) for room in order for to in ROOMS[room].split() if order.index(to) >= order.index(room)]
    assert not back, "a room imports only rooms that stand above it in the table"


def test_there_is_no_circle_of_rooms_nor_of_files() -> None:
    rooms: dict[str, set[str]] = {}
    for module, names in GRAPH.items():
        rooms.setdefault(room_of(module), set()).update(map(room_of, names - {room_of(module)}))
    assert circle({room: others - {room} for room, others in rooms.items()}) == []
    assert circle(GRAPH) == []


def test_a_circle_is_found() -> None:
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) != []


def test_nobody_imports_the_command_line() -> None:
    assert [room for room, others in ROOMS.items() if "cli" in others.split()] == ["__main__"]


def test_what_recognises_needs_no_more_than_emotone_requires() -> None:
    """It reaches no room beyond its own, so none that needs torch, and no library that comes with the extra `train`."""
    assert {to for room in BASE for to in ROOMS[room].split()} <= set(BASE)
    project = tomllib.loads((ROOT.parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    required = {line.split(">")[0] for line in project["dependencies"]}
    for module, tree in MODULES.items():
        if room_of(module) not in BASE:
            continue
        libraries = {name.split(".")[0] for name in imports(tree)} - {"emotone"} - sys.stdlib_module_names
        at_load = {name.split(".")[0] for name in imports(tree, at_load_only=True)}
        beyond = {name for name in libraries if NAMES.get(name, name) not in required}
        assert beyond <= set(EXTRAS) and not beyond & at_load, f"{module} imports {sorted(beyond)}"


@pytest.mark.parametrize("room", LIGHT)
def test_light_rooms_load_nothing_heavy(room: str) -> None:
    heavy = {
        (module, name)
        for module, tree in MODULES.items()
        if room_of(module) == room
        for name in imports(tree, at_load_only=True)
        if name.split(".")[0] in HEAVY
    }
    assert not heavy


def test_the_command_line_starts_without_heavy_libraries() -> None:
    script = f"""
import sys, emotone, emotone.cli
from emotone import recipes, corpora
recipes.load("boucheta/cnn")
print(*sorted({{name.split(".")[0] for name in sys.modules}} & {{*{HEAVY!r}, "scipy", "av", "pyarrow"}}))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
