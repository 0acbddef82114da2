"""The commands on bundles: argument -> call, nothing else."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["export", "model_app"]

model_app = typer.Typer(help="Bundles: one ONNX file each, with its card.", no_args_is_help=True)


def export(
    run: Annotated[Path, typer.Argument(help="Folder of a trained system, as `emotone train` writes it.")],
    out: Annotated[Path, typer.Option(help="The .onnx file.")],
    int8: Annotated[bool, typer.Option("--int8", help="Weights as int8: a quarter of the size.")] = False,
    measured: Annotated[
        Path | None, typer.Option(help="A benchmark's folder: the card gets the metrics of the same recipe in it.")
    ] = None,
) -> None:
    """Write a trained network as one ONNX file: front end, network, labels, model card."""
    from emotone.cli.terminal import console
    from emotone.export import export as write

    info = write(run, out, int8=int8, measured_in=measured)
    console.print(f"{out}: {info.name}, {len(info.labels)} labels, {out.stat().st_size / 1e6:.2f} MB")


@model_app.command("show")
def model_show(
    model: Annotated[
        str | None,
        typer.Argument(
            help="emotone/probe, emotone/large, emotone/base or emotone/tiny; a .onnx file; org/name on the Hugging "
            "Face hub. [default: emotone/probe]"
        ),
    ] = None,
) -> None:
    """Print the card of a bundle."""
    from emotone.cli.card import show_card

    show_card(model)


@model_app.callback()
def model() -> None:
    """Keep `show` a command of its own while it is the only one."""
