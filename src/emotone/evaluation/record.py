"""The record of one run: what `comparison` writes and `report` reads, one JSON file each."""

import base64
import json
import zlib
from pathlib import Path
from typing import Any, Self

from pydantic import Field, model_validator

from emotone.config import Config
from emotone.errors import EmotoneError, quoted
from emotone.files import parse_json, write_text
from emotone.recipes.schema import Published

__all__ = ["Adapted", "Epoch", "Predictions", "Published", "RunRecord", "Split", "read_record", "read_records"]

_PACKED = "json+zlib+base64"
_LARGEST = 256 << 20  # bytes of unpacked columns: those of a million clips


class Epoch(Config):
    """One epoch of training. The monitored set is validation, or test where the protocol says so."""

    epoch: int
    train_loss: float
    train_accuracy: float
    monitor_loss: float | None = None
    monitor_accuracy: float | None = None
    learning_rate: float


class Split(Config):
    """How many samples (clips and their copies) stood where, and whose."""

    train: int
    validation: int
    test: int
    train_speakers: tuple[str, ...]
    validation_speakers: tuple[str, ...]
    test_speakers: tuple[str, ...]


class _Packed(Config):
    """Columns of many numbers, which JSON holds compressed, as text."""

    @model_validator(mode="before")
    @classmethod
    def _unpack(cls, data: Any) -> Any:
        if not (isinstance(data, dict) and set(data) == {_PACKED}):
            return data
        try:
            unpacker = zlib.decompressobj()
            text = unpacker.decompress(base64.b64decode(data[_PACKED], validate=True), _LARGEST)
            if not unpacker.eof:
                raise ValueError(f"cut short, or more than {_LARGEST:,} bytes")
            return parse_json(text)
        except (TypeError, ValueError, zlib.error) as error:
            raise ValueError(f"not {_PACKED}: {error}") from None

    def pack(self) -> dict[str, str]:
        """Return the columns as JSON holds them: their own JSON, compressed, as text."""
        columns = json.dumps(self.model_dump(mode="json"), ensure_ascii=False, separators=(",", ":"))
        return {_PACKED: base64.b64encode(zlib.compress(columns.encode(), level=9)).decode()}


class Predictions(_Packed):
    """Every test sample, as columns of equal length. Probabilities: (samples, classes), ordered as `classes`."""

    clip: tuple[str, ...]
    variant: tuple[str, ...]
    """`original`, or the name of the augmented copy where a leaking protocol tests on copies."""
    true: tuple[str, ...]
    predicted: tuple[str, ...]
    probabilities: tuple[tuple[float, ...], ...]
    emotion: tuple[str, ...]
    speaker: tuple[str | None, ...]
    gender: tuple[str | None, ...]
    intensity: tuple[str | None, ...]
    statement: tuple[str | None, ...]

    @model_validator(mode="after")
    def _check(self) -> Self:
        """Refuse columns of unequal length; without probabilities, as pooled runs have them, there are none."""
        lengths = {name: len(getattr(self, name)) for name in type(self).model_fields}
        if not self.probabilities:
            del lengths["probabilities"]
        if len(set(lengths.values())) > 1:
            raise ValueError(f"columns of unequal length: {', '.join(f'{name} {n}' for name, n in lengths.items())}")
        return self


class Adapted(_Packed):
    """The test clips judged by a system that knows other, unlabelled clips of their speakers."""

    metrics: dict[str, float]
    intervals: dict[str, tuple[float, float]]
    """As a run's."""
    probabilities: tuple[tuple[float, ...], ...]
    """(samples, classes), in the order of the run's predictions."""


class RunRecord(Config):
    """One system, trained and tested once."""

    format: int = 1
    system: str
    title: str
    corpus: str
    synthetic: bool
    protocol: str
    preset: str
    fold: int
    folds: int
    seed: int
    scheme: str
    classes: tuple[str, ...]
    leaks: tuple[str, ...]
    """What this protocol leaks, in plain words; empty where nothing does."""
    published: Published
    metrics: dict[str, float]
    """accuracy, uar, macro_f1, weighted_f1, as fractions of 1."""
    intervals: dict[str, tuple[float, float]]
    """95 % intervals of the metrics, bootstrap over speakers."""
    per_class: dict[str, dict[str, float]]
    """class -> precision, recall, f1, support."""
    confusion: tuple[tuple[int, ...], ...]
    """Rows true, columns predicted, in the order of `classes`."""
    predictions: Predictions
    adapted: Adapted | None = None
    """What the system makes of the test clips once it knows their speakers; None for one that cannot."""
    temperature: float | None = None
    """What its logits are divided by, fitted on validation clips; None for a system that is not calibrated."""
    train_accuracy: float
    history: tuple[Epoch, ...] = ()
    best_epoch: int | None = None
    """The epoch whose weights were kept, from 1; None for models without epochs."""
    split: Split
    dropped: dict[str, dict[str, int]] = Field(default_factory=dict)
    """corpus -> class -> clips: under `cross`, what is left out because the other corpus has no such class."""
    parameters: int | None = None
    trainable_parameters: int | None = None
    seconds: dict[str, float]
    """features, train, predict (whole test set)."""
    milliseconds_per_clip: float
    device: str
    recipe: dict[str, Any]
    versions: dict[str, str]
    commit: str
    data_hash: str
    created: str

    @model_validator(mode="after")
    def _check(self) -> Self:
        told = self.predictions
        if not told.true:
            raise ValueError("no predictions")
        if stray := {*told.true, *told.predicted}.difference(self.classes):
            raise ValueError(f"predictions name {quoted(min(stray))}, which is not among the classes")
        for rows in (told.probabilities, self.adapted.probabilities if self.adapted else ()):
            if any(len(row) != len(self.classes) for row in rows):
                raise ValueError(f"probabilities of other than {len(self.classes)} classes")
        if self.adapted and len(self.adapted.probabilities) != len(told.true):
            raise ValueError(f"{len(self.adapted.probabilities)} adapted answers to {len(told.true)} clips")
        if missing := {"features", "train", "predict"}.difference(self.seconds):
            raise ValueError(f"seconds lack {', '.join(sorted(missing))}")
        return self

    def write(self, path: Path) -> None:
        """Write as JSON, the predictions compressed, whole or not at all.

        Keys are in a fixed order, so that equal runs give equal bytes.
        """
        data = self.model_dump(mode="json") | {"predictions": self.predictions.pack()}
        if self.adapted is not None:
            data["adapted"] = self.adapted.pack()
        write_text(path, json.dumps(data, indent=1, ensure_ascii=False) + "\n")


def read_records(folder: Path) -> list[RunRecord]:
    """Read every run under `folder`, sorted by system, protocol, fold and seed; a file that is no run is an error.

    Hidden files do not count: a run that was killed while it wrote leaves one.
    """
    paths = sorted(path for path in folder.rglob("*.json") if not path.name.startswith("."))
    records = [read_record(path) for path in paths]
    return sorted(records, key=lambda run: (run.system, run.protocol, run.fold, run.seed))


def read_record(path: Path) -> RunRecord:
    """Read one run; a file that is no run is an error."""
    try:
        data = parse_json(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise EmotoneError(f"{path}: not the record of a run: {error}") from None
    return RunRecord.parse(data, where=path)
