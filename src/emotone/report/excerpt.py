"""What the web page shows of the comparison, as data: the leaderboard, and the matrix across corpora."""

import json
from collections.abc import Sequence
from typing import Any

from emotone.corpora import names
from emotone.evaluation.across import Crossing, Told
from emotone.report.leaderboard import Entry, Range
from emotone.report.words import OWN, protocol_title

__all__ = ["comparison"]

_DIGITS = 6  # more than are shown: rounded twice, a rate may be a digit off


def comparison(entries: Sequence[Entry], crossings: Sequence[Crossing]) -> str:
    """Return JSON.

    `systems` has, per system, what its paper reports and the accuracy and UAR under each of `protocols`: [mean, low,
    high] with the 95 % interval; null where it was not run. `across` has a row per system and training, and in it a
    cell per corpus that was not trained on, with the UAR, whose interval may be missing. Rates are fractions of 1.
    """
    protocols = list(dict.fromkeys(entry.protocol for entry in entries))
    told = {
        "protocols": {name: protocol_title(name) for name in protocols},
        "systems": [
            _system([entry for entry in entries if entry.system == name])
            for name in dict.fromkeys(entry.system for entry in entries)
        ],
        "across": _across(crossings),
    }
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")) + "\n"


def _system(entries: Sequence[Entry]) -> dict[str, Any]:
    first = entries[0]
    return {
        "system": first.system,
        "title": first.title,
        "own": first.paper == OWN,
        "reported": next((entry.published for entry in entries if entry.published is not None), None),
        "results": {entry.protocol: _result(entry) for entry in entries},
    }


def _result(entry: Entry) -> dict[str, Any] | None:
    if entry.accuracy is None or entry.uar is None:
        return None
    return {"accuracy": _rate(entry.accuracy), "uar": _rate(entry.uar), "partial": entry.missing > 0}


def _rate(given: Range) -> list[float]:
    return [round(value, _DIGITS) for value in (given.mean, given.low, given.high)]


def _across(crossings: Sequence[Crossing]) -> dict[str, Any]:
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for each in crossings:
        alone = len(each.trained) == 1
        training = each.trained[0] if alone else "all others"
        rows.setdefault((each.system, training), {})[each.tested] = {
            "uar": _told(each.plain),
            "chance": round(each.chance, _DIGITS),
        }
    tested = {each.tested for each in crossings}
    return {
        "corpora": [name for name in names() if name in tested],
        "rows": [{"system": system, "trained": training, "cells": cells} for (system, training), cells in rows.items()],
    }


def _told(told: Told) -> list[float]:
    return [round(value, _DIGITS) for value in (told.uar, *(told.interval or ()))]
