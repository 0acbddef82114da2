"""Corpora: recordings with what their names or manifests state. `load` is where to begin."""

from emotone.corpora.base import Corpus, CorpusInfo, Utterance
from emotone.corpora.registry import find, get_source, info, load, names

__all__ = ["Corpus", "CorpusInfo", "Utterance", "find", "get_source", "info", "load", "names"]
