"""The corpora, and what was measured of speed and of the audit, as Markdown tables for the documentation."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from emotone.corpora.source import Source
from emotone.report.markdown import table
from emotone.report.words import percent

__all__ = [
    "copies_table", "corpora_table", "cost_table", "figures_table", "load_table", "network_table", "stress_table",
    "voices_table",
]  # fmt: skip


def corpora_table(sources: Iterable[Source]) -> str:
    """Return one line per corpus that emotone knows."""
    rows = [
        (
            f"`{source.info.name}`",
            source.info.title,
            ", ".join(source.info.languages),
            *(
                "-" if each is None else f"{each:,}"
                for each in (source.info.speakers, source.clips, source.info.emotions)
            ),
            source.info.speech,
            source.info.licence,
            source.info.use,
        )
        for source in sources
    ]
    headers = ("name", "corpus", "language", "speakers", "clips", "emotions", "speech", "licence", "use")
    return table(headers, rows, left=(0, 1, 2, 6, 7, 8))


def voices_table(measured: Mapping[str, Mapping[str, float]]) -> str:
    """Return one line per corpus: how well `audit.voices` tells one speaker under two names from two speakers."""
    rows = [
        (
            f"`{name}`",
            f"{percent(each['found'] / each['same'], 0)} % of {each['same']:,}",
            f"{each['mistaken']:,} of {each['unlike']:,}" if each["mistaken"] else f"none of {each['unlike']:,}",
            f"{each['nearest']:.3g}",
        )
        for name, each in measured.items()
    ]
    headers = ("corpus", "one speaker under two names: found", "two speakers: taken for one", "the nearest two")
    return table(headers, rows, left=(0,))


def copies_table(measured: Mapping[str, Mapping[str, Any]], copied: int) -> str:
    """Return one line per kind of copy: how many of `copied` the audit finds, and how like their clips they are."""
    rows = [
        (
            kind,
            f"{each['found']} of {copied}",
            *("-" if each[name] is None else f"{each[name]:.2f}" for name in ("lowest", "median")),
            str(each["mistaken"]),
        )
        for kind, each in measured.items()
    ]
    headers = ("copy", "found", "similarity, lowest", "median", "taken for another clip")
    return table(headers, rows, left=(0,))


def load_table(measured: Mapping[str, Mapping[str, Any]]) -> str:
    """Return one line per model and number of clients: what `emotone serve` stood."""
    rows = [
        (
            f"`{name}`",
            str(each["clients"]),
            f"{each['seconds']:.0f}",
            f"{each['answered']:,}",
            f"{each['requests a second']:.0f}",
            *(f"{each['answered in ms'][key]:,.0f}" for key in ("p50", "p95", "p99")),
            f"{each['refused']:,}" if each["refused"] else "none",
            f"{each['refused in ms']['p95']:,.0f}" if each["refused"] else "-",
            f"{each['largest difference of scores']:.0e}" if each["largest difference of scores"] else "none",
        )
        for name, found in measured.items()
        for each in found.values()
        if isinstance(each, Mapping)
    ]
    headers = ("model", "clients", "seconds", "answered", "a second", "p50", "p95", "p99", "refused", "in (p95)")
    return table((*headers, "scores differ by"), rows, left=(0,))


def figures_table(found: Mapping[str, Mapping[str, float]]) -> str:
    """Return one line per figure, and one column for each who has it."""
    names = dict.fromkeys(name for figures in found.values() for name in figures)
    rows = [(name, *(_figure(figures[name]) for figures in found.values())) for name in names]
    return table(("", *found), rows, left=(0,))


def _figure(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def stress_table(measured: Sequence[Mapping[str, Any]]) -> str:
    """Return one line per condition, and in it the UAR of each model, as `Stress.to_dict` has them."""
    rows = [
        (
            ", ".join(filter(None, (first["kind"], first["degree"]))),
            *(f"{percent(each['uar'])} [{percent(each['low'])}, {percent(each['high'])}]" for each in same),
        )
        for first, same in ((same[0], same) for same in zip(*(each["conditions"] for each in measured), strict=True))
    ]
    rows.append(("mean", *(percent(each["mean_of_hard_conditions"]) for each in measured)))
    return table(("condition", *(f"`{each['model']}`" for each in measured)), rows, left=(0,))


def cost_table(models: Mapping[str, Mapping[str, float]], *, hours: float, price: float) -> str:
    """Return what hours of sound cost of each model: of calls as they are, and of speech without a pause.

    Args:
        models: name -> figure -> value, times real time among them.
        hours: of sound.
        price: of a core for an hour, in dollars.
    """
    kinds = {"with pauses": "times real time", "speech alone": "times real time, of speech alone"}
    rows = [
        (f"`{name}`", kind, f"{hours / rate:,.0f}", f"{hours / rate / 1000:.1f}", f"{price * hours / rate:,.0f}")
        for name, told in models.items()
        for kind, rate in ((kind, told[figure]) for kind, figure in kinds.items())
    ]
    return table(("model", "sound", "core hours", "hours with 1,000 cores", "dollars"), rows, left=(0, 1))


def network_table(sizes: Mapping[str, int], rate: float, *, hours: float) -> str:
    """Return what must be fetched: for a core that listens at so many times real time, and in all.

    Args:
        sizes: format -> bytes of a second of sound.
        rate: times real time.
        hours: of sound.
    """
    rows = [
        (name, f"{8e-6 * size * rate:,.0f}", f"{1e4 / (8e-6 * size * rate):,.0f}", f"{size * 3600 * hours / 1e12:,.0f}")
        for name, size in sizes.items()
    ]
    headers = ("sound, one channel", "Mbit/s a core", "cores that 10 Gbit/s feed", "terabytes of a million hours")
    return table(headers, rows, left=(0,))
