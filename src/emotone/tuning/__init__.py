"""Fine-tuning: a bundle as the start of another training."""

from emotone.tuning.start import Start

__all__ = ["Start"]
