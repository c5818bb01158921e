"""A frame → the items in it, named and outlined."""

from data_label_factory.identify.recognize.recognizer import Detection, Recognizer

__all__ = ["Detection", "Recognizer"]
