"""Training: one recipe on one split gives one fitted system, which can be stored and loaded."""

from emotone.training.system import FittedSystem, fit

__all__ = ["FittedSystem", "fit"]
