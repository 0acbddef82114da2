"""The papers' claims are judged by the runs: confirmed, refuted, undecided, not run."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from emotone import recipes
from emotone.evaluation.claims import CLAIMS, Claim, Contrast, Part, judge
from emotone.evaluation.paired import outcomes
from emotone.evaluation.pool import pool_all
from emotone.evaluation.premium import premiums
from emotone.evaluation.record import RunRecord

Make = Callable[..., RunRecord]

BEATS = Claim("x", "strong beats weak", (Contrast(Part("x/strong"), Part("x/weak")),))


def runs(make: Make, **accuracy: float) -> list[RunRecord]:
    return [make(system=f"x/{name}", accuracy=rate, test_clips=1440) for name, rate in accuracy.items()]


@pytest.mark.parametrize(
    ("accuracies", "verdict"),
    [
        ({"strong": 0.7, "weak": 0.4}, "confirmed"),
        ({"strong": 0.4, "weak": 0.7}, "refuted"),
        ({"strong": 0.5, "weak": 0.5}, "undecided"),
        ({"strong": 0.7}, "not run"),
    ],
)
def test_a_claim_is_judged_by_its_interval(make_record: Make, accuracies: dict[str, float], verdict: str) -> None:
    (judged,) = judge(pool_all(runs(make_record, **accuracies)), [BEATS])
    assert judged.verdict == verdict and judged.protocol == "published"
    if verdict == "not run":
        assert judged.differences == ()
    else:
        (gap,) = judged.differences
        assert {"confirmed": gap.low > 0, "refuted": gap.high < 0, "undecided": gap.low <= 0 <= gap.high}[verdict]


def test_every_contrast_must_hold_and_one_that_fails_refutes(make_record: Make) -> None:
    both = Claim("x", "beats both", tuple(Contrast(Part("x/strong"), Part(f"x/{name}")) for name in ("weak", "more")))
    (judged,) = judge(pool_all(runs(make_record, strong=0.6, weak=0.3, more=0.9)), [both])
    assert judged.verdict == "refuted" and len(judged.differences) == 2
    (judged,) = judge(pool_all(runs(make_record, strong=0.6, weak=0.3, more=0.6)), [both])
    assert judged.verdict == "undecided"


def test_a_claim_on_women_and_men_takes_their_clips(make_record: Make) -> None:
    record = make_record(system="x/net", test_clips=1440)
    claim = Claim("x", "women", (Contrast(Part("x/net", ("gender", "female")), Part("x/net", ("gender", "male"))),))
    (judged,) = judge(pool_all([record]), [claim])
    right = outcomes(record).correct
    women = np.array([gender == "female" for gender in record.predictions.gender])
    assert judged.differences[0].value == pytest.approx(right[women].mean() - right[~women].mean())
    assert judged.differences[0].clips == (720, 720)


def test_the_claims_are_about_systems_that_there_are() -> None:
    named = {
        part.system for claim in CLAIMS for contrast in claim.contrasts for part in (contrast.better, contrast.worse)
    }
    assert named <= set(recipes.names())
    papers = {Path(name).parts[0] for name in recipes.names()} - {"emotone"}
    assert {claim.paper for claim in CLAIMS} == papers
    said = " ".join(claim.text for claim in CLAIMS)
    for words in (
        "augmentation hurts",
        "women",
        "strong intensity",
        "LSTM-CNN beats both its parts",
        "attention beats plain",
    ):
        assert words in said


def test_a_premium_is_the_fall_from_one_protocol_to_the_next(make_record: Make) -> None:
    records = [make_record(accuracy=0.8, test_clips=1440), make_record(protocol="clean", accuracy=0.5, test_clips=1440)]
    (only,) = premiums(pool_all(records))
    assert only.leak is not None and only.leak.low > 0.2
    assert only.leak.value == pytest.approx(records[0].metrics["accuracy"] - records[1].metrics["accuracy"])
    assert (only.speakers, only.whole, only.unseen) == (None, None, None)

    records += [make_record(protocol="luna5", accuracy=0.3, fold=fold) for fold in range(5)]
    (all_three,) = premiums(pool_all(records))
    assert all_three.unseen == "luna5" and all_three.speakers is not None and all_three.whole is not None
    assert all_three.whole.value == pytest.approx(only.leak.value + all_three.speakers.value)


def test_folds_that_are_missing_are_no_unseen_speakers_yet(make_record: Make) -> None:
    records = [make_record(), make_record(protocol="luna5", fold=0)]
    assert premiums(pool_all(records)) == []
