"""The results as Markdown tables, for the README and the documentation."""

from collections.abc import Iterable, Mapping, Sequence

from emotone.evaluation.adapted import Gain
from emotone.evaluation.claims import Judgement
from emotone.evaluation.confidence import THRESHOLDS
from emotone.evaluation.paired import Difference, Pair
from emotone.evaluation.premium import Premium
from emotone.protocols import UNSEEN
from emotone.report.figures_benchmark import Contender
from emotone.report.leaderboard import Entry, Range
from emotone.report.results import Result
from emotone.report.words import percent, points

__all__ = [
    "adapted_table",
    "alternatives_table",
    "claims_table",
    "confidence_table",
    "others_table",
    "own_table",
    "pairs_table",
    "premium_table",
    "rate_range",
    "readme_table",
    "table",
    "verdicts_table",
]

_COLUMNS = {"published": "as published", "clean": "clean", "luna5": "unseen (luna5)", "emobox6": "unseen (emobox6)"}


def readme_table(entries: Sequence[Entry]) -> str:
    """Return one line per system: what its paper reports, what each protocol gave, whether that reproduces it."""
    rows = []
    for system in dict.fromkeys(entry.system for entry in entries):
        own = {entry.protocol: entry for entry in entries if entry.system == system}
        first = next(iter(own.values()))
        verdict = _verdict(own["published"]) if "published" in own else "-"
        cells = [_cell(own.get(protocol)) for protocol in _COLUMNS]
        rows.append((f"`{system}` {first.title}", _rate(first.published), *cells, verdict))
    return table(("system", "paper reports", *_COLUMNS.values(), "published figure"), rows, left=(0, 6))


def verdicts_table(entries: Iterable[Entry]) -> str:
    """Return one line per system and protocol, with every rate and its interval."""
    rows = [
        (
            f"`{entry.system}`",
            entry.protocol,
            _rate(entry.published),
            *(rate_range(each) for each in (entry.accuracy, entry.uar, entry.weighted_f1)),
            str(entry.seeds) if entry.runs else "-",
            _verdict(entry),
        )
        for entry in entries
    ]
    headers = ("system", "protocol", "paper reports", "accuracy", "UAR", "weighted F1", "seeds", "verdict")
    return table(headers, rows, left=(0, 1, 7))


def premium_table(premiums: Iterable[Premium]) -> str:
    """Return one line per system: what the leak adds, and what knowing the speakers adds, in points."""
    rows = [
        (
            f"`{each.system}`",
            *(
                percent(each.accuracy.get(name)) if name in each.accuracy else "not run"
                for name in ("published", "clean")
            ),
            percent(each.accuracy[each.unseen]) if each.unseen else "not run",
            *(_difference(gap) for gap in (each.leak, each.speakers, each.whole)),
        )
        for each in premiums
    ]
    headers = (
        "system", "as published", "clean", "unseen speakers", "the leak adds", "known speakers add", "together"
    )  # fmt: skip
    return table(headers, rows, left=(0,))


def claims_table(judgements: Iterable[Judgement]) -> str:
    """Return one line per claim and protocol: the verdict, and the differences that it rests on, in points."""
    rows = [
        (
            judged.claim.paper,
            judged.claim.text,
            judged.protocol,
            f"**{judged.verdict}**" if judged.differences else judged.verdict,
            "; ".join(
                f"{contrast.better} − {contrast.worse}: {_difference(gap)}"
                for contrast, gap in zip(judged.claim.contrasts, judged.differences, strict=False)
            )
            or "-",
        )
        for judged in judgements
    ]
    return table(("paper", "claim", "protocol", "verdict", "points, 95 % interval"), rows, left=range(5))


def pairs_table(pairs: Iterable[Pair]) -> str:
    """Return one line per pair of systems: the better one, by how much, and how sure that is."""
    rows = [
        (
            f"`{pair.first}`{' ‡' if pair.merged else ''}",
            f"`{pair.second}`",
            _difference(pair.difference),
            str(pair.difference.clips[0]),
            _p(pair.holm),
            _p(pair.mcnemar_holm),
            "yes" if pair.is_real else "undecided",
        )
        for pair in pairs
    ]
    headers = ("better", "than", "by points", "clips", "p, bootstrap", "p, McNemar", "real at 5 %")
    return table(headers, rows, left=(0, 1, 6))


def confidence_table(results: Iterable[Result]) -> str:
    """Return one line per system and protocol of unseen speakers: its calibration error, and what refusing buys."""
    rows = []
    for each in results:
        found = each.confidence if each.row.protocol in UNSEEN else None
        if found is not None:
            answered = (
                _rate(share)
                for threshold in (0.0, *THRESHOLDS)
                for share in found.answered(threshold)[threshold == 0 :]
            )
            rows.append((f"`{each.row.system}`", each.row.protocol, percent(found.error), *answered))
    headers = [text for least in THRESHOLDS for text in (f"answered at ≥ {least}", "wrong of these")]
    return table(("system", "protocol", "calibration error", "wrong of all", *headers), rows, left=(0, 1))


