"""An explanation: its data, and its picture as a file."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from emotone.audio import Samples
from emotone.errors import UsageError
from emotone.explanation.deletion import Deletion

__all__ = ["Explanation", "check_suffix"]

Array = npt.NDArray[np.float32]

_FORMATS = (".png", ".svg", ".pdf")
_LONGEST = 60  # characters of a name; of longer ones the middle is left out


@dataclass(frozen=True, slots=True, eq=False)
class Explanation:
    """What in a stretch of a recording speaks for an emotion.

    Attributes:
        file: what the recording is called.
        model: the bundle's name.
        answer: the emotion of the whole recording, or "uncertain".
        emotion: the explained one.
        scores: label -> probability, of the stretch.
        start: of the stretch, in seconds from the recording's beginning.
        duration: of the recording, in seconds.
        samples: the stretch, (samples,) at `rate` Hz.
        rate: in Hz.
        times: the middle of every frame in seconds from the recording's beginning, (frames,). Silence that the model
            cuts off has none.
        frequencies: the middle of every mel band in Hz, (bands,).
        logmel: what the front end takes, (bands, frames), in dB unless the recipe standardises it.
        attributions: integrated gradients, (bands, frames). They add up to `logit` - `baseline_logit`.
        logit: of the explained emotion, before the temperature.
        baseline_logit: the same for the baseline, the stretch with every band at its own mean over time.
        attention: weights over time, (steps,), which sum to 1; None for a network that does not attend.
        attention_times: the middle of every step, as `times`.
        deletion: how much the marked regions matter, by share.
    """

    file: str
    model: str
    answer: str
    emotion: str
    scores: Mapping[str, float]
    start: float
    duration: float
    samples: Samples
    rate: int
    times: npt.NDArray[np.float64]
    frequencies: npt.NDArray[np.float64]
    logmel: Array
    attributions: Array
    logit: float
    baseline_logit: float
    attention: Array | None
    attention_times: npt.NDArray[np.float64] | None
    deletion: tuple[Deletion, ...]

    @property
    def end(self) -> float:
        """Of the stretch, in seconds."""
        return self.start + len(self.samples) / self.rate

    def figure(self) -> Any:
        """Return the explanation as a matplotlib figure."""
        from emotone.explanation.figure import draw

        times, weights = self.attention_times, self.attention
        return draw(
            title=f"What speaks for “{self.emotion}” ({self.scores[self.emotion]:.0%})",
            about=self._about(),
            test=self._test(),
            span=(self.start, self.end),
            samples=self.samples,
            times=self.times,
            frequencies=self.frequencies,
            logmel=self.logmel,
            attributions=self.attributions,
            attention=None if times is None or weights is None else (times, weights),
            scores=self.scores,
            emotion=self.emotion,
        )

    def _about(self) -> str:
        whole = f"{self.start:.2f} to {self.end:.2f} s of {self.duration:.2f} s"
        other = "" if self.answer == self.emotion else f"; the recording's answer is “{self.answer}”"
        name, model = _short(self.file.replace("\\", "/").rsplit("/", 1)[-1]), _short(self.model)
        return f"{name}, {whole}{other}. Model: {model}"

    def _test(self) -> str:
        middle = self.deletion[len(self.deletion) // 2]
        sure, share = self.scores[self.emotion], f"{middle.share:.0%}"
        return (
            f"Put to the test: without the {share} of the sound that speak most for it, “{self.emotion}” goes from "
            f"{sure:.0%} to {middle.marked:.0%}; without a random {share}, to {middle.random:.0%}."
        )

    def save(self, path: str | Path) -> None:
        """Draw the figure into a .png, .svg or .pdf file, whole or not at all.

        Raises:
            UsageError: another suffix, or a folder.
        """
        from emotone.files import atomic_path
        from emotone.report.theme import style

        path = Path(path)
        check_suffix(path)
        with style(), atomic_path(path) as temporary:
            self.figure().savefig(temporary)


def check_suffix(path: Path) -> None:
    """Refuse a file that no figure can be drawn into."""
    if path.is_dir():
        raise UsageError(f"{path}: is a folder; name a file, as {path / 'explained.png'}.")
    if path.suffix.lower() not in _FORMATS:
        raise UsageError(f"{path}: its suffix is {path.suffix!r}; allowed: {', '.join(_FORMATS)}.")


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST // 2]}…{name[-_LONGEST // 2 :]}"
