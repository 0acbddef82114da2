"""An audit from beginning to end: of a recipe's protocol, of a manifest's split, of a trained system."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from emotone import corpora, recipes
from emotone.audit import Finding, Split, find, listen, of_fold, of_manifest, promises_unseen_speakers
from emotone.comparison.learnt import learnt_from
from emotone.comparison.plan import folds_of
from emotone.comparison.watcher import Counting
from emotone.corpora.base import Corpus
from emotone.corpora.fingerprint import fingerprint, sample_digests
from emotone.errors import EmotoneError, UsageError, unknown
from emotone.files import write_text
from emotone.protocols import PROTOCOLS, two_corpora_needed
from emotone.storage import load_system, read_origin

__all__ = ["Audit", "audit_manifest", "audit_system"]

_SYSTEM = "system.json"  # what `storage` describes a trained system in


@dataclass(frozen=True)
class Audit:
    """What was audited, and what was found.

    Attributes:
        subject: the system or manifest.
        corpus: its name.
        protocol: by which it was split, or what a manifest's split promises; None where that is not stated.
        seed: of the split; None for a manifest.
        folds: how many were looked at.
        clips: how many clips the corpus has.
        findings: leaks first.
    """

    subject: str
    corpus: str
    protocol: str | None
    seed: int | None
    folds: int
    clips: int
    findings: tuple[Finding, ...]

    @property
    def leaks(self) -> tuple[Finding, ...]:
        """The findings that are leaks."""
        return tuple(finding for finding in self.findings if finding.severity == "leak")

    def write(self, path: Path) -> None:
        """Write everything as JSON, every case of every finding included."""
        write_text(path, json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n")


def audit_system(
    name: str, load_corpus: Callable[[str | None], Corpus], counting: Counting, *, protocol: str | None
) -> Audit:
    """Audit a system's split, or the one that a trained system was made on and what it learnt from it.

    Args:
        name: id of a system, a recipe file, or the folder of a trained system.
        load_corpus: gives the corpus asked for; told which one a trained system names, where emotone knows it.
        counting: told how reading and listening go on.
        protocol: one of `PROTOCOLS`, all of whose folds are looked at, with seed 0; None is `published`. A trained
            system names its own.

    Raises:
        UsageError: an unknown system or protocol, `cross`, a protocol for a trained system.
        EmotoneError: a trained system of another corpus or none, recordings that cannot be read.
    """
    if (Path(name) / _SYSTEM).is_file():
        return _audit_trained(Path(name), load_corpus, counting, protocol)
    recipe = recipes.load(name)
    chosen = protocol or "published"
    if chosen not in PROTOCOLS:
        raise unknown("protocol", chosen, PROTOCOLS)
    if chosen == "cross":
        raise two_corpora_needed()
    corpus = load_corpus(None)
    folds = folds_of(recipe, corpus, chosen, 0, _digests(corpus, counting))
    findings = _find([of_fold(fold, corpus.utterances) for fold in folds], corpus, counting, chosen)
    return Audit(recipe.id, corpus.info.name, chosen, 0, len(folds), len(corpus.utterances), tuple(findings))


def audit_manifest(manifest: Path, corpus: Corpus, counting: Counting, *, protocol: str | None) -> Audit:
    """Audit the split that a manifest states; `protocol` says which promise it is held to.

    Raises:
        UsageError: an unknown protocol.
        EmotoneError: a manifest without a split, recordings that cannot be read.
    """
    if protocol is not None and protocol not in PROTOCOLS:
        raise unknown("protocol", protocol, PROTOCOLS)
    findings = _find([of_manifest(manifest, corpus)], corpus, counting, protocol)
    return Audit(str(manifest), corpus.info.name, protocol, None, 1, len(corpus.utterances), tuple(findings))


def _digests(corpus: Corpus, counting: Counting) -> tuple[str, ...]:
    with counting(f"Reading {corpus.info.name}") as progress:
        return sample_digests(corpus.utterances, on_progress=progress)


def _find(splits: Sequence[Split], corpus: Corpus, counting: Counting, protocol: str | None) -> list[Finding]:
    with counting(f"Listening to {corpus.info.name}") as progress:
        sounds = listen(corpus.utterances, on_progress=progress)
    return find(splits, corpus.utterances, sounds, unseen_speakers=promises_unseen_speakers(protocol))


def _audit_trained(
    folder: Path, load_corpus: Callable[[str | None], Corpus], counting: Counting, protocol: str | None
) -> Audit:
    if protocol is not None:
        raise UsageError(f"--protocol {protocol}: {folder} states the protocol that it was trained under.")
    system = load_system(folder)
    _, origin = read_origin(folder)
    missing = {"corpus", "protocol", "fold", "seed", "data_hash"} - set(origin)
    if missing:
        raise EmotoneError(f"{folder / _SYSTEM}: 'trained_on' lacks {', '.join(sorted(missing))}.")
    corpus = load_corpus(origin["corpus"] if origin["corpus"] in corpora.names() else None)
    digests = _digests(corpus, counting)
    found = fingerprint(corpus.utterances, digests)
    if found != origin["data_hash"]:
        raise EmotoneError(
            f"{folder}: trained on {origin['corpus']} {origin['data_hash']}; "
            f"{corpus.root} is {corpus.info.name} {found}. Give the same data as --corpus or --data."
        )
    fold = folds_of(system.recipe, corpus, origin["protocol"], origin["seed"], digests)[origin["fold"] - 1]
    findings = _find([of_fold(fold, corpus.utterances)], corpus, counting, origin["protocol"])
    if system.recipe.training is None or system.recipe.training.start is None:  # else it learnt them elsewhere
        with counting("Features") as progress:
            findings = [*learnt_from(system, fold, corpus, on_progress=progress), *findings]
    return Audit(
        str(folder), corpus.info.name, origin["protocol"], origin["seed"], 1, len(corpus.utterances), tuple(findings)
    )
