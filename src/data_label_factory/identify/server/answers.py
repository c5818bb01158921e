"""Detections in pixels → the masks of `/api/falcon`, in fractions
of the picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import cv2
import numpy as np

from data_label_factory.identify.quad import Quad, as_points
from data_label_factory.identify.recognize import Detection
from data_label_factory.identify.server.engine import Snapshot
from data_label_factory.identify.server.schemas import Box, Mask, Neighbor
from data_label_factory.identify.tracking import TrackedDetection
from data_label_factory.prices.book import PriceBook

_DIGITS = 4


def as_masks(
    detections: Sequence[Detection],
    size: tuple[int, int],
    snapshot: Snapshot,
    prices: PriceBook | None,
) -> list[Mask]:
    """One mask per detection, in the same order.

    `size` is the picture's (width, height) in px.
    """
    return [_as_mask(detection, size, snapshot, prices) for detection in detections]


def as_tracked_masks(
    tracked: Sequence[TrackedDetection],
    size: tuple[int, int],
    snapshot: Snapshot,
    prices: PriceBook | None,
) -> list[Mask]:
    """The same for the tracks of a session, with their numbers."""
    masks = as_masks([one.detection for one in tracked], size, snapshot, prices)
    for mask, one in zip(masks, tracked, strict=True):
        mask.track_id = one.track_id
        mask.lost_seconds = _round(one.lost_seconds)
    return masks


def reference_url(reference: str) -> str:
    """The path, on this server, of a reference picture."""
    return f"/refs/{quote(reference)}"


def _as_mask(
    detection: Detection, size: tuple[int, int], snapshot: Snapshot, prices: PriceBook | None
) -> Mask:
    label = detection.label
    corners = detection.quad / np.array(size, np.float64)

    mask = Mask(
        bbox_norm=_as_box(detection, size),
        area_fraction=_round(_visible_fraction(detection.quad, size)),
        label=str(label) if detection.confident else f"{label}?",
        name=label.name,
        rarity=label.rarity,
        set_code=label.set_code,
        score=_round(detection.score),
        margin=_round(detection.margin),
        confident=detection.confident,
        top_k=_as_neighbors(detection, snapshot),
        ref_filename=detection.reference,
        ref_url=reference_url(detection.reference),
        quad_norm=[(_round(x), _round(y)) for x, y in corners],
        inliers=detection.inliers,
        price=_find_price(detection, snapshot, prices),
        ambiguous_with=list(detection.ambiguous_with),
        variants=[detection.reference, *detection.ambiguous_with],
        false_accept_rate=detection.false_accept_rate,
    )
    # Set only where there is something to say: other answers stay
    # as they always were.
    if detection.read:
        mask.read = detection.read
    if detection.row is not None:
        mask.row, mask.column = detection.row, detection.column
    if detection.is_guess:
        mask.guess = True
    if first_view := _find_first_view(detection.reference, snapshot):
        mask.first_view = first_view
    return mask


def _find_price(
    detection: Detection, snapshot: Snapshot, prices: PriceBook | None
) -> dict[str, Any] | None:
    if prices is None or detection.is_guess:  # nobody pays for a guess
        return None
    return prices.price_of(detection.label, detection.reference, snapshot.index.meta.labels)


def _find_first_view(reference: str, snapshot: Snapshot) -> str:
    """The first view of what a reference is a further view of; ""
    if it is the first.
    """
    index = snapshot.index
    row = index.row_of.get(reference)  # a session may know one that is gone
    first = reference if row is None else str(index.references[index.first_views[row]])
    return first if first != reference else ""


def _as_box(detection: Detection, size: tuple[int, int]) -> Box:
    """The detection's box, clipped to the picture."""
    width, height = size
    fractions = np.divide(detection.box, [width, height, width, height])
    left, top, right, bottom = np.clip(fractions, 0, 1)
    return Box(x1=_round(left), y1=_round(top), x2=_round(right), y2=_round(bottom))


def _as_neighbors(detection: Detection, snapshot: Snapshot) -> list[Neighbor]:
    index = snapshot.index
    neighbors = []
    for reference, cosine in detection.top_k:
        label = index.label(index.row_of[reference])
        neighbor = Neighbor(name=label.name, filename=reference, score=_round(cosine))
        if detection.is_guess:  # any of them may be what it is, so each is told in full
            neighbor.filename = _find_first_view(reference, snapshot) or reference
            neighbor.set_code, neighbor.rarity = label.set_code, label.rarity
        neighbors.append(neighbor)
    return neighbors


def _visible_fraction(quad: Quad, size: tuple[int, int]) -> float:
    """Fraction of the picture that the quad covers, 0…1."""
    width, height = size
    picture = as_points([[0, 0], [width, 0], [width, height], [0, height]])
    shared_area, _ = cv2.intersectConvexConvex(quad, picture)
    return min(1.0, max(0.0, float(shared_area) / (width * height)))


def _round(value: float) -> float:
    return round(float(value), _DIGITS)
