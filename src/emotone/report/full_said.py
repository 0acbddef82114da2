"""What full runs say, in sentences: every number with its corpus, protocol and seeds."""

from statistics import fmean

from emotone.evaluation.paired import Difference
from emotone.report.full import BEYOND, UNHEARD, Full, rank
from emotone.report.results import Result
from emotone.report.view import seeds_said
from emotone.report.words import corpus_title, count, listing, percent, points

__all__ = ["said"]


def said(full: Full) -> list[tuple[str, str]]:
    """Return what each sentence is about, and the sentence."""
    found = [_fall(full), _unheard(full), _beyond(full)]
    return [each for each in found if each]


def _fall(full: Full) -> tuple[str, str] | None:
    deep = full.deepest
    if deep is None or deep.unseen is None or deep.leak is None or deep.speakers is None:
        return None
    rows = [result.row for result in full.board.results if result.row.system == deep.system]
    seeds = seeds_said([row for row in rows if row.protocol in deep.accuracy])
    published, clean, unseen = (percent(deep.accuracy[name]) for name in ("published", "clean", deep.unseen))
    return (
        "The same system, three protocols",
        f"on {corpus_title(full.board.corpus)}, {deep.system} recognises {published}\u00a0% of the clips as published, "
        f"{clean}\u00a0% on a clean split, and {unseen}\u00a0% of speakers it has never heard ({deep.unseen}). "
        f"The leak adds {_gap(deep.leak)} points, knowing the speakers {_gap(deep.speakers)}; {seeds}. No "
        "other system that ran under all three falls deeper.",
    )


def _unheard(full: Full) -> tuple[str, str] | None:
    results = {result.row.system: result for result in full.board.of(UNHEARD) if not result.row.missing}
    papers, own = rank({name: result.row.accuracy for name, result in results.items()})
    if not papers:
        return None
    best = results[next(iter(papers))]
    text = (
        f"of the papers' {count(len(papers), 'system')} that ran, the best, {best.row.system}, recognises {_rate(best)}"
        if len(papers) > 1
        else f"the papers' only system that ran, {best.row.system}, recognises {_rate(best)}"
    )
    if own:
        ours = results[next(iter(own))]
        text += f"; emotone's own {ours.row.system} ({ours.row.title}) recognises {_rate(ours)}"
    return f"Speakers never heard ({UNHEARD}, {corpus_title(full.board.corpus)})", f"{text}."


def _beyond(full: Full) -> tuple[str, str] | None:
    papers, own = rank({name: told[BEYOND] for name, told in full.told.items() if BEYOND in told})
    if not papers and not own:
        return None
    parts = []
    for whose, ranked in (("the papers' best there", papers), ("emotone's own best", own)):
        if ranked:
            name, share = next(iter(ranked.items()))
            seeds = _seeds(full.seeds(name, BEYOND))
            parts.append(f"{whose}, {name}, recognises {percent(share)}\u00a0% of the clips ({seeds})")
    tested = listing(corpus_title(name) for name in dict.fromkeys(each.tested for each in full.beyond))
    trained = corpus_title(full.board.corpus)
    text = f"trained on {trained} alone, on average over them, {'; '.join(parts)}."
    if many := full.of_many:
        known = listing(corpus_title(name) for name in max((each.trained for each in many), key=len))
        share, seeds = fmean(each.accuracy for each in many), _seeds(min(each.seeds for each in many))
        text += (
            f" {many[0].system}, the model that comes with emotone, trained on {known} but for the tested one, "
            f"recognises {percent(share)}\u00a0% ({seeds})."
        )
    return f"Corpora never heard ({tested})", text


def _rate(result: Result) -> str:
    row = result.row
    return (
        f"{percent(row.accuracy)}\u00a0% [{percent(row.low)}, {percent(row.high)}] of the clips ({_seeds(row.seeds)})"
    )


def _gap(gap: Difference) -> str:
    return f"{_plain(gap.value)} [{_plain(gap.low)}, {_plain(gap.high)}]"


def _plain(fraction: float) -> str:
    return points(fraction).removeprefix("+")


def _seeds(seeds: int) -> str:
    return count(seeds, "seed")
