"""Whether a file holds several recordings one after the other, of which libsndfile reads the first alone."""

from emotone.audio.headers import Region, after_tags
from emotone.audio.source import Binary

__all__ = ["mp3_is_joined", "ogg_is_joined"]

_OGG_BEGINS = b"OggS\0\2"  # a page that begins a stream
_OGG_HEADS = 1_000  # bytes within which the streams of one recording begin
_FRAME = 4_096  # bytes: longer than any frame of an MP3, which some encoders do not count
_ID3V1 = 128  # bytes


def ogg_is_joined(file: Binary | Region) -> bool:
    """Tell whether a stream begins where another has ended (RFC 3533, section 4)."""
    position = file.tell()
    file.seek(_OGG_HEADS)
    found, before = False, b""
    while not found and (block := file.read(1 << 20)):
        found = _OGG_BEGINS in before + block
        before = block[-len(_OGG_BEGINS) :]
    file.seek(position)
    return found


def mp3_is_joined(file: Binary) -> bool:
    """Tell whether frames follow those that the first one counts, in the tag that LAME and others begin with.

    The tag has `Xing` or `Info`, flags, the number of frames where flag 1 is set, that of bytes where flag 2 is.
    """
    position = file.tell()
    size = file.seek(0, 2)
    start = after_tags(file)
    file.seek(start)
    head = file.read(64)
    tag = max(head.find(b"Xing"), head.find(b"Info"))
    found = False
    if tag > 0 and len(head) == 64 and (flags := head[tag + 7]) & 2:
        at = tag + 8 + 4 * (flags & 1)
        end = start + int.from_bytes(head[at : at + 4], "big")
        if start < end < size - _FRAME:
            file.seek(end)
            rest = file.read(_ID3V1 + 4)
            rest = rest[_ID3V1:] if rest[:3] == b"TAG" else rest
            found = rest[:3] == b"ID3" or rest[:2] == head[:2]
    file.seek(position)
    return found
