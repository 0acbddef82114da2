"""emotone: compare and use speech emotion recognisers."""

import os
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from emotone.audio import Part
    from emotone.explanation import explain
    from emotone.recognition import Recognizer

__all__ = ["Part", "Recognizer", "__version__", "explain"]

__version__ = version("emotone")

# Else ONNX Runtime, when it is imported, writes identities of the device into the user's cache, and reports to its
# makers. Here, as lightning imports it too, by way of torchmetrics: this comes before either.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")


def __getattr__(name: str) -> Any:
    """Import what recognises or explains only where it is asked for."""
    if name == "Recognizer":
        from emotone.recognition import Recognizer

        return Recognizer
    if name == "explain":
        from emotone.explanation import explain

        return explain
    if name == "Part":
        from emotone.audio import Part

        return Part
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
