"""The recordings in a folder, and what of it is none."""

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from emotone.audio.media import MEDIA_SUFFIXES

__all__ = ["AUDIO_SUFFIXES", "Folder", "list_folder"]

_SNDFILE_SUFFIXES = (
    ".aif .aifc .aiff .amb .au .avr .bwf .caf .flac .htk .iff .ircam .mp1 .mp2 .mp3 .mpc .nist .oga .ogg .opus .paf "
    ".pvf .rf64 .sd2 .sds .sf .snd .sph .spx .svx .voc .w64 .wav .wave .wavex .wve .xi"
)
AUDIO_SUFFIXES = frozenset(_SNDFILE_SUFFIXES.split()) | MEDIA_SUFFIXES
"""Endings, in lower case, of what libsndfile and PyAV read. A file that is named is read whatever it ends in."""


@dataclass(frozen=True)
class Folder:
    """What a folder holds.

    Attributes:
        recordings: relative to the folder, its own before those of its subfolders, each in the order of their names.
        passed_over: ending -> how many files with it are no recordings, the most first; one of a recording says why.
        unreadable: (folder, why it could not be entered).
    """

    recordings: tuple[PurePosixPath, ...]
    passed_over: Mapping[str, int] = field(default_factory=dict)
    unreadable: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        """Say what was passed over, with up to five endings."""
        kinds = [f"{count} {ending or 'without an ending'}" for ending, count in self.passed_over.items()]
        count, more = sum(self.passed_over.values()), ", ..." if len(kinds) > 5 else ""
        files = "1 file that is no recording" if count == 1 else f"{count} files that are no recordings"
        return f"passed over {files}: {', '.join(kinds[:5])}{more}"


def list_folder(root: Path) -> Folder:
    """Look for recordings under `root`, by their endings. Links to folders are followed, into each folder once.

    Hidden files and folders and the leavings of macOS are not looked at. A pipe or a device is no recording here.
    """
    found: list[PurePosixPath] = []
    others: Counter[str] = Counter()
    unreadable: list[tuple[str, str]] = []
    for path, is_recording in _walk(root, PurePosixPath(), set(), unreadable):
        if is_recording:
            found.append(path)
        else:
            ending = path.suffix.lower()
            others[f"{ending} (a pipe, socket or device)" if ending in AUDIO_SUFFIXES else ending] += 1
    return Folder(tuple(found), dict(others.most_common()), tuple(unreadable))


def _walk(
    folder: Path, inside: PurePosixPath, entered: set[tuple[int, int]], unreadable: list[tuple[str, str]]
) -> Iterator[tuple[PurePosixPath, bool]]:
    try:
        own = folder.stat()
        if (own.st_dev, own.st_ino) in entered:
            return
        entered.add((own.st_dev, own.st_ino))
        with os.scandir(folder) as entries:
            listed = sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        unreadable.append((str(folder), error.strerror or str(error)))
        return
    folders = []
    for entry in listed:
        if entry.name.startswith(".") or entry.name == "__MACOSX":
            continue
        if _is_folder(entry):
            folders.append(entry.name)
        else:
            path = inside / entry.name
            yield path, path.suffix.lower() in AUDIO_SUFFIXES and _may_be_read(entry)
    for name in folders:
        yield from _walk(folder / name, inside / name, entered, unreadable)


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:  # links in a circle
        return False


def _may_be_read(entry: "os.DirEntry[str]") -> bool:
    """Tell a file, or a link that leads nowhere and is to be named, from a pipe, which nobody may ever write to."""
    try:
        return entry.is_file() or entry.is_symlink()
    except OSError:
        return True
