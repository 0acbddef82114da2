"""The command line: every command joined, and how each ends: its message, its exit code."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from emotone.cli.audit import audit
from emotone.cli.compare import bench, compare, report
from emotone.cli.corpora import corpora_app
from emotone.cli.explain import explain
from emotone.cli.features import features
from emotone.cli.model import export, model_app
from emotone.cli.page import page
from emotone.cli.predict import predict
from emotone.cli.serve import serve
from emotone.cli.signals import heeded
from emotone.cli.stress import stress
from emotone.cli.systems import systems_app
from emotone.cli.train import train
from emotone.errors import EmotoneError

__all__ = ["main"]

app = typer.Typer(
    help="Compare and use speech emotion recognisers.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.add_typer(systems_app, name="systems")
app.add_typer(corpora_app, name="corpora")
app.add_typer(model_app, name="model")
for command in (predict, serve, page, explain, features, train, export, compare, bench, report, audit, stress):
    app.command()(command)


def _print_version(wanted: bool) -> None:
    if wanted:
        from emotone import __version__
        from emotone.cli.terminal import console

        console.print(__version__)
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    """Compare and use speech emotion recognisers."""


def main() -> None:
    """Run the command line; an `EmotoneError` becomes its message and its exit code."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by who started this
            setattr(sys, name, Path(os.devnull).open("w"))  # noqa: SIM115 (until the end)
    from emotone.cli.terminal import speak_utf8

    speak_utf8()
    with heeded() as ended:
        try:
            code = _run()
        except KeyboardInterrupt:  # while what has failed is said
            code = 130
    sys.exit(code if ended.number is None else 128 + ended.number)  # as a shell has it


def _run() -> str | int | None:
    """Run the command line and return its exit code."""
    from emotone.cli.terminal import warn

    try:
        try:
            app()
            code: str | int | None = 0
        except SystemExit as end:  # Lightning makes one of an interrupt, with code 1
            code = 130 if isinstance(end.__context__, KeyboardInterrupt) else end.code
        sys.stdout.flush()
        return code
    except EmotoneError as error:
        warn(f"emotone: {error}")
        return error.exit_code
    except ModuleNotFoundError as error:
        missing = (error.name or "emotone").split(".")[0]
        if missing == "emotone":
            raise
        warn(f"emotone: this command needs {missing}: pip install 'emotone[train]'")
        return 2
    except BrokenPipeError:  # who reads has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what Python still writes when it ends
        return 1
    except OSError as error:
        warn(f"emotone: {error.filename or 'writing'}: {error.strerror or error}")
        return 1
