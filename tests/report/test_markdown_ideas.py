"""What several seeds say of an idea: a gain only where all agree."""

from typing import Any

import pytest

from emotone.report.markdown_ideas import seeded_ideas_table


def measured(title: str, *rates: float) -> list[dict[str, Any]]:
    return [
        {
            "title": title,
            "plain": {"uar": rate},
            "adapted": {"uar": rate + 0.1},
            "elsewhere": {"telephone": rate - 0.2, "room": rate - 0.1},
            "log_loss": 1.0,
        }
        for rate in rates
    ]


@pytest.mark.parametrize(
    ("rates", "gain", "verdict"),
    [
        ((0.62, 0.72, 0.82), "+2.0", "gain"),
        ((0.62, 0.72, 0.78), "+0.7", "tie"),  # the third seed's voices do not agree
        ((0.60, 0.72, 0.82), "+1.3", "tie"),
        ((0.58, 0.69, 0.79), "−1.3", "loss"),
        ((0.65, 0.75), "+5.0", "2 seeds"),
        ((0.70,), "+10.0", "one seed"),
    ],
)
def test_a_gain_is_one_with_every_seed(rates: tuple[float, ...], gain: str, verdict: str) -> None:
    ideas = {"base": measured("as it is", 0.60, 0.70, 0.80), "idea": measured("an idea", *rates)}
    lines = seeded_ideas_table(ideas, base="base").splitlines()
    cells = {row[0]: row for row in ([cell.strip() for cell in line.split("|")[1:-1]] for line in lines[2:])}
    assert cells["**as it is**"][1:5] == ["70.0 [60.0, 80.0]", "80.0 [70.0, 90.0]", "-", "-"]
    assert cells["an idea"][3:5] == [gain, verdict]
    assert cells["**as it is**"][5] == "55.0", "the mean over telephone and room, and over the seeds"
