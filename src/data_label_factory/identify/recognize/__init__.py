"""A frame → the items in it, with names and quads.

Pictures are decoded by `images`, embedded by `encoders`; photos are
scored by `evaluate`.
"""

from data_label_factory.identify.recognize.detection import Assessment, Detection
from data_label_factory.identify.recognize.recognizer import Recognizer

__all__ = ["Assessment", "Detection", "Recognizer"]
