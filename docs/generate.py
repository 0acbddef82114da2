"""Write what the documentation says of the results, from the files under results/: `make docs`."""

import json
import math
import shutil
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from statistics import fmean
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from emotone.bundle.hub import DEFAULT, SHIPPED
from emotone.config import read_yaml
from emotone.corpora import get_source, names
from emotone.evaluation.across import FEWEST_SPEAKERS, Crossing, crossings
from emotone.evaluation.adapted import adaptation
from emotone.evaluation.averaged import averaged
from emotone.evaluation.claims import judge
from emotone.evaluation.confidence import Confidence, confidence_of
from emotone.evaluation.paired import all_outcomes, difference, pairs
from emotone.evaluation.pool import Pooled, pool_all
from emotone.evaluation.premium import premiums
from emotone.evaluation.record import read_records
from emotone.evaluation.slices import slices
from emotone.files import write_text
from emotone.recipes import load as load_recipe
from emotone.report import markdown, markdown_across, markdown_ideas, markdown_keras, markdown_measured
from emotone.report.excerpt import comparison as write_comparison
from emotone.report.figures_across import matrix
from emotone.report.figures_across import steps as draw_steps
from emotone.report.figures_benchmark import Contender, answers
from emotone.report.figures_risk import risks
from emotone.report.figures_stress import hardships
from emotone.report.full import BEYOND, deepest, on_all, rank, read_crossings, steps
from emotone.report.leaderboard import Range, read_leaderboard
from emotone.report.results import Result, read_results
from emotone.report.theme import style, stylesheet
from emotone.report.words import percent, points, protocol_title

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "results"
BEGIN, END = "<!-- generated from results/ by `make docs`: begin -->", "<!-- generated: end -->"
REPRODUCTION = ROOT / "docs" / "reproduction.md"
MODEL = ROOT / "docs" / "model.md"
SPEED = RESULTS / "benchmarks"
LARGE = "emotone/large"  # of the shipped models that whose mistakes and cost are told
BENCHMARKS = ROOT / "docs" / "benchmarks.md"
AUDIT = ROOT / "docs" / "audit.md"
CORPORA = ROOT / "docs" / "corpora.md"
ACROSS = ROOT / "docs" / "across.md"
ROBUSTNESS = ROOT / "docs" / "robustness.md"
WEB = ROOT / "src" / "emotone" / "web"
SERVICE = ROOT / "docs" / "service.md"
STRESS = ROOT / "docs" / "stress.md"
SCALE = ROOT / "docs" / "scale.md"


def readme() -> str:
    """Return the README with its table made anew from the leaderboard."""
    before, rest = (ROOT / "README.md").read_text(encoding="utf-8").split(BEGIN)
    _, after = rest.split(END)
    entries = read_leaderboard(RESULTS / "leaderboard.json")
    counts = sorted({entry.seeds for entry in entries if entry.runs})
    seeds = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    note = f"Seeds per result: {seeds}. `*`: some folds have not been run yet. `-`: not asked for, or not reported."
    said = f"{_headline()}{_unheard()}{_beyond()}"
    return f"{before}{BEGIN}\n\n{said}{markdown.readme_table(entries)}\n\n{note}\n\n{END}{after}"


def _headline() -> str:
    """Say the deepest fall from published over clean to unseen speakers, where one system ran under all three."""
    deep = deepest(premiums(_pooled()))
    if deep is None:
        return ""
    published, clean, unseen = (percent(deep.accuracy[name], 0) for name in ("published", "clean", str(deep.unseen)))
    return (
        f"**The same system, three protocols: `{deep.system}` recognises {published} % of the clips as published, "
        f"{clean} % on a clean split, and {unseen} % of speakers it has never heard.**\n\n"
    )


def _unheard() -> str:
    """Say what the best of the papers' systems and of emotone's own recognise of speakers never heard."""
    whole = [each for each in _pooled() if each.first.protocol == "luna5" and not each.missing]
    papers, own = rank({each.first.system: each.metrics["accuracy"] for each in whole})
    if not own or not papers:
        return ""
    best, ours = next(iter(papers)), next(iter(own))
    return (
        f"**Speakers never heard (luna5): of the papers' {len(papers)} systems run so far the best, `{best}`, "
        f"recognises {percent(papers[best], 0)} % of the clips, and `{ours}` {percent(own[ours], 0)} %.**\n\n"
    )


