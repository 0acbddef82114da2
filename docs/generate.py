"""Write what the documentation says of the results, from the files under results/: `make docs`."""

import shutil
from statistics import fmean

from compared import HEARD, across, model, reproduction, risks_of
from measured import PIPELINE, audit, benchmarks, contenders, corpora, robustness, scale, service, stress, stressed
from sources import RESULTS, ROOT, crossed, pooled, shipped, stairs

from emotone.evaluation.premium import premiums
from emotone.files import write_text
from emotone.report import markdown
from emotone.report.excerpt import comparison as write_comparison
from emotone.report.figures_across import matrix
from emotone.report.figures_across import steps as draw_steps
from emotone.report.figures_benchmark import answers
from emotone.report.figures_risk import risks
from emotone.report.figures_stress import hardships
from emotone.report.full import BEYOND, deepest, on_all, rank
from emotone.report.leaderboard import read_leaderboard
from emotone.report.theme import style, stylesheet
from emotone.report.words import percent

BEGIN, END = "<!-- generated from results/ by `make docs`: begin -->", "<!-- generated: end -->"
WEB = ROOT / "src" / "emotone" / "web"
PAGES = (across, audit, benchmarks, corpora, model, reproduction, robustness, scale, service, stress)
"""Each makes the page of its name."""


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
    deep = deepest(premiums(pooled()))
    if deep is None:
        return ""
    published, clean, unseen = (percent(deep.accuracy[name], 0) for name in ("published", "clean", str(deep.unseen)))
    return (
        f"**The same system, three protocols: `{deep.system}` recognises {published} % of the clips as published, "
        f"{clean} % on a clean split, and {unseen} % of speakers it has never heard.**\n\n"
    )


def _unheard() -> str:
    """Say what the best of the papers' systems and of emotone's own recognise of speakers never heard."""
    whole = [each for each in pooled() if each.first.protocol == "luna5" and not each.missing]
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
    papers, own = rank({name: told[BEYOND] for name, told in stairs().items()})
    if not own or not papers:
        return ""
    ours, best = next(iter(own)), next(iter(papers))
    tested = list(dict.fromkeys(each.tested for each in crossed() if each.system == best))
    many = fmean(each.accuracy for each in on_all(shipped(), tested))
    return (
        f"**[Corpora never heard](docs/across.md) ({', '.join(tested)}), trained on RAVDESS alone: `{best}` recognises "
        f"{percent(papers[best], 0)} % of the clips on average, and `{ours}` {percent(own[ours], 0)} %; the model that "
        f"comes with emotone, trained on more corpora than one but never the tested one, {percent(many, 0)} %.**\n\n"
    )


def comparison() -> str:
    """Return web/comparison.json: what the page shows of the results."""
    return write_comparison(read_leaderboard(RESULTS / "leaderboard.json"), crossed())


if __name__ == "__main__":
    write_text(ROOT / "README.md", readme())
    for page in PAGES:
        write_text(ROOT / "docs" / f"{page.__name__}.md", page())
    write_text(WEB / "comparison.json", comparison())
    write_text(WEB / "colours.css", stylesheet())
    with style():
        answers([each for each in contenders() if each.name != PIPELINE]).savefig(ROOT / "docs" / "cost.png")
        hardships(stressed()[0]).savefig(ROOT / "docs" / "stress.png")
        matrix(crossed()).savefig(ROOT / "docs" / "across.png")
        draw_steps(stairs()).savefig(ROOT / "docs" / "steps.png")
        risks(risks_of(), thick=[HEARD]).savefig(ROOT / "docs" / "across-risk.png")
    for name in ("leaderboard", "premium", "risk-coverage"):
        shutil.copy(RESULTS / "report" / "figures" / f"{name}.png", ROOT / "docs" / f"{name}.png")
