"""The accuracy that a variant is told by is that of the epoch which its recipe keeps."""

from typing import Any

import pytest

from emotone.report.markdown_keras import keras_table

HISTORY = [
    {"monitor_loss": 2.0, "monitor_accuracy": 0.30},
    {"monitor_loss": 1.0, "monitor_accuracy": 0.40},
    {"monitor_loss": 1.5, "monitor_accuracy": 0.50},
    {"monitor_loss": 1.6, "monitor_accuracy": 0.20},
]


def measured(monitor: str, best_by: str, *, seconds: float = 2.0, better: float = 0.0) -> dict[str, Any]:
    history = [epoch | {"monitor_accuracy": epoch["monitor_accuracy"] + better} for epoch in HISTORY]
    settings = {"training": {"monitor": monitor, "best_by": best_by}}
    return {"settings": settings, "history": history, "seconds_per_epoch": seconds}


@pytest.mark.parametrize(
    ("monitor", "best_by", "kept"),
    [("validation", "accuracy", "50.0"), ("test", "loss", "40.0"), ("none", "accuracy", "20.0")],
)
def test_the_epoch_that_counts_is_the_recipes(monitor: str, best_by: str, kept: str) -> None:
    sides = {
        "emotone": [measured(monitor, best_by), measured(monitor, best_by, better=0.1)],
        "keras": [measured(monitor, best_by, seconds=5.0), measured(monitor, best_by, seconds=3.0)],
    }
    row = keras_table([("nguyen/lstm", "as it is", sides)]).splitlines()[2]
    cells = [cell.strip() for cell in row.split("|")[1:-1]]
    low = float(kept)
    assert cells == [
        "`nguyen/lstm`",
        "as it is",
        f"{low + 5} [{low}, {low + 10}]",
        f"{kept} [{kept}, {kept}]",
        "2.0",
        "2",
    ]


def test_a_side_that_was_not_trained_is_told_as_that() -> None:
    row = keras_table([("onah/cnn", "as it is", {"emotone": [measured("none", "accuracy")]})]).splitlines()[2]
    assert [cell.strip() for cell in row.split("|")[3:7]] == ["20.0 [20.0, 20.0]", "-", "-", "1"]
