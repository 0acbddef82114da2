"""What libsndfile reads."""

import importlib.util
import io
import re
from collections.abc import Iterator

import numpy as np
import soundfile

from emotone.audio.headers import Region, Wave, mended
from emotone.audio.joined import mp3_is_joined, ogg_is_joined
from emotone.audio.source import Binary, Samples, check_channels, check_rate, checked, cut_short, truncated
from emotone.errors import AudioError

__all__ = ["open_sndfile"]

_LEAST_STREAMED = 0x7FFF_0000  # chunk sizes from here on are what streaming writers put when the length is unknown
_LONGEST = 1 << 48  # samples; libsndfile gives the largest number where a length is unknown
_AT_MOST = 1 << 25  # samples of all channels that are decoded at a time: room is made for what a header promises
_UNIT = np.float32(2**-15)  # of 16 bits
_SMALL = 256  # samples that are read at a time where a larger block fails
_ERRORS = (soundfile.LibsndfileError, RuntimeError, ValueError)  # the last where a header makes a length negative
_DECLARED = re.compile(r"^\s*(?:data|SSND|Data Size)\s*: (\d+) \(should be (\d+)\)", re.MULTILINE)


class _Sndfile:
    """An open recording, as `emotone.audio.blocks.Recording`."""

    def __init__(self, wave: Wave, sound: soundfile.SoundFile, name: str, *, strict: bool) -> None:
        self.name, self.rate, self.channels = name, int(sound.samplerate), int(sound.channels)
        check_rate(self.rate, name)
        check_channels(self.channels, name)
        self._wave, self._sound, self._strict, self._at = wave, sound, strict, 0
        self._frames = int(sound.frames) if sound.frames < _LONGEST else 0
        self.seconds = self._frames / self.rate
        self.notes: list[str] = []

    def blocks(self, frames: int) -> Iterator[Samples]:
        found, reason = self._at, ""
        try:
            for samples in _read(self._sound, frames):
                found += len(samples)
                yield self._checked(samples)
        except _ERRORS as error:
            reason = str(error)
        if reason and self._strict and self._frames:
            raise truncated(self.name, reason)
        if reason:  # from the beginning, since libsndfile does not go back after an error
            known, found = found, 0
            try:
                for samples in _read(_open(self._wave.file), _SMALL):
                    found += len(samples)
                    if found > known:
                        yield self._checked(samples[-(found - known) :])
            except _ERRORS:
                pass  # the end of what can be read
        if not found:
            raise AudioError(f"{self.name}: holds no samples")
        # The length of MP3 is only an estimate.
        if found < self._frames and not self._sound.subtype.startswith("MPEG"):
            self._cut(self._frames / self.rate - found / self.rate, self._frames / self.rate)

    def seek(self, sample: int) -> int:
        if not self._sound.seekable() or sample >= self._frames:
            return 0
        try:
            self._sound.seek(sample)
        except _ERRORS:
            return 0
        self._at = sample
        return sample

    def check(self, file: Binary) -> None:
        """Compare what the file announces with what there is, where that can be told before it is read."""
        if self._wave.missing:
            self._cut(self._wave.missing, self._wave.seconds)
        declared = _DECLARED.search(self._sound.extra_info)
        if declared and int(declared[2]) < int(declared[1]) < _LEAST_STREAMED:
            missing = (1 - int(declared[2]) / int(declared[1])) * self.seconds * int(declared[1]) / int(declared[2])
            self._cut(missing, self.seconds + missing)
        if self._sound.format == "OGG" and _last_ogg_page_is_cut(file):
            self._say("the last Ogg page is cut")

    def _cut(self, missing: float, announced: float) -> None:
        self._say(cut_short(missing, announced))

    def _say(self, detail: str) -> None:
        if self._strict:
            raise truncated(self.name, detail)
        self.notes.append(detail)

    def _checked(self, samples: Samples) -> Samples:
        return checked(np.ascontiguousarray(samples.T), self.name)


def open_sndfile(file: Binary, name: str, *, strict: bool) -> _Sndfile | None:
    """Open by libsndfile, or return None where it does not know the format or the second reader knows it better."""
    wave = mended(file)
    if wave.empty:
        raise AudioError(f"{name}: holds no samples")
    try:
        sound = _open(wave.file)
    except soundfile.LibsndfileError:
        return None
    joined = ogg_is_joined(wave.file) if sound.format == "OGG" else sound.format == "MP3" and mp3_is_joined(file)
    if (joined or not 0 < sound.frames < _LONGEST) and importlib.util.find_spec("av"):
        return None
    recording = _Sndfile(wave, sound, name, strict=strict)
    recording.check(file)
    if joined:
        recording.notes.append("only the first of several recordings one after the other is read")
    return recording


def _open(file: Binary | Region) -> soundfile.SoundFile:
    file.seek(0)
    return soundfile.SoundFile(_Nameless(file))


def _read(sound: soundfile.SoundFile, frames: int) -> Iterator[Samples]:
    frames = max(1, min(frames, _AT_MOST // sound.channels))
    if sound.subtype != "PCM_16":
        while len(samples := sound.read(frames, dtype="float32", always_2d=True)):
            yield samples
        return
    # The same numbers as libsndfile's own floats, which it makes one by one: of a wav that takes thrice as long.
    while len(samples := sound.read(frames, dtype="int16", always_2d=True)):
        yield np.multiply(samples, _UNIT, dtype=np.float32)


class _Nameless:
    """A binary file without its name, by which soundfile would guess the format; it cannot be left by seeking."""

    def __init__(self, file: Binary | Region) -> None:
        self._file, self.tell, self.readinto = file, file.tell, file.readinto

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        try:
            return self._file.seek(offset, whence)
        except (OSError, ValueError):  # libsndfile, led by a header's sizes, may want to be before the beginning
            return self._file.tell()


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
