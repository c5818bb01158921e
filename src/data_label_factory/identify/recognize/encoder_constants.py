"""The constants of an encoder that nobody has measured, learned from an index's own references."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from data_label_factory.errors import ImageError
from data_label_factory.identify.camera import Rng, render_view
from data_label_factory.identify.encoders import Embedder, Embeddings, EncoderConstants
from data_label_factory.identify.images import RGB
from data_label_factory.identify.index import Index
from data_label_factory.identify.index.files import read_row
from data_label_factory.identify.quad import Quad, as_points, frame_quad, straighten

# Of an item's size, by which each corner of a found quad is off.
QUAD_ERROR = 0.01
_DEVIATIONS = 3.0  # beyond what such errors do, one item is nearer than another
_UNRELATED_BELOW, _TRUE_ABOVE = 0.99, 0.95  # fractions of pictures

_CROPS = 6  # per view
_VIEWS = 24
_GROUNDS = 24
_VIEW_SIZE_PX = (800, 600)

# A row of the index, a frame that shows it, and where.
Placed = tuple[int, RGB, Quad]


def learn_from_references(
    index: Index, embedder: Embedder, refs: Path, *, seed: int = 0
) -> EncoderConstants | None:
    """Learn from simulated views of references, and of the ground
    without any.

    None when no reference can be read. Deterministic for a seed.
    """
    rng = np.random.default_rng(seed)
    placed = draw_views(index, refs, rng)
    if not placed:
        return None
    return learn_from_views(index, embedder, placed, embed_grounds(embedder, rng), rng)


def draw_views(index: Index, refs: Path, rng: Rng) -> list[Placed]:
    """Simulated views of some references; one that cannot be read is passed over."""
    width, height = _VIEW_SIZE_PX
    placed = []
    for row in map(int, rng.permutation(len(index))[:_VIEWS]):
        try:
            picture = read_row(index, refs, row)
        except ImageError:
            continue
        view = render_view([picture], rng, width=width, height=height)
        placed.append((row, view.image, view.quads[0]))
    return placed


def embed_grounds(embedder: Embedder, rng: Rng) -> Embeddings:
    """Simulated views of no item: (U, D)."""
    width, height = _VIEW_SIZE_PX
    side = embedder.crop_side
    grounds = [render_view([], rng, width=width, height=height).image for _ in range(_GROUNDS)]
    return embedder.encode([straighten(g, frame_quad(width, height), side) for g in grounds])


def learn_from_views(
    index: Index, embedder: Embedder, placed: Sequence[Placed], unrelated: Embeddings, rng: Rng
) -> EncoderConstants:
    """Crop what lies in each frame, each corner a little off, and learn from that."""
    views = []
    for _, frame, quad in placed:
        error = QUAD_ERROR * float(np.sqrt(cv2.contourArea(quad)))
        quads = [as_points(quad + rng.normal(0, error, (4, 2))) for _ in range(_CROPS)]
        crops = [straighten(frame, one, embedder.crop_side) for one in quads]
        views.append(embedder.encode(crops))
    rows = np.array([row for row, _, _ in placed])
    return learn_constants(index.embeddings, index.items, unrelated, np.stack(views), rows)


def learn_constants(
    references: Embeddings,
    items: NDArray[np.int64],
    unrelated: Embeddings,
    views: Embeddings,
    rows: NDArray[np.int64],
) -> EncoderConstants:
    """The constants of the encoder that made all these embeddings.

    N `references` (N, D) show the `items` (N,); U pictures of something
    else are `unrelated` (U, D); V `views` (V, K, D) show the references
    `rows` (V,): K crops of each, their corners off by `QUAD_ERROR`.

    The unrelated cosine is halfway between what 99 % of unrelated
    pictures stay below and what 95 % of the true ones exceed. The noise
    is three standard deviations (RMS over the views) of the difference
    between the nearest other item's cosine and the true one's.
    """
    own = np.einsum("vkd,vd->vk", views, references[rows]).astype(np.float64)
    highest_unrelated = np.quantile((unrelated @ references.T).max(axis=1), _UNRELATED_BELOW)
    lowest_true = np.quantile(own, 1 - _TRUE_ABOVE)

    other = np.zeros_like(own)  # with no other item: the expectation of unrelated pictures
    for at, row in enumerate(rows):  # all views at once take a gigabyte of a million references
        is_same = items == items[row]
        if not is_same.all():
            cosines = views[at] @ references.T
            nearest = np.where(is_same, -np.inf, cosines.mean(axis=0)).argmax()
            other[at] = cosines[:, nearest]
    variance = (other - own).var(axis=1, ddof=1).mean()
    return EncoderConstants(
        unrelated_cosine=float(highest_unrelated + lowest_true) / 2,
        crop_noise=_DEVIATIONS * float(np.sqrt(variance)),
    )
