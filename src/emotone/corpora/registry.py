"""The corpora by name, where they lie on this machine, and how one is loaded."""

import os
from collections.abc import Callable
from pathlib import Path

from emotone.corpora.ased import ASED
from emotone.corpora.base import Corpus, CorpusInfo
from emotone.corpora.cremad import CREMAD
from emotone.corpora.emodb import EMODB
from emotone.corpora.emogator import EMOGATOR
from emotone.corpora.emovdb import EMOVDB
from emotone.corpora.emovo import EMOVO
from emotone.corpora.enterface import ENTERFACE
from emotone.corpora.esd import ESD
from emotone.corpora.folders import load_folders
from emotone.corpora.iesc import IESC
from emotone.corpora.jl import JL
from emotone.corpora.manifest import SUFFIXES, read_manifest
from emotone.corpora.meld import MELD
from emotone.corpora.nemo import NEMO
from emotone.corpora.ravdess import RAVDESS
from emotone.corpora.savee import SAVEE
from emotone.corpora.scan import holds, scan
from emotone.corpora.shemo import SHEMO
from emotone.corpora.source import Source
from emotone.corpora.synthetic import SYNTHETIC, generate
from emotone.corpora.tess import TESS
from emotone.corpora.turev import TUREV
from emotone.corpora.urdu import URDU
from emotone.errors import CorpusError, UsageError, unknown
from emotone.files import cache_folder

__all__ = ["find", "get_source", "info", "load", "locate", "names"]

_SOURCES = {
    source.info.name: source
    for source in (
        RAVDESS, SAVEE, TESS, CREMAD, JL, EMOVDB, ENTERFACE, MELD, ESD, IESC, EMODB, NEMO, EMOVO, TUREV, SHEMO, URDU,
        ASED, EMOGATOR, SYNTHETIC,
    )
}  # fmt: skip


def names() -> list[str]:
    """Return the names of the corpora that emotone knows, RAVDESS first, synthetic last."""
    return list(_SOURCES)


def get_source(name: str) -> Source:
    """Return how the corpus `name` is read; an unknown one is a `UsageError`."""
    if name not in _SOURCES:
        raise unknown("corpus", name, _SOURCES)
    return _SOURCES[name]


def info(name: str) -> CorpusInfo:
    """Return title, licence, citation, languages and address of the corpus `name`."""
    return get_source(name).info


def find(name: str, *, data: Path | None = None) -> Path | None:
    """Return the folder of the corpus `name`, or None where it is not on this machine.

    With `data` only that folder counts: `data`/<name> (in any spelling: "CREMA-D" is found for cremad), else `data`
    itself where files under it are named as in the corpus. Without: `$EMOTONE_DATA`/<name>, then the user's cache.

    Raises:
        UsageError: an unknown name, or `data` is no folder.
    """
    source = get_source(name)
    if data is not None:
        if not data.is_dir():
            raise UsageError(f"--data {data}: no such folder")
        inside = _folder_named(name, data)
        if inside:
            return inside
        # Synthetic clips are named as RAVDESS's are: it is the folder's name that tells them apart.
        is_synthetic = _letters(data.name) == SYNTHETIC.info.name or _folder_named(SYNTHETIC.info.name, data)
        return data if bool(is_synthetic) == (source is SYNTHETIC) and holds(source, data) else None
    for place in _places(name):
        inside = _folder_named(place.name, place.parent)
        if inside:
            return inside
    return None


def locate(name: str, *, data: Path | None = None) -> Path:
    """Return the folder of the corpus `name`; where there is none, the error says where it was looked for."""
    root = find(name, data=data)
    if root is None and data is not None:
        raise CorpusError(
            f"Corpus {name!r} was not found. Looked in: {data}/{name}, {data}.\n"
            f"{get_source(name).how_to_get} Without `--data`, $EMOTONE_DATA and the user's cache are looked at."
        )
    if root is None:
        looked = [str(place) for place in _places(name)]
        if not os.environ.get("EMOTONE_DATA"):
            looked.append("$EMOTONE_DATA (not set)")
        raise CorpusError(
            f"Corpus {name!r} was not found. Looked in: {', '.join(looked)}.\n"
            f"{get_source(name).how_to_get} A copy that lies elsewhere: give its folder as `--data`, or set "
            f"$EMOTONE_DATA to the folder that holds {name}/."
        )
    return root


def load(spec: str, *, data: Path | None = None, on_progress: Callable[[int, int], None] | None = None) -> Corpus:
    """Load a corpus.

    Args:
        spec: the name of a known corpus, a manifest file, or a folder whose subfolders are named by emotion.
        data: the folder of a known corpus, or the folder that holds it.
        on_progress: called with (clips done, clips in all) while `synthetic` is generated, once per cache.

    Returns:
        The corpus with its utterances sorted by clip.

    Raises:
        UsageError: `spec` is none of these.
        CorpusError: not on this machine, empty, names that do not follow the convention, one recording under two
            names, a file of the manifest that does not exist.
    """
    if spec in _SOURCES:
        return _load_known(_SOURCES[spec], data, on_progress)
    path = Path(spec)
    if path.is_dir():
        return load_folders(path)
    if path.is_file() or path.suffix.lower() in SUFFIXES:
        return _load_manifest(path)
    if len(path.parts) > 1:
        raise CorpusError(f"{spec}: no such manifest or folder")
    raise unknown("corpus", spec, _SOURCES)


def _load_known(source: Source, data: Path | None, on_progress: Callable[[int, int], None] | None) -> Corpus:
    name = source.info.name
    if source is SYNTHETIC and data is None:
        root = find(name) or generate(on_progress=on_progress)
    else:
        root = locate(name, data=data)
    found = scan(source, root)
    more = f"`emotone corpora check {name}` lists them all"
    if found.unparsed:
        file, reason = found.unparsed[0]
        others = "".join(f", {other}" for other, _ in found.unparsed[1:3])
        raise CorpusError(
            f"{root}: {len(found.unparsed)} file(s) are not named as in {name}: {file} ({reason}){others}. {more}."
        )
    if found.twice:
        file, first = found.twice[0]
        raise CorpusError(
            f"{root}: {len(found.twice)} recording(s) stand there twice: {file} is {first}. Remove one copy; {more}."
        )
    if not found.utterances:
        raise CorpusError(f"{root}: holds no recording of {name}. {source.how_to_get}")
    return Corpus(source.info, root, found.utterances)


def _load_manifest(path: Path) -> Corpus:
    corpus = read_manifest(path)
    missing = [str(utterance.path) for utterance in corpus.utterances if not utterance.path.is_file()]
    if missing:
        raise CorpusError(
            f"{path}: {len(missing)} of {len(corpus.utterances)} files do not exist: {', '.join(missing[:3])}. "
            f"`emotone corpora check {path}` lists them all."
        )
    return corpus


def _places(name: str) -> list[Path]:
    """Return where a corpus lies by convention."""
    base = os.environ.get("EMOTONE_DATA")
    cached = cache_folder("corpora", _SOURCES[name].cached_as or name)
    return [Path(base, name), cached] if base else [cached]


def _folder_named(name: str, parent: Path) -> Path | None:
    """Return the folder `name` in `parent`, in any case and punctuation."""
    if not parent.is_dir():
        return None
    wanted = _letters(name)
    folders = sorted(child for child in parent.iterdir() if _letters(child.name) == wanted and child.is_dir())
    return folders[0] if folders else None


def _letters(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())
