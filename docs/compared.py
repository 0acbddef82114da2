"""The pages of what was compared: docs/reproduction.md, model.md and across.md."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sources import LARGE, RESULTS, crossed, find, pooled, read, render, results, shipped, stairs

from emotone.config import read_yaml
from emotone.corpora import names
from emotone.evaluation.across import FEWEST_SPEAKERS, Crossing
from emotone.evaluation.adapted import adaptation
from emotone.evaluation.averaged import averaged
from emotone.evaluation.claims import judge
from emotone.evaluation.confidence import Confidence, confidence_of
from emotone.evaluation.paired import all_outcomes, difference, pairs
from emotone.evaluation.pool import Pooled, pool_all
from emotone.evaluation.premium import premiums
from emotone.evaluation.record import read_records
from emotone.evaluation.slices import slices
from emotone.recipes import load as load_recipe
from emotone.report import markdown, markdown_across, markdown_ideas, markdown_keras
from emotone.report.leaderboard import read_leaderboard
from emotone.report.words import percent, points, protocol_title


def reproduction() -> str:
    """Return docs/reproduction.md: its template, its tables and numbers filled in from the results."""
    entries = read_leaderboard(RESULTS / "leaderboard.json")
    return render(
        "reproduction.md.jinja",
        entries=entries,
        seed=_seed,
        kept=lambda *key: find(*key).first.best_epoch,
        verdicts_table=markdown.verdicts_table,
        premium=markdown.premium_table(premiums(pooled())),
        claims=markdown.claims_table(judge(pooled())),
        pairs=[(protocol_title(name), markdown.pairs_table(pairs(own))) for name, own in _by_protocol()],
        confidence=markdown.confidence_table(results()),
        adapted=markdown.adapted_table(results()),
        copies=_copies(pool_all(read_records(RESULTS / "copies" / "runs"))),
        in_keras=markdown_keras.keras_table(_in_keras()),
    )


def _in_keras() -> Iterator[tuple[str, str, dict[str, list[dict[str, Any]]]]]:
    """Yield what `benchmarks/in_keras.py` measured: of which system, what differs, and each side's seeds."""
    for path in sorted((RESULTS / "keras").glob("*.yaml")):
        sides = {
            side: [read(found) for found in sorted(path.parent.glob(f"{path.stem}.{side}.seed*.json"))]
            for side in ("emotone", "keras")
        }
        yield read_yaml(path, missing="no such file.")["extends"], load_recipe(str(path)).title, sides


def _seed(system: str, protocol: str, seed: int) -> str:
    """Return one seed's accuracy in per cent."""
    return percent(find(system, protocol).seed_metrics[seed]["accuracy"])


def _by_protocol() -> list[tuple[str, list[Pooled]]]:
    found: dict[str, list[Pooled]] = {}
    for each in pooled():
        found.setdefault(each.first.protocol, []).append(each)
    return [(name, own) for name, own in found.items() if len(own) > 1]


def _copies(found: list[Pooled]) -> list[dict[str, Any]]:
    """Return, per system, accuracy with the copies made before and after the split, and the difference."""
    runs = {each.first.system: each for each in found}
    rows = []
    for name in sorted({system.removesuffix("-before-split") for system in runs if system.endswith("-before-split")}):
        before, after = runs[f"{name}-before-split"], runs[f"{name}-after-split"]
        gap = difference(all_outcomes(before), all_outcomes(after))
        rows.append(
            {
                "system": name,
                "before": percent(before.metrics["accuracy"]),
                "after": percent(after.metrics["accuracy"]),
                "gap": f"{points(gap.value)} [{points(gap.low)}, {points(gap.high)}]",
                "seeds": len(before.seeds),
                "clips": gap.clips[0],
            }
        )
    return rows


def model() -> str:
    """Return docs/model.md: how well emotone's own networks do, and what was tried."""
    ideas = {path.stem: _idea(path) for path in (RESULTS / "model").glob("*.json")}
    seeded: dict[str, list[dict[str, Any]]] = {}
    for path in sorted((RESULTS / "model" / "large").glob("*.json")):  # NAME.json, NAME.seed1.json, ...
        seeded.setdefault(path.name.split(".")[0], []).append(_idea(path))
    own = [entry for entry in read_leaderboard(RESULTS / "leaderboard.json") if entry.paper == "emotone"]
    by_speaker = _by_speaker(LARGE, "luna5")
    return render(
        "model.md.jinja",
        results=markdown.own_table(own),
        others=markdown.others_table(own, read_yaml(RESULTS / "others.yaml", missing="no such file.")),
        ideas=markdown_ideas.ideas_table(ideas, base="plain"),
        elsewhere=markdown_ideas.elsewhere_table(ideas.values()),
        layers=markdown_ideas.seeded_ideas_table(seeded, base="frozen") if "frozen" in seeded else "Not run yet.",
        together=_together("luna5"),
        confused=_confused(find(LARGE, "luna5")),
        large=LARGE,
        hardest=percent(min(by_speaker), 0),
        easiest=percent(max(by_speaker), 0),
        speakers=len(ideas["base"]["validation_speakers"]),
        trained=len(ideas["base"]["train_speakers"]),
    )


