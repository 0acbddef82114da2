"""Who may import whom, and what must stay light to import."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import emotone

ROOT = Path(emotone.__file__).parent

MAY_IMPORT = {
    "": "audio recognition explanation",
    "errors": "",
    "emotions": "errors",
    "config": "errors",
    "files": "errors",
    "audio": "errors",
    "corpora": "errors emotions files audio",
    "features.config": "config",
    "bundle": "errors config adaptation",
    "augment": "errors features.config",
    "features": "errors files audio augment corpora.base corpora.rows",
    "models.config": "config",
    "models": "errors models.config",
    "recipes": "errors emotions config features.config models.config",
    "protocols": "errors augment corpora.base features.config recipes",
    "audit": "errors files audio corpora features features.config protocols",
    "evaluation": "errors emotions config files recipes",
    "adaptation": "config",
    "training": "errors files adaptation bundle recipes protocols features models evaluation",
    "report": "errors emotions files audio augment corpora features evaluation recipes",
    "terminal": "",
    "recognition": "errors adaptation audio bundle terminal",
    "service": "errors config audio bundle recognition terminal",
    "cli_serve": "errors service",
    "cli_predict": "errors audio cli_inputs cli_output recognition terminal",
    "cli_inputs": "errors audio corpora terminal",
    "cli_output": "errors files recognition",
    "explanation": "errors files audio bundle features recognition report training",
    "cli_explain": "errors explanation terminal",
    "cli_features": "errors cli_options corpora features recipes recognition terminal",
    "comparison": "errors emotions config files corpora features models recipes protocols audit evaluation "
    "training report terminal",
    "show": "errors emotions features models recipes terminal",
    "card": "bundle recognition terminal",
    "site": "errors files bundle corpora recognition",
    "cli_page": "site terminal",
    "cli_model": "training terminal card",
    "cli_options": "errors corpora comparison terminal",
    "cli_corpora": "audit cli_options corpora recognition terminal",
    "cli_systems": "recipes comparison terminal show",
    "__main__": "cli",
    "cli": "errors cli_corpora cli_explain cli_features cli_model cli_options cli_page cli_predict cli_serve "
    "cli_systems recipes comparison recognition training terminal",
}  # fmt: skip
"""Part of emotone -> the parts it may import. A part is a module or a package without its longer-named entries here;
every part may import itself, and everyone the version. Data flows one way: corpora, audio, features, models, training,
evaluation, then comparison and report."""

LIGHT = (
    "", "errors", "emotions", "config", "files", "audio", "augment", "adaptation", "bundle", "recognition",
    "cli_predict", "cli_inputs", "cli_output", "cli_explain", "cli_features", "cli_options", "cli_corpora",
    "cli_page", "cli_serve", "cli_systems", "site", "explanation", "corpora", "terminal", "cli", "cli_model", "card",
    "recipes", "protocols", "audit",
)  # fmt: skip
"""Parts that import nothing heavy when they are loaded: the command line starts with them."""
HEAVY = ("torch", "pandas", "librosa", "matplotlib", "sklearn", "lightning", "onnx", "onnxruntime")


def modules() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        yield ".".join(part for part in parts if part != "__init__"), ast.parse(path.read_text(encoding="utf-8"))


def part_of(module: str) -> str:
    """The entry of the table that a module falls under: the longest that is a prefix."""
    prefixes = [part for part in MAY_IMPORT if module == part or module.startswith(f"{part}.")]
    return max(prefixes, key=len, default=module)


def imports(node: ast.AST, *, at_load_only: bool = False) -> Iterator[str]:
    """Every module named in an import, but those for type checkers; functions' own imports too, unless told."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            continue
        if at_load_only and isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            assert child.level == 0 and child.module, f"relative import: {ast.unparse(child)}"
            for alias in child.names:
                inside = ROOT.joinpath(*child.module.split(".")[1:], alias.name)
                is_module = child.module.startswith("emotone") and (
                    inside.is_dir() or inside.with_suffix(".py").exists()
                )
                yield f"{child.module}.{alias.name}" if is_module else child.module
        yield from imports(child, at_load_only=at_load_only)


def test_the_table_names_parts_that_exist() -> None:
    named = {*MAY_IMPORT, *" ".join(MAY_IMPORT.values()).split(), *LIGHT}
    assert {part for part in named if not list(ROOT.glob(f"{part.replace('.', '/')}*"))} == set()
    assert {part_of(module) for module, _ in modules()} <= set(MAY_IMPORT)


@pytest.mark.parametrize(("module", "tree"), [pytest.param(*each, id=each[0] or "emotone") for each in modules()])
def test_imports_go_one_way(module: str, tree: ast.Module) -> None:
    own = part_of(module)
    allowed = set(MAY_IMPORT[own].split())
    ours = {name.removeprefix("emotone").removeprefix(".") for name in imports(tree) if name.split(".")[0] == "emotone"}
    back = {
        name
        for name in ours
        if part_of(name) not in (own, "")
        and not any(name == part or name.startswith(f"{part}.") for part in (*allowed, own))
    }
    assert not back, f"{module} must not import {sorted(back)}; {own} may import {sorted(allowed)}"


@pytest.mark.parametrize("part", LIGHT)
def test_light_parts_load_nothing_heavy(part: str) -> None:
    heavy = {
        (module, name)
        for module, tree in modules()
        if part_of(module) == part
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
