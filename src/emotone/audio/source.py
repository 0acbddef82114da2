"""What a recording may be given as, and its bytes as a seekable file."""

import io
import os
import shutil
import stat
import tempfile
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from emotone.errors import AudioError, UsageError

__all__ = [
    "MAX_CHANNELS", "MAX_RATE", "MIN_RATE", "Binary", "Samples", "Source", "check_channels", "check_rate", "checked",
    "cut_short", "name_of", "open_recording", "truncated",
]  # fmt: skip

MIN_RATE, MAX_RATE = 1_000, 768_000
"""Sampling rates in Hz that are believed."""
MAX_CHANNELS = 64
"""Channels that are believed."""

_LOUDEST = 8.0  # float audio slightly above full scale is clipped; this far above, its scale is not [-1, 1]
_IN_MEMORY = 32 << 20  # bytes of an open file that are kept in memory; more go to a temporary file

Samples = npt.NDArray[np.float32]
Source = Path | str | bytes | bytearray | memoryview | BinaryIO
Binary = io.BufferedReader | io.BytesIO | tempfile.SpooledTemporaryFile[bytes]


def checked(samples: Samples, name: str) -> Samples:
    """Return `samples` (channels, samples) within [-1, 1], or say what is wrong with them."""
    if not samples.size:
        return samples
    low, high = float(samples.min()), float(samples.max())
    if not np.isfinite([low, high]).all():
        raise AudioError(f"{name}: holds NaN or infinite samples")
    peak = max(-low, high)
    if peak > _LOUDEST:
        raise AudioError(f"{name}: samples reach {peak:g}; float audio must lie in -1 to 1")
    return np.clip(samples, -1.0, 1.0) if peak > 1.0 else samples


def check_rate(rate: int, name: str) -> None:
    """Refuse a sampling rate that cannot be meant."""
    if not MIN_RATE <= rate <= MAX_RATE:
        raise AudioError(f"{name}: sampling rate {rate} Hz is not supported (allowed: {MIN_RATE} to {MAX_RATE} Hz)")


def check_channels(channels: int, name: str) -> None:
    """Refuse a number of channels that cannot be meant."""
    if not 1 <= channels <= MAX_CHANNELS:
        raise AudioError(f"{name}: has {channels} channels; allowed are 1 to {MAX_CHANNELS}")


def name_of(source: object) -> str:
    """Return what errors call a recording."""
    source = getattr(source, "source", source)  # of a part
    if isinstance(source, Path | str):
        return str(source)
    return str(getattr(source, "name", "audio"))


def truncated(name: str, detail: str) -> AudioError:
    """Return the error for a recording that is cut short."""
    return AudioError(f"{name}: truncated or damaged: {detail}")


def cut_short(missing: float, announced: float) -> str:
    """Return how to say that `missing` of `announced` seconds are not there."""
    return f"cut short: {missing:.2f} of {announced:.2f} s are missing"


def open_recording(source: Source) -> tuple[str, Binary]:
    """Return what errors call a recording, and its bytes as a seekable file.

    Raises:
        AudioError: where there are none.
        UsageError: what is no file.
    """
    name = name_of(source)
    if isinstance(source, Path | str):
        file = _open(Path(source), name)
    elif isinstance(source, bytes | bytearray | memoryview):
        file = io.BytesIO(bytes(source))
    elif hasattr(source, "read"):
        file = _spooled(source, name)
    else:
        raise UsageError(
            f"{type(source).__name__} is no recording's file; allowed: a path, a file's bytes, an open binary file."
        )
    if not file.read(1):
        file.close()
        raise AudioError(f"{name}: the file is empty (0 bytes)")
    file.seek(0)
    return name, file


def _open(path: Path, name: str) -> Binary:
    try:
        kind = os.stat(path).st_mode  # noqa: PTH116 `Path.stat` of some Pythons hides a NUL
        if stat.S_ISDIR(kind):
            raise AudioError(f"{name}: is a folder, not a recording")
        file = path.open("rb")
    except FileNotFoundError:
        raise AudioError(f"{name}: no such file") from None
    except OSError as error:
        raise AudioError(f"{name}: cannot be read: {error.strerror}") from None
    except ValueError as error:  # a NUL in the name
        raise AudioError(f"{name!r}: is no path: {error}") from None
    if stat.S_ISREG(kind):
        return file
    if stat.S_ISCHR(kind) or stat.S_ISBLK(kind):
        file.close()
        raise AudioError(f"{name}: is a device, not a recording")
    with file:  # a pipe: what comes is spooled, as of standard input
        return _spooled(file, name)


def _spooled(stream: BinaryIO, name: str) -> tempfile.SpooledTemporaryFile[bytes]:
    """Return what is left of a stream, which may be a pipe, as a seekable file."""
    file = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 the caller closes it
    try:
        shutil.copyfileobj(stream, file, 1 << 20)
    except TypeError:
        file.close()
        raise AudioError(f"{name}: is open as text; open it as binary, with mode 'rb'") from None
    except OSError as error:
        file.close()
        raise AudioError(f"{name}: cannot be read: {error.strerror}") from None
    file.seek(0)
    return file
