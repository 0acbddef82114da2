"""The command `emotone corpora`: what there is, where it is, whether it is sound."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from emotone.cli.options import DataOption

__all__ = ["corpora_app"]

corpora_app = typer.Typer(help="The corpora: what there is, where it is, whether it is sound.")


@corpora_app.callback(invoke_without_command=True)
def corpora_list(context: typer.Context, data: DataOption = None) -> None:
    """List the corpora, their terms, and where they are on this machine."""
    if context.invoked_subcommand:
        return
    from emotone import corpora
    from emotone.cli.terminal import table

    rows = []
    for name in corpora.names():
        source, place = corpora.get_source(name), corpora.find(name, data=data)
        about = source.info
        where = place or ("made when needed" if about.synthetic and data is None else "not here")
        counts = (about.speakers or "-", f"{source.clips:,}", about.emotions or "-")
        rows.append((name, ", ".join(about.languages), *counts, about.speech, about.licence, about.use, where))
    headers = ("Corpus", "Language", "Speakers", "Clips", "Emotions", "Speech", "Licence", "Use", "Where")
    table(headers, rows)


@corpora_app.command("fetch")
def corpora_fetch(
    name: str,
    into: Annotated[Path | None, typer.Option(help="Folder to unpack into. [default: the user's cache]")] = None,
) -> None:
    """Download a corpus; an interrupted download goes on."""
    from emotone.cli.terminal import console, counting
    from emotone.corpora.fetch import fetch

    with counting(f"Downloading {name} (bytes)") as progress:
        folder = fetch(name, into=into, on_progress=progress)
    console.print(folder)


@corpora_app.command("check")
def corpora_check(
    name: Annotated[str, typer.Argument(help="A corpus, a manifest, or a folder by emotion.")], data: DataOption = None
) -> None:
    """Name files that are missing, unreadable, silent, clipped, duplicated or misnamed.

    Clips shorter than any that the shipped model was trained on and speakers who may be one are shown, and no failure.
    """
    from emotone.audit.voices import near_voices
    from emotone.bundle.hub import find
    from emotone.cli.terminal import console, counting, table
    from emotone.corpora.check import HINTS, check

    with counting(f"Checking {name}") as progress:
        shortest = find(None, threads=1).info.shortest or 0.0
        report = check(
            name,
            data=data,
            shortest=shortest,
            near_voices=partial(near_voices, on_progress=progress),
            on_progress=progress,
        )
    rows = [(kind, finding.file, finding.reason) for kind, found in report.by_kind().items() for finding in found]
    if rows:
        table(("Finding", "File", "Reason"), rows)
    hints = sum(kind in HINTS for kind, *_ in rows)
    looks = f", {hints} worth a look" if hints else ""
    console.print(f"{report.corpus}: {report.files} files in {report.root}, {len(rows) - hints} findings{looks}")
    raise typer.Exit(0 if report.clean else 1)
