"""Runs across corpora are judged corpus by corpus: on its own classes, with an interval where it has the speakers."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from emotone.evaluation.across import Crossing, crossings
from emotone.evaluation.metrics import summary
from emotone.evaluation.pool import pool_all
from emotone.evaluation.record import RunRecord
from emotone.report.figures_across import matrix, steps
from emotone.report.markdown_across import crossings_table, gains_table, recall_table, steps_table
from emotone.report.theme import style

Make = Callable[..., RunRecord]
FEW = ("23", "24")


def of_two_corpora(make_record: Make, seed: int) -> RunRecord:
    """A run whose clips of two speakers are those of one corpus and the rest of another."""
    run = make_record("emotone/probe", "cross", corpus="ravdess-to-savee+tess", seed=seed, adapted=0.7)
    told = run.predictions
    names = ["tess" if speaker in FEW else "savee" for speaker in told.speaker]
    columns = {
        "clip": tuple(f"{name}/{clip}" for name, clip in zip(names, told.clip, strict=True)),
        "speaker": tuple(f"{name}:{who}" for name, who in zip(names, told.speaker, strict=True)),
    }
    return run.model_copy(update={"predictions": told.model_copy(update=columns)})


@pytest.fixture(scope="module")
def runs(make_record: Make) -> list[RunRecord]:
    return [of_two_corpora(make_record, seed) for seed in (0, 1)]


@pytest.fixture(scope="module")
def found(runs: list[RunRecord]) -> dict[str, Crossing]:
    return {each.tested: each for each in crossings(pool_all(runs))}


def test_each_corpus_is_judged_by_its_own_clips(runs: list[RunRecord], found: dict[str, Crossing]) -> None:
    assert set(found) == {"savee", "tess"}
    for name, crossing in found.items():
        rates, right, sure = [], [], []
        for run in runs:
            told = run.predictions
            here = [place for place, clip in enumerate(told.clip) if clip.startswith(f"{name}/")]
            true, named = ([side[place] for place in here] for side in (told.true, told.predicted))
            rates.append(summary(true, named, run.classes)["uar"])
            right.append(np.mean([one == other for one, other in zip(true, named, strict=True)]))
            sure.append(np.mean([max(told.probabilities[place]) for place in here]))
        assert crossing.plain.uar == pytest.approx(np.mean(rates))
        assert crossing.accuracy == pytest.approx(np.mean(right))
        assert crossing.confidence.error >= abs(np.mean(right) - np.mean(sure)) - 0.05
        assert crossing.adapted is not None and crossing.adapted.uar != crossing.plain.uar
        assert (crossing.trained, crossing.seeds) == (("ravdess",), 2)
        assert crossing.chance == pytest.approx(1 / len(crossing.recall))


def test_two_speakers_give_no_interval(found: dict[str, Crossing]) -> None:
    few, many = found["tess"], found["savee"]
    assert few.speakers == 2 and few.plain.interval is None
    low, high = many.plain.interval or (1.0, 0.0)
    assert many.speakers == 22 and low < many.plain.uar < high


def test_a_corpus_left_out_is_not_among_those_trained_on(make_record: Make) -> None:
    runs = []
    for fold, name in enumerate(("ravdess", "savee")):
        run = make_record("emotone/probe", "cross", corpus="ravdess+savee", seed=0)
        clips = tuple(f"{name}/{clip}" for clip in run.predictions.clip)
        told = run.predictions.model_copy(update={"clip": clips})
        changes = {"protocol": "leave-one-corpus-out", "fold": fold, "folds": 2, "predictions": told}
        runs.append(run.model_copy(update=changes))
    found = {each.tested: each for each in crossings(pool_all(runs))}
    assert {name: each.trained for name, each in found.items()} == {"ravdess": ("savee",), "savee": ("ravdess",)}
    assert found["savee"].adapted is None


def test_the_page_shows_what_was_measured(found: dict[str, Crossing]) -> None:
    crossings_ = list(found.values())
    page = crossings_table(crossings_, {"savee": "SAVEE", "tess": "TESS"})
    savee, tess = page.splitlines()[2:]
    assert savee.startswith("| SAVEE | `emotone/probe` | ravdess | ") and "[" in savee
    assert f"| {100 * found['tess'].plain.uar:.1f} |" in tess and "[" not in tess, "of two speakers no interval"
    table = recall_table(crossings_, {"sad": 0.5, "bored": 0.25})
    assert f"| sad | 50 | {100 * found['savee'].recall['sad']:.0f} |" in table and "| bored | 25 | - | - |" in table
    assert "| `a/net` | 90.0 | - | - | 20.0 |" in steps_table({"a/net": {"as published": 0.9, "unseen corpora": 0.2}})


def test_the_figures_show_what_was_measured(found: dict[str, Crossing]) -> None:
    with style():
        drawn, stairs = matrix(list(found.values())), steps({"a/net": {"as published": 0.9, "unseen corpora": 0.2}})
    (axes,) = drawn.axes
    told = [text.get_text() for text in axes.texts]
    assert told[:2] == [f"{100 * each.plain.uar:.0f}" for each in found.values()]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["emotone/probe, ravdess", "chance"]
    (axes,) = stairs.axes
    spots = [float(line.get_xdata()[0]) for line in axes.lines if len(line.get_xdata()) == 1]
    assert spots == [90, 20] and "%" in axes.get_xlabel()
    assert [text.get_text() for text in stairs.legends[0].get_texts()] == ["as published", "unseen corpora"]


def test_gains_are_beside_what_one_corpus_gave_and_their_mean_is_of_corpora_never_heard(
    found: dict[str, Crossing],
) -> None:
    home = replace(found["savee"], tested="ravdess")
    shown = gains_table([home, *found.values()], dict.fromkeys(("ravdess", "savee", "tess"), (0.1, 0.2)))
    *rows, mean = ([cell.strip() for cell in line.split("|")[1:-1]] for line in shown.splitlines()[2:])
    assert [row[0] for row in rows] == ["ravdess", *found]
    plain = [100 * each.plain.uar for each in found.values()]
    for row, uar in zip(rows[1:], plain, strict=True):
        assert row[2] == "10.0" and row[3].startswith(f"{uar:.1f}") and row[4] == f"+{uar - 10:.1f}"
    assert float(mean[3]) == pytest.approx(np.mean(plain), abs=0.051), "RAVDESS was heard in training"
