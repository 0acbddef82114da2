"""The command line: argument -> call, nothing else."""

import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from emotone import cli_model
from emotone.cli_corpora import corpora_app
from emotone.cli_explain import explain
from emotone.cli_features import features
from emotone.cli_options import (
    CorpusOption,
    DataOption,
    DeviceOption,
    EncoderOption,
    PrecisionOption,
    PresetOption,
    across_corpora,
    checked_device,
    checked_precision,
    load_across,
    load_corpus,
    named_in,
)
from emotone.cli_page import page
from emotone.cli_predict import predict
from emotone.cli_serve import serve
from emotone.cli_systems import systems_app
from emotone.errors import CorpusError, EmotoneError, UsageError

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
app.command()(predict)
app.command()(explain)
app.command()(features)
app.command()(page)
app.command()(serve)
app.add_typer(cli_model.model_app, name="model")


def _print_version(wanted: bool) -> None:
    if wanted:
        from emotone import __version__
        from emotone.terminal import console

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
    from emotone.terminal import speak_utf8, warn

    speak_utf8()
    code: str | int | None = 0
    try:
        try:
            app()
        except SystemExit as end:  # Lightning makes one of an interrupt, with code 1
            code = 130 if isinstance(end.__context__, KeyboardInterrupt) else end.code
        sys.stdout.flush()
    except EmotoneError as error:
        warn(f"emotone: {error}")
        code = error.exit_code
    except BrokenPipeError:  # who reads has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what Python still writes when it ends
        code = 1
    except OSError as error:
        warn(f"emotone: {error.filename or 'writing'}: {error.strerror or error}")
        code = 1
    sys.exit(code)


