"""Proposals straightened, embedded and searched for in the index.

This much names well-lit items that lie apart. Geometric verification and per-index calibration belong here too;
until they are, `confident` rests on the two thresholds alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from data_label_factory.identify.camera import Outline, straighten
from data_label_factory.identify.encoders import Encoder
from data_label_factory.identify.images import RGB
from data_label_factory.identify.index import Index
from data_label_factory.identify.projection import ProjectionHead
from data_label_factory.identify.recognize.proposals import propose, turns
from data_label_factory.labels import Label

_CROP_SIDE_PX = 288
_OVERLAP_MAX = 0.3  # of the smaller of two outlines; beyond it they are one thing


@dataclass(frozen=True)
class Detection:
    """One item seen. `outline` (4, 2) float32 px, clockwise from the reference's own top left; `score` is the cosine
    to `filename`'s reference, `margin` its lead over the best other item; `top_k` other references with cosines."""

    label: Label
    filename: str
    score: float
    margin: float
    confident: bool
    outline: Outline
    top_k: tuple[tuple[str, float], ...]

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom in px."""
        (left, top), (right, bottom) = self.outline.min(axis=0), self.outline.max(axis=0)
        return float(left), float(top), float(right), float(bottom)


class Recognizer:
    """Names the items of an index in frames. Raises EncoderError when encoder or head did not make the index."""

    def __init__(
        self,
        index: Index,
        encoder: Encoder,
        head: ProjectionHead | None = None,
        *,
        sim_threshold: float = 0.5,
        margin_threshold: float = 0.1,
        top_k: int = 5,
    ) -> None:
        index.require_maker(encoder.identity, head.sha256 if head else "")
        self._index, self._encoder, self._head = index, encoder, head
        self._sim, self._margin, self._top_k = sim_threshold, margin_threshold, top_k

    def recognize(self, frame: RGB) -> list[Detection]:
        """(H, W, 3) uint8 RGB → detections, best first, no two of the same spot. Any size of frame."""
        ways = [way for outline in propose(frame) for way in turns(outline)]
        crops = [straighten(frame, way, _CROP_SIDE_PX) for way in ways]
        embeddings = self._encoder.encode(crops)
        cosines = (self._head(embeddings) if self._head else embeddings) @ self._index.embeddings.T
        kept: list[Detection] = []
        for position in np.argsort(-cosines.max(axis=1)):
            outline = ways[position]
            if all(_overlap(outline, other.outline) < _OVERLAP_MAX for other in kept):
                kept.append(self._detection(outline, cosines[position]))
        return kept

    def _detection(self, outline: Outline, cosines: NDArray[np.float32]) -> Detection:
        order = np.argsort(-cosines, kind="stable")[: max(self._top_k, 1)]
        best = int(order[0])
        others = cosines[self._index.items != self._index.items[best]]
        score = float(cosines[best])
        margin = score - (float(others.max()) if len(others) else 0.0)
        return Detection(
            label=self._index.label(best),
            filename=str(self._index.filenames[best]),
            score=score,
            margin=margin,
            confident=score > self._sim and margin > self._margin,
            outline=outline,
            top_k=tuple((str(self._index.filenames[row]), float(cosines[row])) for row in order),
        )


def _overlap(a: Outline, b: Outline) -> float:
    """Shared area as a share of the smaller of two convex outlines."""
    shared, _ = cv2.intersectConvexConvex(a, b)
    return float(shared) / max(min(cv2.contourArea(a), cv2.contourArea(b)), 1e-9)
