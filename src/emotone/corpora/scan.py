"""From a folder of a published corpus to its utterances, with what stands in the way."""

from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from emotone.audio import list_folder
from emotone.corpora.base import Utterance
from emotone.corpora.source import Source
from emotone.errors import CorpusError

__all__ = ["Scan", "audio_files", "clip_of", "holds", "scan"]


@dataclass(frozen=True)
class Scan:
    """What a corpus's folder holds.

    Attributes:
        utterances: sorted by clip.
        left_out: files that the corpus knows and that are not loaded: song, video, lossy copies.
        unparsed: (file, why its name does not parse).
        twice: (file, the file that is the same recording by its name).
    """

    utterances: tuple[Utterance, ...]
    left_out: tuple[str, ...]
    unparsed: tuple[tuple[str, str], ...]
    twice: tuple[tuple[str, str], ...]


def audio_files(root: Path) -> tuple[PurePosixPath, ...]:
    """Return the recordings under `root`, as `list_folder` does; `CorpusError` for a folder that cannot be entered."""
    found = list_folder(root)
    if found.unreadable:
        folder, reason = found.unreadable[0]
        raise CorpusError(f"{folder}: cannot be entered: {reason}")
    return found.recordings


def clip_of(path: PurePosixPath) -> str:
    """Return the clip's identity: its path in the corpus without suffix."""
    return path.with_suffix("").as_posix()


def holds(source: Source, root: Path) -> bool:
    """Tell whether at least one file under `root` is named as in the corpus."""
    parse = source.parser(root)
    for path in audio_files(root):
        try:
            if source.wanted(path, parse(path)):
                return True
        except CorpusError:
            continue
    return False


def scan(source: Source, root: Path) -> Scan:
    """Read the names of all audio files under `root`."""
    utterances: list[Utterance] = []
    left_out: list[str] = []
    unparsed: list[tuple[str, str]] = []
    twice: list[tuple[str, str]] = []
    first: dict[str, str] = {}
    parse = source.parser(root)
    for path in audio_files(root):
        try:
            fields = parse(path)
        except CorpusError as error:
            unparsed.append((str(path), str(error).removeprefix(f"{path}: ")))
            continue
        if not source.wanted(path, fields):
            left_out.append(str(path))
            continue
        identity = repr(sorted(fields.items()))
        if identity in first:
            twice.append((str(path), first[identity]))
            continue
        first[identity] = str(path)
        utterances.append(
            Utterance(path=root / path, corpus=source.info.name, clip=clip_of(path), channel=source.channel, **fields)
        )
    utterances.sort(key=lambda utterance: utterance.clip)
    return Scan(tuple(utterances), tuple(left_out), tuple(unparsed), tuple(twice))