def _beyond() -> str:
    """Say what is left of accuracy on corpora never heard, of the papers' best system there and of emotone's own."""
    papers, own = rank({name: told[BEYOND] for name, told in _steps().items()})
    if not own or not papers:
        return ""
    ours, best = next(iter(own)), next(iter(papers))
    tested = list(dict.fromkeys(each.tested for each in _crossings() if each.system == best))
    many = fmean(each.accuracy for each in on_all(read_crossings(RESULTS / "shipped"), tested))
    return (
        f"**[Corpora never heard](docs/across.md) ({', '.join(tested)}), trained on RAVDESS alone: `{best}` recognises "
        f"{percent(papers[best], 0)} % of the clips on average, and `{ours}` {percent(own[ours], 0)} %; the model that "
        f"comes with emotone, trained on more corpora than one but never the tested one, {percent(many, 0)} %.**\n\n"
    )


@cache
def _results() -> list[Result]:
    """Return the results, in the order of the systems' names."""
    results = read_results(run for run in read_records(RESULTS / "runs") if run.preset == "paper")
    return sorted(results, key=lambda each: (each.row.system, each.row.protocol))


def _pooled() -> list[Pooled]:
    return [each.pooled for each in _results()]


def reproduction() -> str:
    """Return docs/reproduction.md: its template, its tables and numbers filled in from the results."""
    entries = read_leaderboard(RESULTS / "leaderboard.json")
    pooled = _pooled()
    return _render(
        "reproduction.md.jinja",
        entries=entries,
        seed=lambda *key: _seed(pooled, *key),
        kept=lambda *key: _find(pooled, *key).first.best_epoch,
        verdicts_table=markdown.verdicts_table,
        premium=markdown.premium_table(premiums(pooled)),
        claims=markdown.claims_table(judge(pooled)),
        pairs=[(protocol_title(name), markdown.pairs_table(pairs(own))) for name, own in _by_protocol(pooled)],
        confidence=markdown.confidence_table(_results()),
        adapted=markdown.adapted_table(_results()),
        copies=_copies(pool_all(read_records(RESULTS / "copies" / "runs"))),
        in_keras=markdown_keras.keras_table(_in_keras()),
    )


def _in_keras() -> Iterator[tuple[str, str, dict[str, list[dict[str, Any]]]]]:
    """Yield what `benchmarks/in_keras.py` measured: of which system, what differs, and each side's seeds."""
    for path in sorted((RESULTS / "keras").glob("*.yaml")):
        sides = {
            side: [_read(found) for found in sorted(path.parent.glob(f"{path.stem}.{side}.seed*.json"))]
            for side in ("emotone", "keras")
        }
        yield read_yaml(path, missing="no such file.")["extends"], load_recipe(path).title, sides


def model() -> str:
    """Return docs/model.md: how well emotone's own networks do, and what was tried."""
    ideas = {path.stem: _idea(path) for path in (RESULTS / "model").glob("*.json")}
    seeded: dict[str, list[dict[str, Any]]] = {}
    for path in sorted((RESULTS / "model" / "large").glob("*.json")):  # NAME.json, NAME.seed1.json, ...
        seeded.setdefault(path.name.split(".")[0], []).append(_idea(path))
    own = [entry for entry in read_leaderboard(RESULTS / "leaderboard.json") if entry.paper == "emotone"]
    by_speaker = _by_speaker(LARGE, "luna5")
    return _render(
        "model.md.jinja",
        results=markdown.own_table(own),
        others=markdown.others_table(own, read_yaml(RESULTS / "others.yaml", missing="no such file.")),
        ideas=markdown_ideas.ideas_table(ideas, base="plain"),
        elsewhere=markdown_ideas.elsewhere_table(ideas.values()),
        layers=markdown_ideas.seeded_ideas_table(seeded, base="frozen") if "frozen" in seeded else "Not run yet.",
        together=_together("luna5"),
        confused=_confused(_find(_pooled(), LARGE, "luna5")),
        large=LARGE,
        hardest=percent(min(by_speaker), 0),
        easiest=percent(max(by_speaker), 0),
        speakers=len(ideas["base"]["validation_speakers"]),
        trained=len(ideas["base"]["train_speakers"]),
    )


