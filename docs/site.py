"""Write the reference of the Python API from the docstrings into a folder: `make site`."""

import argparse
import importlib
import pkgutil
import tempfile
from pathlib import Path

import pdoc

import emotone
from emotone.report.theme import stylesheet

LEFT_OUT = ("emotone.__main__", "emotone.cli")  # what is typed, not called; `emotone --help` tells of it
_COLOURS = {
    "pdoc-background": "ground",
    "text": "ink",
    "muted": "soft",
    "link-hover": "right",
    "code": "wash",
    "active": "wash",
    "accent": "rule",
    "accent2": "soft",
    "nav-hover": "wash",
    "name": "blue",
    "def": "green",
    "annotation": "teal",
}
"""pdoc's colours -> those of the report; both call one of them `link`."""

_INDEX = """{% set root_module_name = false %}{% extends "default/index.html.jinja2" %}
{% block title %}emotone's Python API{% endblock %}
{% block logo %}<h1>emotone <small>VERSION</small></h1>{% endblock %}
{% block content %}{{ super() }}<dl class="modules">
{% for name, module in all_modules.items() %}
<dt><a href="{{ name.replace(".", "/") }}.html">{{ name }}</a></dt>
<dd>{{ module.docstring.splitlines()[0].replace("`", "") }}</dd>
{% endfor %}
</dl>{% endblock %}
"""
_LOOK = """
nav.pdoc h1, nav.pdoc h2 {font-size: 1.1rem; font-weight: 600; letter-spacing: 0}
nav.pdoc {box-shadow: none !important; background: var(--code) !important}
.pdoc .attr, .pdoc-code {background: var(--code)}
.pdoc-code span {color: inherit !important}
dl.modules {display: grid; grid-template-columns: max-content 1fr; gap: .3rem 1.5rem; margin: 0; padding: 0 1rem}
dl.modules {max-width: 54rem; font-size: 16px; line-height: 1.5; color: var(--text)}
dl.modules dd {margin: 0}
dl.modules a {color: var(--link); text-decoration: none}
header.pdoc h1 {margin-right: 1.5rem; font-weight: 600}
header.pdoc + main.pdoc {min-height: 0; padding-bottom: 0}
input[type=search] {background: var(--panel); color: inherit; border: 1px solid var(--accent2)}
@media (min-width: 770px) {dl.modules {margin-left: var(--sidebar-width); padding: 0 2rem 3rem 3rem}}
@media (max-width: 900px) {dl.modules {display: block} dl.modules dd {margin: 0 0 .8rem}}
"""


def modules() -> list[str]:
    """Return what has a page: each package that names what it offers, and of the others each module."""
    for name in set(emotone.__all__) - set(vars(emotone)):  # imported where they are asked for; pdoc does not ask
        setattr(emotone, name, getattr(emotone, name))
    told, found = ["emotone"], sorted(pkgutil.walk_packages(emotone.__path__, "emotone."), key=lambda each: each.name)
    for each in found:
        package = each.name.rpartition(".")[0]
        offered = package != "emotone" and package in told
        if (
            not each.name.startswith(LEFT_OUT)
            and not offered
            and hasattr(importlib.import_module(each.name), "__all__")
        ):
            told.append(each.name)
    return told


def _theme() -> str:
    told = "".join(f"--{name}: var(--{ours});" for name, ours in _COLOURS.items())
    return f"{stylesheet()}:root, .pdoc {{{told}}}\n"


def write(folder: Path) -> list[str]:
    """Write the reference; return the modules that have a page."""
    told = modules()
    with tempfile.TemporaryDirectory() as templates:
        index = _INDEX.replace("VERSION", emotone.__version__)
        for name, text in (("theme.css", _theme()), ("custom.css", _LOOK), ("index.html.jinja2", index)):
            (Path(templates) / name).write_text(text, encoding="utf-8")
        pdoc.render.configure(
            docformat="google",
            show_source=False,
            footer_text=f"emotone {emotone.__version__}",
            template_directory=Path(templates),
        )
        pdoc.pdoc(*told, output_directory=folder)
    return told


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=Path("site"))
    into = parser.parse_args().folder
    print(f"{len(write(into))} modules: {into / 'index.html'}")
