"""The figure of speed shows every contender where it was measured, and says what was not run."""

import pytest

from emotone.report.figures_benchmark import Contender, answers
from emotone.report.leaderboard import Range


def test_points_stand_where_they_were_measured() -> None:
    drawn = answers(
        [
            Contender("ours", 10.0, Range(0.7, 0.65, 0.75), own=True),
            Contender("theirs", 300.0, Range(0.48, 0.44, 0.52), own=False),
            Contender("slow", 30.0, None, own=False),
        ]
    )
    (axes,) = drawn.axes
    spots = {
        (float(line.get_xdata()[0]), float(line.get_ydata()[0])) for line in axes.lines if len(line.get_xdata()) == 1
    }
    assert spots == {(10.0, 70.0), (300.0, 48.0), (30.0, 0.0)}
    bars = [tuple(line.get_ydata()) for line in axes.lines if len(line.get_xdata()) == 2]
    assert bars == [pytest.approx((65, 75)), pytest.approx((44, 52))]
    assert {text.get_text() for text in axes.texts} == {"ours", "theirs", "slow: not run"}
    assert "milliseconds" in axes.get_xlabel() and "%" in axes.get_title(loc="left") + axes.get_title()
