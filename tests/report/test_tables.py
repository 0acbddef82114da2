"""The leaderboard aggregates runs, and its Markdown shows what was not run."""

from collections.abc import Callable

import pytest

from emotone.evaluation.record import Published, RunRecord
from emotone.report.tables import Listed, leaderboard, markdown

Make = Callable[..., RunRecord]

SYSTEMS = [
    Listed("kakadiya/cnn", "Three | blocks", Published(paper="kakadiya", accuracy=0.4618)),
    Listed("onah/lstm", "Three LSTM layers", Published(paper="onah")),
]


def test_rows_are_sorted_by_protocol_then_accuracy(make_record: Make) -> None:
    rows = leaderboard(
        make_record(system=system, protocol=protocol, accuracy=accuracy)
        for protocol in ("clean", "published")
        for system, accuracy in (("a/weak", 0.3), ("a/strong", 0.8))
    )
    order = [("published", "a/strong"), ("published", "a/weak"), ("clean", "a/strong"), ("clean", "a/weak")]
    assert [(row.protocol, row.system) for row in rows] == order


def test_a_row_averages_seeds(make_record: Make) -> None:
    records = [make_record(seed=seed, seconds=seconds) for seed, seconds in ((0, 10.0), (1, 30.0))]
    row = leaderboard(records)[0]
    accuracies = [record.metrics["accuracy"] for record in records]
    assert row.accuracy == pytest.approx(sum(accuracies) / 2)
    assert (row.seed_low, row.seed_high) == (min(accuracies), max(accuracies))
    assert row.seeds == 2
    assert row.train_seconds == 20.0
    assert row.difference == pytest.approx(row.accuracy - 0.64)
    assert row.low < row.accuracy < row.high


def test_chance_is_the_most_frequent_class(make_record: Make) -> None:
    record = make_record(scheme="merged7", test_clips=1440)
    assert leaderboard([record])[0].chance == pytest.approx(288 / 1440)


def test_markdown_shows_what_was_not_run(make_record: Make) -> None:
    record = make_record(protocol="published", published=0.4618)
    row = leaderboard([record])[0]
    text = markdown([record], SYSTEMS)
    measured = f"{100 * row.accuracy:.1f} [{100 * row.low:.1f}, {100 * row.high:.1f}]"
    lines = text.splitlines()
    assert lines[0] == "| system | paper reports | published protocol | clean | unseen speakers |"
    assert lines[2] == f"| `kakadiya/cnn` Three \\| blocks | 46.2 | {measured} | not run | not run |"
    assert lines[3] == "| `onah/lstm` Three LSTM layers | - | not run | not run | not run |"
    assert "Seeds per result: 1." in text


def test_a_table_from_one_corpus_to_another_has_no_columns_that_cannot_be_run(make_record: Make) -> None:
    lines = markdown([make_record(), make_record(protocol="cross", corpus="ravdess-to-savee")], SYSTEMS).splitlines()
    headers = [line for line in lines if line.startswith("| system")]
    assert headers == [
        "| system | paper reports | published protocol | clean | unseen speakers |",
        "| system | paper reports | cross-corpus |",
    ]
    ran, absent = lines[lines.index(headers[1]) + 2 :][:2]
    assert "not run" not in ran and absent == "| `onah/lstm` Three LSTM layers | - | not run |"


def test_markdown_names_the_folds_of_unseen_speakers(make_record: Make) -> None:
    text = markdown([make_record(protocol="luna5", fold=fold) for fold in range(5)], SYSTEMS)
    assert "| unseen speakers (luna5) |" in text.splitlines()[0]


def test_markdown_prefers_the_paper_preset_and_marks_quick(make_record: Make) -> None:
    quick = [make_record(preset="quick"), make_record(preset="quick", protocol="clean")]
    text = markdown([*quick, make_record(preset="paper", accuracy=0.9)], SYSTEMS)
    published, clean = text.splitlines()[2].split(" | ")[2:4]
    assert "†" not in published
    assert "†" in clean
    assert "† quick preset: fewer epochs, not a reproduction." in text


def test_markdown_labels_a_synthetic_corpus_and_keeps_it_apart(make_record: Make) -> None:
    text = markdown([make_record(), make_record(corpus="synthetic", synthetic=True)], SYSTEMS)
    real, synthetic = text.split("| system |")[1:]
    assert "Synthetic" not in real
    assert "**Synthetic corpus: no real speech" in synthetic


def test_markdown_without_any_run() -> None:
    assert markdown([], SYSTEMS).count("not run") == 6
