"""The small systems and the corpus of the comparison's tests."""

from ..comparison.conftest import corpus as corpus
from ..comparison.conftest import systems as systems
