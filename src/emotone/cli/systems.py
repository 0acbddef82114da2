"""The command `emotone systems`: every system, and what it is made of."""

from typing import Annotated

import typer

__all__ = ["systems_app"]

systems_app = typer.Typer(help="The published systems, each a recipe that runs.")


@systems_app.callback(invoke_without_command=True)
def systems(context: typer.Context) -> None:
    """List the systems with what their papers report, and whether they run."""
    if context.invoked_subcommand:
        return
    from emotone import recipes
    from emotone.cli.terminal import table
    from emotone.comparison.encoders import lack_of

    rows = []
    for recipe in map(recipes.load, recipes.names()):
        accuracy = recipe.published.accuracy
        lack = lack_of(recipe)
        status = f"needs {lack}" if lack else "runs"
        rows.append((recipe.id, recipe.title, None if accuracy is None else f"{accuracy:.1%}", status))
    table(("System", "What", "Published", "Status"), rows, numbers=("Published",))


@systems_app.command("show")
def systems_show(system: Annotated[str, typer.Argument(help="Id of a system, or a recipe file.")]) -> None:
    """Show a recipe, and its network layer by layer."""
    from emotone import recipes
    from emotone.cli.show import show

    show(recipes.load(system))
