"""Recognition of emotions in recordings and live sound, by a bundle. Without torch."""

from emotone.recognition.embedding import Embeddings
from emotone.recognition.recognizer import Recognizer
from emotone.recognition.result import Result, Segment, Update
from emotone.recognition.stream import Stream

__all__ = ["Embeddings", "Recognizer", "Result", "Segment", "Stream", "Update"]
