"""A trained system as one ONNX bundle: its network, and its card."""

from importlib.metadata import version
from pathlib import Path
from typing import Any

from emotone.bundle import BundleInfo, Metric
from emotone.errors import EmotoneError, UsageError
from emotone.evaluation.record import RunRecord, read_record
from emotone.export.graph import make_bundle
from emotone.export.measured import measured
from emotone.files import atomic_path
from emotone.models.config import LayersConfig, NetworkConfig, OwnConfig
from emotone.storage import load_system, read_origin
from emotone.training.system import FittedSystem

__all__ = ["export"]

_USE = "Research on speech emotion recognition: a probability for every label, for one speaker's speech at a time."


def export(run: Path, out: Path, *, int8: bool = False, measured_in: Path | None = None) -> BundleInfo:
    """Write a trained system, as `save_system` stores it, to one ONNX file; return its card.

    Args:
        run: the folder of the system; the metrics come from `run.json` in it, where that is of this system.
        out: the file.
        int8: store the network's weights as int8, see `make_bundle`.
        measured_in: a benchmark's folder, from which the metrics come instead: those of the same recipe.

    Raises:
        EmotoneError: a folder without a trained network.
        UsageError: a benchmark without that recipe.
    """
    if out.is_dir():
        raise UsageError(f"--out {out}: is a folder; name a file, as {out / 'model.onnx'}.")
    system = load_system(run)
    licence, trained_on = read_origin(run)
    _check_kind(system, run)
    record = _record_of(run, system, trained_on)
    if record is not None:
        trained_on |= {"clips": record.split.train}
    info = _card(system, licence=licence, trained_on=trained_on, record=record)
    if measured_in is not None:
        info = info.model_copy(
            update={"metrics": measured(measured_in, system.recipe, trained_on["corpus"].split("+"))}
        )
    with atomic_path(out) as temporary:
        temporary.write_bytes(make_bundle(system, info, int8=int8))
    return info


def _check_kind(system: FittedSystem, run: Path) -> None:
    model = system.recipe.model
    if isinstance(model, NetworkConfig | OwnConfig | LayersConfig):
        return
    why = (
        "a pretrained encoder; `transformers.pipeline` reads this folder, where the encoder was trained"
        if model.kind == "pretrained"
        else f"a {model.kind}, no network"
    )
    raise EmotoneError(f"{run}: {system.recipe.id} cannot be exported to ONNX: it is {why}. See `emotone systems`.")


def _record_of(run: Path, system: FittedSystem, trained_on: dict[str, Any]) -> RunRecord | None:
    """Return the record of the run that made the system; None where there is none, or another's."""
    if not (run / "run.json").exists():
        return None
    record = read_record(run / "run.json")
    made = {"protocol": record.protocol, "fold": record.fold + 1, "seed": record.seed, "data_hash": record.data_hash}
    same = all(trained_on.get(key) == value for key, value in made.items())
    return record if same and record.system == system.recipe.id else None


def _card(system: FittedSystem, *, licence: str, trained_on: dict[str, Any], record: RunRecord | None) -> BundleInfo:
    recipe = system.recipe
    longest = recipe.audio.offset + system.preparation.n_frames * recipe.features.step / recipe.audio.rate
    metrics = {}
    if record is not None:
        for name, value in record.metrics.items():
            low, high = record.intervals.get(name, (None, None))
            protocol = f"{record.protocol}, fold {record.fold + 1} of {record.folds}, {record.split.test} test samples"
            metrics[name] = Metric(value=value, low=low, high=high, protocol=protocol)
    leaks = (
        f" Its figures are too high, for its test leaks: {'; '.join(record.leaks)}." if record and record.leaks else ""
    )
    return BundleInfo(
        name=recipe.id,
        version=version("emotone"),
        labels=system.classes,
        rate=recipe.audio.rate,
        window=round(longest, 2),
        hop=round(longest / (3 if isinstance(recipe.model, LayersConfig) else 4), 2),  # a dear window, so fewer
        shortest=trained_on.get("shortest"),
        temperature=system.temperature,
        head=system.head,
        parameters=sum(parameter.numel() for parameter in system.classifier.network_.parameters()),
        frames=system.preparation.n_frames if recipe.features.layout in ("frames", "flat") else None,
        licence=licence,
        trained_on=trained_on,
        metrics=metrics,
        intended_use=_USE,
        limits=f"Has heard {_heard(trained_on)}: other voices, languages, rooms and kinds of speech are recognised "
        f"worse. What a voice sounds like is not what its speaker feels; decide nothing about a person by it.{leaks}",
        recipe=recipe.model_dump(mode="json"),
    )


def _heard(trained_on: dict[str, Any]) -> str:
    """Say whom a system has heard, and before that the one that it was fine-tuned from."""
    speakers = (
        f"{len(trained_on.get('speakers', ()))} speakers of {trained_on.get('corpus', 'one corpus').replace('+', ', ')}"
    )
    return speakers + (f", before that {_heard(trained_on['from']['trained_on'])}" if "from" in trained_on else "")