def _together(protocol: str) -> list[tuple[str, str]]:
    """Return what `LARGE` reaches alone, and beside others: its runs' probabilities averaged, UAR in %."""
    own, probe, base = (find(name, protocol) for name in (LARGE, "emotone/probe", "emotone/base"))
    runs = {
        f"`{LARGE}`, its {len(own.seeds)} seeds averaged": own.runs,
        f"`{LARGE}` and `emotone/probe`, all seeds averaged": own.runs + probe.runs,
        f"`{LARGE}` and `emotone/base`, all seeds averaged": own.runs + base.runs,
        "all three averaged": own.runs + probe.runs + base.runs,
    }
    alone = (f"`{LARGE}`, one seed (mean of {len(own.seeds)})", percent(own.metrics["uar"]))
    return [alone, *((name, percent(averaged(each)["uar"])) for name, each in runs.items())]


def _confused(found: Pooled, count: int = 4) -> str:
    """Say which pairs of classes are most often taken for each other, with their share of all mistakes."""
    table, names = found.confusion, found.classes
    wrong = sum(map(sum, table)) - sum(table[each][each] for each in range(len(names)))
    shares = {(a, b): (table[a][b] + table[b][a]) / wrong for b in range(len(names)) for a in range(b)}
    most = sorted(shares, key=lambda pair: -shares[pair])[:count]
    return ", ".join(f"{names[a]} and {names[b]} ({percent(shares[a, b], 0)} %)" for a, b in most)


def _by_speaker(system: str, protocol: str) -> list[float]:
    """Return the accuracy for each speaker who was tested, fraction of 1."""
    found = find(system, protocol)
    return [each.accuracy for each in slices(found.predictions, found.classes, by=("speaker",))]


def _idea(path: Path) -> dict[str, Any]:
    """Read what was measured of an idea, NAME.json or NAME.seed1.json, with the title of NAME.yaml."""
    name = path.name.split(".")[0]
    title = load_recipe(str(path.with_name(f"{name}.yaml"))).title
    return {**read(path), "title": title}


HEARD = "ravdess, unseen speakers"


def across() -> str:
    """Return docs/across.md: how well systems do on corpora never heard."""
    found = crossed()
    tested = {each.tested for each in found}
    corpora = {name: f"`{name}`" for name in names() if name in tested}
    probe = [each for each in found if _is_probe_of_all(each)]
    home = find("emotone/probe", "luna5")
    heard, known = home.per_class, adaptation(home)
    assert known is not None
    alone = {
        each.tested: (each.plain.uar, each.adapted.uar)
        for each in found
        if each.system == "emotone/probe" and len(each.trained) == 1 and each.adapted is not None
    } | {home.first.corpus: (home.metrics["uar"], known.pooled.metrics["uar"])}
    many = [each for each in shipped() if each.tested != home.first.corpus or each.tested in each.trained]
    many.sort(key=lambda each: names().index(each.tested))
    return render(
        "across.md.jinja",
        shipped=markdown_across.gains_table(many, alone),
        corpora=", ".join(corpora.values()),
        table=markdown_across.crossings_table(found, corpora),
        steps=markdown_across.steps_table(stairs()),
        recall=markdown_across.recall_table(probe, {name: told["recall"] for name, told in heard.items()}),
        fewest=FEWEST_SPEAKERS,
    )


def risks_of() -> dict[str, Confidence]:
    """Return how sure `emotone/probe` is, and when right, on every corpus never heard and on unseen speakers."""
    heard = find("emotone/probe", "luna5")
    beyond = {each.tested: each.confidence for each in crossed() if _is_probe_of_all(each)}
    known = confidence_of(heard)
    assert known is not None
    return {HEARD: known, **beyond}


def _is_probe_of_all(crossing: Crossing) -> bool:
    return crossing.system == "emotone/probe" and len(crossing.trained) > 1
