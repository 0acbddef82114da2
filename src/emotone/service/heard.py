"""What a worker heard in a recording, and how it travels: the regions of speech, each second of it once.

Windows overlap, and follow from the regions: the service cuts them itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import numpy.typing as npt
from pydantic import Field

from emotone.audio import Samples
from emotone.bundle import BundleInfo
from emotone.config import Config
from emotone.recognition.speech import Region
from emotone.recognition.stream import Settings as Asked
from emotone.recognition.windows import Window, spans
from emotone.service.wire import Message, understood

__all__ = ["Heard", "packed", "unpacked"]

_TABLE, _SPEECH = np.dtype("<i8"), np.dtype("<f4")
_LEAST = 0.1  # seconds of a region; Speech makes none so short
_SLACK = 1.0  # seconds by which what is rounded may reach beyond what holds it


@dataclass(frozen=True, slots=True)
class Heard:
    """A recording, or one of its channels, decoded and cut.

    Attributes:
        channel: which; None for the mix.
        duration: in seconds.
        notes: what is to be known of it.
        windows: that the network is to be asked for.
    """

    channel: int | None
    duration: float
    notes: tuple[str, ...]
    windows: Sequence[Window]

    @property
    def size(self) -> int:
        """Bytes of its speech."""
        samples = reached = 0
        for each in self.windows:
            samples += each.end - max(each.start, reached)
            reached = each.end
        return _SPEECH.itemsize * samples


class _One(Config):
    channel: int | None
    duration: float = Field(ge=0, allow_inf_nan=False)
    notes: tuple[str, ...]
    regions: int = Field(ge=0)


class _All(Config):
    heard: tuple[_One, ...]


def packed(heard: Sequence[Heard]) -> Message:
    """Return the message; its body has the table (regions, 2) of where they begin and end, then their speech."""
    ones, table, speech = [], [], []
    for each in heard:
        regions = [list(own) for _, own in groupby(each.windows, key=lambda window: window.region.index)]
        ones.append(_One(channel=each.channel, duration=each.duration, notes=each.notes, regions=len(regions)))
        for own in regions:
            table.append((own[0].region.start, own[-1].end))
            reached = own[0].start
            for window in own:
                speech.append(window.samples[reached - window.start :])
                reached = window.end
    parts = [np.array(table, _TABLE).tobytes(), *(each.astype(_SPEECH, copy=False).tobytes() for each in speech)]
    return Message.of(_All(heard=tuple(ones)), b"".join(parts))


def unpacked(message: Message, info: BundleInfo, asked: Asked, *, duration: float) -> list[Heard]:
    """Return what a message holds.

    Args:
        message: of a worker.
        info: of the bundle.
        asked: how the recording is listened to.
        duration: seconds that it may have.

    Raises:
        EmotoneError: that the message is.
        ValueError: what no worker sends that is in its right mind.
    """
    said = understood(_All, message).heard
    regions = sum(each.regions for each in said)
    _check(16 * regions <= len(message.body), "a table that is cut short")
    table = np.frombuffer(message.body, _TABLE, 2 * regions).reshape(-1, 2)
    speech = np.frombuffer(message.body, _SPEECH, offset=table.nbytes)
    _check(bool((np.abs(speech) <= 1).all()), "samples beyond 1")  # or NaN
    heard, row, taken = [], 0, 0
    for each in said:
        _check(each.duration <= duration + _SLACK, "a recording that is too long")
        own = table[row : row + each.regions]
        row += each.regions
        _check_regions(own, info.rate, each.duration)
        windows: list[Window] = []
        for index, (start, end) in enumerate(own.tolist()):
            cut = _cut(Region(index, start, end, final=True), speech[taken:], info, asked)
            taken += end - cut[0].start
            windows += cut
        heard.append(Heard(each.channel, each.duration, each.notes, windows))
    _check(taken == len(speech), "speech of another length than its regions")
    return heard


def _check_regions(table: npt.NDArray[np.int64], rate: int, duration: float) -> None:
    starts, ends = table.T
    ordered = np.all(starts < ends) and np.all(starts[1:] >= ends[:-1])
    within = np.all(starts >= 0) and np.all(ends <= (duration + _SLACK) * rate)
    _check(bool(ordered and within and np.all(ends - starts >= _LEAST * rate)), "regions that cannot be")


def _cut(region: Region, speech: Samples, info: BundleInfo, asked: Asked) -> list[Window]:
    """Cut a region, whose first window's speech is the first that is given."""
    found = spans(region, window=round(asked.window * info.rate), hop=round(asked.hop * info.rate))
    first = found[0][0]
    _check(region.end - first <= len(speech), "speech that is cut short")
    return [
        Window(region, start, end, speech[start - first : end - first], full=True, last=end == region.end)
        for start, end in found
    ]


def _check(right: bool, wrong: str) -> None:
    if not right:
        raise ValueError(wrong)
