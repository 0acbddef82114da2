"""The pages of what was measured: speed, scale, the service, hardship, hostile input, the audit, the corpora."""

import math
from functools import cache
from typing import Any

from sources import RESULTS, SPEED, read, render

from emotone.bundle.hub import DEFAULT, SHIPPED
from emotone.corpora import get_source, names
from emotone.report import markdown, markdown_measured
from emotone.report.figures_benchmark import Contender
from emotone.report.leaderboard import Range, read_leaderboard
from emotone.report.words import percent


def benchmarks() -> str:
    """Return docs/benchmarks.md: what features and an answer cost, beside what a user could take instead."""
    measured = read(SPEED / "recognise.json")
    features = read(SPEED / "features.json")
    beside = contenders()
    return render(
        "benchmarks.md.jinja",
        features=features,
        transforms=markdown_measured.figures_table(features["transforms"]),
        whole_way=[(kind, markdown_measured.figures_table(each)) for kind, each in features["whole way"].items()],
        soxr=markdown_measured.figures_table(features["soxr"]),
        all_cores=markdown_measured.figures_table(features["all cores"]),
        alternatives=markdown.alternatives_table(beside),
        recognise=markdown_measured.figures_table({f"`{name}`": each for name, each in measured["models"].items()}),
        start=markdown_measured.figures_table({"measured": measured["start"]}),
        clips=measured["clips"],
        minutes=round(measured["long_seconds"] / 60),
    )


PIPELINE = "transformers' pipeline"  # with random weights: timed, never trained


def contenders() -> list[Contender]:
    """Return who was timed, the models that come with emotone first, with the UAR of each on luna5."""
    spent = read(SPEED / "alternatives.json")["systems"]
    svm = read(SPEED / "opensmile-svm.json")["plain"]["uar"]
    rates = {
        entry.system: entry.uar
        for entry in read_leaderboard(RESULTS / "leaderboard.json")
        if entry.protocol == "luna5" and not entry.missing
    }
    found = {
        **{name: rates.get(name) for name in SHIPPED if name in spent},
        f"{DEFAULT}, PyTorch": rates.get(DEFAULT),
        PIPELINE: None,
        "librosa + CNN": rates.get("boucheta/cnn"),
        "openSMILE + SVM": Range(svm["mean"], svm["low"], svm["high"]),
    }
    return [Contender(name, spent[name]["milliseconds"], uar, "emotone" in name) for name, uar in found.items()]


_HOURS, _PRICE = 1_000_000, 0.04  # of sound; dollars a core and hour
_SIZES = {"wav, 48 kHz": 96_000, "wav, 16 kHz": 32_000, "telephone, 8 kHz G.711": 8_000, "opus, 24 kbit/s": 3_000}
"""Bytes of a second of sound."""


def scale() -> str:
    """Return docs/scale.md: how to use many machines, and what a million hours cost."""
    models = read(SPEED / "recognise.json")["models"]
    own = models[DEFAULT]
    return render(
        "scale.md.jinja",
        price=_PRICE,
        model=DEFAULT,
        cost=markdown_measured.cost_table(models, hours=_HOURS, price=_PRICE),
        network=markdown_measured.network_table(_SIZES, own["times real time"], hours=_HOURS),
        decoding=percent(own["milliseconds a clip, flac"] / own["milliseconds a clip, wav"] - 1, 0),
    )


def corpora() -> str:
    """Return docs/corpora.md: the corpora that emotone knows, and on what terms."""
    sources = [get_source(name) for name in names()]
    return render(
        "corpora.md.jinja",
        corpora=markdown_measured.corpora_table(sources),
        citations=[source.info for source in sources if not source.info.synthetic],
    )


def stress() -> str:
    """Return docs/stress.md: the shipped models under hard conditions."""
    told = stressed()
    return render(
        "stress.md.jinja",
        clips=told[0]["clips"],
        shown=f"`{told[0]['model']}`",
        chance=percent(1 / len(told[0]["classes"]), 0),
        table=markdown_measured.stress_table(told),
    )


@cache
def stressed() -> list[dict[str, Any]]:
    """Return what was measured under hard conditions, in the order of the shipped models."""
    found = [read(path) for path in (RESULTS / "stress").glob("*.json")]
    return sorted(found, key=lambda each: list(SHIPPED).index(each["model"]))


def audit() -> str:
    """Return docs/audit.md: what the audit finds and mistakes."""
    voices, copies = (read(SPEED / f"{name}.json") for name in ("voices", "audit"))
    return render(
        "audit.md.jinja",
        voices=markdown_measured.voices_table(voices),
        copies=markdown_measured.copies_table(copies["copies"], copies["copied"]),
        clips=f"{copies['clips']:,}",
        pairs=f"{math.comb(copies['clips'], 2):,}",
        copied=copies["copied"],
        among=copies["among"],
    )


def robustness() -> str:
    """Return docs/robustness.md: what a user gets of hostile input, as benchmarks/robustness.py saw it."""
    cases = read(RESULTS / "robustness.json")
    kinds: dict[str, list[dict[str, Any]]] = {}
    for case in cases:
        said = {name: [line.replace("|", "\\|") for line in case[name]] for name in ("shown", "said")}
        kinds.setdefault(case["kind"], []).append(case | said)
    return render("robustness.md.jinja", kinds=list(kinds.items()))


def service() -> str:
    """Return docs/service.md: how the service is used, and what it stands, as its benchmarks saw it."""
    measured = read(SPEED / "serve.json")
    return render(
        "service.md.jinja",
        load=markdown_measured.load_table(measured["models"]),
        gains=" ".join(
            f"16 clients get {each['gain of 16 clients']:.1f} times the answers of one from `{name}`."
            for name, each in measured["models"].items()
        ),
        clips=measured["clips"],
        cores=measured["cores"],
    )
