"""What a camera would make of an index: webcam-like views of its own references, searched for in it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_label_factory.errors import ImageError
from data_label_factory.identify.camera import live_crop
from data_label_factory.identify.encoders import Embedder, Embeddings
from data_label_factory.identify.index import Index
from data_label_factory.identify.index.build import decode_ahead
from data_label_factory.identify.verify.margins import Floats, choose_thresholds, nearest_others
from data_label_factory.progress import Progress

SIMULATED_REFERENCES_MAX = 2000


@dataclass(frozen=True)
class Simulation:
    """What webcam-like views predict. Accepted rates are fractions of all views.

    `false_accept_rate` is the fraction of accepted views of unknown items: the same views, with the true item taken
    out of the index. A reference with a near-duplicate, another item no less like it than a camera's own views of it
    are, is not unknown to the index even then, and is left out of that; `near_duplicates` counts such references.
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
        """`twins` is `near_duplicates` under the name of earlier versions."""
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
    """Render `views` of each reference (of an even sample of 2,000 when there are more), search for them, and choose
    the thresholds that accept most while at most `false_accept_rate` of strangers pass.

    Raises ImageError when no reference file can be read.
    """
    seen, truth = _views(index, embedder, refs, views, quiet)
    return score_views(index, seen, truth, false_accept_rate)


def score_views(
    index: Index,
    seen: Embeddings,
    truth: NDArray[np.int64],
    false_accept_rate: float,
    near_duplicates: NDArray[np.bool_] | None = None,
) -> Simulation:
    """What V views, embeddings (V, D) of the rows `truth` (V,), say of an index, at the thresholds that suit it.

    `twins` (V,): which views' references have one; None finds them as Simulation says. To compare two encoders or
    heads, the same must be given to both: the worse one finds more of them, and leaves its hardest strangers out.
    """
    near = nearest_others(seen, truth, index)
    own = best_of_item(index, seen, truth)
    right = own > near.other
    if near_duplicates is None:
        near_duplicates = find_near_duplicates(index, truth, own)
    unknowns = ~near_duplicates if not near_duplicates.all() else np.ones(len(truth), bool)
    margin = (
        near.other - near.second
    )  # a stranger's margin: what is nearest then against the next item
    sim, gap = choose_thresholds(
        np.where(right, own, -1).astype(np.float32),
        np.where(right, own - near.other, 0).astype(np.float32),
        near.other[unknowns],
        margin[unknowns],
        false_accept_rate,
    )
    wrong = ~right & (near.other > sim) & (near.other - np.maximum(own, near.second) > gap)
    false = (near.other > sim) & (margin > gap)
    return Simulation(
        views=len(seen),
        references=len(np.unique(truth)),
        top1=round(float(right.mean()), 4),
        accepted_right=round(float((right & (own > sim) & (own - near.other > gap)).mean()), 4),
        accepted_wrong=round(float(wrong.mean()), 4),
        false_accept_rate=round(float(false[unknowns].mean()), 4),
        near_duplicates=len(np.unique(truth[near_duplicates])),
        sim_threshold=sim,
        margin_threshold=gap,
    )


def _views(
    index: Index, embedder: Embedder, refs: Path, views: int, quiet: bool
) -> tuple[Embeddings, NDArray[np.int64]]:
    """Embeddings (V, D) of the views and the row (V,) that each one shows."""
    count = min(len(index), SIMULATED_REFERENCES_MAX)
    rows = np.unique(np.linspace(0, len(index) - 1, count).astype(np.int64))
    queries, truth = [], []
    with Progress("simulated", len(rows) * views, enabled=not quiet) as progress:
        for row, batch in zip(
            rows, decode_ahead([refs / str(index.references[r]) for r in rows], 1), strict=True
        ):
            if not isinstance(batch[0], ImageError):
                # Seeded by content, so that a picture's views stay the same whatever else is in the folder.
                rng = np.random.default_rng(int(str(index.sha256[row])[:16], 16))
                queries.append(
                    embedder.encode(
                        [live_crop(batch[0], rng, embedder.crop_side) for _ in range(views)]
                    )
                )
                truth += [row] * views
            progress.step(views)
    if not queries:
        raise ImageError(
            f"No reference file in {refs} can be read", "Give the folder that was indexed"
        )
    return np.concatenate(queries), np.array(truth)


def find_near_duplicates(index: Index, truth: NDArray[np.int64], own: Floats) -> NDArray[np.bool_]:
    """(V,) whether a view's reference is as much like another item as views are like their own, `own` (V,) cosines."""
    return np.asarray(
        nearest_others(index.embeddings[truth], truth, index).other >= np.median(own), bool
    )


def best_of_item(index: Index, seen: Embeddings, truth: NDArray[np.int64]) -> Floats:
    """(V,) each view's cosine to the nearest variant of the item it shows."""
    variants = {item: np.flatnonzero(index.items == item) for item in np.unique(index.items[truth])}
    best = [
        (index.embeddings[variants[index.items[row]]] @ view).max()
        for view, row in zip(seen, truth, strict=True)
    ]
    return np.array(best, np.float32)