def adapted_table(results: Iterable[Result]) -> str:
    """Return one line per system and protocol that was adapted to the speakers; empty where none was."""
    rows = []
    for each in results:
        found = each.adaptation
        if found is not None:
            cells = [
                cell
                for name in ("uar", "accuracy")
                for cell in (
                    *(percent(side.metrics[name]) for side in (each.pooled, found.pooled)),
                    _difference(found.gain[name]),
                )
            ]
            rows.append((f"`{each.row.system}`", each.row.protocol, *cells))
    if not rows:
        return ""
    headers = [text for name in ("UAR", "accuracy") for text in (f"{name}, plain", f"{name}, adapted", "gain, points")]
    return table(("system", "protocol", *headers), rows, left=(0, 1))


def own_table(entries: Iterable[Entry]) -> str:
    """Return one line per own network and protocol: UAR and accuracy, plain and adapted to the speaker."""
    rows = [
        (
            f"`{entry.system}`",
            entry.protocol,
            *((rate_range(entry.uar), rate_range(entry.accuracy)) if entry.runs else ("not run", "not run")),
            *((rate_range(entry.adapted.uar), rate_range(entry.adapted.accuracy)) if entry.adapted else ("-", "-")),
            _rate(entry.calibration_error),
            f"{entry.parameters:,}".replace(",", " ") if entry.parameters else "-",
            f"{entry.seeds}{', some folds not run' if entry.missing else ''}" if entry.runs else "-",
        )
        for entry in entries
    ]
    headers = ("system", "protocol", "UAR", "accuracy", "UAR, adapted", "accuracy, adapted", "calibration error")
    return table((*headers, "parameters", "seeds"), rows, left=(0, 1))


def others_table(entries: Iterable[Entry], others: Mapping[str, Mapping[str, float]]) -> str:
    """Return one line per own network, plain and adapted, and per other system, the best UAR first.

    Args:
        entries: of own networks.
        others: protocol -> system -> the UAR that it is reported with, in per cent.
    """
    order = list(others)
    found = [(protocol, name, uar, f"{uar:.1f}") for protocol in order for name, uar in others[protocol].items()]
    for entry in entries:
        for suffix, rates in (("", entry), (", adapted to the speaker", entry.adapted)):
            if rates and rates.uar:
                name = f"**`{entry.system}`**{suffix}"
                found.append((entry.protocol, name, 100 * rates.uar.mean, rate_range(rates.uar)))
    found.sort(key=lambda each: (order.index(each[0]), -each[2]))
    return table(("protocol", "system", "UAR"), [(row[0], row[1], row[3]) for row in found], left=(0, 1))


def alternatives_table(contenders: Sequence[Contender]) -> str:
    """Return one line per way to recognise a clip: its UAR with unseen speakers, its cost, and by the first's."""
    rows = [
        (
            each.name,
            rate_range(each.uar) if each.uar else "not run",
            f"{each.milliseconds:.1f}",
            f"{each.milliseconds / contenders[0].milliseconds:.1f}",
        )
        for each in contenders
    ]
    return table(("system", "UAR", "milliseconds a clip", f"times {contenders[0].name}'s"), rows, left=(0,))


def table(headers: Sequence[str], rows: Iterable[Sequence[str]], *, left: Iterable[int]) -> str:
    """Return a table whose columns `left` are set to the left, the others, numbers, to the right."""
    kept = set(left)
    rule = "|".join("---" if index in kept else "--:" for index in range(len(headers)))
    lines = [f"| {' | '.join(headers)} |", f"|{rule}|"]
    lines += [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows]
    return "\n".join(lines)


def _cell(entry: Entry | None) -> str:
    if entry is None:
        return "-"
    return rate_range(entry.accuracy) + (" *" if entry.missing else "") if entry.accuracy else "not run"


def _verdict(entry: Entry) -> str:
    return f"not run: {entry.why}" if not entry.runs and entry.why else entry.verdict


def rate_range(rate: Range | None) -> str:
    """Return a rate in per cent with its interval."""
    return "-" if rate is None else f"{percent(rate.mean)} [{percent(rate.low)}, {percent(rate.high)}]"


def _rate(value: float | None) -> str:
    return "-" if value is None else percent(value)


def _difference(gap: Difference | Gain | None) -> str:
    return "not run" if gap is None else f"{points(gap.value)} [{points(gap.low)}, {points(gap.high)}]"


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"{value:.3f}"
