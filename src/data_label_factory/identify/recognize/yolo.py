"""Regions from YOLO-World, an open-vocabulary detector, through the
package `ultralytics`.

Cheng et al., CVPR 2024. Optional and never installed by default: the
package is under the AGPL. It fetches its weights on first use; the
environment variable DLF_YOLO_WEIGHTS can name a local file.
"""

from __future__ import annotations

import os

import numpy as np

from data_label_factory.errors import EncoderError
from data_label_factory.extras import need
from data_label_factory.identify.images import RGB
from data_label_factory.identify.quad import Quad, as_points
from data_label_factory.identify.recognize.proposals import whole_and_center

_WEIGHTS = "yolov8s-worldv2.pt"
_CLASSES = ["card", "book", "box", "picture", "record sleeve", "package", "label"]
_MIN_CONFIDENCE = 0.05
_MOST = 12


class YoloWorld:
    """Proposes the boxes that the detector finds in a frame, after the
    whole frame and its center.

    Raises MissingExtraError without `ultralytics`, and EncoderError
    when its weights can neither be read nor fetched.
    """

    def __init__(self) -> None:
        weights = os.environ.get("DLF_YOLO_WEIGHTS", _WEIGHTS)
        try:
            self._model = need("ultralytics", extra="yolo").YOLOWorld(weights)
            self._model.set_classes(_CLASSES)
        except (OSError, ConnectionError, RuntimeError) as exc:
            raise EncoderError(
                f"Cannot get the weights {weights} of YOLO-World ({exc})",
                "Fetch them once with a network, and name the file in DLF_YOLO_WEIGHTS",
            ) from exc

    def __call__(self, frame: RGB) -> list[Quad]:
        """(H, W, 3) uint8 RGB → quads (4, 2) px, clockwise from the top left."""
        bgr = frame[..., ::-1]  # the package takes arrays as OpenCV has them
        options = {"conf": _MIN_CONFIDENCE, "max_det": _MOST, "verbose": False}
        result = self._model.predict(bgr, **options)[0]

        boxes = np.asarray(result.boxes.xyxy.cpu().numpy(), np.float32)
        return whole_and_center(frame) + [
            as_points([[left, top], [right, top], [right, bottom], [left, bottom]])
            for left, top, right, bottom in boxes
        ]
