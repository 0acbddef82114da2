"""The card of a bundle on the screen."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from emotone.bundle import Bundle, BundleInfo, Metric
from emotone.bundle.hub import locate
from emotone.cli.terminal import console, table

__all__ = ["show_card"]

_FEW = 6  # speakers that are named


def show_card(name: str | None) -> None:
    """Print what a bundle, named as in `locate`, says of itself, and how large it is."""
    place = locate(name)
    info, size = Bundle.load(place).info, len(place) if isinstance(place, bytes) else place.stat().st_size
    parameters = "" if info.parameters is None else f", {info.parameters:,} parameters"
    rows = [
        ("System", info.name),
        ("Labels", ", ".join(info.labels)),
        ("Reads", f"mono at {info.rate:,} Hz; an answer is for up to {info.window:g} s, every {info.hop:g} s"),
        ("Calibration", f"temperature {info.temperature:g}" + (" (not calibrated)" if info.temperature == 1 else "")),
        *([("Uncertain of", limits)] if (limits := "; ".join(_limits(info))) else []),
        ("Trained on", _told(info.trained_on)),
        *((name, _metric(metric)) for name, metric in info.metrics.items()),
        ("Intended use", info.intended_use),
        ("Limits", info.limits),
        ("Licence", info.licence),
        ("Size", f"{size / 1e6:.2f} MB{parameters}"),
        ("Written by", f"emotone {info.version}, format {info.format}"),
    ]
    table((place.name if isinstance(place, Path) else info.name, ""), rows)
    if not info.metrics:
        console.print("It holds no metrics.")


def _limits(info: BundleInfo) -> Iterator[str]:
    """Yield what it calls uncertain by itself."""
    if info.shortest is not None:
        yield f"less than {info.shortest:.2f} s of speech"
    if info.head is not None and info.head.reach is not None:
        yield f"speech whose embedding lies farther than {info.head.reach:.2f} from those it was trained on"


def _metric(metric: Metric) -> str:
    interval = "" if metric.low is None or metric.high is None else f" [{metric.low:.1%}, {metric.high:.1%}]"
    return f"{metric.value:.1%}{interval} ({metric.protocol})"


def _told(value: Any) -> str:
    if isinstance(value, dict):
        return "; ".join(_entry(key, each) for key, each in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _entry(key: str, value: Any) -> str:
    if key == "speakers" and isinstance(value, list | tuple) and len(value) > _FEW:
        return f"{len(value)} speakers{_by_corpus(value)}"
    return f"{key} ({_told(value)})" if isinstance(value, dict) else f"{key} {_told(value)}"


def _by_corpus(speakers: Sequence[str]) -> str:
    """Return how many are of which of several corpora, with whose names theirs begin."""
    counts = Counter(speaker.partition(":")[0] for speaker in speakers if ":" in speaker)
    return f" ({', '.join(f'{count} of {corpus}' for corpus, count in counts.items())})" if counts else ""
