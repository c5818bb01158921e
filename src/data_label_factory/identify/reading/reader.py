"""rapidocr: PP-OCRv6's detector and recogniser of text lines, which
its wheel carries.
"""

from __future__ import annotations

import threading
from functools import cached_property
from importlib.util import find_spec
from typing import Any

import numpy as np

from data_label_factory.cpu import cpu_count
from data_label_factory.extras import need
from data_label_factory.identify.choices import ReadMode
from data_label_factory.identify.images import RGB
from data_label_factory.identify.quad import as_points
from data_label_factory.identify.reading.lines import Line, TextLine

# Upside-down lines are left alone: a reference stands
# upright, and so does what is cut out by its pose.
_PARAMS = {"Global.use_cls": False, "Global.log_level": "critical"}
_THREADS = "EngineConfig.onnxruntime.intra_op_num_threads"


class Reader:
    """A `TextReader`: two models of 31 MB together, from the package, never
    from the network, and loaded when they are first needed.

    Raises MissingExtraError when the extra `ocr` is not installed.
    """

    def __init__(self) -> None:
        if not is_installed():
            need("rapidocr", extra="ocr")
        # The engine keeps what a call asks for, so calls must not overlap.
        self._lock = threading.Lock()

    @cached_property
    def _engine(self) -> Any:
        rapidocr = need("rapidocr", extra="ocr")
        return rapidocr.RapidOCR(params={**_PARAMS, _THREADS: cpu_count()})

    def read(self, crop: RGB) -> list[TextLine]:
        """Every line of (H, W, 3) uint8 RGB, from top to bottom."""
        with self._lock:
            found = self._engine(_as_bgr(crop), use_det=True)
        if found.boxes is None:
            return []
        return [
            TextLine(str(text), as_points(box), float(score))
            for box, text, score in zip(found.boxes, found.txts, found.scores, strict=True)
        ]

    def read_line(self, crop: RGB) -> Line:
        """What a crop (H, W, 3) that holds one line says."""
        with self._lock:
            found = self._engine(_as_bgr(crop), use_det=False)
        return Line(str(found.txts[0]), float(found.scores[0])) if found.txts else Line("", 0.0)


def is_installed() -> bool:
    """Whether the extra `ocr` is there."""
    return find_spec("rapidocr") is not None


def open_reader(mode: ReadMode) -> Reader | None:
    """A reader; None for "never", and for "auto" where the extra `ocr` is
    not installed. Raises MissingExtraError for "always".
    """
    if mode == "never" or (mode == "auto" and not is_installed()):
        return None
    return Reader()


def _as_bgr(crop: RGB) -> RGB:
    return np.ascontiguousarray(crop[..., ::-1])
