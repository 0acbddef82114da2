"""WAV headers as they come in the wild, put right: sizes that streaming writers left open, sizes that lie, tags before.

The chunks are those of the RIFF/WAVE specification (IBM and Microsoft, 1991) and of RF64 (EBU Tech 3306).
"""

import io
import struct
from dataclasses import dataclass

from emotone.audio.source import Binary

__all__ = ["Region", "Wave", "after_tags", "mended"]

_MAGIC = {b"RIFF": "<", b"RIFX": ">", b"RF64": "<", b"BW64": "<"}
_STREAMED = 0x7FFF_0000  # chunk sizes from here on are what streaming writers put when the length is unknown
_SLACK = 0.02  # seconds; sizes that are off by less are a slip, not a cut
_SEARCHED = 1 << 16  # bytes from the beginning in which chunks are looked for where the sizes do not lead to them
_OPEN = (0x7FFF_FFFF, 0xFFFF_FFFF)  # and these, whatever follows: a recording of days is larger than 32 bits can say
_LARGEST = 0xFFFF_0000  # bytes that a header of 32 bits can say
_WRAPPED = 1 << 32  # what is left of a size in 32 bits
_PLAIN = (1, 3, 6, 7)  # PCM, float, A-law, mu-law: described by the first 16 bytes


class Region(io.RawIOBase):
    """Bytes followed by a stretch of a file, as one seekable file."""

    def __init__(self, head: bytes, file: Binary, start: int, size: int) -> None:
        self._head, self._file, self._start, self._size, self._at = head, file, start, len(head) + size, 0

    def seekable(self) -> bool:
        """Return True."""
        return True

    def readable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return the position."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to a position, which is kept within the file."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = min(max(base + offset, 0), self._size)
        return self._at

    def readinto(self, buffer: "bytearray | memoryview") -> int:  # type: ignore[override]
        """Read into a buffer; return how many bytes."""
        wanted = min(len(buffer), self._size - self._at)
        part = self._head[self._at : self._at + wanted]
        if not part and wanted > 0:
            self._file.seek(self._start + self._at - len(self._head))
            part = self._file.read(wanted)
        buffer[: len(part)] = part
        self._at += len(part)
        return len(part)


@dataclass(frozen=True)
class Wave:
    """A WAV file to read.

    Attributes:
        file: with a header that holds.
        missing: seconds that the file's own header announces beyond its end.
        seconds: that it announces in all; 0 where it leaves that open.
        empty: whether it says that it holds no samples, and holds none.
    """

    file: Binary | Region
    missing: float = 0.0
    seconds: float = 0.0
    empty: bool = False


def mended(file: Binary) -> Wave:
    """Return `file` with a header that says what is there: itself, where its own does; it may be no WAV at all."""
    size = file.seek(0, io.SEEK_END)
    offset = after_tags(file)
    file.seek(offset)
    head = file.read(_SEARCHED)
    order = _MAGIC.get(head[:4], "")
    if not order or head[8:12] != b"WAVE":
        file.seek(0)
        return Wave(Region(b"", file, offset, size - offset) if offset else file)
    chunks = _chunks(file, offset, order)
    misled = b"data" not in chunks
    if misled and (named := head.find(b"data", 12)) >= 0:
        chunks[b"data"] = offset + named + 8, _number(order, head[named + 4 : named + 8])
    if b"data" not in chunks or b"fmt " not in chunks:
        file.seek(0)
        return Wave(file)
    start, stated = chunks[b"data"]
    if stated == 0xFFFF_FFFF and b"ds64" in chunks:
        at = chunks[b"ds64"][0]
        stated = struct.unpack("<Q", _bytes(file, at + 8, 8).ljust(8, b"\0"))[0]
        stated = stated if stated < 1 << 62 else 0
    left = max(size - start, 0)
    if not stated and _holds_chunks(file, start, size, order):
        return Wave(file, empty=True)
    open_ended = not stated or (b"ds64" not in chunks and _is_open(stated, left))
    if not (offset or misled or open_ended) and stated <= left:
        file.seek(0)
        return Wave(file)
    form = _bytes(file, *chunks[b"fmt "])
    if len(form) < 16 or not left or (left > _LARGEST and order == ">"):
        file.seek(0)
        return Wave(file)
    kind, _, _, per_second, align, _ = struct.unpack(f"{order}HHIIHH", form[:16])
    if kind in _PLAIN:
        form = form[:16]
    kept = left if open_ended else min(stated, left)
    announced = kept if open_ended else stated
    missing = (announced - kept) / max(per_second, 1)
    kept -= kept % max(align, 1)
    header = _header(order, form, _fact(file, chunks), kept)
    return Wave(
        Region(header, file, start, kept),
        missing if missing > _SLACK else 0.0,
        0.0 if open_ended else announced / max(per_second, 1),
    )


