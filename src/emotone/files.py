"""Files that are never half-written: write beside, then rename. JSON of others. The one place for cached things."""

import errno
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import platformdirs

from emotone.errors import EmotoneError

__all__ = ["atomic_path", "cache_folder", "caching", "make_folder", "parse_json", "write_text"]


@contextmanager
def atomic_path(target: Path) -> Iterator[Path]:
    """Yield a temporary path beside `target`; on success it replaces `target`, on any error it is removed.

    A device or a pipe, as /dev/stdout, is yielded itself: it is written, and never replaced by a file.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists() and not target.is_file() and not target.is_dir():
        yield target
        return
    # Not by mkstemp, whose files only their owner may read: a report is there to be shown. A long name stays legal.
    temporary = target.with_name(f".{secrets.token_hex(8)}{target.suffix}")
    temporary.touch(exist_ok=False)
    try:
        yield temporary
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(target: Path, text: str) -> None:
    """Write `text` to `target` as UTF-8, whole or not at all."""
    with atomic_path(target) as temporary:
        temporary.write_text(text, encoding="utf-8")


def parse_json(text: str | bytes) -> Any:
    """Return what JSON of unknown origin holds.

    Raises:
        ValueError: no JSON, brackets too deep to follow, half a character, which no file could hold.
    """
    try:
        data = json.loads(text)
    except RecursionError:
        raise ValueError("brackets within brackets without end") from None
    escape = b"\\ud" if isinstance(text, bytes) else "\\ud"
    if escape in text.lower():  # type: ignore[operator]  # of the same type
        try:
            json.dumps(data, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise ValueError("half a character, as \\ud800 without its other half") from None
    return data


def make_folder(folder: Path) -> None:
    """Make `folder` where it is missing; an `OSError` names it where nothing can be written into it."""
    folder.mkdir(parents=True, exist_ok=True)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder))


def cache_folder(*parts: str) -> Path:
    """Return (not create) the folder of cached things: `$EMOTONE_CACHE`, or the user's cache folder."""
    base = os.environ.get("EMOTONE_CACHE")
    return Path(base or platformdirs.user_cache_dir("emotone")).joinpath(*parts)


@contextmanager
def caching(target: Path) -> Iterator[None]:
    """Let the writing of `target` into the cache fail by an `EmotoneError` that names the setting."""
    try:
        yield
    except OSError as error:
        raise EmotoneError(
            f"{target.parent}: the cache cannot be written: {error.strerror or error}. "
            "Free space, or set EMOTONE_CACHE to another folder."
        ) from None
