"""Augmentation: seeded copies of waveforms, by the settings of a recipe."""

from emotone.augment.config import ORIGINAL, AugmentConfig
from emotone.augment.waveforms import augment, copies

__all__ = ["ORIGINAL", "AugmentConfig", "augment", "copies"]