def _is_open(stated: int, left: int) -> bool:
    """Tell whether a size of 32 bits says nothing of the bytes that are left."""
    wrapped = left >= _WRAPPED and (left - stated) % _WRAPPED < _SEARCHED
    return wrapped or stated in _OPEN or _STREAMED <= stated > left


def after_tags(file: Binary) -> int:
    """Return where the content begins: after ID3v2 tags (id3.org, section 3.1), which players put before anything."""
    at = 0
    while True:
        file.seek(at)
        tag = file.read(10)
        if len(tag) < 10 or tag[:3] != b"ID3" or max(tag[6:10]) > 0x7F:
            return at
        at += 10 + sum(byte << shift for byte, shift in zip(tag[6:10], (21, 14, 7, 0), strict=True))


def _chunks(file: Binary, offset: int, order: str) -> dict[bytes, tuple[int, int]]:
    """Return (start, size) of each chunk up to `data`, where the sizes lead to it."""
    found: dict[bytes, tuple[int, int]] = {}
    at = offset + 12
    while b"data" not in found and len(chunk := _bytes(file, at, 8)) == 8:
        name, size = chunk[:4], _number(order, chunk[4:])
        found.setdefault(name, (at + 8, size))
        at += 8 + size + size % 2
    return found


def _holds_chunks(file: Binary, at: int, end: int, order: str) -> bool:
    """Tell whether what lies between two positions is nothing but chunks."""
    while at < end:
        chunk = _bytes(file, at, 8)
        if len(chunk) < 8 or not chunk[:4].isascii() or not chunk[:4].decode().isprintable():
            return False
        at += 8 + (size := _number(order, chunk[4:])) + size % 2
    return at in (end, end + 1)  # the last one may lack its padding


def _number(order: str, four: bytes) -> int:
    return int.from_bytes(four, "little" if order == "<" else "big")


def _fact(file: Binary, chunks: dict[bytes, tuple[int, int]]) -> bytes:
    return _bytes(file, *chunks[b"fact"]) if b"fact" in chunks and chunks[b"fact"][1] == 4 else b""


def _header(order: str, form: bytes, fact: bytes, size: int) -> bytes:
    form += b"\0" * (len(form) % 2)
    body = b"WAVEfmt " + struct.pack(f"{order}I", len(form)) + form
    if fact:
        body += b"fact" + struct.pack(f"{order}I", len(fact)) + fact
    if size > _LARGEST:  # RF64, whose sizes of 64 bits stand in a chunk of their own
        frames = size // max(struct.unpack("<H", form[12:14])[0], 1)
        ds64 = b"ds64" + struct.pack("<IQQQI", 28, len(body) + 44 + size, size, frames, 0)
        return b"RF64" + b"\xff" * 4 + body[:4] + ds64 + body[4:] + b"data" + b"\xff" * 4
    body += b"data" + struct.pack(f"{order}I", size)
    return (b"RIFF" if order == "<" else b"RIFX") + struct.pack(f"{order}I", len(body) + size + size % 2) + body


def _bytes(file: Binary, start: int, size: int) -> bytes:
    file.seek(start)
    return file.read(min(size, _SEARCHED))
