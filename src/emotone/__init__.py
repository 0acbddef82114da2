"""emotone: compare and use speech emotion recognisers."""

from importlib.metadata import version

__all__ = ["__version__"]

__version__ = version("emotone")
