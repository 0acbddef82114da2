"""The commands `emotone compare`, `bench` and `report`: systems side by side."""

import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from emotone.cli.options import (
    AddressOption,
    CorpusOption,
    DataOption,
    DeviceOption,
    DevicesOption,
    EncoderOption,
    EngineOption,
    PrecisionOption,
    PresetOption,
    StrategyOption,
    across_corpora,
    by_ray,
    checked_device,
    checked_devices,
    checked_precision,
    load_across,
    load_corpus,
    named_in,
)
from emotone.errors import CorpusError, UsageError

__all__ = ["bench", "compare", "report"]

BesideOption = Annotated[
    Path | None,
    typer.Option(
        help="Folder of finished full runs, which the report opens with. [default: what it opened with before, if any]"
    ),
]


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
    devices: DevicesOption = 1,
    strategy: StrategyOption = "ddp",
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
    beside: BesideOption = None,
    engine: EngineOption = "local",
    address: AddressOption = None,
) -> None:
    """Train and test systems side by side, and write one report. Run again, it goes on where it stopped."""
    from emotone import recipes
    from emotone.cli.runs import Screen
    from emotone.comparison.compare import compare as compare_systems
    from emotone.comparison.sweep import sweep

    on_cluster = by_ray(engine, address)
    if on_cluster:
        from emotone.cluster.runs import sweep_by

        if devices > 1:
            raise UsageError(f"--devices {devices}: goes with --engine local; on a cluster each run has one device.")
    pair = across_corpora(train, test, protocol, excluded={"--corpus": corpus, "--data": data})
    chosen = [recipes.load(name) for name in systems] if systems else None
    failed = compare_systems(
        chosen,
        lambda: load_across(*pair) if pair else load_corpus(corpus, data, or_synthetic=True),
        out,
        Screen(),
        protocols=["cross"] if pair else named_in(protocol or "published"),
        crossing=pair is not None,
        preset=preset,
        seeds=seeds,
        jobs=jobs,
        device=checked_device(device, elsewhere=address is not None),
        devices=checked_devices(devices, strategy, device),
        precision=checked_precision(precision, device, elsewhere=address is not None),
        encoder=encoder,
        beside=beside,
        sweep=sweep_by(address) if on_cluster else sweep,
    )
    raise typer.Exit(1 if failed else 0)


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
    from emotone.cli.runs import Screen
    from emotone.comparison.bench import bench as make

    failed = [
        failure
        for folder in folders
        for failure in make(
            folder,
            lambda name, test: load_across(name, ",".join(test)) if test else load_corpus(name, data),
            Screen(),
            jobs=jobs,
            device=checked_device(device),
            precision=checked_precision(precision, device),
        )
    ]
    raise typer.Exit(1 if failed else 0)


def report(
    runs: Annotated[Path, typer.Argument(help="Folder of a comparison.")] = Path("runs"),
    beside: BesideOption = None,
    open_: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
    corpus: CorpusOption = None,
    data: DataOption = None,
) -> None:
    """Write the report of a comparison again."""
    from emotone.cli.runs import Screen
    from emotone.comparison.beside import find_full
    from emotone.comparison.compare import write_report

    try:
        found = load_corpus(corpus, data)
    except CorpusError:
        found = None  # the pictures of its audio are left out
    screen = Screen()
    page = write_report(runs, found, find_full(beside, runs, screen))
    screen.say(str(page))
    if open_ and not webbrowser.open(page.resolve().as_uri()):
        screen.warn(f"No browser was found here. Open {page.resolve()} in one.")
