"""The many words for an emotion in folders and manifests, and the one that emotone uses."""

from emotone.emotions import EMOTIONS

__all__ = ["canonical"]

_SYNONYMS = {
    "angry": "anger ang angriness mad rage",
    "calm": "calmness relaxed",
    "disgust": "disgusted dis",
    "fearful": "fear fea afraid anxious anxiety scared",
    "happy": "happiness hap joy joyful joyous",
    "neutral": "neu neutrality",
    "sad": "sadness",
    "surprised": "surprise sur suprise suprised ps pleasant_surprise pleasant_surprised",
    "bored": "boredom",
}
_CANONICAL = {word: emotion for emotion, words in _SYNONYMS.items() for word in words.split()} | {
    emotion: emotion for emotion in (*EMOTIONS, "bored")
}


def canonical(word: str) -> str:
    """Return emotone's name for an emotion; a word it does not know stays, in lower case with underscores.

    >>> canonical("Pleasant Surprise"), canonical("ANGER"), canonical("Contempt")
    ('surprised', 'angry', 'contempt')
    """
    word = "_".join(word.lower().replace("-", " ").replace("_", " ").split())
    return _CANONICAL.get(word, word)
