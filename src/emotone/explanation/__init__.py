"""Why a network hears an emotion: what of a recording speaks for it, drawn, and put to the test."""

from emotone.explanation.deletion import Deletion
from emotone.explanation.recording import explain
from emotone.explanation.result import Explanation, check_suffix

__all__ = ["Deletion", "Explanation", "check_suffix", "explain"]
