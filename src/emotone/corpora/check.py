"""What is wrong with a corpus on disk: missing, unreadable, silent, clipped, duplicated, misnamed recordings."""

import hashlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from emotone.corpora.base import Utterance
from emotone.corpora.manifest import SUFFIXES, read_manifest
from emotone.corpora.registry import get_source, load, locate, names
from emotone.corpora.scan import Scan, scan
from emotone.corpora.source import Source
from emotone.corpora.speakers import near_names
from emotone.corpora.times import clip_times
from emotone.errors import AudioError, CorpusError

__all__ = ["FLAT_TOP", "SILENT_BELOW", "CheckReport", "Finding", "check", "is_clipped"]

SILENT_BELOW = 1e-4
"""A recording whose peak is below this (-80 dB of full scale) is silent."""
FLAT_TOP = 3
"""So many equal samples in a row at a recording's own peak are a flat top: the sign of clipping."""
_LOUD = 0.5  # below this peak a flat top is but coarse quantisation


HINTS = ("short", "near")
"""The kinds of findings that are worth a look and need not be wrong."""


@dataclass(frozen=True)
class Finding:
    """A file (relative to the corpus's folder) and what is wrong with it."""

    file: str
    reason: str


@dataclass(frozen=True)
class CheckReport:
    """What `check` found, each kind sorted by file.

    Attributes:
        corpus: its name.
        root: its folder.
        files: how many recordings were looked at.
        missing: recordings that the published corpus or the manifest has and the folder has not.
        unreadable: files that do not decode.
        silent: peak below `SILENT_BELOW`.
        clipped: with flat tops, see `is_clipped`.
        duplicated: the same samples, or by its name the same recording, under another name.
        unparsed: audio whose name does not follow the corpus's convention.
        short: shorter than what was asked about; nothing wrong with it, worth a look.
        near: speakers with nearly the same name or voice, who may be one; worth a look as well.
    """

    corpus: str
    root: Path
    files: int
    missing: tuple[Finding, ...] = ()
    unreadable: tuple[Finding, ...] = ()
    silent: tuple[Finding, ...] = ()
    clipped: tuple[Finding, ...] = ()
    duplicated: tuple[Finding, ...] = ()
    unparsed: tuple[Finding, ...] = ()
    short: tuple[Finding, ...] = ()
    near: tuple[Finding, ...] = ()

    @property
    def clean(self) -> bool:
        """Whether nothing is wrong; what is only worth a look (`HINTS`) does not count."""
        return not any(found for kind, found in self.by_kind().items() if kind not in HINTS)

    def by_kind(self) -> dict[str, tuple[Finding, ...]]:
        """Return the findings of each kind, also the empty ones."""
        kinds = ("missing", "unreadable", "silent", "clipped", "duplicated", "unparsed", "short", "near")
        return {kind: getattr(self, kind) for kind in kinds}


@dataclass(frozen=True)
class _Heard:
    """What one recording sounds like: why it is unreadable, or its peak, whether it is clipped, its samples' hash, its
    length."""

    file: str
    unreadable: str | None = None
    peak: float = 0.0
    clipped: bool = False
    digest: bytes = b""
    seconds: float = 0.0