def _together(protocol: str) -> list[tuple[str, str]]:
    """Return what `LARGE` reaches alone, and beside others: its runs' probabilities averaged, UAR in %."""
    own, probe, base = (_find(_pooled(), name, protocol) for name in (LARGE, "emotone/probe", "emotone/base"))
    runs = {
        f"`{LARGE}`, its {len(own.seeds)} seeds averaged": own.runs,
        f"`{LARGE}` and `emotone/probe`, all seeds averaged": own.runs + probe.runs,
        f"`{LARGE}` and `emotone/base`, all seeds averaged": own.runs + base.runs,
        "all three averaged": own.runs + probe.runs + base.runs,
    }
    alone = (f"`{LARGE}`, one seed (mean of {len(own.seeds)})", percent(own.metrics["uar"]))
    return [alone, *((name, percent(averaged(each)["uar"])) for name, each in runs.items())]


def _confused(pooled: Pooled, count: int = 4) -> str:
    """Say which pairs of classes are most often taken for each other, with their share of all mistakes."""
    table, names = pooled.confusion, pooled.classes
    wrong = sum(map(sum, table)) - sum(table[each][each] for each in range(len(names)))
    shares = {(a, b): (table[a][b] + table[b][a]) / wrong for b in range(len(names)) for a in range(b)}
    most = sorted(shares, key=lambda pair: -shares[pair])[:count]
    return ", ".join(f"{names[a]} and {names[b]} ({percent(shares[a, b], 0)} %)" for a, b in most)


def _by_speaker(system: str, protocol: str) -> list[float]:
    """Return the accuracy for each speaker who was tested, fraction of 1."""
    found = _find(_pooled(), system, protocol)
    return [each.accuracy for each in slices(found.predictions, found.classes, by=("speaker",))]


def _idea(path: Path) -> dict[str, Any]:
    """Read what was measured of an idea, NAME.json or NAME.seed1.json, with the title of NAME.yaml."""
    name = path.name.split(".")[0]
    return _read(path) | {"title": load_recipe(path.with_name(f"{name}.yaml")).title}


def benchmarks() -> str:
    """Return docs/benchmarks.md: what features and an answer cost, beside what a user could take instead."""
    measured = _read(SPEED / "recognise.json")
    features = _read(SPEED / "features.json")
    contenders = _contenders()
    return _render(
        "benchmarks.md.jinja",
        features=features,
        transforms=markdown_measured.figures_table(features["transforms"]),
        whole_way=[(kind, markdown_measured.figures_table(each)) for kind, each in features["whole way"].items()],
        soxr=markdown_measured.figures_table(features["soxr"]),
        all_cores=markdown_measured.figures_table(features["all cores"]),
        alternatives=markdown.alternatives_table(contenders),
        recognise=markdown_measured.figures_table({f"`{name}`": each for name, each in measured["models"].items()}),
        start=markdown_measured.figures_table({"measured": measured["start"]}),
        clips=measured["clips"],
        minutes=round(measured["long_seconds"] / 60),
    )


_HOURS, _PRICE = 1_000_000, 0.04  # of sound; dollars a core and hour
_SIZES = {"wav, 48 kHz": 96_000, "wav, 16 kHz": 32_000, "telephone, 8 kHz G.711": 8_000, "opus, 24 kbit/s": 3_000}
"""Bytes of a second of sound."""


