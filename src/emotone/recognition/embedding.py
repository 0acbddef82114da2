"""What a model makes of speech before it names an emotion: vectors for a classifier of one's own."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Embeddings"]


@dataclass(frozen=True, slots=True)
class Embeddings:
    """A recording's windows as the last layer of a model reads them.

    Attributes:
        start, end: of each window, in seconds of the recording, (windows,).
        vectors: float32 (windows, width). A recording without speech has no window.
    """

    start: npt.NDArray[np.float64]
    end: npt.NDArray[np.float64]
    vectors: npt.NDArray[np.float32]

    @property
    def mean(self) -> npt.NDArray[np.float32]:
        """One vector for the recording, (width,): the mean of its windows by their lengths; NaN without speech."""
        if not len(self.vectors):
            return np.full(self.vectors.shape[1], np.nan, np.float32)
        return np.average(self.vectors, axis=0, weights=self.end - self.start).astype(np.float32)
