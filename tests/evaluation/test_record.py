"""The record of a run comes back as it was written, and what is no record is said to be none."""

import json
from collections.abc import Callable
from pathlib import Path

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
