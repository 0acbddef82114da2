"""The command `emotone audit`: what a split leaks."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from emotone.cli.options import CorpusOption, DataOption, load_corpus
from emotone.errors import UsageError

if TYPE_CHECKING:
    from emotone.audit import Finding
    from emotone.comparison.audit import Audit

__all__ = ["audit"]


def audit(
    system: Annotated[
        str | None, typer.Argument(help="Id of a system, a recipe file, or the folder of a trained system.")
    ] = None,
    manifest: Annotated[
        Path | None, typer.Option(help="Audit this manifest's column `split` (train, validation, test) instead.")
    ] = None,
    protocol: Annotated[str | None, typer.Option(help="How the system's clips are split. [default: published]")] = None,
    corpus: CorpusOption = None,
    data: DataOption = None,
    out: Annotated[Path | None, typer.Option(help="A JSON file for every finding and all its cases.")] = None,
) -> None:
    """Find what a split leaks from test into training. Exit code 1 where something leaks."""
    from emotone.cli.terminal import counting
    from emotone.comparison.audit import audit_manifest, audit_system

    if (system is None) == (manifest is None):
        raise UsageError("Give either a system or --manifest.")
    if manifest is not None:
        if corpus or data:
            raise UsageError("--manifest names its own files; --corpus and --data go with a system.")
        done = audit_manifest(manifest, load_corpus(str(manifest), None), counting, protocol=protocol)
    else:
        done = audit_system(str(system), lambda name: load_corpus(corpus or name, data), counting, protocol=protocol)
    _show(done)
    if out:
        done.write(out)
    raise typer.Exit(1 if done.leaks else 0)


def _show(done: "Audit") -> None:
    """Print a table of the findings, and a line that counts them."""
    from emotone.cli.terminal import console, table

    rows = [(f.severity, f.text, f"{f.count} of {f.of} {f.unit}", _example(f)) for f in done.findings]
    if rows:
        table(("Severity", "Finding", "How many", "For example"), rows)
    under = f" under {done.protocol}" if done.protocol else ""
    console.print(
        f"{done.subject}{under}, {done.clips} clips of {done.corpus}, folds: {done.folds}; "
        f"leaks: {len(done.leaks)}, notes: {len(rows) - len(done.leaks)}"
    )


def _example(finding: "Finding") -> str | None:
    """Return the first case in a line."""
    if not finding.cases:
        return None
    case = finding.cases[0]
    alike = f", {case.similarity:.2f} alike" if case.similarity is not None else ""
    return f"{case.test}; in {case.side}: {case.seen}{alike}"
