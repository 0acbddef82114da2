"""Requests' bodies, kept in memory and nowhere else: however large a part is, no temporary file is made."""

import asyncio
import re
from collections.abc import AsyncGenerator
from dataclasses import dataclass

from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from emotone.service.problems import ProblemError
from emotone.service.room import Share

__all__ = ["Upload", "read_files"]

_RAW = re.compile(r"(audio|video)/[\w.+-]+|application/(octet-stream|ogg)")
_MULTIPART = "multipart/form-data"


@dataclass(frozen=True, slots=True)
class Upload:
    """A file: its name, where one was given, and its bytes."""

    name: str | None
    body: bytes


class _InMemory(MultiPartParser):
    spool_max_size = 0  # without limit: the body as a whole has one


async def read_files(
    request: Request, share: Share, *, field: str, most: int, size: int, seconds: float, raw: bool
) -> list[Upload]:
    """Return the files of a request.

    Args:
        request: whose body is read.
        share: of the memory for bodies; it grows with what comes.
        field: the parts' name.
        most: how many files.
        size: bytes that the body may have.
        seconds: that it may take.
        raw: whether the body may be a file by itself.

    Raises:
        ProblemError: 400, 408, 413, 415, or 503 where all requests together are too much.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    is_raw = raw and _RAW.fullmatch(kind) is not None
    if not is_raw and kind != _MULTIPART:
        allowed = f"{_MULTIPART} with the field `{field}`" + (
            ", audio/*, video/* or application/octet-stream" if raw else ""
        )
        raise ProblemError(415, f"The body is {kind or 'of no type'}; allowed: {allowed}.")
    stated = request.headers.get("content-length", "")
    if stated.isdecimal() and int(stated) > size:
        raise _too_large(size)
    stream = _limited(request, share, size)
    try:
        async with asyncio.timeout(seconds):
            if is_raw:
                uploads = [Upload(None, b"".join([chunk async for chunk in stream]))]
            else:
                uploads = await _parts(request, stream, field, most)
    except TimeoutError:
        raise ProblemError(
            408, f"The body took longer than {seconds:g} s to come.", headers={"Connection": "close"}
        ) from None
    except (MultiPartException, UnicodeError) as error:
        raise ProblemError(400, f"The body is no {_MULTIPART} that can be read: {error}") from None
    if any(not upload.body for upload in uploads):
        raise ProblemError(400, "The file is empty (0 bytes).")
    return uploads


async def _parts(request: Request, stream: AsyncGenerator[bytes], field: str, most: int) -> list[Upload]:
    form = await _InMemory(request.headers, stream, max_files=most, max_fields=16).parse()
    try:
        files = [each for each in form.getlist(field) if isinstance(each, UploadFile)]
        if not files:
            raise ProblemError(400, f"The body has no file in a field `{field}`.")
        return [Upload(_sendable(each.filename or "") or None, each.file.read()) for each in files]
    finally:
        await form.close()


def _sendable(name: str) -> str:
    """Return a name whose halves of characters, which some charsets have, are question marks."""
    return name.encode(errors="replace").decode()


async def _limited(request: Request, share: Share, size: int) -> AsyncGenerator[bytes]:
    taken = 0
    async for chunk in request.stream():
        taken += len(chunk)
        if taken > size:
            raise _too_large(size)
        share.grow(len(chunk))
        yield chunk


def _too_large(size: int) -> ProblemError:
    return ProblemError(413, f"The body is larger than {size:,} bytes.")
