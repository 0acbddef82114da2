"""How a command ends that is asked to, by Ctrl-C, a supervisor, a terminal that closes: nothing is half-written."""

import signal
from _thread import interrupt_main
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Timer, current_thread, main_thread
from types import FrameType

__all__ = ["Ended", "heeded"]

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")  # Windows has no SIGHUP
_SOON = 0.01  # seconds


class Ended:
    """Whether a signal has come.

    Attributes:
        number: which one; None where none has come.
    """

    number: int | None = None
    _again: Timer | None = None

    def take(self, number: int, frame: FrameType | None) -> None:
        """Interrupt what goes on, or soon, where an interrupt would be lost."""
        self.number = number
        if not _is_in_libsndfile(frame):
            raise KeyboardInterrupt
        self._again = Timer(_SOON, interrupt_main, [number])
        self._again.daemon = True
        self._again.start()

    def forget(self) -> None:
        """Interrupt nothing more."""
        if self._again:
            self._again.cancel()


@contextmanager
def heeded() -> Iterator[Ended]:
    """Let signals interrupt what goes on, but for those that are ignored, as nohup has it."""
    ended = Ended()
    before = {}
    if current_thread() is main_thread():
        numbers = [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]
        before = {number: signal.getsignal(number) for number in numbers}
        own = (signal.SIG_DFL, signal.default_int_handler)
        before = {number: handler for number, handler in before.items() if handler in own}
    for number in before:
        signal.signal(number, ended.take)
    try:
        yield ended
    finally:
        ended.forget()
        for number, handler in before.items():
            signal.signal(number, handler)


def _is_in_libsndfile(frame: FrameType | None) -> bool:
    """Tell whether libsndfile called what goes on, to read a file: an error there is dropped, and the file cut."""
    while frame is not None:
        if frame.f_globals.get("__name__") == "soundfile" and frame.f_code.co_name.startswith("vio_"):
            return True
        frame = frame.f_back
    return False
