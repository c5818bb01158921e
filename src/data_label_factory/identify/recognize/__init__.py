"""A frame → the items in it, named and outlined."""

from data_label_factory.identify.recognize.recognizer import (
    DEFAULT_STRICTNESS,
    DETECTORS,
    Assessment,
    Detection,
    Detector,
    Recognizer,
)

__all__ = ["DEFAULT_STRICTNESS", "DETECTORS", "Assessment", "Detection", "Detector", "Recognizer"]
