"""The things in front of a camera, followed from frame to frame,
with evidence that adds up.
"""

from data_label_factory.identify.tracking.session import Session
from data_label_factory.identify.tracking.track import TrackedDetection

__all__ = ["Session", "TrackedDetection"]
