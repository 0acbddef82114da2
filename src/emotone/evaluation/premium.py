"""The leakage premium: what a leaking split adds to a system's accuracy, and what knowing the speakers adds."""

from collections.abc import Sequence
from dataclasses import dataclass

from emotone.evaluation.paired import Difference, Outcomes, all_outcomes, difference
from emotone.evaluation.pool import Pooled
from emotone.protocols import UNSEEN

__all__ = ["Premium", "premiums"]


@dataclass(frozen=True)
class Premium:
    """One system: accuracy as published, cleanly and on unseen speakers, and the differences.

    Attributes:
        system: its id.
        accuracy: protocol -> accuracy, of those that ran.
        unseen: which protocol of unseen speakers counts.
        leak: published minus clean. speakers: clean minus unseen. whole: published minus unseen. None where one of the
            two did not run.
    """

    system: str
    accuracy: dict[str, float]
    unseen: str | None
    leak: Difference | None
    speakers: Difference | None
    whole: Difference | None


def premiums(pooled: Sequence[Pooled]) -> list[Premium]:
    """Return the premium of every system that ran under two protocols at least, the largest first.

    Args:
        pooled: on one corpus, with one preset, under any protocols.
    """
    found = []
    for system in dict.fromkeys(each.first.system for each in pooled):
        own = {each.first.protocol: each for each in pooled if each.first.system == system}
        unseen = next((name for name in UNSEEN if name in own and not own[name].missing), None)
        shown = [name for name in ("published", "clean", unseen) if name in own]
        if len(shown) < 2:
            continue
        joined = {name: all_outcomes(own[name]) for name in shown if name}
        found.append(
            Premium(
                system,
                {name: own[name].metrics["accuracy"] for name in shown if name},
                unseen,
                _gap(joined, "published", "clean"),
                _gap(joined, "clean", unseen),
                _gap(joined, "published", unseen),
            )
        )
    return sorted(found, key=lambda each: (-_size(each), each.system))


def _gap(joined: dict[str, Outcomes], first: str, second: str | None) -> Difference | None:
    return difference(joined[first], joined[second]) if first in joined and second in joined else None


def _size(premium: Premium) -> float:
    """Return the largest fall that is known, the whole one if it is."""
    known = premium.whole or premium.leak or premium.speakers
    return known.value if known else 0.0
