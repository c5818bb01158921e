"""A frame → the items in it, with names and quads.

Pictures are decoded by `images`, embedded by `encoders`; photos are scored by `evaluate`.
"""

from data_label_factory.identify.recognize.detection import Assessment, Detection
from data_label_factory.identify.recognize.detectors import DETECTORS, Detector
from data_label_factory.identify.recognize.recognizer import DEFAULT_STRICTNESS, Recognizer

__all__ = ["DEFAULT_STRICTNESS", "DETECTORS", "Assessment", "Detection", "Detector", "Recognizer"]
