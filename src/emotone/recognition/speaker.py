"""A model that knows who speaks."""

import numpy as np
import numpy.typing as npt

from emotone.bundle import Bundle, BundleInfo, Outputs
from emotone.bundle.adaptation import Head, Moments

__all__ = ["Acquainted", "Model"]


class Acquainted:
    """A bundle whose answers go by the embeddings of one speaker, see `emotone.bundle.adaptation.Head`.

    Attributes:
        bundle: that answers for anybody.
        info: its card.
    """

    def __init__(self, bundle: Bundle, head: Head, own: npt.NDArray[np.float32] | Moments) -> None:
        self.bundle = bundle
        self._head, self._voice = head, head.voice(own)  # which is small, however much speech it comes of

    @property
    def info(self) -> BundleInfo:
        """The bundle's card."""
        return self.bundle.info

    def run(self, waveforms: npt.NDArray[np.float32], lengths: npt.NDArray[np.int64] | None = None) -> Outputs:
        """Return what the bundle says of a batch of the speaker's clips, the probabilities by the speaker."""
        outputs = self.bundle.run(waveforms, lengths)
        temperature = self.info.temperature
        return outputs._replace(
            probabilities=self._head.probabilities(outputs.embedding, self._voice, temperature=temperature)
        )

    def are_far(self, embeddings: npt.NDArray[np.float32]) -> npt.NDArray[np.bool_]:
        """Return which embeddings (clips, width) are unlike those of training even once the speaker is known."""
        return self._head.are_far(self._head.moved(embeddings, self._voice))


Model = Bundle | Acquainted