@app.command()
def train(
    out: Annotated[Path, typer.Option(help="Folder for the trained system.")],
    system: Annotated[
        str | None, typer.Argument(help="Id of a system, or a recipe file. [default: with --from, the bundle's]")
    ] = None,
    bundle: Annotated[
        str | None,
        typer.Option(
            "--from",
            help="Fine-tune: go on from the weights of a .onnx file, of org/name on the Hugging Face hub, or of "
            "emotone/large, emotone/base or emotone/tiny. Few clips are enough.",
        ),
    ] = None,
    protocol: Annotated[
        str | None, typer.Option(help="How clips are split; see `emotone compare --help`. [default: clean]")
    ] = None,
    fold: Annotated[int | None, typer.Option(help="Which fold, from 1. [default: 1]")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Train on every clip, for use; test nothing.")] = False,
    seed: int = 0,
    preset: PresetOption = "paper",
    corpus: CorpusOption = None,
    data: DataOption = None,
    device: DeviceOption = "auto",
    precision: PrecisionOption = "32",
    encoder: EncoderOption = None,
) -> None:
    """Train one system, test it, and store it without pickle."""
    from emotone import recipes
    from emotone.comparison.train import train_all, train_one
    from emotone.recognition.hub import locate
    from emotone.terminal import console
    from emotone.training.tuning import Start

    given = None if system is None else recipes.load(system)
    start = None if bundle is None else Start.read(locate(bundle))
    recipe = start.tuned(given) if start else given
    if recipe is None:
        raise UsageError("Give a system (see `emotone systems`), or a bundle to fine-tune: --from BUNDLE.")
    options: dict[str, Any] = {
        "seed": seed,
        "device": checked_device(device),
        "precision": checked_precision(precision),
        "encoder": encoder,
        "start": start,
    }
    if everything:
        if protocol is not None or fold is not None or preset != "paper":
            raise UsageError("--all trains on every clip, in full: it takes no --protocol, --fold or --preset.")
        made = train_all(recipe, lambda: load_corpus(corpus, data), out, **options)
        refitted = recipe.training is not None and recipe.training.refit
        heard = len(made.train) + (len(made.validation) if refitted else 0)
        among = "of them" if refitted else "others"
        chosen = f", the epoch chosen on {len(made.validation)} {among}" if made.validation else ""
        console.print(f"Trained on {heard} clips{chosen}; nothing was tested")
    else:
        record = train_one(
            recipe,
            lambda: load_corpus(corpus, data),
            out,
            protocol=protocol or "clean",
            fold=1 if fold is None else fold,
            preset=preset,
            **options,
        )
        accuracy, uar = record.metrics["accuracy"], record.metrics["uar"]
        console.print(f"Accuracy {accuracy:.1%}, UAR {uar:.1%} on {record.split.test} test")
    console.print(out)


app.command()(cli_model.export)


@app.command()
def compare(
    systems: Annotated[list[str] | None, typer.Argument(help="Ids or recipe files. [default: all that run]")] = None,
    protocol: Annotated[
        str | None,
        typer.Option(
            help="published, clean, luna5, emobox6, loso, leave-one-corpus-out; several with commas. "
            "[default: published; cross with --train and --test]"
        ),
    ] = None,
    preset: PresetOption = "quick",
    seeds: Annotated[int, typer.Option(help="Runs per system and fold, with seeds 0, 1, ...")] = 1,
    jobs: Annotated[int | None, typer.Option(help="Runs at a time. [default: one per core]")] = None,
    device: DeviceOption = "auto",
    precision: PrecisionOption = "32",
    encoder: EncoderOption = None,
    corpus: CorpusOption = None,
    data: DataOption = None,
    train: Annotated[
        str | None,
        typer.Option(help="Train on these corpora (names, manifests or folders by emotion, with commas); with --test."),
    ] = None,
    test: Annotated[str | None, typer.Option(help="Test on these other corpora, each on the classes of both.")] = None,
    out: Annotated[Path, typer.Option(help="Folder for the runs' JSON and the report.")] = Path("runs"),
) -> None:
    """Train and test systems side by side, and write one report. Run again, it goes on where it stopped."""
    from emotone import recipes
    from emotone.comparison.compare import compare as compare_systems

    pair = across_corpora(train, test, protocol, excluded={"--corpus": corpus, "--data": data})
    chosen = [recipes.load(name) for name in systems] if systems else None
    failed = compare_systems(
        chosen,
        lambda: load_across(*pair) if pair else load_corpus(corpus, data, or_synthetic=True),
        out,
        protocols=["cross"] if pair else named_in(protocol or "published"),
        crossing=pair is not None,
        preset=preset,
        seeds=seeds,
        jobs=jobs,
        device=checked_device(device),
        precision=checked_precision(precision),
        encoder=encoder,
    )
    raise typer.Exit(1 if failed else 0)


@app.command()
def bench(
    folders: Annotated[
        list[Path], typer.Argument(help="Each holds a plan.yaml; its runs, leaderboard.json and report go into it.")
    ],
    jobs: Annotated[int | None, typer.Option(help="Runs at a time. [default: one per core]")] = None,
    device: DeviceOption = "auto",
    precision: PrecisionOption = "32",
    data: DataOption = None,
) -> None:
    """Make the runs of plans that are not there yet, then their leaderboards and reports."""
    from emotone.comparison.bench import bench as make

    failed = [
        failure
        for folder in folders
        for failure in make(
            folder,
            lambda name, test: load_across(name, ",".join(test)) if test else load_corpus(name, data),
            jobs=jobs,
            device=checked_device(device),
            precision=checked_precision(precision),
        )
    ]
    raise typer.Exit(1 if failed else 0)


@app.command()
def report(
    runs: Annotated[Path, typer.Argument(help="Folder of a comparison.")],
    corpus: CorpusOption = None,
    data: DataOption = None,
) -> None:
    """Write the report of a comparison again."""
    from emotone.comparison.compare import write_report
    from emotone.terminal import console

    try:
        found = load_corpus(corpus, data)
    except CorpusError:
        found = None  # the pictures of its audio are left out
    console.print(write_report(runs, found))


@app.command()
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
    from emotone.comparison.audit import audit_manifest, audit_system

    if (system is None) == (manifest is None):
        raise UsageError("Give either a system or --manifest.")
    if manifest is not None:
        if corpus or data:
            raise UsageError("--manifest names its own files; --corpus and --data go with a system.")
        done = audit_manifest(manifest, load_corpus(str(manifest), None), protocol=protocol)
    else:
        done = audit_system(str(system), lambda name: load_corpus(corpus or name, data), protocol=protocol)
    done.show()
    if out:
        done.write(out)
    raise typer.Exit(1 if done.leaks else 0)
