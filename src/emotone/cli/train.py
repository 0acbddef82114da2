"""The command `emotone train`: one system trained, tested and stored."""

from pathlib import Path
from typing import Annotated, Any

import typer

from emotone.cli.options import (
    CorpusOption,
    DataOption,
    DeviceOption,
    DevicesOption,
    EncoderOption,
    PrecisionOption,
    PresetOption,
    StrategyOption,
    checked_device,
    checked_devices,
    checked_precision,
    load_corpus,
)
from emotone.errors import UsageError

__all__ = ["train"]


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
            "emotone/probe, emotone/large, emotone/base or emotone/tiny. Few clips are enough.",
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
    devices: DevicesOption = 1,
    strategy: StrategyOption = "ddp",
    precision: PrecisionOption = "32",
    encoder: EncoderOption = None,
) -> None:
    """Train one system, test it, and store it without pickle."""
    from emotone import recipes
    from emotone.bundle.hub import locate
    from emotone.cli.runs import Screen
    from emotone.cli.terminal import console
    from emotone.comparison.train import train_all, train_one
    from emotone.tuning import Start

    given = None if system is None else recipes.load(system)
    start = None if bundle is None else Start.read(locate(bundle))
    recipe = start.tuned(given) if start else given
    if recipe is None:
        raise UsageError("Give a system (see `emotone systems`), or a bundle to fine-tune: --from BUNDLE.")
    options: dict[str, Any] = {
        "seed": seed,
        "device": checked_device(device),
        "devices": checked_devices(devices, strategy, device),
        "precision": checked_precision(precision, device),
        "encoder": encoder,
        "start": start,
    }
    if everything:
        if protocol is not None or fold is not None or preset != "paper":
            raise UsageError("--all trains on every clip, in full: it takes no --protocol, --fold or --preset.")
        made = train_all(recipe, lambda: load_corpus(corpus, data), out, Screen(), **options)
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
            Screen(),
            protocol=protocol or "clean",
            fold=1 if fold is None else fold,
            preset=preset,
            **options,
        )
        accuracy, uar = record.metrics["accuracy"], record.metrics["uar"]
        console.print(f"Accuracy {accuracy:.1%}, UAR {uar:.1%} on {record.split.test} test")
    console.print(out)
