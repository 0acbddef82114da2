"""The leaderboard lists what was run and what was not, and its verdicts follow from its numbers."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from emotone.evaluation.adapted import adaptation
from emotone.evaluation.claims import judge
from emotone.evaluation.confidence import confidence_of
from emotone.evaluation.paired import pairs
from emotone.evaluation.pool import pool_all
from emotone.evaluation.premium import premiums
from emotone.evaluation.record import Published, RunRecord
from emotone.report.leaderboard import Range, Wanted, entries, read_leaderboard, verdict, write_leaderboard
from emotone.report.markdown import (
    adapted_table,
    claims_table,
    confidence_table,
    pairs_table,
    premium_table,
    readme_table,
    verdicts_table,
)
from emotone.report.results import read_results
from emotone.report.words import points

Make = Callable[..., RunRecord]


def wanted(system: str, protocol: str, accuracy: float | None = None, why: str = "") -> Wanted:
    return Wanted(
        system,
        f"The {system}",
        Published(paper=system[0], accuracy=accuracy),
        "ravdess",
        protocol,
        why,
        f"run {system}",
    )


@pytest.mark.parametrize(
    ("published", "measured", "expected"),
    [
        (0.60, Range(0.62, 0.55, 0.69), "reproduced"),
        (0.68, Range(0.62, 0.55, 0.69), "reproduced"),  # inside the interval, though 6 points away
        (0.60, Range(0.62, 0.61, 0.63), "reproduced"),  # outside of it, but within 3 points
        (0.65, Range(0.62, 0.61, 0.63), "reproduced"),
        (0.58, Range(0.62, 0.61, 0.63), "exceeded"),
        (0.66, Range(0.62, 0.61, 0.63), "below"),
        (None, Range(0.62, 0.61, 0.63), "no published figure"),
        (0.60, None, "not run"),
    ],
)
def test_the_verdict_follows_from_the_numbers(published: float | None, measured: Range | None, expected: str) -> None:
    assert verdict(published, measured) == expected


def test_what_was_not_run_says_why_and_what_runs_it(make_record: Make, tmp_path: Path) -> None:
    records = [make_record(system="a/net", seed=seed, seconds=10 * (seed + 1)) for seed in range(2)]
    listed = [
        wanted("a/net", "published", 0.2),
        wanted("a/net", "clean", 0.2),
        wanted("b/w", "clean", 0.8, "no weights"),
    ]
    found = entries(read_results(records), listed)
    assert [(entry.system, entry.protocol, entry.verdict) for entry in found] == [
        ("a/net", "published", "exceeded"),
        ("a/net", "clean", "not run"),
        ("b/w", "clean", "not run"),
    ]
    done, open_, heavy = found
    pooled = pool_all(records)[0]
    assert done.accuracy is not None and done.uar is not None and done.weighted_f1 is not None
    for rate, name in ((done.accuracy, "accuracy"), (done.uar, "uar"), (done.weighted_f1, "weighted_f1")):
        assert (rate.low, rate.high) == pytest.approx(pooled.intervals[name], abs=1e-4)
        assert rate.mean == pytest.approx(pooled.metrics[name], abs=1e-4)
    assert (done.runs, done.seeds, done.clips, done.seconds) == (2, 2, 576, 15.0)
    assert done.leaks == records[0].leaks and done.why == done.command == ""
    assert (open_.accuracy, open_.runs, open_.command) == (None, 0, "run a/net")
    assert heavy.why == "no weights"

    path = tmp_path / "leaderboard.json"
    write_leaderboard(path, found)
    once = path.read_bytes()
    assert read_leaderboard(path) == found
    write_leaderboard(path, entries(read_results(reversed(records)), listed))
    assert path.read_bytes() == once


def test_other_corpora_and_presets_do_not_count(make_record: Make) -> None:
    others = [make_record(system="a/net", preset="quick"), make_record(system="a/net", corpus="savee")]
    (entry,) = entries(read_results(others), [wanted("a/net", "published")])
    assert entry.verdict == "not run"


def test_the_readme_shows_every_system_once(make_record: Make) -> None:
    record = make_record(system="a/net")
    listed = [
        wanted("a/net", "published", 0.2),
        wanted("a/net", "clean", 0.2),
        wanted("a/net", "luna5", 0.2),
        Wanted("b/w", "Three | blocks", Published(paper="b"), "ravdess", "published", "", ""),
        Wanted("c/own", "Ours", Published(paper="c"), "ravdess", "luna5", "", ""),
    ]
    results = read_results([record])
    lines = readme_table(entries(results, listed)).splitlines()
    row = results[0].row
    measured = f"{100 * row.accuracy:.1f} [{100 * row.low:.1f}, {100 * row.high:.1f}]"
    assert lines[2:] == [
        f"| `a/net` The a/net | 20.0 | {measured} | not run | not run | - | exceeded |",
        "| `b/w` Three \\| blocks | - | not run | - | - | - | not run |",
        "| `c/own` Ours | - | - | - | not run | - | - |",
    ]


def test_folds_that_are_missing_are_marked(make_record: Make) -> None:
    results = read_results([make_record(protocol="luna5", fold=1)])
    (entry,) = entries(results, [wanted("kakadiya/cnn", "luna5", 0.3)])
    assert entry.missing == 4
    assert readme_table([entry]).splitlines()[2].count(" * |") == 1


def test_tables_hold_their_numbers(make_record: Make) -> None:
    records = [
        make_record(system=system, protocol=protocol, accuracy=rate, test_clips=1440)
        for system, rate in (("nguyen/cnn-lstm", 0.5), ("nguyen/cnn-lstm-augmented", 0.4))
        for protocol in ("published", "clean")
    ]
    pooled = pool_all(records)
    listed = [wanted("nguyen/cnn-lstm", "clean", 0.46, "x"), wanted("n/x", "clean", 0.4, "slow")]
    found = entries(read_results(records), listed)
    assert "not run: slow" in verdicts_table(found)
    leak = premiums(pooled)[0].leak
    assert leak is not None
    assert f"[{100 * leak.low:+.1f}, {100 * leak.high:+.1f}]".replace("-", "−") in premium_table(premiums(pooled))
    claims = claims_table(judge(pooled))
    assert "augmentation hurts at 10 epochs | published | **confirmed**" in claims
    assert "| attention beats plain | clean | not run | - |" in claims
    clean = [each for each in pooled if each.first.protocol == "clean"]
    assert "| `nguyen/cnn-lstm` | `nguyen/cnn-lstm-augmented` | +" in pairs_table(pairs(clean))


def test_rows_are_sorted_by_protocol_then_accuracy(make_record: Make) -> None:
    results = read_results(
        make_record(system=system, protocol=protocol, accuracy=accuracy)
        for protocol in ("clean", "published")
        for system, accuracy in (("a/weak", 0.3), ("a/strong", 0.8))
    )
    order = [("published", "a/strong"), ("published", "a/weak"), ("clean", "a/strong"), ("clean", "a/weak")]
    assert [(result.row.protocol, result.row.system) for result in results] == order


def test_a_row_averages_seeds(make_record: Make) -> None:
    records = [make_record(seed=seed, seconds=seconds) for seed, seconds in ((0, 10.0), (1, 30.0))]
    row = read_results(records)[0].row
    accuracies = [record.metrics["accuracy"] for record in records]
    assert row.accuracy == pytest.approx(sum(accuracies) / 2)
    assert (row.seed_low, row.seed_high) == (min(accuracies), max(accuracies))
    assert row.seeds == 2
    assert row.train_seconds == 20.0
    assert row.difference == pytest.approx(row.accuracy - 0.64)
    assert row.low < row.accuracy < row.high


def test_chance_is_the_most_frequent_class(make_record: Make) -> None:
    record = make_record(scheme="merged7", test_clips=1440)
    assert read_results([record])[0].row.chance == pytest.approx(288 / 1440)


def test_confidence_and_adapted_rates_stand_beside_the_plain_ones(make_record: Make, tmp_path: Path) -> None:
    plain = [make_record("emotone/base", "luna5", fold=fold, accuracy=0.5) for fold in range(5)]
    known = [make_record("emotone/base", "luna5", fold=fold, accuracy=0.5, adapted=0.6) for fold in range(5)]
    listed = [wanted("emotone/base", "luna5"), wanted("emotone/base", "emobox6")]
    (before, _), (entry, open_) = (entries(read_results(records), listed) for records in (plain, known))
    found = adaptation(pool_all(known)[0])
    confidence = confidence_of(pool_all(known)[0])
    assert found is not None and confidence is not None and entry.adapted is not None
    for rate, name in ((entry.adapted.accuracy, "accuracy"), (entry.adapted.uar, "uar")):
        assert rate.mean == pytest.approx(found.pooled.metrics[name], abs=1e-4)
        assert (rate.low, rate.high) == pytest.approx(found.pooled.intervals[name], abs=1e-4)
    assert entry.calibration_error == pytest.approx(confidence.error, abs=1e-4)
    assert replace(entry, adapted=None) == before, "adaptation must not move the plain numbers"
    assert (open_.adapted, open_.calibration_error) == (None, None)
    write_leaderboard(tmp_path / "leaderboard.json", [entry, open_])
    assert read_leaderboard(tmp_path / "leaderboard.json") == [entry, open_]


def test_tables_of_confidence_and_adaptation_hold_their_numbers(make_record: Make) -> None:
    known = [make_record("emotone/base", "luna5", fold=fold, adapted=0.7) for fold in range(5)]
    results = read_results([*known, make_record(protocol="clean")])
    (shown,) = (each for each in results if each.row.protocol == "luna5")
    own = shown.pooled
    confidence, found = confidence_of(own), adaptation(own)
    assert confidence is not None and found is not None
    (line,) = confidence_table(results).splitlines()[2:]
    wrong = 1 - own.metrics["accuracy"]
    assert line.startswith(f"| `emotone/base` | luna5 | {100 * confidence.error:.1f} | {100 * wrong:.1f} | ")
    assert line.count(" | ") == 9
    (line,) = adapted_table(results).splitlines()[2:]
    uar = found.gain["uar"]
    plain, adapted = (100 * side.metrics["uar"] for side in (own, found.pooled))
    assert (
        f"| luna5 | {plain:.1f} | {adapted:.1f} | {points(uar.value)} [{points(uar.low)}, {points(uar.high)}] |" in line
    )
    assert adapted_table([each for each in results if each is not shown]) == ""
