"""The record of a run comes back as it was written, and what is no record is said to be none."""

import base64
import json
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from emotone.errors import EmotoneError
from emotone.evaluation.record import RunRecord, read_records

Make = Callable[..., RunRecord]


def test_it_comes_back_whole_and_its_predictions_take_little_room(make_record: Make, tmp_path: Path) -> None:
    record = make_record(test_clips=1440)
    path = tmp_path / "runs" / "a.json"
    record.write(path)
    assert read_records(tmp_path) == [record]
    written = json.loads(path.read_text(encoding="utf-8"))
    assert written["metrics"] == record.metrics, "what one looks up first is not packed"
    loose = json.dumps(record.predictions.model_dump(mode="json"))
    assert len(json.dumps(written["predictions"])) < len(loose) / 2


def test_predictions_that_are_not_packed_are_read_too(make_record: Make, tmp_path: Path) -> None:
    record = make_record()
    (tmp_path / "loose.json").write_text(json.dumps(record.model_dump(mode="json")), encoding="utf-8")
    assert read_records(tmp_path) == [record]


@pytest.mark.parametrize("packed", ["", "!", "eJyrVg==", 3, None])
def test_predictions_that_cannot_be_unpacked_name_their_file(make_record: Make, tmp_path: Path, packed: object) -> None:
    path = tmp_path / "a.json"
    make_record().write(path)
    damaged = json.loads(path.read_text(encoding="utf-8"))
    damaged["predictions"] = dict.fromkeys(damaged["predictions"], packed)
    path.write_text(json.dumps(damaged), encoding="utf-8")
    with pytest.raises(EmotoneError, match=r"a\.json.*predictions"):
        read_records(tmp_path)


def bomb() -> str:
    packer = zlib.compressobj(9)
    parts = [packer.compress(bytes(1 << 20)) for _ in range(300)]
    return base64.b64encode(b"".join([*parts, packer.flush()])).decode()


def without(data: dict[str, Any], *path: str) -> None:
    *parents, last = path
    for name in parents:
        data = data[name]
    del data[last]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda data: data["predictions"]["true"].pop(), "columns of unequal length"),
        (lambda data: data["predictions"]["true"].__setitem__(0, "bored"), "'bored', which is not among the classes"),
        (lambda data: data["predictions"]["probabilities"][3].pop(), "probabilities of other than 8 classes"),
        (lambda data: data["predictions"]["probabilities"][3].__setitem__(0, float("nan")), "finite"),
        (lambda data: data["adapted"]["probabilities"].pop(), "adapted answers to"),
        (lambda data: data["metrics"].__setitem__("uar", float("inf")), "finite"),
        (lambda data: without(data, "seconds", "train"), "seconds lack train"),
        (lambda data: data.__setitem__("predictions", {name: [] for name in data["predictions"]}), "no predictions"),
        (lambda data: data.__setitem__("predictions", {"json+zlib+base64": bomb()}), "more than 268,435,456 bytes"),
        (lambda data: data.__setitem__("title", "\ud800"), "half a character"),
    ],
)
def test_a_record_that_no_run_writes_is_refused_when_it_is_read(
    make_record: Make, tmp_path: Path, change: Callable[[Any], None], words: str
) -> None:
    data = make_record(adapted=0.7).model_dump(mode="json")
    change(data)
    (tmp_path / "a.json").write_text(json.dumps(data))
    with pytest.raises(EmotoneError, match=words) as caught:
        read_records(tmp_path)
    assert "a.json" in str(caught.value) and len(str(caught.value)) < 2000


def test_a_record_in_brackets_without_end_is_none(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("[" * 100_000)
    with pytest.raises(EmotoneError, match=r"a\.json: not the record of a run: brackets"):
        read_records(tmp_path)
