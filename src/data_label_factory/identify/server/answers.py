"""Detections in pixels → the JSON of `/api/falcon`, in shares of the picture."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

import cv2
import numpy as np

from data_label_factory.identify.quad import Quad, as_points
from data_label_factory.identify.recognize import Detection
from data_label_factory.identify.server.engine import Snapshot
from data_label_factory.identify.server.schemas import Box, Mask, Neighbor
from data_label_factory.prices.book import PriceBook

_DIGITS = 4


def as_masks(
    detections: Sequence[Detection],
    size: tuple[int, int],
    snapshot: Snapshot,
    prices: PriceBook | None,
) -> list[Mask]:
    """One mask a detection, in their order. `size` is the picture's (width, height) in px."""
    return [_mask(one, size, snapshot, prices) for one in detections]


def ref_url(reference: str) -> str:
    """Where the server gives the reference picture."""
    return f"/refs/{quote(reference)}"


def _mask(
    seen: Detection, size: tuple[int, int], snapshot: Snapshot, prices: PriceBook | None
) -> Mask:
    scale = np.array(size, np.float64)
    left, top, right, bottom = np.clip(np.divide(seen.box, [*scale, *scale]), 0, 1)
    return Mask(
        bbox_norm=Box(x1=_short(left), y1=_short(top), x2=_short(right), y2=_short(bottom)),
        area_fraction=_short(_visible_share(seen.quad, size)),
        label=f"{seen.label}" if seen.confident else f"{seen.label}?",
        name=seen.label.name,
        rarity=seen.label.rarity,
        set_code=seen.label.set_code,
        score=_short(seen.score),
        margin=_short(seen.margin),
        confident=seen.confident,
        top_k=[
            Neighbor(
                name=str(snapshot.index.names[snapshot.index.row_of[file]]),
                filename=file,
                score=_short(cosine),
            )
            for file, cosine in seen.top_k
        ],
        ref_filename=seen.reference,
        ref_url=ref_url(seen.reference),
        quad_norm=[(_short(x), _short(y)) for x, y in seen.quad / scale],
        inliers=seen.inliers,
        price=prices.price_of(seen.label, seen.reference) if prices else None,
        ambiguous_with=list(seen.ambiguous_with),
        variants=[seen.reference, *seen.ambiguous_with],
        false_accept_rate=seen.false_accept_rate,
    )


def _visible_share(quad: Quad, size: tuple[int, int]) -> float:
    """Share of the picture that the outline covers, 0…1."""
    width, height = size
    picture = as_points([[0, 0], [width, 0], [width, height], [0, height]])
    shared, _ = cv2.intersectConvexConvex(quad, picture)
    return min(1.0, max(0.0, float(shared) / (width * height)))


def _short(value: float) -> float:
    return round(float(value), _DIGITS)
