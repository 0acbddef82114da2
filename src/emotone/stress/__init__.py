"""A recogniser under noise, telephones, codecs, rooms and other hardships: what is left of it."""

from emotone.stress.conditions import CONDITIONS, Condition
from emotone.stress.measure import Measured, Stress, askable, stress

__all__ = ["CONDITIONS", "Condition", "Measured", "Stress", "askable", "stress"]
