"""Which turns of an RTTM file are of which recording, and the stretches that they make of it."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from emotone.corpora.rttm import Turn
    from emotone.recognition.asked import Asked

__all__ = ["by_turns"]


def by_turns(found: "Sequence[Asked]", where: Path, failed: list[str]) -> "list[Asked]":
    """Return the stretches of what is asked about by the turns in the RTTM file `where`.

    What has no turn is said, and noted in `failed`; turns of no recording are said.
    """
    from emotone.corpora.rttm import read_rttm
    from emotone.corpora.times import clip_times

    turns = read_rttm(where)
    called = _called(found, set(turns), where)
    stretches: list[Asked] = []
    for asked in found:
        own = list(_cut(asked, turns[called[asked.name]])) if asked.name in called else []
        if not own:
            failed.append(asked.name)
            channel = "" if asked.channel is None else f", channel {asked.channel}"
            _warn(f"{asked.name}{clip_times(asked.start, asked.end)}{channel}: {where} has no turn of it")
        stretches += own
    if unmet := sorted(set(turns) - set(called.values())):
        _warn(f"{where}: no recording is called {', '.join(unmet[:3])}{', ...' if len(unmet) > 3 else ''}")
    return stretches


def _called(found: "Sequence[Asked]", known: set[str], where: Path) -> dict[str, str]:
    """Return what each recording is called in `known`: as emotone itself writes it, else its name without ending."""
    from emotone.cli.names import names_of, one_word

    own = {
        name: one_word(path.as_posix())
        for name, path in names_of(list(dict.fromkeys(each.name for each in found))).items()
    }
    called = {name: full if full in known else one_word(Path(name).stem) for name, full in own.items()}
    called = {name: word for name, word in called.items() if word in known}
    for word in dict.fromkeys(called.values()):
        alike = [name for name in called if called[name] == word]
        if len(alike) > 1:
            _warn(
                f"{where}: the turns of {word} are taken for each of {len(alike)} recordings, {', '.join(alike[:3])}"
                f"{', ...' if len(alike) > 3 else ''}; as {own[alike[0]]} and {own[alike[1]]} they are told apart"
            )
    return called


def _cut(asked: "Asked", turns: "Sequence[Turn]") -> "Iterator[Asked]":
    """Yield the turns as stretches of what is asked about; those outside of it are left out."""
    from emotone.recognition.asked import kept

    many = any(turn.channel > 1 for turn in turns)  # else 1 is what all diarisers write
    whole = kept(asked)
    for turn in turns:
        channel = turn.channel - 1 if many else asked.channel
        start = max(asked.start, turn.start)
        end = turn.end if asked.end is None else min(asked.end, turn.end)
        if start < end and asked.channel in (None, channel):
            yield replace(whole, start=start, end=end, channel=channel, speaker=turn.speaker)


def _warn(text: str) -> None:
    from emotone.cli.terminal import warn

    warn(f"emotone: {text}")
