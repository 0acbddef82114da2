"""Options that commands share, and what they name."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from emotone.errors import DownloadError, UsageError, unknown

if TYPE_CHECKING:
    from emotone.corpora.base import Corpus

__all__ = [
    "AddressOption",
    "CorpusOption",
    "DataOption",
    "DeviceOption",
    "DevicesOption",
    "EncoderOption",
    "EngineOption",
    "ModelOption",
    "PrecisionOption",
    "PresetOption",
    "StrategyOption",
    "across_corpora",
    "by_ray",
    "checked_device",
    "checked_devices",
    "checked_precision",
    "load_across",
    "load_corpus",
    "named_in",
]

_DEFAULT_CORPUS = "ravdess"
_STRATEGIES = ("ddp",)  # each device has the whole network, and a part of every batch

CorpusOption = Annotated[
    str | None,
    typer.Option(help="Name of a corpus (see `emotone corpora`), or several with commas. [default: ravdess]"),
]
DataOption = Annotated[
    Path | None,
    typer.Option(help="Folder of the corpus; or your own data: a CSV, Parquet or JSONL manifest, a folder by emotion."),
]
DeviceOption = Annotated[str, typer.Option(help="auto, cpu or cuda.")]
DevicesOption = Annotated[int, typer.Option(help="How many GPUs, or CPU processes, share each batch of a network.")]
StrategyOption = Annotated[str, typer.Option(help="How several devices train together: ddp.")]
PrecisionOption = Annotated[str, typer.Option(help="32 or bf16 (mixed).")]
EncoderOption = Annotated[
    str | None,
    typer.Option(help="Pretrained encoder for the systems that have one: a folder, or a name on the Hugging Face hub."),
]
ModelOption = Annotated[
    str | None,
    typer.Option(
        help="emotone/probe, emotone/large, emotone/base or emotone/tiny; a .onnx file; org/name on the Hugging "
        "Face hub. [default: emotone/probe]"
    ),
]
EngineOption = Annotated[
    str, typer.Option(help="local, or ray: on a Ray cluster, or by Ray's processes here. pip install 'emotone[ray]'")
]
AddressOption = Annotated[
    str | None,
    typer.Option(help="With --engine ray: HOST:PORT of a running cluster, or auto. [default: this machine alone]"),
]
PresetOption = Annotated[str, typer.Option(help="quick or paper.")]


def load_corpus(name: str | None, data: Path | None, *, or_synthetic: bool = False) -> "Corpus":
    """Find the corpus asked for; by default RAVDESS, downloaded, or where that fails the synthetic one."""
    from emotone import corpora
    from emotone.cli.terminal import counting, warn
    from emotone.corpora.fetch import fetch
    from emotone.corpora.together import together

    if name is not None and "," in name:
        return together([_told(corpora.load(each, data=data)) for each in named_in(name)], tell=warn)
    if name is None and data is not None and (data.is_file() or corpora.find(_DEFAULT_CORPUS, data=data) is None):
        return _told(corpora.load(str(data)))
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
        return _told(corpora.load(wanted, data=data, on_progress=progress))


def _told(corpus: "Corpus") -> "Corpus":
    """Show a corpus's notes."""
    from emotone.cli.terminal import warn

    for note in corpus.notes:
        warn(f"{corpus.info.name}: {note}")
    return corpus


def across_corpora(
    train: str | None, test: str | None, protocol: str | None, *, excluded: dict[str, object]
) -> tuple[str, str] | None:
    """Return the corpora to train and to test on, if such were asked for."""
    if train is None and test is None:
        return None
    if train is None or test is None:
        given, missing = ("--train", "--test") if test is None else ("--test", "--train")
        raise UsageError(f"{given} {train or test} lacks its {missing}: train on some corpora and test on others.")
    also = [name for name, value in excluded.items() if value is not None]
    if protocol not in (None, "cross"):
        also = ["--protocol", *also]
    if also:
        raise UsageError(f"--train and --test say what is split and how; leave out {', '.join(also)}.")
    for name in named_in(test):
        if name in named_in(train):
            raise UsageError(f"--train and --test both name {name!r}; name others, or split one by --protocol.")
    return train, test


def named_in(several: str) -> list[str]:
    """Return the names that stand between commas."""
    return [name.strip() for name in several.split(",") if name.strip()]


def load_across(train: str, test: str) -> "Corpus":
    """Join the corpora to train and to test on."""
    from emotone.comparison.cross import join

    return join(load_corpus(train, None), [load_corpus(name, None) for name in named_in(test)])


def checked_device(name: str, *, elsewhere: bool = False) -> str:
    """Return the device asked for, if it is one and is here, unless the work is done elsewhere."""
    if name not in ("auto", "cpu", "cuda"):
        raise unknown("device", name, ("auto", "cpu", "cuda"))
    if name == "cuda" and not elsewhere:
        import torch

        if not torch.cuda.is_available():
            raise UsageError("--device cuda: there is no CUDA device here. Use auto or cpu.")
    return name


def checked_devices(devices: int, strategy: str, device: str) -> int:
    """Return the number of devices asked for, if so many are here and may train together so."""
    if strategy not in _STRATEGIES:
        raise unknown("strategy", strategy, _STRATEGIES)
    if devices > 1:
        import torch

        from emotone.comparison.sweep import cores

        on_gpu = _on_gpu(device)
        there = torch.cuda.device_count() if on_gpu else cores()
        if devices > there:
            raise UsageError(
                f"--devices is {devices}; here it may be 1 to {there} ({'GPUs' if on_gpu else 'CPU cores'})."
            )
    return devices


def checked_precision(name: str, device: str, *, elsewhere: bool = False) -> str:
    """Return the precision asked for, if it is one and this machine, where it is to compute, has it."""
    if name not in ("32", "bf16"):
        raise unknown("precision", name, ("32", "bf16"))
    if name == "bf16" and not elsewhere and not _on_gpu(device):
        import torch

        if not torch.ops.mkldnn._is_mkldnn_bf16_supported():
            raise UsageError(
                "--precision bf16: this processor does not compute in bf16 (AVX-512 is wanted). Leave it at 32."
            )
    return name


def _on_gpu(device: str) -> bool:
    import torch

    return device == "cuda" or (device == "auto" and torch.cuda.is_available())


def by_ray(engine: str, address: str | None) -> bool:
    """Tell whether Ray is to do the work, if it is here and answers."""
    if engine not in ("local", "ray"):
        raise unknown("engine", engine, ("local", "ray"))
    if engine == "local":
        if address is not None:
            raise UsageError(f"--address {address}: goes with --engine ray.")
        return False
    from emotone.cluster.join import check_address

    check_address(address)
    return True
