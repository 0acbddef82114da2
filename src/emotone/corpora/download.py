"""One large file over HTTP: resumed where it was cut off, checked by its checksum."""

import hashlib
import http.client
import io
import shutil
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path

from emotone.errors import DownloadError

__all__ = ["Progress", "check_space", "download", "unwritable"]

Progress = Callable[[int, int], None]
"""Called with (bytes done, bytes in all)."""

_TIMEOUT = 5.0  # seconds, for the connection and for each read
_PAUSES = (0.5, 1.0, 2.0, 4.0)  # seconds before each further attempt without progress
_BLOCK = 1 << 18
_RETRIED = frozenset({408, 429, 500, 502, 503, 504})


class _InterruptedError(Exception):
    """A transfer that is worth going on with."""


def download(
    url: str, target: Path, *, size: int, md5: str = "", sha512: str = "", on_progress: Progress | None = None
) -> Path:
    """Download `url` to `target`, by way of `target`.part, from which an interrupted download goes on.

    Args:
        url: http or https address.
        target: the file to write; there only once it is whole.
        size: its size in bytes.
        md5, sha512: its checksum, in hexadecimal: one of them.
        on_progress: called with (bytes done, bytes in all).

    Returns:
        `target`.

    Raises:
        DownloadError: unreachable, refused, dropped again and again, wrong size or checksum, no space left.
    """
    if urllib.parse.urlsplit(url).scheme not in ("http", "https"):
        raise DownloadError(f"{url}: not an http or https address")
    part = target.with_name(target.name + ".part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(target.parent, error) from None
    check_space(target.parent, size - _size_of(part), "the download")
    kept = _size_of(part)
    pauses = iter(_PAUSES)
    while _size_of(part) < size:
        before = _size_of(part)
        try:
            _transfer(url, part, size, on_progress, reached=before > kept)
        except _InterruptedError as error:
            if _size_of(part) > before:
                pauses = iter(_PAUSES)
            pause = next(pauses, None)
            if pause is None:
                raise DownloadError(
                    f"{url}: {error}; {_size_of(part):,} of {size:,} bytes are kept and the next try goes on from there"
                ) from None
            time.sleep(pause)
    _verify(part, size, *(("sha512", sha512) if sha512 else ("md5", md5)), url)
    part.replace(target)
    return target


def check_space(folder: Path, needed: int, purpose: str) -> None:
    """Raise `DownloadError` where `folder`'s disk has less than `needed` bytes free."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise DownloadError(
            f"{folder}: {purpose} needs {needed / 1e6:,.0f} MB, and {free / 1e6:,.0f} MB are free. "
            "Free some, or set $EMOTONE_CACHE to a folder on another disk."
        )


def unwritable(place: Path, error: OSError) -> DownloadError:
    """Return the error for a place of the cache that cannot be written."""
    return DownloadError(
        f"{place}: cannot be written ({error.strerror or error}). Free space, or set $EMOTONE_CACHE to another folder."
    )


def _size_of(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _transfer(url: str, part: Path, size: int, on_progress: Progress | None, *, reached: bool) -> None:
    """Append to `part` what a server sends in one go. One that was not `reached` yet and cannot be is given up."""
    start = _size_of(part)
    request = urllib.request.Request(url, headers={"User-Agent": "emotone"})  # noqa: S310 (the scheme is checked)
    if start:
        request.add_header("Range", f"bytes={start}-")
    try:
        # An opener of our own: urllib's remembers the proxies that were set when it was first used.
        with urllib.request.build_opener().open(request, timeout=_TIMEOUT) as response:
            if start and response.status != http.HTTPStatus.PARTIAL_CONTENT:
                start = 0  # the server ignores ranges and sends all
            length = response.headers.get("Content-Length")
            if length is not None and start + int(length) != size:
                raise DownloadError(f"{url}: has {start + int(length):,} bytes, not {size:,}: another file")
            _receive(response, part, start, size, on_progress)
    except urllib.error.HTTPError as error:
        if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            part.unlink()  # the file there is shorter than ours: another one
            raise _InterruptedError("the server refuses to go on from a partial download") from None
        if error.code in _RETRIED:
            raise _InterruptedError(f"the server answers {error.code} {error.reason}") from None
        raise DownloadError(f"{url}: the server answers {error.code} {error.reason}") from None
    except urllib.error.URLError as error:
        if reached:
            raise _InterruptedError(f"cannot be reached ({error.reason})") from None
        raise DownloadError(f"{url}: cannot be reached ({error.reason})") from None
    except (http.client.HTTPException, OSError) as error:
        raise _InterruptedError(f"the connection dropped ({str(error) or type(error).__name__})") from None


def _receive(
    response: http.client.HTTPResponse, part: Path, start: int, size: int, on_progress: Progress | None
) -> None:
    done = start
    with _open(part, start) as file:
        while done < size and (block := response.read(min(_BLOCK, size - done))):
            _write(file, block, part)
            done += len(block)
            if on_progress:
                on_progress(done, size)
    if done < size:
        raise _InterruptedError(f"the connection closed after {done:,} of {size:,} bytes")


def _open(part: Path, start: int) -> io.FileIO:
    """Open without a buffer, so that a full disk shows in `_write` and nowhere else."""
    try:
        file = io.FileIO(part, "r+" if start else "w")
        file.seek(start)
    except OSError as error:
        raise unwritable(part, error) from None
    return file


def _write(file: io.FileIO, block: bytes, part: Path) -> None:
    rest = memoryview(block)
    try:
        while rest:
            rest = rest[file.write(rest) :]
    except OSError as error:
        raise unwritable(part, error) from None


def _verify(part: Path, size: int, algorithm: str, expected: str, url: str) -> None:
    with part.open("rb") as file:
        found = hashlib.file_digest(file, lambda: hashlib.new(algorithm, usedforsecurity=False)).hexdigest()
    if found != expected or _size_of(part) != size:
        actual = _size_of(part)
        part.unlink()
        raise DownloadError(
            f"{url}: wrong content: {algorithm} {found} and {actual:,} bytes, expected {expected} and {size:,}. "
            "The download was removed; try again, or from another address."
        )
