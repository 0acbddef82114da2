"""Recordings that lie elsewhere, as s3://bucket/calls: found and fetched through fsspec."""

import posixpath
from pathlib import Path
from typing import Any

from emotone.audio import AUDIO_SUFFIXES
from emotone.errors import AudioError, CorpusError, UsageError

__all__ = ["fetch", "is_url", "list_recordings", "open_system"]


def is_url(place: object) -> bool:
    """Tell a URL from a path."""
    return isinstance(place, str) and "://" in place


def open_system(url: str) -> tuple[Any, str]:
    """Return the file system of a URL, of fsspec, and the path in it.

    Raises:
        UsageError: a scheme that fsspec does not know, or whose package is not installed; a URL that is none.
    """
    try:
        import fsspec
    except ImportError:
        raise UsageError(f"{url}: needs fsspec.\nGet it by: pip install 'emotone[ray]'") from None
    scheme = url.partition("://")[0]
    try:
        return fsspec.core.url_to_fs(url)  # type: ignore[no-any-return]
    except ImportError as error:
        package = {"s3": "s3fs", "s3a": "s3fs", "gs": "gcsfs", "gcs": "gcsfs", "az": "adlfs", "abfs": "adlfs"}.get(
            scheme
        )
        way = f"pip install {package}" if package else str(error)
        raise UsageError(f"{url}: {scheme}:// needs a package that is not here.\nGet it by: {way}") from None
    except ValueError:
        known = ", ".join(f"{name}://" for name in ("s3", "gs", "az", "https", "file"))
        raise UsageError(
            f"{url}: {scheme}:// is no scheme that is known.\nAllowed: a path, {known} and what else fsspec knows."
        ) from None
    except Exception as error:  # of any of its packages, of credentials for instance
        raise UsageError(f"{url}: cannot be opened: {_said(error)}.") from None


def list_recordings(url: str) -> list[str] | None:
    """Return the URLs of the recordings below a URL, in the order of their names; None where it is a file.

    Raises:
        CorpusError: nothing is there, or may be listed.
    """
    system, path = open_system(url)
    try:
        if Path(path).suffix.lower() in AUDIO_SUFFIXES or system.isfile(path):
            return None  # a file that is not there is said when it is read
        found = sorted(map(str, system.find(path)))
    except Exception as error:
        raise CorpusError(f"{url}: cannot be listed: {_said(error)}") from None
    hidden = len(path.rstrip("/"))
    return [
        system.unstrip_protocol(each)
        for each in found
        if Path(each).suffix.lower() in AUDIO_SUFFIXES and "/." not in each[hidden:]
    ]


def fetch(place: str, folder: Path) -> Path:
    """Return the file at a path or URL, fetched into `folder` where it is not here.

    Raises:
        AudioError: it cannot be had, and why.
    """
    if not is_url(place):
        return Path(place)
    target = folder / f"fetched{posixpath.splitext(place)[1][:16]}"
    try:
        system, path = open_system(place)
        system.get_file(path, str(target))
    except FileNotFoundError:
        raise AudioError(f"{place}: no such file") from None
    except Exception as error:
        raise AudioError(f"{place}: cannot be fetched: {_said(error)}") from None
    return target


def _said(error: Exception) -> str:
    return " ".join(f"{error}".split())[:300].rstrip(".") or type(error).__name__
