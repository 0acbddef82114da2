"""The command line: argument -> call, nothing else."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from emotone import cli_model
from emotone.cli_explain import explain
from emotone.cli_predict import predict
from emotone.errors import CorpusError, DownloadError, EmotoneError, UsageError, unknown

if TYPE_CHECKING:
    from emotone.corpora.base import Corpus

__all__ = ["main"]

app = typer.Typer(
    help="Compare and use speech emotion recognisers.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
systems_app = typer.Typer(help="The published systems, each a recipe that runs.")
corpora_app = typer.Typer(help="The corpora: what there is, where it is, whether it is sound.")
app.add_typer(systems_app, name="systems")
app.add_typer(corpora_app, name="corpora")
app.command()(predict)
app.command()(explain)
app.add_typer(cli_model.model_app, name="model")

_DEFAULT_CORPUS = "ravdess"

CorpusOption = Annotated[str | None, typer.Option(help="Name of a corpus (see `emotone corpora`). [default: ravdess]")]
DataOption = Annotated[
    Path | None,
    typer.Option(help="Folder of the corpus; or your own data: a CSV, Parquet or JSONL manifest, a folder by emotion."),
]
DeviceOption = Annotated[str, typer.Option(help="auto, cpu or cuda.")]
PrecisionOption = Annotated[str, typer.Option(help="32 or bf16 (mixed).")]
EncoderOption = Annotated[
    str | None,
    typer.Option(help="Pretrained encoder for the systems that have one: a folder, or a name on the Hugging Face hub."),
]
PresetOption = Annotated[str, typer.Option(help="quick or paper.")]


def main() -> None:
    """Run the command line; an `EmotoneError` becomes its message and its exit code."""
    from emotone.terminal import warn

    try:
        app()
    except EmotoneError as error:
        warn(f"emotone: {error}")
        sys.exit(error.exit_code)
    except OSError as error:
        warn(f"emotone: {error.filename or 'writing'}: {error.strerror or error}")
        sys.exit(1)


@systems_app.callback(invoke_without_command=True)
def systems(context: typer.Context) -> None:
    """List the systems with what their papers report, and whether they run."""
    if context.invoked_subcommand:
        return
    from emotone import recipes
    from emotone.comparison.encoders import has_weights
    from emotone.terminal import table

    rows = []
    for recipe in map(recipes.load, recipes.names()):
        accuracy = recipe.published.accuracy
        status = "runs" if has_weights(recipe) else "needs pretrained weights"
        rows.append((recipe.id, recipe.title, None if accuracy is None else f"{accuracy:.1%}", status))
    table(("System", "What", "Published", "Status"), rows, numbers=("Published",))


@systems_app.command("show")
def systems_show(system: Annotated[str, typer.Argument(help="Id of a system, or a recipe file.")]) -> None:
    """Show a recipe, and its network layer by layer."""
    from emotone import recipes
    from emotone.show import show

    show(recipes.load(system))


@corpora_app.callback(invoke_without_command=True)
def corpora_list(context: typer.Context, data: DataOption = None) -> None:
    """List the corpora, their terms, and where they are on this machine."""
    if context.invoked_subcommand:
        return
    from emotone import corpora
    from emotone.terminal import table

    rows = []
    for name in corpora.names():
        about, place = corpora.info(name), corpora.find(name, data=data)
        where = place or ("made when needed" if about.synthetic and data is None else "not here")
        rows.append((name, about.title, ", ".join(about.languages), about.licence, where))
    table(("Corpus", "Title", "Language", "Licence", "Where"), rows)


@corpora_app.command("fetch")
def corpora_fetch(
    name: str,
    into: Annotated[Path | None, typer.Option(help="Folder to unpack into. [default: the user's cache]")] = None,
) -> None:
    """Download a corpus; an interrupted download goes on."""
    from emotone.corpora.fetch import fetch
    from emotone.terminal import console, counting

    with counting(f"Downloading {name} (bytes)") as progress:
        folder = fetch(name, into=into, on_progress=progress)
    console.print(folder)


@corpora_app.command("check")
def corpora_check(
    name: Annotated[str, typer.Argument(help="A corpus, a manifest, or a folder by emotion.")], data: DataOption = None
) -> None:
    """Name the files that are missing, unreadable, silent, clipped, duplicated or misnamed."""
    from emotone.corpora.check import check
    from emotone.terminal import console, counting, table

    with counting(f"Checking {name}") as progress:
        report = check(name, data=data, on_progress=progress)
    kinds = ("missing", "unreadable", "silent", "clipped", "duplicated", "unparsed")
    rows = [(kind, finding.file, finding.reason) for kind in kinds for finding in getattr(report, kind)]
    if rows:
        table(("Finding", "File", "Reason"), rows)
    console.print(f"{report.corpus}: {report.files} files in {report.root}, {len(rows)} findings")
    raise typer.Exit(1 if rows else 0)


@app.command()
def features(
    system: Annotated[str, typer.Option(help="The system whose features to take.")],
    out: Annotated[Path, typer.Option(help="A .csv or .parquet file.")],
    corpus: CorpusOption = None,
    data: DataOption = None,
) -> None:
    """Write a system's features, one row per clip with its labels."""
    from emotone import recipes
    from emotone.features.table import write_table
    from emotone.terminal import console, counting

    recipe, found = recipes.load(system), _load_corpus(corpus, data)
    with counting("Features") as progress:
        rows, columns = write_table(recipe.audio, recipe.features, found.utterances, out, on_progress=progress)
    console.print(f"{out}: {rows} clips, {columns} features")


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
            "emotone/base, emotone's own. Few clips are enough.",
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
        "device": _device(device),
        "precision": _precision(precision),
        "encoder": encoder,
        "start": start,
    }
    if everything:
        if protocol is not None or fold is not None or preset != "paper":
            raise UsageError("--all trains on every clip, in full: it takes no --protocol, --fold or --preset.")
        made = train_all(recipe, lambda: _load_corpus(corpus, data), out, **options)
        chosen = f" and chosen on {len(made.validation)}" if made.validation else ""
        console.print(f"Trained on {len(made.train)} clips{chosen}; nothing was tested")
    else:
        record = train_one(
            recipe,
            lambda: _load_corpus(corpus, data),
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
        typer.Option(help="published, clean, luna5, emobox6, loso; several with commas. [default: published]"),
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
        str | None, typer.Option(help="Train on this corpus (a name, manifest or folder by emotion); with --test.")
    ] = None,
    test: Annotated[str | None, typer.Option(help="Test on this other corpus; instead of --protocol.")] = None,
    out: Annotated[Path, typer.Option(help="Folder for the runs' JSON and the report.")] = Path("runs"),
) -> None:
    """Train and test systems side by side, and write one report. Run again, it goes on where it stopped."""
    from emotone import recipes
    from emotone.comparison.compare import compare as compare_systems

    pair = _two_corpora(train, test, excluded={"--protocol": protocol, "--corpus": corpus, "--data": data})
    chosen = [recipes.load(name) for name in systems] if systems else None
    failed = compare_systems(
        chosen,
        lambda: _load_pair(*pair) if pair else _load_corpus(corpus, data, or_synthetic=True),
        out,
        protocols=["cross"] if pair else [name.strip() for name in (protocol or "published").split(",")],
        crossing=pair is not None,
        preset=preset,
        seeds=seeds,
        jobs=jobs,
        device=_device(device),
        precision=_precision(precision),
        encoder=encoder,
    )
    raise typer.Exit(1 if failed else 0)


