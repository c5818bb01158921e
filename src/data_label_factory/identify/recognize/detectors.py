"""The table of detectors: what looks for regions of a frame that the embedding is asked about."""

from __future__ import annotations

from collections.abc import Callable

from data_label_factory.identify.choices import Detector
from data_label_factory.identify.recognize.proposals import (
    Propose,
    whole_and_center,
    whole_center_and_flat,
)
from data_label_factory.identify.recognize.yolo import YoloWorld

_OPENERS: dict[Detector, Callable[[], Propose]] = {
    "flat": lambda: whole_center_and_flat,
    "none": lambda: whole_and_center,
    "yolo-world": YoloWorld,
}


def open_detector(name: Detector) -> Propose:
    """Raises MissingExtraError when the detector is not installed."""
    return _OPENERS[name]()
