"""What a camera would make of an index: search it for webcam-like views of its own references."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_label_factory.errors import ImageError
from data_label_factory.identify.camera import live_crop
from data_label_factory.identify.encoders import Embedder, Embeddings
from data_label_factory.identify.index import Index
from data_label_factory.identify.index.files import read_ahead, read_row
from data_label_factory.identify.verify.margins import Floats, choose_thresholds, nearest_others
from data_label_factory.progress import Progress

SIMULATED_REFERENCES_MAX = 2000


@dataclass(frozen=True)
class Simulation:
    """What webcam-like views predict. Accepted rates are fractions
    of all views.

    `false_accept_rate` is the fraction of accepted views of unknown
    items. These are the same views, searched for with the true item
    taken out of the index. A reference has a near-duplicate if
    another item is at least as similar to it as camera views are to
    their own reference. Such a reference is not unknown even
    without its own item, so it does not count; `near_duplicates` is
    the number of these references.
    """

    views: int
    references: int
    top1: float
    accepted_right: float
    accepted_wrong: float
    false_accept_rate: float
    near_duplicates: int
    sim_threshold: float
    margin_threshold: float

    def as_json(self) -> dict[str, Any]:
        """The values as JSON. `twins` is `near_duplicates` under its earlier name."""
        return vars(self) | {"twins": self.near_duplicates}


def simulate_camera(
    index: Index,
    embedder: Embedder,
    refs: Path,
    *,
    views: int,
    false_accept_rate: float,
    quiet: bool = False,
) -> Simulation:
    """Render `views` views of each reference, search for them, and
    choose thresholds.

    If there are more than 2,000 references, an even sample of them is
    used. The thresholds accept the most while at most the fraction
    `false_accept_rate` of unknown items passes. Raises ImageError if no
    reference file can be read.
    """
    embeddings, truth = _encode_views(index, embedder, refs, views, quiet)
    return score_views(index, embeddings, truth, false_accept_rate)


def score_views(
    index: Index,
    views: Embeddings,
    truth: NDArray[np.int64],
    false_accept_rate: float,
    near_duplicates: NDArray[np.bool_] | None = None,
) -> Simulation:
    """Score V views, embeddings (V, D) of the rows `truth` (V,), at the
    best thresholds.

    `near_duplicates` (V,) tells which views show a reference that
    has one; None finds them as Simulation describes. To compare two
    encoders or heads, give both the same: the worse one finds more
    near-duplicates and would leave out its hardest unknown items.
    """
    near = nearest_others(views, truth, index)
    own = best_of_item(index, views, truth)
    own_margin = own - near.other
    is_correct = own > near.other

    if near_duplicates is None:
        near_duplicates = find_near_duplicates(index, truth, own)
    # If every reference has a near-duplicate, all of them count, or there would be none
    # left.
    is_unknown = ~near_duplicates if not near_duplicates.all() else np.ones(len(truth), bool)
    # Without the true item, the nearest other item would be the answer.
    unknown_margin = near.other - near.second

    sim, margin = choose_thresholds(
        np.where(is_correct, own, -1).astype(np.float32),
        np.where(is_correct, own_margin, 0).astype(np.float32),
        near.other[is_unknown],
        unknown_margin[is_unknown],
        false_accept_rate,
    )

    wrong_margin = near.other - np.maximum(own, near.second)
    accepted_right = is_correct & (own > sim) & (own_margin > margin)
    accepted_wrong = ~is_correct & (near.other > sim) & (wrong_margin > margin)
    false_accepts = (near.other > sim) & (unknown_margin > margin)

    return Simulation(
        views=len(views),
        references=len(np.unique(truth)),
        top1=_rounded_mean(is_correct),
        accepted_right=_rounded_mean(accepted_right),
        accepted_wrong=_rounded_mean(accepted_wrong),
        false_accept_rate=_rounded_mean(false_accepts[is_unknown]),
        near_duplicates=len(np.unique(truth[near_duplicates])),
        sim_threshold=sim,
        margin_threshold=margin,
    )


def find_near_duplicates(index: Index, truth: NDArray[np.int64], own: Floats) -> NDArray[np.bool_]:
    """(V,) whether the reference of each view has a near-duplicate.

    That is another item at least as similar to it as the median
    view is to its own item; `own` (V,) are the cosines of the views
    to their own items.
    """
    near = nearest_others(index.embeddings[truth], truth, index)
    return np.asarray(near.other >= np.median(own), bool)


def best_of_item(index: Index, views: Embeddings, truth: NDArray[np.int64]) -> Floats:
    """(V,) each view's cosine to the nearest variant of the item it shows."""
    items = index.items[truth]
    variants = {item: np.flatnonzero(index.items == item) for item in np.unique(items)}

    best = []
    for view, item in zip(views, items, strict=True):
        cosines = index.embeddings[variants[item]] @ view
        best.append(cosines.max())
    return np.array(best, np.float32)


def _encode_views(
    index: Index, embedder: Embedder, refs: Path, views: int, quiet: bool
) -> tuple[Embeddings, NDArray[np.int64]]:
    """Embeddings (V, D) of the views, and the row (V,) that each view shows."""
    count = min(len(index), SIMULATED_REFERENCES_MAX)
    rows = np.unique(np.linspace(0, len(index) - 1, count).astype(np.int64))
    reads = [partial(read_row, index, refs, int(row)) for row in rows]

    embeddings: list[Embeddings] = []
    truth: list[int] = []
    with Progress("simulated", len(rows) * views, enabled=not quiet) as progress:
        for row, batch in zip(rows, read_ahead(reads, 1), strict=True):
            picture = batch[0]
            if not isinstance(picture, ImageError):
                # Seeded by content, so that a picture's views do not depend on the
                # other files.
                rng = np.random.default_rng(int(str(index.sha256[row])[:16], 16))
                crops = [live_crop(picture, rng, embedder.crop_side) for _ in range(views)]
                embeddings.append(embedder.encode(crops))
                truth += [int(row)] * views
            progress.step(views)

    if not embeddings:
        raise ImageError(
            f"No reference file in {refs} can be read", "Give the folder that was indexed"
        )
    return np.concatenate(embeddings), np.array(truth)


def _rounded_mean(values: NDArray[np.bool_]) -> float:
    return round(float(values.mean()), 4)