@app.command()
def bench(
    folder: Annotated[Path, typer.Argument(help="Holds plan.yaml; runs, leaderboard.json and report go into it.")],
    jobs: Annotated[int | None, typer.Option(help="Runs at a time. [default: one per core]")] = None,
    device: DeviceOption = "auto",
    precision: PrecisionOption = "32",
    data: DataOption = None,
) -> None:
    """Make the runs of a plan that are not there yet, then its leaderboard and report."""
    from emotone.comparison.bench import bench as make

    failed = make(
        folder,
        lambda name: _load_corpus(name, data),
        jobs=jobs,
        device=_device(device),
        precision=_precision(precision),
    )
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
        found = _load_corpus(corpus, data)
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
        done = audit_manifest(manifest, _load_corpus(str(manifest), None), protocol=protocol)
    else:
        done = audit_system(str(system), lambda name: _load_corpus(corpus or name, data), protocol=protocol)
    done.show()
    if out:
        done.write(out)
    raise typer.Exit(1 if done.leaks else 0)


def _load_corpus(name: str | None, data: Path | None, *, or_synthetic: bool = False) -> "Corpus":
    """Find the corpus asked for; by default RAVDESS, downloaded, or where that fails the synthetic one."""
    from emotone import corpora
    from emotone.corpora.fetch import fetch
    from emotone.terminal import counting, warn

    if name is None and data is not None and (data.is_file() or corpora.find(_DEFAULT_CORPUS, data=data) is None):
        return corpora.load(str(data))
    wanted = name or _DEFAULT_CORPUS
    if or_synthetic and name is None and corpora.find(wanted, data=data) is None:
        try:
            with counting("Downloading RAVDESS (bytes)") as progress:
                fetch(wanted, on_progress=progress)
        except DownloadError as error:
            warn(f"RAVDESS is not here and cannot be downloaded: {str(error).splitlines()[0]}")
            warn("Going on with the built-in synthetic corpus; set EMOTONE_DATA to the folder that holds ravdess/.")
            wanted = "synthetic"
    with counting("Synthesising") as progress:
        return corpora.load(wanted, data=data, on_progress=progress)


def _two_corpora(train: str | None, test: str | None, *, excluded: dict[str, object]) -> tuple[str, str] | None:
    """Return the corpora to train and to test on, if two were asked for."""
    if train is None and test is None:
        return None
    if train is None or test is None:
        given, missing = ("--train", "--test") if test is None else ("--test", "--train")
        raise UsageError(f"{given} {train or test} lacks its {missing}: train on one corpus and test on another.")
    also = [name for name, value in excluded.items() if value is not None]
    if also:
        raise UsageError(f"--train and --test say what is split and how; leave out {', '.join(also)}.")
    if train == test:
        raise UsageError(f"--train and --test are both {train!r}; name two corpora, or split one by --protocol.")
    return train, test


def _load_pair(train: str, test: str) -> "Corpus":
    from emotone.comparison.cross import join

    return join(_load_corpus(train, None), _load_corpus(test, None))


def _device(name: str) -> str:
    if name not in ("auto", "cpu", "cuda"):
        raise unknown("device", name, ("auto", "cpu", "cuda"))
    if name == "cuda":
        import torch

        if not torch.cuda.is_available():
            raise UsageError("--device cuda: there is no CUDA device here. Use auto or cpu.")
    return name


def _precision(name: str) -> str:
    if name not in ("32", "bf16"):
        raise unknown("precision", name, ("32", "bf16"))
    return name
