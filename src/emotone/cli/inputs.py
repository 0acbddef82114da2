"""What is meant by the paths that `emotone predict` is given: recordings, and which parts of them."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from emotone.errors import UsageError

if TYPE_CHECKING:
    from emotone.recognition.asked import Asked, Channels

__all__ = ["expand", "parse_channels"]

_STDIN = "-"


def parse_channels(text: str) -> "Channels":
    """Return which channels are meant by `mix`, `each`, or numbers with commas."""
    if text == "mix":
        return None
    if text == "each":
        return ()
    numbers = [part.strip() for part in text.split(",")]
    if not all(number.isdecimal() for number in numbers):
        raise UsageError(f"--channels {text}: allowed are mix, each, or numbers from 0 with commas, as 0,1.")
    return tuple(dict.fromkeys(int(number) for number in numbers))


def expand(
    paths: Sequence[str], failed: list[str], segments_from: Path | None, *, elsewhere: bool = False
) -> "list[Asked]":
    """Return every recording that is meant, or its stretches by the turns of `segments_from`.

    What cannot be entered or holds nothing is said, and noted in `failed`; what is passed over is said. A path may be
    a URL where recordings may lie `elsewhere`.
    """
    found = [
        asked
        for path in paths
        for asked in (_at_url(path, failed) if elsewhere and "://" in path else _expand(path, failed))
    ]
    if segments_from is None:
        return found
    from emotone.cli.turns import by_turns

    return by_turns(found, segments_from, failed)


def _expand(text: str, failed: list[str]) -> "Iterator[Asked]":
    from emotone.recognition.asked import Asked

    path = Path(text)
    if text == _STDIN:
        if sys.stdin is None:
            raise UsageError("-: standard input is closed; pipe a recording into it, or name files, folders or tables.")
        yield Asked("<stdin>", sys.stdin.buffer)
    elif _is_folder(path):
        yield from _in_folder(path, failed)
    elif _is_manifest(path):
        yield from _in_manifest(path)
    else:
        yield Asked(text, path)


def _in_manifest(path: Path, home: str | None = None) -> "Iterator[Asked]":
    from emotone.corpora.manifest import list_files
    from emotone.recognition.asked import Asked

    for listed in list_files(path, home=home):
        yield Asked(str(listed.file), listed.file, listed.start, listed.end, listed.channel, listed.speaker)


def _at_url(url: str, failed: list[str]) -> "Iterator[Asked]":
    from emotone.cluster.remote import fetch, list_recordings
    from emotone.recognition.asked import Asked

    if _is_manifest(Path(url)):
        with TemporaryDirectory() as folder:
            yield from _in_manifest(fetch(url, Path(folder)), home=url.rpartition("/")[0])
        return
    found = list_recordings(url)
    if found is not None and not found:
        failed.append(url)
        _warn(f"{url}: holds no audio")
    for each in [url] if found is None else found:
        yield Asked(each, each)


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):  # a name that is too long, or holds a NUL: it is named when it is read
        return False


def _is_manifest(path: Path) -> bool:
    from emotone.audio import AUDIO_SUFFIXES

    if path.suffix.lower() in AUDIO_SUFFIXES:
        return False
    from emotone.corpora.tables import SUFFIXES

    return path.suffix.lower() in SUFFIXES


def _in_folder(path: Path, failed: list[str]) -> "Iterator[Asked]":
    from emotone.audio import list_folder
    from emotone.recognition.asked import Asked

    found = list_folder(path)
    for folder, reason in found.unreadable:
        failed.append(folder)
        _warn(f"{folder}: cannot be entered: {reason}")
    if found.passed_over:
        _warn(f"{path}: {found}")
    if not found.recordings and not found.unreadable:
        failed.append(str(path))
        _warn(f"{path}: the folder holds no audio")
    for inside in found.recordings:
        yield Asked(str(path / inside), path / inside)


def _warn(text: str) -> None:
    from emotone.cli.terminal import warn

    warn(f"emotone: {text}")