def check(
    spec: str,
    *,
    data: Path | None = None,
    shortest: float = 0.0,
    near_voices: Callable[[Sequence[Utterance]], Sequence[tuple[str, str]]] | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> CheckReport:
    """Decode every recording of a corpus and report what is wrong.

    Args:
        spec: as in `emotone.corpora.load`.
        data: as in `emotone.corpora.load`.
        near_voices: gives the pairs of speakers who sound as one, of the utterances that can be read.
        shortest: seconds below which an utterance is `short`: too short for a model that heard none so short.
        on_progress: called with (recordings done, recordings in all).

    Raises:
        UsageError, CorpusError: no such corpus on this machine, or a manifest that cannot be read.
    """
    missing: list[Finding] = []
    unparsed: list[Finding] = []
    twice: list[Finding] = []
    if spec in names():
        source = get_source(spec)
        root = load(spec).root if source.info.synthetic and data is None else locate(spec, data=data)
        found = scan(source, root)
        corpus, utterances = spec, found.utterances
        missing = _missing(source, root, found)
        unparsed = [Finding(file, reason) for file, reason in found.unparsed]
        twice = [Finding(file, f"by its name the same recording as {first}") for file, first in found.twice]
        if not utterances and not unparsed:
            raise CorpusError(f"{root}: holds no recording of {spec}. {source.how_to_get}")
    else:
        loaded = read_manifest(Path(spec)) if Path(spec).suffix.lower() in SUFFIXES else load(spec)
        corpus, root, utterances = loaded.info.name, loaded.root, loaded.utterances
        missing = [Finding(_name(u, root), "does not exist") for u in utterances if not u.path.is_file()]
        utterances = tuple(u for u in utterances if u.path.is_file())
    heard = _hear_all(utterances, root, on_progress)
    readable = [utterance for utterance, one in zip(utterances, heard, strict=True) if not one.unreadable]
    return CheckReport(
        corpus=corpus,
        root=root,
        files=len(utterances),
        missing=_sorted(missing),
        unreadable=_sorted([Finding(one.file, one.unreadable) for one in heard if one.unreadable]),
        silent=_sorted([Finding(one.file, f"peak {one.peak:.1e}") for one in heard if _is_silent(one)]),
        clipped=_sorted([Finding(one.file, f"flat tops at {one.peak:.3f}") for one in heard if one.clipped]),
        duplicated=_sorted([*twice, *_duplicates(heard)]),
        unparsed=_sorted(unparsed),
        short=_sorted(
            [
                Finding(one.file, f"{one.seconds:.2f} s; the model was trained on none under {shortest:.2f} s")
                for one in heard
                if not one.unreadable and one.seconds < shortest
            ]
        ),
        near=_near(readable, near_voices(readable) if near_voices else ()),
    )


def _near(utterances: Sequence[Utterance], voices: Sequence[tuple[str, str]]) -> tuple[Finding, ...]:
    names = sorted({utterance.speaker for utterance in utterances if utterance.speaker})
    called = [
        Finding(f"speaker {one!r}", f"nearly the name of {other!r}: are they one?") for one, other in near_names(names)
    ]
    sound = [Finding(f"speaker {one!r}", f"nearly the voice of {other!r}: are they one?") for one, other in voices]
    return (*called, *sound)


def is_clipped(samples: npt.NDArray[np.float32]) -> bool:
    """Tell whether a recording, shape (channels, samples), is clipped.

    It is where a channel that reaches 0.5 of full scale stays at its highest or its lowest value for `FLAT_TOP` samples
    in a row. The own peak counts, not full scale: a clipped recording that was turned down is still clipped, and one
    that was brought to full scale without being clipped touches it for one sample.
    """
    for channel in samples:
        for extreme in (channel.max(), channel.min()):
            if abs(extreme) >= _LOUD:
                at = channel == extreme
                flat = at[2:] & at[1:-1] & at[:-2]
                if flat.any():
                    return True
    return False


def _hear(utterance: Utterance, root: Path) -> _Heard:
    from emotone import audio

    file = _name(utterance, root)
    try:
        samples, rate = audio.read(utterance.part)
    except AudioError as error:
        return _Heard(file, unreadable=str(error).removeprefix(f"{utterance.path}: "))
    mono = samples[0] if len(samples) == 1 else samples.mean(axis=0)  # a stereo copy of a mono clip is a copy
    digest = hashlib.sha256(f"{rate} ".encode() + np.ascontiguousarray(mono).tobytes()).digest()
    return _Heard(file, None, float(np.abs(samples).max()), is_clipped(samples), digest, samples.shape[1] / rate)


def _hear_all(
    utterances: Sequence[Utterance], root: Path, on_progress: Callable[[int, int], None] | None
) -> list[_Heard]:
    heard = []
    with ThreadPoolExecutor() as pool:
        for one in pool.map(lambda utterance: _hear(utterance, root), utterances):
            heard.append(one)
            if on_progress:
                on_progress(len(heard), len(utterances))
    return heard


def _missing(source: Source, root: Path, found: Scan) -> list[Finding]:
    if source.expected:
        present = {utterance.path.stem for utterance in found.utterances}
        return [Finding(name, "is not there") for name in source.expected() if name not in present]
    lacking = source.clips - len(found.utterances)
    if lacking <= 0:
        return []
    return [Finding(str(root), f"{len(found.utterances)} recordings, {lacking} fewer than the published corpus has")]


def _duplicates(heard: Sequence[_Heard]) -> list[Finding]:
    first: dict[bytes, str] = {}
    findings = []
    for one in heard:
        if one.unreadable or _is_silent(one):
            continue
        original = first.setdefault(one.digest, one.file)
        if original != one.file:
            findings.append(Finding(one.file, f"the same samples as {original}"))
    return findings


def _is_silent(one: _Heard) -> bool:
    return not one.unreadable and one.peak < SILENT_BELOW


def _name(utterance: Utterance, root: Path) -> str:
    return utterance.path.relative_to(root).as_posix() + clip_times(utterance.start, utterance.end)


def _sorted(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    return tuple(sorted(findings, key=lambda finding: finding.file))
