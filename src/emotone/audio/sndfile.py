"""What libsndfile reads."""

import io
import re
from collections.abc import Iterator

import numpy as np
import soundfile

from emotone.audio.source import Binary, Samples, check_rate, checked, truncated
from emotone.errors import AudioError

__all__ = ["open_sndfile"]

_LEAST_STREAMED = 0x7FFF_0000  # chunk sizes from here on are what streaming writers put when the length is unknown
_DECLARED = re.compile(r"^\s*(?:data|SSND|Data Size)\s*: (\d+) \(should be (\d+)\)", re.MULTILINE)


class _Sndfile:
    """An open recording, as `emotone.audio.blocks.Recording`."""

    def __init__(self, sound: soundfile.SoundFile, name: str, *, strict: bool) -> None:
        self.name, self.rate, self.channels, self._sound = name, int(sound.samplerate), int(sound.channels), sound
        check_rate(self.rate, name)
        self._frames = int(sound.frames)
        self.seconds = self._frames / self.rate
        self.notes: list[str] = []
        self._strict = strict

    def blocks(self, frames: int) -> Iterator[Samples]:
        found = self._sound.tell()
        while True:
            try:
                samples = self._sound.read(frames, dtype="float32", always_2d=True)
            except (soundfile.LibsndfileError, RuntimeError) as error:
                raise truncated(self.name, str(error)) from None
            if not len(samples):
                break
            found += len(samples)
            yield checked(np.ascontiguousarray(samples.T), self.name)
        if found < self._frames and self._sound.format != "MP3":  # an mp3's length is only an estimate
            raise truncated(self.name, f"{self._frames} samples announced, {found} found")
        if not found:
            raise AudioError(f"{self.name}: holds no samples")

    def seek(self, sample: int) -> bool:
        if not self._sound.seekable() or sample >= self._frames:
            return False
        self._sound.seek(sample)
        return True


def open_sndfile(file: Binary, name: str, *, strict: bool) -> _Sndfile | None:
    """Open by libsndfile, or return None where it does not know the format."""
    try:
        sound = soundfile.SoundFile(_Nameless(file))
    except soundfile.LibsndfileError:
        return None
    recording = _Sndfile(sound, name, strict=strict)
    declared = _DECLARED.search(sound.extra_info)
    if declared and int(declared[2]) < int(declared[1]) < _LEAST_STREAMED:
        raise truncated(name, f"{declared[1]} bytes of samples announced, {declared[2]} found")
    if sound.format == "OGG" and _last_ogg_page_is_cut(file):
        raise truncated(name, "the last Ogg page is cut")
    return recording


class _Nameless:
    """A binary file without its name, by which soundfile would guess the format."""

    def __init__(self, file: Binary) -> None:
        self.seek, self.tell, self.readinto = file.seek, file.tell, file.readinto


def _last_ogg_page_is_cut(file: Binary) -> bool:
    """Tell whether the file ends before its last Ogg page does (RFC 3533, section 6)."""
    position = file.tell()
    size = file.seek(0, io.SEEK_END)
    file.seek(max(0, size - 70_000))  # a page has at most 65,307 bytes
    tail = file.read()
    file.seek(position)
    start = tail.rfind(b"OggS")
    page = tail[start:]
    if start < 0 or len(page) < 27 or len(page) < 27 + page[26]:
        return True
    return len(page) < 27 + page[26] + sum(page[27 : 27 + page[26]])
