"""Recognition of emotions in recordings and live sound, by a bundle. Without torch."""

from emotone.recognition.recognizer import Recognizer
from emotone.recognition.result import Result, Segment, Update
from emotone.recognition.stream import Stream

__all__ = ["Recognizer", "Result", "Segment", "Stream", "Update"]