def scale() -> str:
    """Return docs/scale.md: how to use many machines, and what a million hours cost."""
    models = _read(SPEED / "recognise.json")["models"]
    own = models[DEFAULT]
    return _render(
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
    return _render(
        "corpora.md.jinja",
        corpora=markdown_measured.corpora_table(sources),
        citations=[source.info for source in sources if not source.info.synthetic],
    )


_HEARD = "ravdess, unseen speakers"


@cache
def stress() -> str:
    """Return docs/stress.md: the shipped models under hard conditions."""
    told = _stressed()
    return _render(
        "stress.md.jinja",
        clips=told[0]["clips"],
        shown=f"`{told[0]['model']}`",
        chance=percent(1 / len(told[0]["classes"]), 0),
        table=markdown_measured.stress_table(told),
    )


@cache
def _stressed() -> list[dict[str, Any]]:
    """Return what was measured under hard conditions, in the order of the shipped models."""
    found = [_read(path) for path in (RESULTS / "stress").glob("*.json")]
    return sorted(found, key=lambda each: list(SHIPPED).index(each["model"]))


def _crossings() -> list[Crossing]:
    """Return every system on every corpus that it has not heard, by system, trained on RAVDESS alone first."""
    return read_crossings(RESULTS / "cross")


def across() -> str:
    """Return docs/across.md: how well systems do on corpora never heard."""
    found = _crossings()
    tested = {each.tested for each in found}
    corpora = {name: f"`{name}`" for name in names() if name in tested}
    probe = [each for each in found if _is_probe_of_all(each)]
    home = _find(_pooled(), "emotone/probe", "luna5")
    heard, known = home.per_class, adaptation(home)
    assert known is not None
    alone = {
        each.tested: (each.plain.uar, each.adapted.uar)
        for each in found
        if each.system == "emotone/probe" and len(each.trained) == 1 and each.adapted is not None
    } | {home.first.corpus: (home.metrics["uar"], known.pooled.metrics["uar"])}
    shipped = crossings(pool_all(read_records(RESULTS / "shipped" / "runs")))
    shipped = [each for each in shipped if each.tested != home.first.corpus or each.tested in each.trained]
    shipped.sort(key=lambda each: names().index(each.tested))
    return _render(
        "across.md.jinja",
        shipped=markdown_across.gains_table(shipped, alone),
        corpora=", ".join(corpora.values()),
        table=markdown_across.crossings_table(found, corpora),
        steps=markdown_across.steps_table(_steps()),
        recall=markdown_across.recall_table(probe, {name: told["recall"] for name, told in heard.items()}),
        fewest=FEWEST_SPEAKERS,
    )


def _risks() -> dict[str, Confidence]:
    """Return how sure `emotone/probe` is, and when right, on every corpus never heard and on unseen speakers."""
    heard = _find(_pooled(), "emotone/probe", "luna5")
    beyond = {each.tested: each.confidence for each in _crossings() if _is_probe_of_all(each)}
    known = confidence_of(heard)
    assert known is not None
    return {_HEARD: known, **beyond}


def _is_probe_of_all(crossing: Crossing) -> bool:
    return crossing.system == "emotone/probe" and len(crossing.trained) > 1


def _steps() -> dict[str, dict[str, float]]:
    """Return system -> step -> accuracy, of the systems that were trained on RAVDESS and tested on other corpora."""
    told = steps(_pooled(), [each for each in _crossings() if len(each.trained) == 1])
    crossed = [(system, own) for system, own in told.items() if BEYOND in own]
    return dict(sorted(crossed, key=lambda item: -item[1][BEYOND]))


def comparison() -> str:
    """Return web/comparison.json: what the page shows of the results."""
    return write_comparison(read_leaderboard(RESULTS / "leaderboard.json"), _crossings())


def audit() -> str:
    """Return docs/audit.md: what the audit finds and mistakes."""
    voices, copies = (_read(SPEED / f"{name}.json") for name in ("voices", "audit"))
    return _render(
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
    cases = _read(RESULTS / "robustness.json")
    kinds: dict[str, list[dict[str, Any]]] = {}
    for case in cases:
        said = {name: [line.replace("|", "\\|") for line in case[name]] for name in ("shown", "said")}
        kinds.setdefault(case["kind"], []).append(case | said)
    return _render("robustness.md.jinja", kinds=list(kinds.items()))


def service() -> str:
    """Return docs/service.md: how the service is used, and what it stands, as its benchmarks saw it."""
    measured = _read(SPEED / "serve.json")
    return _render(
        "service.md.jinja",
        load=markdown_measured.load_table(measured["models"]),
        gains=" ".join(
            f"16 clients get {each['gain of 16 clients']:.1f} times the answers of one from `{name}`."
            for name, each in measured["models"].items()
        ),
        clips=measured["clips"],
        cores=measured["cores"],
    )


def _contenders() -> list[Contender]:
    """Return who was timed, the models that come with emotone first, with the UAR of each on luna5."""
    spent = _read(SPEED / "alternatives.json")["systems"]
    svm = _read(SPEED / "opensmile-svm.json")["plain"]["uar"]
    rates = {
        entry.system: entry.uar
        for entry in read_leaderboard(RESULTS / "leaderboard.json")
        if entry.protocol == "luna5" and not entry.missing
    }
    found = {
        **{name: rates.get(name) for name in SHIPPED if name in spent},
        f"{DEFAULT}, PyTorch": rates.get(DEFAULT),
        "transformers' pipeline": None,
        "librosa + CNN": rates.get("boucheta/cnn"),
        "openSMILE + SVM": Range(svm["mean"], svm["low"], svm["high"]),
    }
    return [Contender(name, spent[name]["milliseconds"], uar, "emotone" in name) for name, uar in found.items()]


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _render(template: str, **values: Any) -> str:
    environment = Environment(
        loader=FileSystemLoader(ROOT / "docs"),
        undefined=StrictUndefined,
        trim_blocks=True,
        autoescape=select_autoescape(("html",)),
    )
    return environment.get_template(template).render(**values)


def _find(pooled: Iterable[Pooled], system: str, protocol: str) -> Pooled:
    (found,) = (each for each in pooled if (each.first.system, each.first.protocol) == (system, protocol))
    return found


def _seed(pooled: Iterable[Pooled], system: str, protocol: str, seed: int) -> str:
    """Return one seed's accuracy in per cent."""
    return percent(_find(pooled, system, protocol).seed_metrics[seed]["accuracy"])


def _by_protocol(pooled: Iterable[Pooled]) -> list[tuple[str, list[Pooled]]]:
    found: dict[str, list[Pooled]] = {}
    for each in pooled:
        found.setdefault(each.first.protocol, []).append(each)
    return [(name, own) for name, own in found.items() if len(own) > 1]


def _copies(pooled: list[Pooled]) -> list[dict[str, Any]]:
    """Return, per system, accuracy with the copies made before and after the split, and the difference."""
    found = {each.first.system: each for each in pooled}
    rows = []
    for name in sorted({system.removesuffix("-before-split") for system in found if system.endswith("-before-split")}):
        before, after = found[f"{name}-before-split"], found[f"{name}-after-split"]
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


if __name__ == "__main__":
    write_text(ROOT / "README.md", readme())
    write_text(REPRODUCTION, reproduction())
    write_text(MODEL, model())
    write_text(BENCHMARKS, benchmarks())
    write_text(ROBUSTNESS, robustness())
    write_text(SERVICE, service())
    write_text(STRESS, stress())
    write_text(SCALE, scale())
    write_text(AUDIT, audit())
    write_text(CORPORA, corpora())
    write_text(ACROSS, across())
    write_text(WEB / "comparison.json", comparison())
    write_text(WEB / "colours.css", stylesheet())
    with style():
        answers(_contenders()).savefig(ROOT / "docs" / "cost.png")
        hardships(_stressed()[0]).savefig(ROOT / "docs" / "stress.png")
        matrix(_crossings()).savefig(ROOT / "docs" / "across.png")
        draw_steps(_steps()).savefig(ROOT / "docs" / "steps.png")
        risks(_risks(), thick=[_HEARD]).savefig(ROOT / "docs" / "across-risk.png")
    for name in ("leaderboard", "premium", "risk-coverage"):
        shutil.copy(RESULTS / "report" / "figures" / f"{name}.png", ROOT / "docs" / f"{name}.png")
