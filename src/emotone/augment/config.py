"""Which copies a recipe makes of its clips, and what the clip as recorded is called beside them."""

from typing import Literal

from pydantic import Field

from emotone.config import Config

__all__ = ["ORIGINAL", "AugmentConfig"]

ORIGINAL = "original"
"""The variant that is the clip as recorded; `emotone.augment.copies` names the others."""


class AugmentConfig(Config):
    """Which copies are made of a clip, and where they go."""

    kind: Literal["nguyen", "boucheta", "awgn", "uniform"]
    """`nguyen`: one random chain of four. `boucheta`: four copies, one each of noise, shift, stretch, pitch.
    `awgn`, `uniform`: noise at a random signal-to-noise ratio (bhanbhro)."""
    copies: int = Field(default=1, ge=1)
    """How many copies of each clip (`boucheta` always makes its four)."""
    keep_original: bool = True
    """Whether the training set also has the clip as recorded."""
    placement: Literal["after_split", "before_split", "all_into_train"] = "after_split"
    """`after_split`: copies of training clips only. `before_split`: copies are split as if they were clips, so that
    variants of one recording stand on both sides (a leak). `all_into_train`: copies of every clip, test clips
    included, are trained on (a leak)."""
    seed: int = 0
    """Copies are made once and kept, as the papers did, so their seed is the recipe's, not the run's."""
