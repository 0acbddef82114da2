"""The command `emotone page`: argument -> call, nothing else."""

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from emotone.corpora.download import Progress
    from emotone.site import Package

__all__ = ["page"]


def page(
    folder: Annotated[Path, typer.Argument(help="For the page: a new folder, or one with an older page.")],
    model: Annotated[
        str,
        typer.Option(
            help="emotone/probe, emotone/large, emotone/base or emotone/tiny; a .onnx file; org/name on the Hugging "
            "Face hub."
        ),
    ] = "emotone/probe",
    runtime: Annotated[
        list[Path] | None,
        typer.Option(
            help="A tarball of the npm registry that is here already, for machines without a network; more than once."
        ),
    ] = None,
) -> None:
    """Write a web page that recognises in the browser itself: any web server can show it, nothing is uploaded."""
    from emotone.cli.terminal import console, counting
    from emotone.site import write_site

    with ExitStack() as stack:

        def counted(package: "Package") -> "Progress":
            return stack.enter_context(counting(f"Downloading {package.name} (bytes)"))

        write_site(folder, model=model, runtime=runtime or (), on_progress=counted)
    console.print(f"{folder}: python -m http.server --directory {folder} shows it at http://localhost:8000")
