"""Export: a fitted system as one ONNX bundle, and the network back out of it."""

from emotone.export.bundle import export

__all__ = ["export"]
